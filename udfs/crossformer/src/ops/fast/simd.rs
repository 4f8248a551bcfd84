//! Vector code that is compiled for several instruction sets and chosen at run time.

use pulp::Simd;

/// Defines a function whose body is compiled for each instruction set; inside it, `S` is the set
/// and the name in brackets its token.
macro_rules! vectorized {
    ($(#[$doc:meta])* $vis:vis fn $name:ident<$l:lifetime>[$simd:ident]($($arg:ident: $ty:ty),* $(,)?) $body:block) => {
        $(#[$doc])*
        $vis fn $name<$l>($($arg: $ty),*) {
            struct Call<$l> { $($arg: $ty),* }
            impl<$l> pulp::WithSimd for Call<$l> {
                type Output = ();
                #[inline(always)]
                fn with_simd<S: pulp::Simd>(self, simd: S) {
                    let Self { $($arg),* } = self;
                    call(simd, $($arg),*)
                }
            }
            #[inline(always)]
            fn call<$l, S: pulp::Simd>($simd: S, $($arg: $ty),*) $body
            pulp::Arch::new().dispatch(Call { $($arg),* })
        }
    };
}
pub(super) use vectorized;

/// Values of a vector of the instruction set that is chosen.
pub fn lanes() -> usize {
    struct Lanes;
    impl pulp::WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    pulp::Arch::new().dispatch(Lanes)
}

/// a b + c, in one instruction where there is one.
#[inline(always)]
pub fn fma<S: Simd>(a: f32, b: f32, c: f32) -> f32 {
    if S::F32_LANES > 1 { a.mul_add(b, c) } else { a * b + c }
}

/// Values of [`sum`] that are added side by side.
const SIDE: usize = 16;

/// Sum of f over rows of one length, side by side, in sixteen interleaved sums.
#[inline(always)]
pub fn sum<S: Simd, const N: usize>(simd: S, rows: [&[f32]; N], f: impl Fn([f32; N]) -> f32) -> f32 {
    let n = rows[0].len();
    // Slices of known lengths: a check of each index would keep the loop from being vectorised.
    let whole = rows.map(|row| &row[..n].as_chunks::<SIDE>().0[..n / SIDE]);
    let rest = rows.map(|row| &row[n / SIDE * SIDE..n]);
    let mut lanes = [0.0f32; SIDE];
    for i in 0..n / SIDE {
        let values = whole.map(|row| &row[i]);
        for (l, lane) in lanes.iter_mut().enumerate() {
            *lane += f(values.map(|v| v[l]));
        }
    }
    for (i, lane) in lanes.iter_mut().enumerate().take(n % SIDE) {
        *lane += f(rest.map(|row| row[i]));
    }
    let (vectors, _) = S::as_simd_f32s(&lanes);
    let mut total = vectors[0];
    for v in &vectors[1..] {
        total = simd.add_f32s(total, *v);
    }
    simd.reduce_sum_f32s(total)
}

/// e^x to about one unit in the last place: Cody and Waite's reduction and the polynomial of Cephes' `expf`. Not below e^-87.
#[inline(always)]
pub fn exp<S: Simd>(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    // Comparisons, not max and min, which would hide a NaN.
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let t = fma::<S>(x, std::f32::consts::LOG2_E, ROUND);
    let n = t - ROUND;
    let r = fma::<S>(n, 2.121_944_4e-4, fma::<S>(n, -0.693_359_4, x));
    let mut p = 1.987_569_1e-4;
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = fma::<S>(p, r, c);
    }
    let y = fma::<S>(p * r, r, r) + 1.0;
    y * f32::from_bits((t.to_bits() << 23).wrapping_add(0x3f80_0000))
}

/// The normal distribution function, by a rational approximation of erf on [0, 4] (fitted to 2.3e-8) that is odd in x.
#[inline(always)]
pub fn normal_cdf<S: Simd>(x: f32) -> f32 {
    const P: [f32; 6] = [1.979_860_6e-6, 2.863_266_6e-4, 3.946_31e-3, 5.329_394e-2, 1.949_671e-1, std::f32::consts::FRAC_2_SQRT_PI];
    const Q: [f32; 6] = [3.744_166e-5, 1.201_555_3e-3, 1.533_181_2e-2, 1.159_420_9e-1, 5.061_170_5e-1, 1.0];
    let z = x * std::f32::consts::FRAC_1_SQRT_2;
    let z = if z < -4.0 { -4.0 } else { z };
    let z = if z > 4.0 { 4.0 } else { z };
    let s = z * z;
    let (mut p, mut q) = (P[0], Q[0]);
    for i in 1..6 {
        p = fma::<S>(p, s, P[i]);
        q = fma::<S>(q, s, Q[i]);
    }
    0.5 + 0.5 * (z * p / q)
}

/// The exact GELU, x Φ(x) (Hendrycks and Gimpel, 2016).
#[inline(always)]
pub fn gelu<S: Simd>(x: f32) -> f32 {
    x * normal_cdf::<S>(x)
}

/// Its derivative, Φ(x) + x φ(x).
#[inline(always)]
pub fn gelu_slope<S: Simd>(x: f32) -> f32 {
    const DENSITY: f32 = 0.398_942_3;
    fma::<S>(x, DENSITY * exp::<S>(-0.5 * x * x), normal_cdf::<S>(x))
}
