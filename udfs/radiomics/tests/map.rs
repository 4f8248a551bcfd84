//! Feature maps: against brute force over each neighbourhood, and against the features of a cropped image.

use esccsql_imaging::{Geometry, Interpolator, Volume, Voxels};
use esccsql_radiomics::{FeatureClass, ImageType, Settings, VoxelSettings, extract, feature_map, features};
use ndarray::{Array3, s};

/// Whole intensities from 3 to 9, and a region with a hole, a spur and an edge of the image.
fn case() -> (Volume, Volume) {
    let geometry = Geometry { spacing: [1.0, 1.5, 2.0], origin: [10.0, -4.0, 7.0], ..Geometry::identity([9, 8, 7]) };
    let values = Array3::from_shape_fn(geometry.shape(), |(z, y, x)| (3 + (7 * z + 5 * y * y + 3 * x + x * y * z) % 7) as i16);
    let mask = Array3::from_shape_fn(geometry.shape(), |(z, y, x)| {
        let ball = (x as i32 - 4).pow(2) + (y as i32 - 3).pow(2) + (z as i32 - 3).pow(2) <= 9;
        u8::from((ball && (z, y, x) != (3, 3, 4)) || (y == 3 && z == 3 && x > 4))
    });
    (Volume { geometry: geometry.clone(), voxels: Voxels::I16(values) }, Volume { geometry, voxels: Voxels::U8(mask) })
}

fn settings() -> Settings {
    Settings { bin_width: 1.0, ..Settings::default() }
}

/// The voxels of a neighbourhood: level 1 is the region's least intensity, 0 is not seen.
fn neighbourhood(place: [usize; 3], radius: i64, masked: bool, plane: bool) -> (Vec<[i64; 3]>, impl Fn([i64; 3]) -> i64) {
    let (image, mask) = case();
    let (values, inside) = (image.voxels.to_f64(), mask.voxels.to_f64());
    // Unmasked, what is seen is the region's box and as much around as kernels reach.
    let box_of = |a: usize| {
        let along: Vec<usize> = inside.indexed_iter().filter(|(_, v)| **v > 0.0).map(|((z, y, x), _)| [z, y, x][a]).collect();
        let (low, high) = (*along.iter().min().unwrap() as i64, *along.iter().max().unwrap() as i64);
        (low - radius).max(0)..=(high + radius).min(values.shape()[a] as i64 - 1)
    };
    let seen = {
        let (boxes, inside) = ([box_of(0), box_of(1), box_of(2)], inside.clone());
        move |v: [i64; 3]| (0..3).all(|a| boxes[a].contains(&v[a])) && (!masked || inside[v.map(|i| i as usize)] > 0.0)
    };
    let least =
        values.indexed_iter().filter(|((z, y, x), _)| seen([*z as i64, *y as i64, *x as i64])).map(|(_, v)| *v as i64).min().unwrap();
    let mut around = Vec::new();
    let reach = |a: usize| if plane && a == 0 { 0 } else { radius };
    for dz in -reach(0)..=reach(0) {
        for dy in -reach(1)..=reach(1) {
            for dx in -reach(2)..=reach(2) {
                let at = [place[0] as i64 + dz, place[1] as i64 + dy, place[2] as i64 + dx];
                if seen(at) {
                    around.push(at);
                }
            }
        }
    }
    (around, move |v| values[v.map(|i| i as usize)] as i64 - least + 1)
}

/// Steps to the neighbours of a voxel.
fn steps(plane: bool) -> Vec<[i64; 3]> {
    let mut steps = Vec::new();
    for z in -1..=1_i64 {
        for y in -1..=1 {
            for x in -1..=1 {
                if [z, y, x] != [0; 3] && !(plane && z != 0) {
                    steps.push([z, y, x]);
                }
            }
        }
    }
    steps
}

/// A feature by its definition, from the voxels of a neighbourhood and their levels.
fn oracle(feature: &str, voxels: &[[i64; 3]], level: impl Fn([i64; 3]) -> i64, plane: bool) -> f64 {
    let n = voxels.len() as f64;
    let neighbours = |v: [i64; 3], d: [i64; 3]| {
        let at = [v[0] + d[0], v[1] + d[1], v[2] + d[2]];
        voxels.contains(&at).then_some(at)
    };
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    // Mean over the directions that have pairs.
    let co_occurrence = |f: &dyn Fn(f64, f64) -> f64| {
        let of_direction = |d: [i64; 3]| -> Vec<f64> {
            let pairs = voxels.iter().filter_map(|v| neighbours(*v, d).map(|w| (level(*v) as f64, level(w) as f64)));
            pairs.flat_map(|(i, j)| [f(i, j), f(j, i)]).collect()
        };
        let half = steps(plane).into_iter().filter(|d| *d > [0; 3]);
        mean(half.map(of_direction).filter(|pairs| !pairs.is_empty()).map(mean).collect())
    };
    match feature {
        "firstorder_Mean" => mean(voxels.iter().map(|v| level(*v) as f64).collect()),
        "firstorder_Entropy" => {
            let mut counts = std::collections::BTreeMap::new();
            voxels.iter().for_each(|v| *counts.entry(level(*v)).or_insert(0.0) += 1.0);
            -counts.values().map(|c| c / n * (c / n).log2()).sum::<f64>()
        }
        "glcm_JointAverage" => co_occurrence(&|i, _| i),
        "glcm_Contrast" => co_occurrence(&|i, j| (i - j).powi(2)),
        "glcm_Autocorrelation" => co_occurrence(&|i, j| i * j),
        "gldm_LargeDependenceEmphasis" => {
            let same = |v: &[i64; 3]| steps(plane).into_iter().filter_map(|d| neighbours(*v, d)).filter(|w| level(*w) == level(*v)).count();
            mean(voxels.iter().map(|v| ((1 + same(v)) as f64).powi(2)).collect())
        }
        "ngtdm_Coarseness" => {
            let mut sums = std::collections::BTreeMap::new();
            for v in voxels {
                let around: Vec<f64> = steps(plane).into_iter().filter_map(|d| neighbours(*v, d)).map(|w| level(w) as f64).collect();
                let entry = sums.entry(level(*v)).or_insert((0.0, 0.0));
                entry.0 += 1.0;
                entry.1 += if around.is_empty() { 0.0 } else { (level(*v) as f64 - mean(around)).abs() };
            }
            let sum: f64 = sums.values().map(|(count, s)| count / n * s).sum();
            if sum == 0.0 { 1e6 } else { 1.0 / sum }
        }
        other => panic!("{other}"),
    }
}

#[test]
fn every_voxel_equals_brute_force() {
    let (image, mask) = case();
    let inside = mask.voxels.to_f64();
    let names = ["firstorder_Mean", "firstorder_Entropy", "glcm_JointAverage", "glcm_Contrast", "glcm_Autocorrelation"];
    for (kernel_radius, masked_kernel, force_2d) in
        [(1, true, false), (2, true, false), (1, false, false), (2, false, true), (1, true, true)]
    {
        for feature in names.into_iter().chain(["gldm_LargeDependenceEmphasis", "ngtdm_Coarseness"]) {
            let voxel = VoxelSettings { kernel_radius, masked_kernel, init_value: -7.0 };
            let settings = Settings { force_2d, ..settings() };
            let map = feature_map(&image, &mask, feature, &settings, &voxel).unwrap();
            let shift = |a: usize| ((map.geometry.origin[a] - image.geometry.origin[a]) / image.geometry.spacing[a]).round() as usize;
            let (mut compared, mut left) = (0, 0);
            for ((z, y, x), found) in map.voxels.to_f64().indexed_iter() {
                let place = [z + shift(2), y + shift(1), x + shift(0)];
                if inside[place] == 0.0 {
                    assert_eq!(*found, -7.0);
                    left += 1;
                    continue;
                }
                let (voxels, level) = neighbourhood(place, i64::from(kernel_radius), masked_kernel, force_2d);
                let least = if feature == "firstorder_Mean" { minimum_offset(masked_kernel, i64::from(kernel_radius)) } else { 0.0 };
                let expected = oracle(feature, &voxels, level, force_2d) + least;
                let equal = (found - expected).abs() <= 1e-12 * expected.abs().max(1.0) || (found.is_nan() && expected.is_nan());
                assert!(equal, "{feature} {voxel:?} {place:?}: {found} {expected}");
                compared += 1;
            }
            assert_eq!(compared, inside.iter().filter(|v| **v > 0.0).count());
            assert!(left > 0);
        }
    }
}

/// What a level of the oracle lacks to the intensity.
fn minimum_offset(masked: bool, radius: i64) -> f64 {
    let (image, _) = case();
    let (_, level) = neighbourhood([3, 3, 5], radius, masked, false);
    image.voxels.to_f64()[[3, 3, 5]] - level([3, 3, 5]) as f64
}

/// Every feature that does not know how far its levels are from 1 is that of the image cropped to the neighbourhood.
#[test]
fn a_map_is_the_feature_of_a_cropped_neighbourhood() {
    let (image, mask) = case();
    let settings = settings();
    let voxel = VoxelSettings { kernel_radius: 2, ..VoxelSettings::default() };
    let (values, labels) = (image.voxels.to_f64(), mask.voxels.to_f64());
    let classes = vec![
        FeatureClass::FirstOrder,
        FeatureClass::Glcm,
        FeatureClass::Glrlm,
        FeatureClass::Glszm,
        FeatureClass::Gldm,
        FeatureClass::Ngtdm,
    ];
    let wanted = Settings { feature_classes: Some(classes), ..settings.clone() };
    let place = [3, 2, 3];
    let part = s![1..6, 0..5, 1..6];
    let geometry = Geometry { size: [5; 3], ..image.geometry.clone() };
    // The region's least intensity lies in this neighbourhood, so that its levels are those of the whole region.
    let crop = Volume { geometry: geometry.clone(), voxels: Voxels::F64(values.slice(part).to_owned()) };
    let crop_mask = Volume { geometry, voxels: Voxels::F64(labels.slice(part).to_owned()) };
    let expected = extract(&crop, &crop_mask, &wanted).unwrap();
    let extremes = |v: &Array3<f64>, m: &Array3<f64>| {
        v.iter().zip(m).filter(|(_, m)| **m > 0.0).fold((9e9_f64, 0.0_f64), |(l, h), (v, _)| (l.min(*v), h.max(*v)))
    };
    assert_eq!(extremes(&values, &labels), extremes(&crop.voxels.to_f64(), &crop_mask.voxels.to_f64()));
    let listed = features(&wanted).unwrap();
    assert_eq!(listed.len(), 93);
    for info in listed {
        let map = feature_map(&image, &mask, &info.name, &settings, &voxel).unwrap();
        let shift = |a: usize| ((map.geometry.origin[a] - image.geometry.origin[a]) / image.geometry.spacing[a]).round() as usize;
        let found = map.voxels.to_f64()[[place[0] - shift(2), place[1] - shift(1), place[2] - shift(0)]];
        let expected = expected.get(&info.name).unwrap();
        assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{}: {found} {expected}", info.name);
    }
}

/// A map of a filtered, resampled image: its grid is the extraction's, and a kernel as large as the region sees all of it.
#[test]
fn a_large_kernel_sees_the_whole_region() {
    let (image, mask) = case();
    let settings = Settings {
        image_types: vec![ImageType::Wavelet],
        resampled_pixel_spacing: Some([1.0, 1.0, 1.0]),
        interpolator: Some(Interpolator::BSpline),
        ..settings()
    };
    let whole = extract(&image, &mask, &settings).unwrap();
    let voxel = VoxelSettings { kernel_radius: 30, ..VoxelSettings::default() };
    for feature in
        ["wavelet-HLL_firstorder_Energy", "wavelet-LLH_glcm_Contrast", "wavelet-LLL_glrlm_RunEntropy", "wavelet-LLL_glszm_ZoneVariance"]
    {
        let map = feature_map(&image, &mask, feature, &settings, &voxel).unwrap();
        assert_eq!(map.geometry.spacing, [1.0; 3]);
        let expected = whole.get(feature).unwrap();
        let found: Vec<f64> = map.voxels.to_f64().into_iter().filter(|v| *v != 0.0).collect();
        assert!(!found.is_empty() && found.iter().all(|v| (v / expected - 1.0).abs() < 1e-12), "{feature}: {expected} {:?}", &found[..2]);
    }
}

#[test]
fn what_has_no_map_is_named() {
    let (image, mask) = case();
    for (feature, words) in [
        ("original_shape_Sphericity", "shape has no maps"),
        ("original_glcm_Nothing", "radiomics_features"),
        ("nothing_glcm_Contrast", "image type"),
        ("Contrast", "original_glcm_Contrast"),
        ("wavelet2-LLH_glcm_Contrast", "level"),
        ("log-sigma-1-0-mm-3D_glcm_Contrast", "sigma"),
    ] {
        let error = feature_map(&image, &mask, feature, &settings(), &VoxelSettings::default()).unwrap_err().to_string();
        assert!(error.contains(words), "{feature}: {error}");
    }
    let none = VoxelSettings { kernel_radius: 0, ..VoxelSettings::default() };
    assert!(feature_map(&image, &mask, "glcm_Contrast", &settings(), &none).unwrap_err().to_string().contains("kernel_radius"));
}
