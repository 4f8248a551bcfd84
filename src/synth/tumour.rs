//! A tumour's outline: an ellipsoid along the oesophagus with a lobulated cross-section, and readers who draw it.
//!
//! In the slice at height `u` (-1 at the lower end, 1 at the upper) the outline is
//! `R(u, theta) = a sqrt(1 - u^2) (1 + sum over n of c_n(u) cos(n theta) + s_n(u) sin(n theta))`.
//! Angles never appear: cos and sin of `n theta` come from the unit vector by recurrence.

use super::cohort::Planted;
use super::math;
use super::random::Stream;

/// Harmonics of an outline.
const HARMONICS: usize = 6;

/// Lengths in mm; x to the left, y to the back, z to the head, from the centre of the field of view.
#[derive(Debug, Clone)]
pub struct Tumour {
    pub centre: [f64; 3],
    /// Half length along z.
    pub half_length: f64,
    /// Mean radius of the largest cross-section.
    pub radius: f64,
    /// Bend of the axis in x and y at both ends.
    bend: [f64; 2],
    /// Coefficients of `1`, `u` and `u^2` for each harmonic's cosine and sine.
    outline: [[[f64; 3]; 2]; HARMONICS],
}

/// Where a point lies in a tumour.
pub struct Place {
    /// Distance in mm outside the outline within the slice; negative inside.
    pub outside: f64,
    /// 0 in the middle, 1 on the surface.
    pub depth: f64,
}

impl Tumour {
    /// Tumours of one patient, before and after treatment: one shape, of two volumes (mm3), slightly changed.
    pub fn pair(planted: &Planted, scale: f64, random: &mut Stream, later: &mut Stream) -> [Tumour; 2] {
        let elongation = 1.9 * math::exp(0.12 * random.normal_within(2.0));
        let roughness = 0.11 * math::exp(0.3 * planted.lobulation);
        let mut outline = [[[0.0; 3]; 2]; HARMONICS];
        for (n, harmonic) in outline.iter_mut().enumerate() {
            let amplitude = roughness / (1.0 + 0.6 * n as f64);
            for coefficients in harmonic {
                *coefficients = [1.0, 0.7, 0.7].map(|c| c * amplitude * random.normal_within(1.6));
            }
        }
        // The first harmonic is a shift of the slice; a little of it is enough.
        outline[0] = outline[0].map(|coefficients| coefficients.map(|c| 0.5 * c));
        let bend = [2.0 * random.normal_within(2.0) * scale, 2.0 * random.normal_within(2.0) * scale];
        let centre = [
            (2.0 + 1.5 * random.normal_within(2.0)) * scale,
            (5.0 + 1.5 * random.normal_within(2.0)) * scale,
            1.5 * random.normal_within(2.0) * scale,
        ];
        let mut tumour = Tumour { centre, half_length: 0.0, radius: 0.0, bend, outline };
        let before = tumour.of_volume(planted.gtv_pre * 1000.0, elongation, scale);
        for harmonic in &mut tumour.outline {
            for coefficients in harmonic {
                *coefficients = coefficients.map(|c| 0.9 * c + 0.1 * roughness * later.normal_within(1.6));
            }
        }
        let after = tumour.of_volume(planted.gtv_post * 1000.0, elongation, scale);
        [before, after]
    }

    /// The same shape with a volume of `volume` mm3; no longer than the field of view allows.
    fn of_volume(&self, volume: f64, elongation: f64, scale: f64) -> Tumour {
        // Area of a slice is pi a^2 (1 - u^2) (1 + sum of squared coefficients / 2); integrated over u in [-1, 1].
        const STEPS: usize = 64;
        let integral: f64 = (0..STEPS)
            .map(|i| {
                let u = (2 * i + 1) as f64 / STEPS as f64 - 1.0;
                let squares: f64 = self.outline.iter().flatten().map(|c| at(c, u) * at(c, u)).sum();
                (1.0 - u * u) * (1.0 + 0.5 * squares) * 2.0 / STEPS as f64
            })
            .sum();
        let unit = std::f64::consts::PI * integral;
        let half_length = math::pow(volume * elongation * elongation / unit, 1.0 / 3.0).min(42.0 * scale);
        Tumour { half_length, radius: (volume / (unit * half_length)).sqrt(), ..self.clone() }
    }

    /// Position of the axis in the slice at `z`.
    pub fn axis(&self, z: f64) -> (f64, f64) {
        let u = (z - self.centre[2]) / self.half_length.max(1.0);
        let u = u.clamp(-2.0, 2.0);
        (self.centre[0] + self.bend[0] * u * u * 0.5, self.centre[1] + self.bend[1] * u)
    }

    /// The cross-section at `z`, or none beyond the ends.
    pub fn slice(&self, z: f64) -> Option<Slice> {
        let u = (z - self.centre[2]) / self.half_length;
        (u.abs() < 1.0).then(|| {
            let (x, y) = self.axis(z);
            let mut harmonics = [[0.0; 2]; HARMONICS];
            for (value, c) in harmonics.iter_mut().zip(&self.outline) {
                *value = [at(&c[0], u), at(&c[1], u)];
            }
            Slice { x, y, u, radius: self.radius * (1.0 - u * u).sqrt(), harmonics, shift: [[0.0; 2]; HARMONICS], offset: 0.0 }
        })
    }

    /// Farthest that the outline can reach from the axis, with room for a reader's slip.
    pub fn reach(&self) -> f64 {
        self.radius * 1.6 + 4.0
    }
}

/// A cross-section of a tumour.
pub struct Slice {
    x: f64,
    y: f64,
    u: f64,
    radius: f64,
    harmonics: [[f64; 2]; HARMONICS],
    /// A reader's displacement in mm, by harmonic.
    shift: [[f64; 2]; HARMONICS],
    /// A reader's displacement in mm, all round.
    offset: f64,
}

impl Slice {
    pub fn place(&self, x: f64, y: f64) -> Place {
        let (dx, dy) = (x - self.x, y - self.y);
        let r = (dx * dx + dy * dy).sqrt();
        let (cos, sin) = if r > 1e-9 { (dx / r, dy / r) } else { (1.0, 0.0) };
        let (mut c, mut s) = (cos, sin);
        let (mut relative, mut shift) = (1.0, self.offset);
        for (harmonic, displacement) in self.harmonics.iter().zip(&self.shift) {
            relative += harmonic[0] * c + harmonic[1] * s;
            shift += displacement[0] * c + displacement[1] * s;
            (c, s) = (c * cos - s * sin, s * cos + c * sin);
        }
        // A floor keeps deep indentations from turning the outline inside out.
        let outline = self.radius * relative.max(0.35) + shift;
        let across = if outline > 0.1 { r / outline } else { 2.0 };
        let depth = (self.u * self.u + (1.0 - self.u * self.u) * across * across).sqrt();
        Place { outside: r - outline, depth }
    }
}

/// How one reader draws: smooth displacements of the outline, correlated between slices, and ends a slice off.
pub struct Reader<'a> {
    random: &'a mut Stream,
    /// Standard deviation of the displacement in mm.
    sd: f64,
    /// How much more (or less) than the tumour the reader takes in, in mm.
    bias: f64,
}

impl<'a> Reader<'a> {
    pub fn new(random: &'a mut Stream, sd: f64, bias: f64) -> Self {
        Reader { random, sd, bias }
    }

    /// The reader's slices at the heights `z`, ascending and `thickness` mm apart; none where the reader draws nothing.
    pub fn draw(&mut self, tumour: &Tumour, z: impl Iterator<Item = f64>, thickness: f64) -> Vec<Option<Slice>> {
        let mut seen = tumour.clone();
        // Each end is moved by a slice in three of ten patients.
        let ends = [0, 1].map(|_| match self.random.index(20) {
            0..=2 => -thickness,
            3..=5 => thickness,
            _ => 0.0,
        });
        let half_length = (tumour.half_length + 0.5 * (ends[0] + ends[1])).max(0.6 * tumour.half_length);
        seen.centre[2] += 0.5 * (ends[1] - ends[0]);
        seen.half_length = half_length;
        // The patient's mean displacement, then a walk over slices whose variances add to `sd^2` at a point.
        let mean = 0.5 * self.sd * self.random.normal_within(2.5);
        let spread = self.sd * (0.75f64).sqrt() / (1.0 + weights().map(|w| w * w).sum::<f64>()).sqrt();
        let mut offset = spread * self.random.normal_within(2.5);
        let mut shift = [[0.0; 2]; HARMONICS];
        for (component, w) in shift.iter_mut().zip(weights()) {
            *component = [0, 1].map(|_| spread * w * self.random.normal_within(2.5));
        }
        const MEMORY: f64 = 0.75;
        let fresh = (1.0 - MEMORY * MEMORY).sqrt();
        z.map(|z| {
            offset = MEMORY * offset + fresh * spread * self.random.normal_within(2.5);
            for (component, w) in shift.iter_mut().zip(weights()) {
                *component = component.map(|c| MEMORY * c + fresh * spread * w * self.random.normal_within(2.5));
            }
            seen.slice(z).map(|slice| Slice { shift, offset: self.bias + mean + offset, ..slice })
        })
        .collect()
    }
}

/// Relative size of a reader's displacement by harmonic.
fn weights() -> impl Iterator<Item = f64> {
    (0..HARMONICS).map(|n| 1.0 / (1.0 + 0.35 * n as f64))
}

fn at(coefficients: &[f64; 3], u: f64) -> f64 {
    coefficients[0] + coefficients[1] * u + coefficients[2] * (u * u - 1.0 / 3.0)
}
