//! Grey level co-occurrence matrix: pairs of levels one step apart, 24 features.
//!
//! One matrix per step, counted in both directions when `symmetrical_glcm`; the features are means over the steps.
//! With a weighting norm the matrices are first added up, each times exp(-d^2), d being the step's length in mm.
//! Haralick et al., IEEE Trans. SMC 1973;3:610.

use super::eigen::second_largest;
use super::{EPSILON, Lattice, mean_over};
use crate::{Settings, WeightingNorm};

const NAMES: [&str; 24] = [
    "Autocorrelation",
    "ClusterProminence",
    "ClusterShade",
    "ClusterTendency",
    "Contrast",
    "Correlation",
    "DifferenceAverage",
    "DifferenceEntropy",
    "DifferenceVariance",
    "Id",
    "Idm",
    "Idmn",
    "Idn",
    "Imc1",
    "Imc2",
    "InverseVariance",
    "JointAverage",
    "JointEnergy",
    "JointEntropy",
    "MCC",
    "MaximumProbability",
    "SumAverage",
    "SumEntropy",
    "SumSquares",
];

/// The features in alphabetical order; NaN when no two voxels of the region are a step apart.
pub(crate) fn glcm(lattice: &Lattice, settings: &Settings) -> Vec<(&'static str, f64)> {
    let n = lattice.levels.len();
    let offsets = lattice.half(&settings.distances, settings);
    let mut counts = vec![0u32; n * n];
    let mut tables = Vec::new();
    let mut features = Vec::new();
    let mut sum = vec![0.0; if settings.weighting_norm.is_some() { n * n } else { 0 }];
    for offset in offsets {
        counts.fill(0);
        count(lattice, lattice.step(offset), &mut counts, &mut tables);
        let weight = match settings.weighting_norm {
            None => 1.0,
            Some(WeightingNorm::NoWeighting) => 1.0,
            Some(norm) => (-lattice.length(offset, norm).powi(2)).exp(),
        };
        let at = |i: usize, j: usize| f64::from(counts[i * n + j]);
        let entry = |i, j| weight * if settings.symmetrical_glcm { at(i, j) + at(j, i) } else { at(i, j) };
        if settings.weighting_norm.is_some() {
            (0..n * n).for_each(|k| sum[k] += entry(k / n, k % n));
        } else if let Some(p) = normalised((0..n * n).map(|k| entry(k / n, k % n)).collect()) {
            features.push(of_matrix(&p, &lattice.levels, lattice.n_levels));
        }
    }
    if settings.weighting_norm.is_some() {
        features.extend(normalised(sum).map(|p| of_matrix(&p, &lattice.levels, lattice.n_levels)));
    }
    mean_over(&features, &NAMES)
}

/// Levels up to which several tables are counted side by side.
const TABLES_UP_TO: usize = 128;

/// Adds the pairs (voxel, voxel one step on) to `counts[i * n + j]`. `tables` is room to work in.
fn count(lattice: &Lattice, step: isize, counts: &mut [u32], tables: &mut Vec<[u32; 4]>) {
    let n = lattice.levels.len();
    if n > TABLES_UP_TO {
        return count_one_by_one(lattice, step, counts);
    }
    // Rows and columns from 0, outside, on. Neighbouring pairs are often equal: adding to the same place at once would
    // wait, so each of four goes to a table of its own.
    let width = n + 1;
    tables.clear();
    tables.resize(width * width, [0; 4]);
    let at = |a: u16, b: u16| a as usize * width + b as usize;
    for run in &lattice.runs {
        let from = run.start.wrapping_add_signed(step);
        let (here, there) = (&lattice.ranks[run.clone()], &lattice.ranks[from..from + run.len()]);
        let (pairs, rest) = here.as_chunks::<4>();
        let (neighbours, rest_neighbours) = there.as_chunks::<4>();
        for (a, b) in pairs.iter().zip(neighbours) {
            for k in 0..4 {
                tables[at(a[k], b[k])][k] += 1;
            }
        }
        for (a, b) in rest.iter().zip(rest_neighbours) {
            tables[at(*a, *b)][0] += 1;
        }
    }
    for i in 1..width {
        for j in 1..width {
            counts[(i - 1) * n + j - 1] += tables[i * width + j].iter().sum::<u32>();
        }
    }
}

fn count_one_by_one(lattice: &Lattice, step: isize, counts: &mut [u32]) {
    let n = lattice.levels.len();
    for &voxel in &lattice.voxels {
        let neighbour = lattice.neighbour(voxel, step) as usize;
        if neighbour > 0 {
            counts[(lattice.ranks[voxel] as usize - 1) * n + neighbour - 1] += 1;
        }
    }
}

/// Probabilities from counts; `None` when there are none.
fn normalised(mut counts: Vec<f64>) -> Option<Vec<f64>> {
    let total: f64 = counts.iter().sum();
    counts.iter_mut().for_each(|c| *c /= total);
    (total > 0.0).then_some(counts)
}

/// Features of one matrix `p` (row-major, `levels` x `levels`); `n_levels` is the highest level of the region.
pub(crate) fn of_matrix(p: &[f64], levels: &[f64], n_levels: u32) -> Vec<(&'static str, f64)> {
    let n = levels.len();
    let ng = f64::from(n_levels);
    let mut px = vec![0.0; n];
    let mut py = vec![0.0; n];
    let mut by_sum = vec![0.0; 2 * n_levels as usize + 1];
    let mut by_difference = vec![0.0; n_levels as usize + 1];
    for (row, i) in p.chunks_exact(n).zip(0..) {
        for (v, j) in row.iter().zip(0..) {
            px[i] += v;
            py[j] += v;
            by_sum[(levels[i] + levels[j]) as usize] += v;
            by_difference[(levels[i] - levels[j]).abs() as usize] += v;
        }
    }
    let mean = |marginal: &[f64]| marginal.iter().zip(levels).map(|(p, l)| p * l).sum::<f64>();
    let (ux, uy) = (mean(&px), mean(&py));
    let variance = |marginal: &[f64], u: f64| marginal.iter().zip(levels).map(|(p, l)| p * (l - u).powi(2)).sum::<f64>();
    let (vx, vy) = (variance(&px, ux), variance(&py, uy));

    let (mut autocorrelation, mut covariance, mut energy, mut maximum) = (0.0, 0.0, 0.0, 0.0_f64);
    let (mut tendency, mut shade, mut prominence) = (0.0, 0.0, 0.0);
    let (mut hxy, mut hxy1, mut hxy2) = (0.0, 0.0, 0.0);
    for (row, i) in p.chunks_exact(n).zip(0..) {
        for (v, j) in row.iter().zip(0..) {
            let independent = px[i] * py[j];
            let log = (independent + EPSILON).log2();
            hxy2 -= independent * log;
            if *v == 0.0 {
                continue;
            }
            let (a, b) = (levels[i], levels[j]);
            let apart = a + b - ux - uy;
            let square = apart * apart;
            autocorrelation += v * a * b;
            covariance += v * (a - ux) * (b - uy);
            energy += v * v;
            maximum = maximum.max(*v);
            tendency += v * square;
            shade += v * square * apart;
            prominence += v * square * square;
            hxy -= v * (v + EPSILON).log2();
            hxy1 -= v * log;
        }
    }
    let entropy = |p: &[f64]| -p.iter().map(|v| v * (v + EPSILON).log2()).sum::<f64>();
    let over = |p: &[f64], f: &dyn Fn(f64) -> f64| p.iter().enumerate().map(|(k, v)| v * f(k as f64)).sum::<f64>();
    let difference_average = over(&by_difference, &|k| k);
    let spread = vx.sqrt() * vy.sqrt();
    let largest_entropy = entropy(&px).max(entropy(&py));
    vec![
        ("Autocorrelation", autocorrelation),
        ("ClusterProminence", prominence),
        ("ClusterShade", shade),
        ("ClusterTendency", tendency),
        ("Contrast", over(&by_difference, &|k| k * k)),
        ("Correlation", if spread == 0.0 { 1.0 } else { covariance / (spread + EPSILON) }),
        ("DifferenceAverage", difference_average),
        ("DifferenceEntropy", entropy(&by_difference)),
        ("DifferenceVariance", over(&by_difference, &|k| (k - difference_average).powi(2))),
        ("Id", over(&by_difference, &|k| 1.0 / (1.0 + k))),
        ("Idm", over(&by_difference, &|k| 1.0 / (1.0 + k * k))),
        ("Idmn", over(&by_difference, &|k| 1.0 / (1.0 + k * k / (ng * ng)))),
        ("Idn", over(&by_difference, &|k| 1.0 / (1.0 + k / ng))),
        ("Imc1", if largest_entropy == 0.0 { 0.0 } else { (hxy - hxy1) / largest_entropy }),
        // Independent levels: 0; an entropy above its bound by rounding: no number, left out of the mean.
        ("Imc2", if hxy2 == hxy { 0.0 } else { (1.0 - (-2.0 * (hxy2 - hxy)).exp()).sqrt() }),
        ("InverseVariance", over(&by_difference[1..], &|k| 1.0 / (k + 1.0).powi(2))),
        ("JointAverage", ux),
        ("JointEnergy", energy),
        ("JointEntropy", hxy),
        ("MCC", maximal_correlation(p, &px, &py)),
        ("MaximumProbability", maximum),
        ("SumAverage", over(&by_sum, &|k| k)),
        ("SumEntropy", entropy(&by_sum)),
        ("SumSquares", vx),
    ]
}

/// Square root of the second largest eigenvalue of Q(i, j) = sum over k of p(i, k) p(j, k) / (px(i) py(k) + eps).
fn maximal_correlation(p: &[f64], px: &[f64], py: &[f64]) -> f64 {
    // A level without pairs in this direction adds a zero row and column.
    let present: Vec<usize> = (0..px.len()).filter(|i| px[*i] > 0.0).collect();
    let n = present.len();
    if px.len() == 1 {
        return 1.0;
    }
    if n < 2 {
        return 0.0;
    }
    let columns: Vec<usize> = (0..py.len()).filter(|k| py[*k] > 0.0).collect();
    let all = px.len();
    // Scaled by sqrt(px), which keeps the eigenvalues and makes the matrix symmetric but for eps.
    let mut q = vec![0.0; n * n];
    let mut row = vec![0.0; columns.len()];
    for (a, &i) in present.iter().enumerate() {
        for (r, &k) in row.iter_mut().zip(&columns) {
            *r = p[i * all + k] / (px[i] * py[k] + EPSILON);
        }
        for (b, &j) in present.iter().enumerate() {
            let sum: f64 = row.iter().zip(&columns).map(|(r, &k)| r * p[j * all + k]).sum();
            q[a * n + b] = sum * (px[i] / px[j]).sqrt();
        }
    }
    let second = second_largest(q, n);
    // Rows of zeros add eigenvalues of 0.
    if n < all { second.max(0.0).sqrt() } else { second.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::super::lattice::tests::{binned, noise};
    use super::*;

    fn named(features: &[(&'static str, f64)], name: &str) -> f64 {
        features.iter().find(|(n, _)| *n == name).unwrap().1
    }

    #[test]
    fn tables_equal_single_pairs() {
        let settings = Settings { distances: vec![1, 2], ..Settings::default() };
        for levels in [1, 2, 9, TABLES_UP_TO as u32] {
            let lattice = Lattice::new(&noise(levels), &settings);
            let n = lattice.levels.len();
            for offset in lattice.half(&settings.distances, &settings) {
                let (mut found, mut expected) = (vec![0; n * n], vec![0; n * n]);
                count(&lattice, lattice.step(offset), &mut found, &mut Vec::new());
                count_one_by_one(&lattice, lattice.step(offset), &mut expected);
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn names_are_in_order() {
        let lattice = Lattice::new(&binned((2, 2, 2), &[1, 2, 3, 1, 2, 2, 1, 3]), &Settings::default());
        let p = normalised(vec![1.0, 2.0, 2.0, 5.0]).unwrap();
        let one: Vec<&str> = of_matrix(&p, &[1.0, 3.0], 3).iter().map(|(n, _)| *n).collect();
        assert_eq!(one, NAMES);
        assert_eq!(glcm(&lattice, &Settings::default()).len(), 24);
    }

    #[test]
    fn one_level_and_a_checkerboard() {
        let settings = Settings::default();
        let flat = glcm(&Lattice::new(&binned((1, 2, 2), &[4; 4]), &settings), &settings);
        assert_eq!((named(&flat, "MCC"), named(&flat, "Correlation"), named(&flat, "JointEnergy")), (1.0, 1.0, 1.0));
        let line = glcm(&Lattice::new(&binned((1, 1, 4), &[1, 2, 1, 2]), &settings), &settings);
        assert!((named(&line, "Correlation") + 1.0).abs() < 1e-12);
        assert_eq!((named(&line, "Contrast"), named(&line, "InverseVariance")), (1.0, 1.0));
        assert!((named(&line, "MCC") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn voxels_without_pairs_give_no_number() {
        let settings = Settings::default();
        let apart = glcm(&Lattice::new(&binned((1, 1, 3), &[1, 0, 2]), &settings), &settings);
        assert!(apart.iter().all(|(_, v)| v.is_nan()));
    }
}
