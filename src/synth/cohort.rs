//! The patients: what they are, what is planted in them, and how long they live.
//!
//! A latent aggressiveness leans on every part (stage, tumour volume, response, texture, rim); each part has noise of
//! its own. The hazard is Weibull from 6 months on, `h(t) = k / s ((t - 6) / s)^(k - 1) exp(linear predictor)`, and the linear predictor is
//! `effect` times a weighted sum of six standardised parts. Shape and scale are solved for each cohort, so that survival
//! averaged over its patients follows [`margins::SURVIVAL`] whatever the effect.

use super::margins::{self, Centre};
use super::math;
use super::random::{Purpose, Stream};

/// Weights of the standardised parts in the linear predictor, at effect 1.
pub mod weight {
    /// Clinical stage; seen by the Clinical model.
    pub const STAGE: f64 = 0.50;
    /// Age; seen by the Clinical model.
    pub const AGE: f64 = 0.15;
    /// Growth of the tumour volume; seen by the Clinical model, and by delta radiomics in its shape features.
    pub const VOLUME: f64 = 0.45;
    /// Change of texture amplitude between the scans; seen by delta radiomics.
    pub const TEXTURE_CHANGE: f64 = 0.52;
    /// Level of the rim pattern before treatment; seen by deep features. The two rims weigh the same and vary apart,
    /// so their difference, which is what a delta feature sees, says next to nothing.
    pub const RIM_PRE: f64 = 0.75;
    /// Level of the rim pattern after treatment.
    pub const RIM_POST: f64 = 0.75;
}

/// Share of the latent aggressiveness in a part: `part = share * latent + sqrt(1 - share^2) * noise`.
mod share {
    pub const BURDEN: f64 = 0.30;
    pub const VOLUME: f64 = 0.30;
    pub const RESPONSE: f64 = 0.30;
    pub const TEXTURE_CHANGE: f64 = 0.30;
    pub const RIM: f64 = 0.30;
    /// Of the common tumour burden in the rank of cT, cN and cM.
    pub const STAGING: f64 = 0.30;
}

/// Correlation of the logarithms of a tumour's volume before and after treatment.
const VOLUME_CORRELATION: f64 = 0.9;

/// Months from the start of radiotherapy before which nobody in the study can have died: to be included, a patient
/// lives through treatment to the second scan.
const LANDMARK: f64 = 6.0;

/// Follow-up of the living ends between these months after the start of radiotherapy: a median of 48.5.
const FOLLOW_UP: (f64, f64) = (20.0, 77.0);

/// A patient of the study.
#[derive(Debug, Clone)]
pub struct Patient {
    /// Place in the cohort, from 0; streams of random numbers are numbered by it.
    pub number: usize,
    pub id: String,
    pub centre: Centre,
    pub clinical: Clinical,
    pub planted: Planted,
    pub outcome: Outcome,
}

/// What the hospital's record holds.
#[derive(Debug, Clone)]
pub struct Clinical {
    pub age: u32,
    pub sex: &'static str,
    pub location: &'static str,
    pub ct: &'static str,
    pub cn: &'static str,
    pub cm: &'static str,
    pub stage: &'static str,
    pub histology: &'static str,
    pub dose_gy: f64,
    pub fractions: u32,
    pub regimen: &'static str,
    pub chemo_cycles: u32,
    /// Days from the end of treatment to the second scan.
    pub days_to_post_scan: u32,
    pub distant_organ_metastasis: bool,
    pub radical_surgery: bool,
    pub image_quality: &'static str,
    pub record_complete: bool,
}

/// What is planted. Scores are standardised: about mean 0 and standard deviation 1.
#[derive(Debug, Clone)]
pub struct Planted {
    pub aggressiveness: f64,
    pub stage_score: f64,
    pub age_score: f64,
    pub volume_score: f64,
    pub texture_change: f64,
    pub rim_pre: f64,
    pub rim_post: f64,
    /// Target volumes of the tumour in cm3.
    pub gtv_pre: f64,
    pub gtv_post: f64,
    /// Carries no signal: texture amplitude before treatment.
    pub texture_pre: f64,
    /// Carries no signal: correlation length of the texture.
    pub grain: f64,
    /// Carries no signal: mean enhancement.
    pub enhancement: f64,
    /// Carries no signal: roughness of the outline.
    pub lobulation: f64,
    pub linear_predictor: f64,
}

/// Overall survival in months.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Follow-up as observed, to a tenth of a month.
    pub months: f64,
    pub died: bool,
    /// Time to death, had follow-up no end.
    pub death: f64,
    /// End of follow-up, had the patient lived.
    pub censoring: f64,
    /// Median survival given the linear predictor.
    pub median: f64,
}

/// Weibull baseline hazard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    pub shape: f64,
    /// In months.
    pub scale: f64,
}

/// The included patients of a cohort, training first.
///
/// `volume_factor` scales all tumour volumes (1 in the full cohort).
pub fn patients(count: usize, seed: u64, effect: f64, volume_factor: f64) -> (Vec<Patient>, Baseline) {
    let test = test_size(count);
    let mut patients = Vec::with_capacity(count);
    for (centre, size) in [(margins::TRAINING, count - test), (margins::TEST, test)] {
        patients.extend(of_centre(centre, size, patients.len(), seed, effect, volume_factor));
    }
    let predictors: Vec<f64> = patients.iter().map(|p| p.planted.linear_predictor).collect();
    let baseline = Baseline::solve(&predictors);
    follow(&mut patients, baseline, seed, count - test);
    (patients, baseline)
}

/// Patients of the external centre: the paper's share, and at least a quarter of a small cohort up to 10.
pub fn test_size(count: usize) -> usize {
    let share = margins::TEST.patients * 2 * count / (margins::TRAINING.patients + margins::TEST.patients);
    (share.div_ceil(2)).max((count / 4).min(10))
}

fn of_centre(centre: Centre, size: usize, first: usize, seed: u64, effect: f64, volume_factor: f64) -> Vec<Patient> {
    let mut latent: Vec<Stream> = (0..size).map(|i| Stream::new(seed, Purpose::Latent, first + i)).collect();
    let mut clinical: Vec<Stream> = (0..size).map(|i| Stream::new(seed, Purpose::Clinical, first + i)).collect();
    let aggressiveness: Vec<f64> = latent.iter_mut().map(Stream::normal).collect();
    let mut part = |share: f64| -> Vec<f64> {
        let noise = (1.0 - share * share).sqrt();
        latent.iter_mut().zip(&aggressiveness).map(|(stream, a)| share * a + noise * stream.normal()).collect()
    };
    let burden = part(share::BURDEN);
    let volume = normal_scores(&part(share::VOLUME));
    let response = normal_scores(&part(share::RESPONSE));
    let texture_change = part(share::TEXTURE_CHANGE);
    let rim_pre = part(share::RIM);
    let rim_post = part(share::RIM);
    let texture_pre = part(0.0);
    let grain = part(0.0);
    let enhancement = part(0.0);
    let lobulation = part(0.0);
    let age = normal_scores(&part(0.0));

    let mut staged = |counts: &[usize]| -> Vec<usize> {
        let noise = (1.0 - share::STAGING * share::STAGING).sqrt();
        let ranks: Vec<f64> = clinical.iter_mut().zip(&burden).map(|(stream, b)| share::STAGING * b + noise * stream.normal()).collect();
        by_quota(&ranks, counts)
    };
    let mut ct = staged(&centre.ct);
    let mut cn = staged(&centre.cn);
    let cm = staged(&centre.cm);
    admit(&mut ct, &mut cn);
    let mut unrelated = |counts: &[usize]| -> Vec<usize> {
        let ranks: Vec<f64> = clinical.iter_mut().map(Stream::uniform).collect();
        by_quota(&ranks, counts)
    };
    let sex = unrelated(&centre.sex);
    let location = unrelated(&centre.location);

    (0..size)
        .map(|i| {
            let stage = margins::stage(ct[i], cn[i], cm[i]);
            let age = (centre.age_mean + centre.age_sd * age[i]).round().clamp(35.0, 92.0);
            let log_pre = math::ln(centre.gtv_pre.median) + centre.gtv_pre.log_sd() * volume[i];
            let independent = (1.0 - VOLUME_CORRELATION * VOLUME_CORRELATION).sqrt();
            let log_post =
                math::ln(centre.gtv_post.median) + centre.gtv_post.log_sd() * (VOLUME_CORRELATION * volume[i] + independent * response[i]);
            // Limits keep the tumour inside the field of view and large enough to hold texture.
            let gtv_pre = math::exp(log_pre).clamp(4.0, 110.0);
            let gtv_post = math::exp(log_post).clamp(3.0, 110.0).min(gtv_pre * 1.25);
            let mut planted = Planted {
                aggressiveness: aggressiveness[i],
                stage_score: (stage as f64 - 1.58) / 0.76,
                age_score: (age - 63.1) / 9.0,
                volume_score: (math::ln(gtv_post / gtv_pre) + 0.31) / 0.30,
                texture_change: texture_change[i].clamp(-2.5, 2.5),
                rim_pre: rim_pre[i].clamp(-2.5, 2.5),
                rim_post: rim_post[i].clamp(-2.5, 2.5),
                gtv_pre: gtv_pre * volume_factor,
                gtv_post: gtv_post * volume_factor,
                texture_pre: texture_pre[i].clamp(-2.5, 2.5),
                grain: grain[i].clamp(-2.5, 2.5),
                enhancement: enhancement[i].clamp(-2.5, 2.5),
                lobulation: lobulation[i].clamp(-2.5, 2.5),
                linear_predictor: 0.0,
            };
            planted.linear_predictor = effect * planted.signal();
            let (dose_gy, fractions) = [(50.0, 25), (50.4, 28), (54.0, 27), (56.0, 28), (59.4, 33), (60.0, 30)][clinical[i].index(6)];
            let regimen = ["cisplatin + 5-fluorouracil", "docetaxel + cisplatin", "paclitaxel + cisplatin"][clinical[i].index(3)];
            Patient {
                number: first + i,
                id: patient_id(first + i),
                centre,
                clinical: Clinical {
                    age: age as u32,
                    sex: margins::SEX[sex[i]],
                    location: margins::LOCATION[location[i]],
                    ct: margins::CT[ct[i]],
                    cn: margins::CN[cn[i]],
                    cm: margins::CM[cm[i]],
                    stage: margins::STAGE[stage],
                    histology: "ESCC",
                    dose_gy,
                    fractions,
                    regimen,
                    chemo_cycles: 1 + clinical[i].index(4) as u32,
                    days_to_post_scan: 10 + clinical[i].index(20) as u32,
                    distant_organ_metastasis: false,
                    radical_surgery: false,
                    image_quality: "adequate",
                    record_complete: true,
                },
                planted,
                outcome: Outcome { months: 0.0, died: false, death: 0.0, censoring: 0.0, median: 0.0 },
            }
        })
        .collect()
}

/// The patient of a number: P001, P002, ...
pub fn patient_id(number: usize) -> String {
    format!("P{:03}", number + 1)
}

impl Planted {
    /// The linear predictor at effect 1.
    fn signal(&self) -> f64 {
        weight::STAGE * self.stage_score
            + weight::AGE * self.age_score
            + weight::VOLUME * self.volume_score
            + weight::TEXTURE_CHANGE * self.texture_change
            + weight::RIM_PRE * self.rim_pre
            + weight::RIM_POST * self.rim_post
    }
}

impl Baseline {
    /// Shape and scale whose survival, averaged over patients of these linear predictors, is nearest
    /// [`margins::SURVIVAL`] in least squares.
    ///
    /// A compass search on (shape, ln scale): plain, always ends, and exact enough for a target of three digits.
    fn solve(predictors: &[f64]) -> Baseline {
        let hazards: Vec<f64> = predictors.iter().map(|&lp| math::exp(lp)).collect();
        let misfit = |shape: f64, log_scale: f64| -> f64 {
            margins::SURVIVAL
                .iter()
                .map(|&(time, target)| {
                    let cumulative = math::exp(shape * (math::ln(time - LANDMARK) - log_scale));
                    let mean = hazards.iter().map(|h| math::exp(-cumulative * h)).sum::<f64>() / hazards.len() as f64;
                    (mean - target) * (mean - target)
                })
                .sum()
        };
        let (mut shape, mut log_scale) = (1.5, math::ln(50.0));
        let mut best = misfit(shape, log_scale);
        let mut step = 0.25;
        while step > 1e-4 {
            let better = [(step, 0.0), (-step, 0.0), (0.0, step), (0.0, -step)]
                .map(|(ds, dl)| ((shape + ds).max(0.3), log_scale + dl))
                .into_iter()
                .map(|(s, l)| (misfit(s, l), s, l))
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .filter(|candidate| candidate.0 < best);
            match better {
                Some((value, s, l)) => (best, shape, log_scale) = (value, s, l),
                None => step *= 0.5,
            }
        }
        Baseline { shape, scale: math::exp(log_scale) }
    }

    /// Time at which a patient of this linear predictor has survival `survival`.
    pub fn time(&self, survival: f64, linear_predictor: f64) -> f64 {
        LANDMARK + self.scale * math::pow(-math::ln(survival) * math::exp(-linear_predictor), 1.0 / self.shape)
    }
}

/// Draws death and end of follow-up. In both cohorts at least two in five die, so that the smallest study can be fitted
/// and tested.
fn follow(patients: &mut [Patient], baseline: Baseline, seed: u64, training: usize) {
    let (first, second) = patients.split_at_mut(training);
    for (cohort, stream) in [(first, 0), (second, 1)] {
        for attempt in 0.. {
            let mut random = Stream::new(seed, Purpose::Survival, 2 * attempt + stream);
            let survival = random.stratified(cohort.len());
            let end = random.stratified(cohort.len());
            for ((patient, survival), end) in cohort.iter_mut().zip(survival).zip(end) {
                let lp = patient.planted.linear_predictor;
                let death = baseline.time(survival, lp);
                let censoring = FOLLOW_UP.0 + (FOLLOW_UP.1 - FOLLOW_UP.0) * end;
                patient.outcome = Outcome {
                    months: ((death.min(censoring) * 10.0).round() / 10.0).max(0.1),
                    died: death <= censoring,
                    death,
                    censoring,
                    median: baseline.time(0.5, lp),
                };
            }
            // Two in five is below what a cohort of any size expects, so this ends soon.
            if 5 * cohort.iter().filter(|p| p.outcome.died).count() >= 2 * cohort.len() {
                break;
            }
        }
    }
}

/// Replaces each value by the normal quantile of its rank: the margin is normal in any sample.
fn normal_scores(values: &[f64]) -> Vec<f64> {
    let mut scores = vec![0.0; values.len()];
    for (rank, i) in ascending(values).into_iter().enumerate() {
        scores[i] = math::normal_quantile((rank as f64 + 0.5) / values.len() as f64);
    }
    scores
}

/// Categories in ascending rank of `values`, in the proportions of `counts` (largest remainder).
fn by_quota(values: &[f64], counts: &[usize]) -> Vec<usize> {
    let (n, total) = (values.len(), counts.iter().sum::<usize>());
    let mut sizes: Vec<usize> = counts.iter().map(|c| c * n / total).collect();
    let mut remainders: Vec<usize> = (0..counts.len()).collect();
    remainders.sort_by_key(|&category| std::cmp::Reverse(counts[category] * n % total));
    for &category in remainders.iter().take(n - sizes.iter().sum::<usize>()) {
        sizes[category] += 1;
    }
    let mut categories = vec![0; n];
    let labels = sizes.iter().enumerate().flat_map(|(category, &size)| std::iter::repeat_n(category, size));
    for (i, category) in ascending(values).into_iter().zip(labels) {
        categories[i] = category;
    }
    categories
}

fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order
}

/// Swaps nodal categories until every patient is one that the study admits: no T1-2 N0, and no T1 N1.
fn admit(ct: &mut [usize], cn: &mut [usize]) {
    for i in 0..ct.len() {
        let least = match ct[i] {
            0 => 2,
            1 => 1,
            _ => 0,
        };
        if cn[i] < least {
            match (0..ct.len()).find(|&j| ct[j] >= 2 && cn[j] >= least && cn[j] < 3) {
                Some(j) => cn.swap(i, j),
                // Without a partner (tiny cohorts) the tumour is called T3.
                None => ct[i] = 2,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count<'a>(patients: &'a [Patient], cohort: &str, value: impl Fn(&'a Patient) -> &'a str, wanted: &str) -> usize {
        patients.iter().filter(|p| p.centre.cohort == cohort && value(p) == wanted).count()
    }

    #[test]
    fn keeps_the_margins_of_both_centres() {
        let (patients, _) = patients(257, 7, 1.0, 1.0);
        assert_eq!(patients.len(), 257);
        for centre in [margins::TRAINING, margins::TEST] {
            let cohort = centre.cohort;
            for (i, name) in margins::CT.iter().enumerate() {
                assert_eq!(count(&patients, cohort, |p| p.clinical.ct, name), centre.ct[i], "{cohort} {name}");
            }
            for (i, name) in margins::CN.iter().enumerate() {
                assert_eq!(count(&patients, cohort, |p| p.clinical.cn, name), centre.cn[i], "{cohort} {name}");
            }
            for (i, name) in margins::LOCATION.iter().enumerate() {
                assert_eq!(count(&patients, cohort, |p| p.clinical.location, name), centre.location[i]);
            }
            let of_centre: Vec<&Patient> = patients.iter().filter(|p| p.centre.cohort == cohort).collect();
            let age = of_centre.iter().map(|p| p.clinical.age as f64).sum::<f64>() / of_centre.len() as f64;
            assert!((age - centre.age_mean).abs() < 0.5, "{cohort} {age}");
            let mut volumes: Vec<f64> = of_centre.iter().map(|p| p.planted.gtv_pre).collect();
            volumes.sort_by(f64::total_cmp);
            let median = volumes[volumes.len() / 2];
            assert!((median / centre.gtv_pre.median - 1.0).abs() < 0.06, "{cohort} {median}");
        }
        // Stage follows from T, N and M; the paper's training cohort has 11, 87, 83 and 24.
        for (name, paper, slack) in [("II", 11, 6), ("III", 87, 12), ("IVA", 83, 12), ("IVB", 24, 1)] {
            let n = count(&patients, "training", |p| p.clinical.stage, name);
            assert!(n.abs_diff(paper) <= slack, "{name} {n}");
        }
    }

    #[test]
    fn survival_follows_the_target_with_and_without_an_effect() {
        for (seed, effect) in [(7, 1.0), (8, 1.0), (7, 0.0), (7, 2.0)] {
            let (patients, _) = patients(257, seed, effect, 1.0);
            for (time, target) in margins::SURVIVAL {
                let alive = patients.iter().filter(|p| p.outcome.death > time).count() as f64 / 257.0;
                assert!((alive - target).abs() < 0.06, "effect {effect}: {alive} at {time}");
            }
            let mut ends: Vec<f64> = patients.iter().map(|p| p.outcome.censoring).collect();
            ends.sort_by(f64::total_cmp);
            assert!((ends[128] - 48.5).abs() < 3.0);
        }
    }

    #[test]
    fn no_effect_means_one_hazard() {
        let (patients, _) = patients(40, 3, 0.0, 1.0);
        assert!(patients.iter().all(|p| p.planted.linear_predictor == 0.0));
    }

    #[test]
    fn small_cohorts_have_deaths_on_both_sides() {
        for count in 16..60 {
            let (patients, _) = patients(count, count as u64, 1.0, 1.0);
            for cohort in ["training", "test"] {
                let of_cohort: Vec<&Patient> = patients.iter().filter(|p| p.centre.cohort == cohort).collect();
                let deaths = of_cohort.iter().filter(|p| p.outcome.died).count();
                assert!(deaths >= 2 && 5 * deaths >= 2 * of_cohort.len(), "{count} {cohort}: {deaths}");
            }
        }
    }
}
