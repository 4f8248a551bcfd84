//! The IBSI profile against the consensus values of IBSI-1: digital phantom, CT phantom A to E.

mod common;

use std::collections::BTreeMap;

use common::reference;
use esccsql_imaging::{Interpolator, read_volume};
use esccsql_radiomics::{Aggregation, FAMILIES, Family, Filter, FilterKind, IbsiSettings, Pooling, Settings, extract, features};

/// Settings of a configuration, by the table of the reference's README.
fn configuration(name: &str) -> (&'static str, Settings) {
    let ibsi = IbsiSettings { families: Some(FAMILIES.map(|(_, family)| family).to_vec()), ..IbsiSettings::default() };
    let by_slice = vec![Aggregation::TwoD, Aggregation::TwoHalfD];
    let spacing = Some([2.0; 3]);
    let range = |low: f64| Some(vec![low, 400.0]);
    let counted = Settings { bin_count: Some(32), ..Settings::default() };
    let settings = match name {
        "digital" => {
            let aggregations = vec![Aggregation::TwoD, Aggregation::TwoHalfD, Aggregation::ThreeD];
            let ibsi = IbsiSettings { aggregations, ..ibsi };
            return ("ibsi_digital", Settings { bin_width: 1.0, ibsi: Some(ibsi), ..Settings::default() });
        }
        "ct_A" => {
            Settings { resegment_range: range(-500.0), ibsi: Some(IbsiSettings { aggregations: by_slice, ..ibsi }), ..Settings::default() }
        }
        "ct_B" => Settings {
            resampled_pixel_spacing: Some([2.0, 2.0, 0.0]),
            interpolator: Some(Interpolator::Linear),
            resegment_range: range(-500.0),
            ibsi: Some(IbsiSettings { aggregations: by_slice, ..ibsi }),
            ..counted
        },
        "ct_C" => Settings {
            resampled_pixel_spacing: spacing,
            interpolator: Some(Interpolator::Linear),
            resegment_range: range(-1000.0),
            ibsi: Some(IbsiSettings { ivh_bin_width: Some(2.5), ..ibsi }),
            ..Settings::default()
        },
        "ct_D" => Settings {
            resampled_pixel_spacing: spacing,
            interpolator: Some(Interpolator::Linear),
            ibsi: Some(IbsiSettings { resegment_outliers: Some(3.0), ..ibsi }),
            ..counted
        },
        "ct_E" => Settings {
            resampled_pixel_spacing: spacing,
            interpolator: Some(Interpolator::BSpline),
            resegment_range: range(-1000.0),
            ibsi: Some(IbsiSettings { resegment_outliers: Some(3.0), ivh_bin_count: Some(1000), ..ibsi }),
            ..counted
        },
        other => panic!("{other}"),
    };
    ("ibsi_ct", settings)
}

/// Values have three significant digits: half of the last one where the tolerance is smaller.
fn tolerance(value: f64, given: f64) -> f64 {
    let digit = if value == 0.0 { 0.0 } else { 10_f64.powf(value.abs().log10().floor() - 2.0) };
    given.max(0.5 * digit) * (1.0 + 1e-9)
}

#[test]
fn every_consensus_value_is_met() {
    let Some(folder) = reference() else { return };
    let mut expected: BTreeMap<String, Vec<(String, f64, f64)>> = BTreeMap::new();
    for line in common::text(folder.join("ibsi/ibsi1_reference_values.csv")).lines().skip(1) {
        let f: Vec<&str> = line.split(',').collect();
        expected.entry(f[0].into()).or_default().push((f[1].into(), f[2].parse().unwrap(), f[3].parse().unwrap()));
    }
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (name, values) in expected {
        let (case, settings) = configuration(&name);
        let image = read_volume(folder.join(format!("cases/{case}_image.nrrd"))).unwrap();
        let mask = read_volume(folder.join(format!("cases/{case}_label.nrrd"))).unwrap();
        let found = extract(&image, &mask, &settings).unwrap();
        let listed: Vec<String> = features(&settings).unwrap().into_iter().map(|f| f.name).collect();
        assert_eq!(listed, found.0.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), "{name}");
        for (tag, want, given) in values {
            compared += 1;
            match found.get(&format!("original_{tag}")) {
                Some(got) if (got - want).abs() <= tolerance(want, given) => {}
                got => wrong.push(format!("{name} {tag}: expected {want} +- {given}, found {got:?}")),
            }
        }
    }
    println!("{} of {compared} values", compared - wrong.len());
    assert!(wrong.is_empty(), "{} of {compared}: {wrong:#?}", wrong.len());
    assert_eq!(compared, 2104);
}

/// The filters of IBSI-2's table: A slice by slice on the image's grid, B in space on 1 mm by a cubic spline.
fn filtered(id: &str) -> Settings {
    let (number, by_slice) = (id.split('.').next().unwrap(), id.ends_with('A'));
    let choose = |flat: &str, space: &str| if by_slice { flat.to_string() } else { space.to_string() };
    let kind = match number {
        "1" => None,
        "2" => Some(FilterKind::Mean { support: 5 }),
        "3" => Some(FilterKind::Log { sigma: 1.5, cutoff: 4.0 }),
        "4" => Some(FilterKind::Laws { kernels: choose("L5E5", "L5E5E5"), energy: Some(7) }),
        "5" => Some(FilterKind::Gabor { sigma: 5.0, lambda: 2.0, gamma: 1.5, theta: 0.0, theta_step: 22.5 }),
        "6" => Some(FilterKind::Wavelet { wavelet: "db3".into(), band: choose("LH", "LLH"), level: 1 }),
        "7" => Some(FilterKind::Wavelet { wavelet: "db3".into(), band: choose("HH", "HHH"), level: 2 }),
        "8" => Some(FilterKind::Simoncelli { level: 1 }),
        "9" => Some(FilterKind::Simoncelli { level: 2 }),
        other => panic!("{other}"),
    };
    let pooling = if number == "4" { Pooling::Max } else { Pooling::Mean };
    let filter = kind.map(|kind| Filter { kind, by_slice, rotation_invariant: ["4", "5", "6", "7"].contains(&number), pooling });
    Settings {
        resampled_pixel_spacing: (!by_slice).then_some([1.0; 3]),
        interpolator: Some(Interpolator::BSpline),
        resegment_range: Some(vec![-1000.0, 400.0]),
        ibsi: Some(IbsiSettings { filter, families: Some(vec![Family::Statistics]), ..IbsiSettings::default() }),
        ..Settings::default()
    }
}

#[test]
fn every_filter_meets_its_consensus_values() {
    let Some(folder) = reference() else { return };
    let image = read_volume(folder.join("cases/ibsi_ct_image.nrrd")).unwrap();
    let mask = read_volume(folder.join("cases/ibsi_ct_label.nrrd")).unwrap();
    let mut expected: BTreeMap<String, Vec<(String, f64, f64)>> = BTreeMap::new();
    let mut without = Vec::new();
    for line in common::text(folder.join("ibsi/ibsi2_reference_values.csv")).lines().skip(1) {
        let f: Vec<&str> = line.split(';').collect();
        if f[3].is_empty() {
            // Without consensus.
            without.push(format!("{} {}", f[0], f[2]));
            continue;
        }
        expected.entry(f[0].into()).or_default().push((f[2].into(), f[3].parse().unwrap(), f[4].parse().unwrap()));
    }
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (id, values) in expected {
        let settings = filtered(&id);
        let found = extract(&image, &mask, &settings).unwrap();
        let name = settings.ibsi.as_ref().and_then(|ibsi| ibsi.filter.as_ref()).map_or("original", Filter::name);
        for (tag, want, given) in values {
            compared += 1;
            match found.get(&format!("{name}_{tag}")) {
                Some(got) if (got - want).abs() <= tolerance(want, given) => {}
                got => wrong.push(format!("{id} {tag}: expected {want} +- {given}, found {got:?}")),
            }
        }
    }
    println!("{} of {compared} values", compared - wrong.len());
    assert!(wrong.is_empty(), "{} of {compared}: {wrong:#?}", wrong.len());
    assert_eq!((compared, without), (323, vec!["8.B stat_qcod".to_string()]));
}
