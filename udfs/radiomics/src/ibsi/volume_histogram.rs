//! The intensity-volume histogram (IBSI reference manual, section 3.5): which share of the region is at least so bright.

use super::IbsiSettings;
use super::levels::extremes;
use super::prepare::Case;

/// Bins where intensities are not whole numbers.
const DEFAULT_BINS: f64 = 1000.0;

/// The histogram: bin `k` stands for the intensity `first + k * step`.
struct Curve {
    first: f64,
    step: f64,
    /// Share of the volume with at least the bin's intensity.
    share: Vec<f64>,
}

/// `ivh_*`.
pub(super) fn volume_histogram(case: &Case, ibsi: &IbsiSettings) -> Vec<(String, f64)> {
    let curve = Curve::new(case, ibsi);
    let (v10, v90) = (curve.volume_at(0.1), curve.volume_at(0.9));
    let (i10, i90) = (curve.intensity_at(0.1), curve.intensity_at(0.9));
    let named = [("v10", v10), ("v90", v90), ("i10", i10), ("i90", i90), ("diff_v10_v90", v10 - v90), ("diff_i10_i90", i10 - i90)];
    named.into_iter().map(|(name, value)| (format!("ivh_{name}"), value)).collect()
}

impl Curve {
    fn new(case: &Case, ibsi: &IbsiSettings) -> Curve {
        let values = case.intensities();
        let (minimum, maximum) = extremes(&values);
        let (low, high) = (case.range[0].unwrap_or(minimum), case.range[1].unwrap_or(maximum));
        let whole = values.iter().all(|v| v.fract() == 0.0) && low.fract() == 0.0;
        let counted = |count: f64| {
            let bin = |v: f64| if v < maximum { (count * (v - minimum) / (maximum - minimum)).floor() } else { count - 1.0 };
            Curve::from_bins(values.iter().map(|v| bin(*v)), count, 1.0, 1.0)
        };
        match (ibsi.ivh_bin_count, ibsi.ivh_bin_width) {
            (Some(count), _) => counted(f64::from(count)),
            (None, Some(width)) => {
                // The first bin starts at the lower bound; a bin is known by its centre.
                let bins = ((high - low) / width).ceil().max(((maximum - low) / width).floor() + 1.0);
                Curve::from_bins(values.iter().map(|v| ((v - low) / width).floor()), bins, low + 0.5 * width, width)
            }
            (None, None) if whole && high - low < 1e6 => {
                Curve::from_bins(values.iter().map(|v| v - low), (high - low).floor() + 1.0, low, 1.0)
            }
            (None, None) => counted(DEFAULT_BINS),
        }
    }

    fn from_bins(bins: impl Iterator<Item = f64>, count: f64, first: f64, step: f64) -> Curve {
        let mut share = vec![0.0; count as usize];
        let mut n = 0.0;
        for bin in bins {
            share[(bin as usize).min(count as usize - 1)] += 1.0;
            n += 1.0;
        }
        let mut left = n;
        for s in &mut share {
            let here = *s;
            *s = left / n;
            left -= here;
        }
        Curve { first, step, share }
    }

    /// Largest share of the volume at `fraction` of the intensity range or above.
    fn volume_at(&self, fraction: f64) -> f64 {
        let last = (self.share.len() - 1) as f64;
        let bin = (0..self.share.len()).find(|k| last == 0.0 || *k as f64 / last >= fraction);
        bin.map_or(0.0, |bin| self.share[bin])
    }

    /// Lowest intensity that at most `fraction` of the volume reaches.
    fn intensity_at(&self, fraction: f64) -> f64 {
        let bin = self.share.iter().position(|share| *share <= fraction).unwrap_or(self.share.len());
        self.first + bin as f64 * self.step
    }
}
