//! The cohort's tables: `clinical.csv`, `scans.csv`, `truth.csv`, and the page that explains them.

use std::fmt::Write;

use super::cohort::{self, Baseline, Clinical, Patient, weight};
use super::margins::Centre;
use super::phantom::Timepoint;
use super::random::{Purpose, Stream};

/// A patient who was screened and not included: a record without scans.
struct Screened {
    id: String,
    centre: Centre,
    clinical: Clinical,
    months: f64,
    died: bool,
}

/// The record of every screened patient: the included, then one in ten more who fail one criterion each.
pub fn clinical(patients: &[Patient], seed: u64) -> String {
    let mut csv = String::from(
        "patient_id,centre,cohort,age,sex,location,ct,cn,cm,stage,histology,dose_gy,fractions,regimen,chemo_cycles,\
         days_to_post_scan,distant_organ_metastasis,radical_surgery,image_quality,record_complete,months,died\n",
    );
    let mut row = |id: &str, centre: &Centre, c: &Clinical, months: f64, died: bool| {
        let _ = writeln!(
            csv,
            "{id},{},{},{},{},{},{},{},{},{},{},{:.1},{},{},{},{},{},{},{},{},{months:.1},{}",
            centre.number,
            centre.cohort,
            c.age,
            c.sex,
            c.location,
            c.ct,
            c.cn,
            c.cm,
            c.stage,
            c.histology,
            c.dose_gy,
            c.fractions,
            c.regimen,
            c.chemo_cycles,
            c.days_to_post_scan,
            c.distant_organ_metastasis as u8,
            c.radical_surgery as u8,
            c.image_quality,
            c.record_complete as u8,
            died as u8,
        );
    };
    for p in patients {
        row(&p.id, &p.centre, &p.clinical, p.outcome.months, p.outcome.died);
    }
    for s in screened(patients, seed) {
        row(&s.id, &s.centre, &s.clinical, s.months, s.died);
    }
    csv
}

/// Records modelled on included patients, each with one reason to leave it out.
fn screened(patients: &[Patient], seed: u64) -> Vec<Screened> {
    (0..patients.len() / 10)
        .map(|i| {
            let mut random = Stream::new(seed, Purpose::Screening, i);
            let like = &patients[random.index(patients.len())];
            let mut clinical = like.clinical.clone();
            match i % 8 {
                0 => clinical.histology = "adenocarcinoma",
                1 => (clinical.dose_gy, clinical.fractions) = (40.0, 20),
                2 => (clinical.chemo_cycles, clinical.regimen) = (0, "none"),
                3 => clinical.days_to_post_scan = 45 + random.index(60) as u32,
                4 => clinical.radical_surgery = true,
                5 => clinical.image_quality = "poor",
                6 => clinical.record_complete = false,
                _ => (clinical.distant_organ_metastasis, clinical.cm, clinical.stage) = (true, "M1", "IVB"),
            }
            clinical.age = (clinical.age as f64 + random.between(-4.0, 4.0)).round() as u32;
            Screened {
                id: cohort::patient_id(patients.len() + i),
                centre: like.centre,
                clinical,
                months: (random.between(6.0, 70.0) * 10.0).round() / 10.0,
                died: random.uniform() < 0.6,
            }
        })
        .collect()
}

/// One row per scan; paths are relative to the cohort's folder.
pub fn scans(patients: &[Patient]) -> String {
    let mut csv = String::from("scan_id,patient_id,timepoint,image,mask_reader1,mask_reader2\n");
    for p in patients {
        for timepoint in Timepoint::ALL {
            let scan = scan_id(p, timepoint);
            let _ =
                writeln!(csv, "{scan},{},{},{},{},{}", p.id, timepoint.name(), image_path(&scan), mask_path(&scan, 1), mask_path(&scan, 2));
        }
    }
    csv
}

pub fn scan_id(patient: &Patient, timepoint: Timepoint) -> String {
    format!("{}_{}", patient.id, timepoint.name())
}

pub fn image_path(scan: &str) -> String {
    format!("images/{scan}.nii.gz")
}

pub fn mask_path(scan: &str, reader: usize) -> String {
    format!("masks/{scan}_reader{reader}.nii.gz")
}

/// What is planted in each patient.
pub fn truth(patients: &[Patient]) -> String {
    let mut csv = String::from(
        "patient_id,aggressiveness,linear_predictor,hazard_ratio,stage_score,age_score,volume_score,texture_change,\
         rim_pre,rim_post,null_texture_pre,null_grain,null_enhancement,null_lobulation,gtv_pre_cm3,gtv_post_cm3,\
         death_months,censoring_months,median_months\n",
    );
    for p in patients {
        let t = &p.planted;
        let _ = write!(csv, "{}", p.id);
        for value in [
            t.aggressiveness,
            t.linear_predictor,
            super::math::exp(t.linear_predictor),
            t.stage_score,
            t.age_score,
            t.volume_score,
            t.texture_change,
            t.rim_pre,
            t.rim_post,
            t.texture_pre,
            t.grain,
            t.enhancement,
            t.lobulation,
            t.gtv_pre,
            t.gtv_post,
            p.outcome.death,
            p.outcome.censoring,
            p.outcome.median,
        ] {
            let _ = write!(csv, ",{value:.6}");
        }
        csv.push('\n');
    }
    csv
}

/// The page beside the data.
pub fn readme(patients: &[Patient], baseline: Baseline, seed: u64, effect: f64, volume_factor: f64) -> String {
    let test = patients.iter().filter(|p| p.centre.cohort == "test").count();
    let miniature = if volume_factor == 1.0 {
        String::new()
    } else {
        format!("\nThis is a miniature: lengths are scaled so that tumour volumes are {volume_factor:.3} of the real ones.\n")
    };
    format!(
        "SYNTHETIC COHORT. No patient is real, and no figure here is a clinical result.

Made by `esccsql synth` with seed {seed}, effect {effect} and {} patients: {} for training (centre 1), {test} for the
external test (centre 2). The same arguments give the same files, bit for bit, on any machine and number of threads.
{miniature}
clinical.csv  one row per screened patient. The last {} (ids after {}) fail one criterion each and have no scans:
              ESCC, at least 50 Gy, at least one chemotherapy cycle, second scan within 30 days, no radical surgery,
              adequate images, complete record, no metastasis in a distant organ.
              months and died (1 = died): overall survival from the start of radiotherapy.
scans.csv     one row per scan; paths are relative to this folder.
images/       CT in Hounsfield units (int16); masks/ gross tumour volume (1) by two readers.
truth.csv     what is planted, for judging a pipeline. Never an input to a model.
cohort.json   the arguments; written last, so a folder that has it is complete.

Margins (age, sex, location, cT, cN, cM, tumour volumes, survival) follow Hu et al. 2026, J Cancer 17:808, Table 1,
by centre. Stage follows from cT, cN and cM (AJCC 8th edition). The centres also differ in the scanner's noise and blur.

Planted: hazard(t) = k/s (t/s)^(k-1) exp(linear predictor), k = {:.3}, s = {:.2} months,
linear predictor = effect x (
    {:.2} stage_score      clinical stage
  + {:.2} age_score        age
  + {:.2} volume_score     log volume ratio post/pre: growth is worse
  + {:.2} texture_change   log change of the amplitude of the tumour's texture, pre to post: seen in delta features
  + {:.2} rim_pre          fall in attenuation from the tumour's rim to its core, before treatment
  + {:.2} rim_post         the same after treatment; the level of both counts, which a delta feature does not see
).
All lean on a common latent aggressiveness. Columns null_* of truth.csv are planted in the images and carry no signal.
With effect 0 nothing in the records or the images is related to survival.

Readers differ by smooth random displacements of the outline, at times by a slice at an end; reader 2 draws wider.
",
        patients.len(),
        patients.len() - test,
        patients.len() / 10,
        patients.last().map_or("", |p| p.id.as_str()),
        baseline.shape,
        baseline.scale,
        weight::STAGE,
        weight::AGE,
        weight::VOLUME,
        weight::TEXTURE_CHANGE,
        weight::RIM_PRE,
        weight::RIM_POST,
    )
}
