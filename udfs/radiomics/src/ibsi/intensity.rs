//! Intensity-based statistics and the intensity histogram (IBSI reference manual, sections 3.3 and 3.4).

use crate::Binned;
use crate::firstorder::{mean_absolute_deviation, mean_of, percentile};

/// `stat_*` of the intensities in the intensity mask. Moments divide by n, kurtosis is in excess of 3.
pub(super) fn statistics(values: &[f64]) -> Vec<(String, f64)> {
    let mut found = common(values);
    found.push(("energy", values.iter().map(|v| v * v).sum()));
    found.push(("rms", mean_of(values, |v| v * v).sqrt()));
    found.into_iter().map(|(name, value)| (format!("stat_{name}"), value)).collect()
}

/// `ih_*` of the discretised intensities.
pub(super) fn histogram(binned: &Binned) -> Vec<(String, f64)> {
    let levels: Vec<f64> = binned.levels.iter().filter(|l| **l > 0).map(|l| f64::from(*l)).collect();
    let mut counts = vec![0.0; binned.n_levels as usize];
    for level in &levels {
        counts[*level as usize - 1] += 1.0;
    }
    let mean = mean_of(&levels, |v| v);
    // Of equally frequent levels the one closest to the mean, of two as close the lower.
    let rank = |level: usize| (counts[level], -((level + 1) as f64 - mean).abs());
    let mode = (0..counts.len()).fold(0, |best, l| if rank(l) > rank(best) { l } else { best });
    let p = counts.iter().map(|c| c / levels.len() as f64).filter(|p| *p > 0.0);
    let entropy = -p.clone().map(|p| p * p.log2()).sum::<f64>();
    let uniformity = p.map(|p| p * p).sum::<f64>();
    let gradient = gradient(&counts);
    let at =
        |better: fn(f64, f64) -> bool| (0..gradient.len()).fold(0, |best, l| if better(gradient[l], gradient[best]) { l } else { best });
    let (steepest, falling) = (at(|a, b| a > b), at(|a, b| a < b));
    let slope = |l: usize| gradient.get(l).copied().unwrap_or(0.0);
    let mut found = common(&levels);
    found.extend([
        ("mode", (mode + 1) as f64),
        ("entropy", entropy),
        ("uniformity", uniformity),
        ("max_grad", slope(steepest)),
        ("max_grad_g", (steepest + 1) as f64),
        ("min_grad", slope(falling)),
        ("min_grad_g", (falling + 1) as f64),
    ]);
    found.into_iter().map(|(name, value)| (format!("ih_{name}"), value)).collect()
}

/// Slope of the histogram: central differences, one-sided at its ends. Empty for a single level.
fn gradient(counts: &[f64]) -> Vec<f64> {
    let last = counts.len() - 1;
    if last == 0 {
        return Vec::new();
    }
    (0..counts.len())
        .map(|l| match l {
            0 => counts[1] - counts[0],
            l if l == last => counts[last] - counts[last - 1],
            l => 0.5 * (counts[l + 1] - counts[l - 1]),
        })
        .collect()
}

/// What both families have.
fn common(values: &[f64]) -> Vec<(&'static str, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mean = mean_of(values, |v| v);
    let moment = |power: i32| mean_of(values, |v| (v - mean).powi(power));
    let variance = moment(2);
    let flat = variance == 0.0;
    let [p10, p25, median, p75, p90] = [0.10, 0.25, 0.5, 0.75, 0.90].map(|q| percentile(&sorted, q));
    let central: Vec<f64> = values.iter().copied().filter(|v| *v >= p10 && *v <= p90).collect();
    let (minimum, maximum) = (sorted[0], sorted[sorted.len() - 1]);
    vec![
        ("mean", mean),
        ("var", variance),
        ("skew", if flat { 0.0 } else { moment(3) / variance.powf(1.5) }),
        ("kurt", if flat { 0.0 } else { moment(4) / (variance * variance) - 3.0 }),
        ("median", median),
        ("min", minimum),
        ("p10", p10),
        ("p90", p90),
        ("max", maximum),
        ("iqr", p75 - p25),
        ("range", maximum - minimum),
        ("mad", mean_absolute_deviation(values)),
        ("rmad", mean_absolute_deviation(&central)),
        ("medad", mean_of(values, |v| (v - median).abs())),
        ("cov", variance.sqrt() / mean),
        ("qcod", (p75 - p25) / (p75 + p25)),
    ]
}
