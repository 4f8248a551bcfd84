//! Diagnostics against PyRadiomics 3.1.0: every size, box, count, spacing, centre and intensity that it reports.

mod common;

use std::collections::BTreeMap;

use common::{Cases, reference};
use esccsql_radiomics::{Diagnostics, ImageInfo, MaskInfo};
use serde_json::{Value, json};

/// An item by PyRadiomics' name; `None` when the step is absent.
fn item(found: &Diagnostics, name: &str) -> Option<Value> {
    if name == "Image-original_Dimensionality" {
        return Some(json!("3D"));
    }
    let (step, what) = name.rsplit_once('_').unwrap();
    let image = |info: &ImageInfo| match what {
        "Spacing" => json!(info.spacing),
        "Size" => json!(info.size),
        "Mean" => json!(info.mean),
        "Minimum" => json!(info.minimum),
        "Maximum" => json!(info.maximum),
        other => panic!("{other}"),
    };
    let mask = |info: &MaskInfo| match what {
        "Spacing" => json!(info.spacing),
        "Size" => json!(info.size),
        "BoundingBox" => json!(info.bounding_box),
        "VoxelNum" => json!(info.voxels),
        "VolumeNum" => json!(info.volumes),
        "CenterOfMassIndex" => json!(info.center_of_mass_index),
        "CenterOfMass" => json!(info.center_of_mass),
        "Mean" => json!(info.intensities.unwrap()[0]),
        "Minimum" => json!(info.intensities.unwrap()[1]),
        "Maximum" => json!(info.intensities.unwrap()[2]),
        other => panic!("{other}"),
    };
    match step {
        "Image-original" => Some(image(&found.image_original)),
        "Mask-original" => Some(mask(&found.mask_original)),
        "Image-interpolated" => found.image_interpolated.as_ref().map(image),
        "Mask-interpolated" => found.mask_interpolated.as_ref().map(mask),
        "Mask-corrected" => found.mask_corrected.as_ref().map(mask),
        "Mask-resegmented" => found.mask_resegmented.as_ref().map(mask),
        other => panic!("{other}"),
    }
}

/// Equal to 1e-9, relative to a number's size or to `scale`.
fn same(found: &Value, expected: &Value, scale: f64) -> bool {
    match (found, expected) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, scale)),
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-9 * b.abs().max(scale)
        }
        _ => found == expected,
    }
}

#[test]
fn every_item_equals_the_reference() {
    let Some(folder) = reference() else { return };
    let mut rows: BTreeMap<(String, String), Vec<(String, Value)>> = BTreeMap::new();
    for line in common::text(folder.join("diagnostics.csv.gz")).lines().skip(1) {
        let [case, setting, item, value] = line.splitn(4, ',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let value = value.trim_matches('"');
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        rows.entry((case.into(), setting.into())).or_default().push((item.into(), value));
    }
    let mut cases = Cases::new(&folder);
    let (mut compared, mut wrong) = (0, Vec::new());
    for ((case, setting), items) in rows {
        let found = cases.diagnostics(&case, &setting).unwrap_or_else(|e| panic!("{case} {setting}: {e}"));
        // A mean near 0 is as exact as the intensities are large.
        let intensity = found.image_original.maximum.abs().max(found.image_original.minimum.abs());
        for (name, expected) in items {
            compared += 1;
            let scale = if name.ends_with("Mean") { intensity } else { 1.0 };
            let got = item(&found, &name);
            if !got.as_ref().is_some_and(|got| same(got, &expected, scale)) {
                wrong.push(format!("{case} {setting} {name}: expected {expected}, found {got:?}"));
            }
        }
    }
    println!("{compared} items");
    assert!(wrong.is_empty(), "{} of {compared}: {wrong:#?}", wrong.len());
    assert_eq!(compared, 3813);
}
