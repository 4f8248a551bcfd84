//! What each centre's patients look like: margins after Hu et al. 2026 (J Cancer 17:808), Table 1.

/// Median and quartiles of a log-normal quantity.
#[derive(Debug, Clone, Copy)]
pub struct Quartiles {
    pub q1: f64,
    pub median: f64,
    pub q3: f64,
}

/// One centre. Counts are of [`Centre::patients`]; a cohort of another size keeps the proportions.
#[derive(Debug, Clone, Copy)]
pub struct Centre {
    pub number: u8,
    pub cohort: &'static str,
    pub patients: usize,
    pub age_mean: f64,
    pub age_sd: f64,
    /// Counts of [`SEX`].
    pub sex: [usize; 2],
    /// Counts of [`LOCATION`].
    pub location: [usize; 3],
    /// Counts of [`CT`].
    pub ct: [usize; 5],
    /// Counts of [`CN`].
    pub cn: [usize; 4],
    /// Counts of [`CM`].
    pub cm: [usize; 2],
    /// Gross tumour volume before treatment in cm3.
    pub gtv_pre: Quartiles,
    /// Gross tumour volume after treatment in cm3.
    pub gtv_post: Quartiles,
    /// Standard deviation of the scanner's noise in HU (planted, not of the paper).
    pub noise_hu: f64,
    /// Standard deviation of the scanner's in-plane blur in mm (planted, not of the paper).
    pub blur_mm: f64,
}

pub const SEX: [&str; 2] = ["male", "female"];
pub const LOCATION: [&str; 3] = ["proximal", "middle", "distal"];
pub const CT: [&str; 5] = ["T1", "T2", "T3", "T4a", "T4b"];
pub const CN: [&str; 4] = ["N0", "N1", "N2", "N3"];
pub const CM: [&str; 2] = ["M0", "M1"];
pub const STAGE: [&str; 4] = ["II", "III", "IVA", "IVB"];

pub const TRAINING: Centre = Centre {
    number: 1,
    cohort: "training",
    patients: 205,
    age_mean: 61.6,
    age_sd: 8.1,
    sex: [189, 16],
    location: [80, 92, 33],
    ct: [2, 3, 129, 49, 22],
    cn: [13, 59, 96, 37],
    cm: [180, 25],
    gtv_pre: Quartiles { q1: 15.9, median: 26.4, q3: 41.7 },
    gtv_post: Quartiles { q1: 12.5, median: 19.5, q3: 28.3 },
    noise_hu: 9.0,
    blur_mm: 0.6,
};

pub const TEST: Centre = Centre {
    number: 2,
    cohort: "test",
    patients: 52,
    age_mean: 69.2,
    age_sd: 9.7,
    sex: [45, 7],
    location: [24, 21, 7],
    ct: [1, 6, 23, 10, 12],
    cn: [6, 28, 17, 1],
    cm: [52, 0],
    gtv_pre: Quartiles { q1: 23.1, median: 32.5, q3: 50.4 },
    gtv_post: Quartiles { q1: 15.9, median: 21.1, q3: 29.7 },
    noise_hu: 11.0,
    blur_mm: 0.75,
};

/// Observed overall survival at 12, 24, 36 and 60 months, both cohorts together.
pub const SURVIVAL: [(f64, f64); 4] = [(12.0, 0.893), (24.0, 0.641), (36.0, 0.495), (60.0, 0.337)];

/// Clinical stage, an index of [`STAGE`], of indices of [`CT`], [`CN`] and [`CM`]: squamous cell carcinoma, AJCC 8th
/// edition, for the combinations that the study admits (no T1-2 N0, and here no T1 N1, which would be stage I).
pub fn stage(ct: usize, cn: usize, cm: usize) -> usize {
    match (ct, cn, cm) {
        (_, _, 1) => 3,
        (3.., _, _) | (_, 3, _) => 2,
        (2, 0, _) | (1, 1, _) => 0,
        _ => 1,
    }
}

impl Quartiles {
    /// Standard deviation of the logarithm.
    pub fn log_sd(&self) -> f64 {
        super::math::ln(self.q3 / self.q1) / (2.0 * 0.674_489_750_196_082)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_add_up() {
        for centre in [TRAINING, TEST] {
            for counts in [&centre.sex[..], &centre.location, &centre.ct, &centre.cn, &centre.cm] {
                assert_eq!(counts.iter().sum::<usize>(), centre.patients);
            }
        }
    }

    #[test]
    fn stages() {
        assert_eq!(STAGE[stage(2, 0, 0)], "II"); // T3 N0 M0
        assert_eq!(STAGE[stage(1, 1, 0)], "II"); // T2 N1 M0
        assert_eq!(STAGE[stage(2, 1, 0)], "III"); // T3 N1 M0
        assert_eq!(STAGE[stage(0, 2, 0)], "III"); // T1 N2 M0
        assert_eq!(STAGE[stage(3, 0, 0)], "IVA"); // T4a N0 M0
        assert_eq!(STAGE[stage(2, 3, 0)], "IVA"); // T3 N3 M0
        assert_eq!(STAGE[stage(2, 1, 1)], "IVB"); // T3 N1 M1
    }
}
