//! The cohort as a whole: its files, its determinism, and what is there to be found.

use std::collections::BTreeMap;

use esccsql_imaging::{Volume, Voxels};

use super::cohort::{Patient, Planted, weight};
use super::*;

fn arguments(out: PathBuf) -> SynthArgs {
    SynthArgs { out, patients: 16, seed: 3, effect: 1.0, size: Size::Small, force: false }
}

/// Every file below a folder by its relative path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for sub in ["", "images", "masks"] {
        for entry in fs::read_dir(folder.join(sub)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                found.insert(path.strip_prefix(folder).unwrap().to_path_buf(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn same_bytes_for_any_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let cohorts = [1, 2].map(|threads| {
        let out = place.path().join(format!("with_{threads}"));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&arguments(out.clone()))).unwrap();
        files(&out)
    });
    // Five pages and tables, an image and two masks for each of 32 scans.
    assert_eq!(cohorts[0].len(), 5 + 3 * 32);
    assert!(cohorts[0] == cohorts[1]);
    let read = |path: &str| esccsql_imaging::read_volume(place.path().join("with_1").join(path)).unwrap();
    let image = read("images/P016_post.nii.gz");
    assert_eq!((image.voxels.dtype(), image.geometry.size), ("int16", [46, 46, 20]));
    for reader in [1, 2] {
        let mask = read(&tables::mask_path("P016_post", reader));
        assert_eq!(mask.geometry, image.geometry);
        assert!(labels(&mask).iter().all(|&v| v <= 1) && labels(&mask).contains(&1));
    }
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "temporary folders stay behind: {left:?}");
}

#[test]
fn arguments_are_checked_with_force_too() {
    let place = tempfile::tempdir().unwrap();
    let args = SynthArgs { patients: 6, force: true, ..arguments(place.path().join("cohort")) };
    assert!(run(&args).unwrap_err().to_string().contains("--patients 6: expected 16 to 20000"));
    assert!(!args.out.exists());
}

#[test]
fn a_finished_cohort_is_kept_and_other_folders_are_not_touched() {
    let place = tempfile::tempdir().unwrap();
    let args = arguments(place.path().join("cohort"));
    run(&args).unwrap();
    let marker = args.out.join("images/P001_pre.nii.gz");
    fs::write(&marker, "mine").unwrap();
    run(&args).unwrap();
    assert_eq!(fs::read_to_string(&marker).unwrap(), "mine");

    let other = SynthArgs { seed: 4, ..args.clone() };
    let message = format!("{:#}", run(&other).unwrap_err());
    assert!(message.contains("--force") && message.contains("\"seed\":3"), "{message}");
    run(&SynthArgs { force: true, ..other.clone() }).unwrap();
    assert_ne!(fs::read(&marker).unwrap(), b"mine");
    assert!(fs::read_to_string(args.out.join(MANIFEST)).unwrap().contains("\"seed\": 4"));

    let elsewhere = place.path().join("papers");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("thesis.txt"), "years of work").unwrap();
    for force in [false, true] {
        let message = format!("{:#}", run(&SynthArgs { out: elsewhere.clone(), force, ..args.clone() }).unwrap_err());
        assert!(message.contains("not a synthetic cohort"), "{message}");
    }
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);

    let file = SynthArgs { out: elsewhere.join("thesis.txt"), ..args };
    assert!(format!("{:#}", run(&file).unwrap_err()).contains("is a file"));
}

#[test]
fn arguments_out_of_range_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let args = arguments(place.path().join("cohort"));
    for bad in [
        SynthArgs { patients: 15, ..args.clone() },
        SynthArgs { effect: -0.5, ..args.clone() },
        SynthArgs { effect: f64::NAN, ..args.clone() },
    ] {
        assert!(format!("{:#}", run(&bad).unwrap_err()).contains("expected"));
    }
    assert!(!args.out.exists());
}

#[test]
fn tables_agree_with_each_other() {
    let (patients, _) = cohort::patients(40, 5, 1.0, 1.0);
    let rows = |csv: &str| -> Vec<Vec<String>> {
        let rows: Vec<Vec<String>> = csv.lines().map(|l| l.split(',').map(str::to_owned).collect()).collect();
        assert!(rows.iter().all(|r| r.len() == rows[0].len() && r.iter().all(|cell| !cell.is_empty())));
        rows
    };
    let clinical = rows(&tables::clinical(&patients, 5));
    assert_eq!(clinical.len(), 1 + 40 + 4);
    assert_eq!(rows(&tables::scans(&patients)).len(), 1 + 80);
    assert_eq!(rows(&tables::truth(&patients)).len(), 1 + 40);
    // Exactly the included rows pass the criteria.
    let column = |name: &str| clinical[0].iter().position(|c| c == name).unwrap();
    let included = clinical[1..].iter().filter(|r| {
        let cell = |name: &str| r[column(name)].as_str();
        let number = |name: &str| cell(name).parse::<f64>().unwrap();
        cell("histology") == "ESCC"
            && number("age") >= 18.0
            && number("dose_gy") >= 50.0
            && number("chemo_cycles") >= 1.0
            && number("days_to_post_scan") <= 30.0
            && cell("radical_surgery") == "0"
            && cell("image_quality") == "adequate"
            && cell("record_complete") == "1"
            && cell("distant_organ_metastasis") == "0"
    });
    assert_eq!(included.count(), 40);
}

fn labels(mask: &Volume) -> &[u8] {
    match &mask.voxels {
        Voxels::U8(array) => array.as_slice().unwrap(),
        other => panic!("a mask of {}", other.dtype()),
    }
}

#[test]
fn masks_have_the_planted_volume_and_readers_agree_about_as_people_do() {
    let grid = Size::Full.grid();
    let (patients, _) = cohort::patients(40, 7, 1.0, 1.0);
    let scans: Vec<_> = patients
        .iter()
        .flat_map(|p| Timepoint::ALL.map(|t| (p, t)))
        .map(|(p, t)| {
            let target = match t {
                Timepoint::Pre => p.planted.gtv_pre,
                Timepoint::Post => p.planted.gtv_post,
            };
            (phantom::scan(p, t, grid, 7), target)
        })
        .collect();
    let mut agreement = Vec::new();
    for (scan, target) in &scans {
        let [a, b] = [0, 1].map(|r| labels(&scan.masks[r]));
        let count = |mask: &[u8]| mask.iter().map(|&v| v as usize).sum::<usize>();
        let both = a.iter().zip(b).filter(|(a, b)| **a == 1 && **b == 1).count();
        agreement.push(2.0 * both as f64 / (count(a) + count(b)) as f64);
        for (mask, labels) in scan.masks.iter().zip([a, b]) {
            let volume = count(labels) as f64 * mask.geometry.voxel_volume() / 1000.0;
            assert!((0.6..1.5).contains(&(volume / target)), "{volume} of {target}");
            assert_eq!(mask.geometry, scan.image.geometry);
        }
        // Tumour and surroundings are where a window of 50 +- 175 shows them.
        let image = scan.image.voxels.to_f64();
        let inside = image.iter().zip(a).filter(|(_, m)| **m == 1).map(|(v, _)| v);
        let mean = inside.sum::<f64>() / count(a) as f64;
        assert!((50.0..100.0).contains(&mean), "{mean}");
        assert!(image.iter().any(|&v| v < -700.0) && image.iter().any(|&v| v > 250.0));
    }
    agreement.sort_by(f64::total_cmp);
    let median = agreement[agreement.len() / 2];
    assert!((0.85..0.94).contains(&median) && agreement[0] > 0.65, "median Dice {median}, least {}", agreement[0]);
}

/// Harrell's C of a score for the test cohorts of several seeds, averaged.
fn concordance(effect: f64, score: impl Fn(&Planted) -> f64) -> f64 {
    let of_cohort = |patients: &[Patient]| {
        let (mut concordant, mut comparable) = (0.0, 0.0);
        for a in patients.iter().filter(|p| p.outcome.died) {
            for b in patients.iter().filter(|b| b.outcome.months > a.outcome.months) {
                let (risk_a, risk_b) = (score(&a.planted), score(&b.planted));
                comparable += 1.0;
                concordant += if risk_a > risk_b { 1.0 } else { 0.5 * (risk_a == risk_b) as u8 as f64 };
            }
        }
        concordant / comparable
    };
    const SEEDS: u64 = 20;
    (1..=SEEDS).map(|seed| of_cohort(&cohort::patients(257, seed, effect, 1.0).0[205..])).sum::<f64>() / SEEDS as f64
}

fn clinical(p: &Planted) -> f64 {
    weight::STAGE * p.stage_score + weight::AGE * p.age_score + weight::VOLUME * p.volume_score
}

fn delta(p: &Planted) -> f64 {
    weight::VOLUME * p.volume_score + weight::TEXTURE_CHANGE * p.texture_change
}

fn longitudinal(p: &Planted) -> f64 {
    weight::RIM_PRE * p.rim_pre + weight::RIM_POST * p.rim_post
}

#[test]
fn planted_parts_rank_as_the_models_that_see_them_should() {
    let whole = concordance(1.0, |p| p.linear_predictor);
    let parts = [concordance(1.0, clinical), concordance(1.0, delta), concordance(1.0, longitudinal)];
    assert!((0.76..0.83).contains(&whole), "{whole}");
    assert!((0.58..0.66).contains(&parts[0]), "{parts:?}");
    assert!(parts[0] + 0.02 < parts[1] && parts[1] + 0.02 < parts[2] && parts[2] + 0.02 < whole, "{parts:?} {whole}");
    let difference = concordance(1.0, |p| p.rim_post - p.rim_pre);
    assert!((difference - 0.5).abs() < 0.04, "the change of the rim carries nothing: {difference}");
    let null = concordance(1.0, |p| p.grain + p.lobulation + p.enhancement + p.texture_pre);
    assert!((null - 0.5).abs() < 0.04, "{null}");
}

#[test]
fn without_an_effect_nothing_predicts_survival() {
    for score in [clinical, delta, longitudinal, |p: &Planted| p.aggressiveness] {
        let c = concordance(0.0, score);
        assert!((c - 0.5).abs() < 0.04, "{c}");
    }
}

#[test]
fn the_effect_changes_outcomes_and_not_images() {
    let [with, without] = [1.0, 0.0].map(|effect| cohort::patients(16, 9, effect, 1.0).0);
    assert!(with.iter().zip(&without).any(|(a, b)| a.outcome != b.outcome));
    let grid = Size::Small.grid();
    let scan = |p: &Patient| phantom::scan(p, Timepoint::Post, grid, 9);
    assert!(scan(&with[4]).image == scan(&without[4]).image);
}
