//! 2.5D inputs agree with the reference bit for bit, and masks that give none say why.

use std::path::PathBuf;

use esccsql_crossformer::input::{InputError, Nearest, Outside, Rule};
use esccsql_imaging::{Voxels, read_volume};
use ndarray::{Array3, s};
use serde_json::Value;

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from("../../../shared/reference/crossformer");
    if !folder.exists() {
        eprintln!("skipped: ../shared is not here");
        return None;
    }
    Some(folder)
}

fn whole(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
}

fn crc32(bytes: impl Iterator<Item = u8>) -> u32 {
    !bytes
        .fold(!0u32, |crc, byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }))
}

#[test]
fn inputs_agree_with_the_reference_bit_for_bit() {
    let Some(folder) = folder() else { return };
    let golden: Value = serde_json::from_slice(&std::fs::read(folder.join("input_golden.json")).unwrap()).unwrap();
    let Voxels::I16(volume) = read_volume(folder.join("input_volume.nii.gz")).unwrap().voxels else { panic!("not int16") };
    let Voxels::U8(bits) = read_volume(folder.join("input_masks_bits.nii.gz")).unwrap().voxels else { panic!("not uint8") };
    let mut compared = 0;
    for (name, case) in golden["cases"].as_object().unwrap() {
        let bit = golden["bit_of_case"][name].as_u64().unwrap();
        let mask = bits.mapv(|label| label >> bit & 1 == 1);
        for (kind, output) in case["outputs"].as_object().unwrap() {
            let (nearest, outside) = kind.split_once('/').unwrap();
            let rule = Rule {
                nearest: if nearest == "center" { Nearest::Center } else { Nearest::Floor },
                outside: if outside == "keep" { Outside::Keep } else { Outside::Zero },
                ..Rule::default()
            };
            let (input, place) = rule.prepare(volume.view(), mask.view()).unwrap();
            assert_eq!(place.slices.iter().map(|&z| z as i64).collect::<Vec<_>>(), whole(&case["slices"]), "{name}");
            let rectangle = [place.y, place.x].concat().into_iter().map(|n| n as i64).collect::<Vec<_>>();
            assert_eq!(rectangle, whole(&case["rect_y0_y1_x0_x1"]), "{name}");
            let values: Vec<i64> = input.iter().map(|&value| value.into()).collect();
            assert_eq!(values[..64], whole(&output["first64"]), "{name} {kind}");
            assert_eq!(values.iter().sum::<i64>(), output["sum"].as_i64().unwrap(), "{name} {kind}");
            let crc = crc32(input.iter().flat_map(|value| value.to_le_bytes()));
            assert_eq!(u64::from(crc), output["crc32_int16_le"].as_u64().unwrap(), "{name} {kind}");
            let (float, _) = rule.prepare_f32(volume.mapv(f64::from).view(), mask.view()).unwrap();
            assert!(float.iter().zip(&values).all(|(&a, &b)| a == b as f32), "{name} {kind}");
            compared += 1;
        }
    }
    assert_eq!(compared, 24);
}

#[test]
fn a_volume_of_one_slice_repeats_it() {
    let volume = Array3::from_shape_fn((1, 8, 8), |(_, y, x)| 10 * y as i32 + x as i32);
    let mut mask = Array3::from_elem((1, 8, 8), false);
    mask.slice_mut(s![0, 2..4, 5..7]).fill(true);
    let rule = Rule { size: 32, reach: 1, ..Rule::default() };
    let (input, place) = rule.prepare(volume.view(), mask.view()).unwrap();
    assert_eq!((place.slices, place.y, place.x), (vec![0, 0, 0], [2, 4], [5, 7]));
    assert_eq!((input.dim(), input[(0, 15, 15)], input[(2, 15, 16)], input[(1, 16, 15)]), ((3, 32, 32), 25, 26, 35));
}

#[test]
fn what_cannot_be_cut_out_says_why() {
    let volume = Array3::from_elem((4, 6, 5), 1.0);
    let mask = Array3::from_elem((4, 6, 5), false);
    let rule = Rule::default();
    assert_eq!(rule.prepare_f32(volume.view(), mask.view()).unwrap_err(), InputError::EmptyMask);
    let other = Array3::from_elem((4, 6, 6), true);
    assert!(matches!(rule.prepare(volume.view(), other.view()), Err(InputError::OtherGrid { .. })));
    assert!(matches!(
        rule.prepare(Array3::<f32>::zeros((0, 0, 0)).view(), Array3::from_elem((0, 0, 0), true).view()),
        Err(InputError::EmptyMask)
    ));

    let mut holes = volume.clone();
    holes[(2, 3, 4)] = f64::NAN;
    let full = Array3::from_elem((4, 6, 5), true);
    assert_eq!(rule.prepare_f32(holes.view(), full.view()).unwrap_err(), InputError::NotFinite { z: 2, y: 3, x: 4 });
    // Outside the rectangle nobody looks.
    let mut corner = mask;
    corner[(0, 0, 0)] = true;
    assert!(rule.prepare_f32(holes.view(), corner.view()).is_ok());

    for size in [0, 200, 8192] {
        assert_eq!(Rule { size, ..rule }.check(), Err(InputError::Size(size)));
    }
    assert!(Rule { reach: usize::MAX, ..rule }.check().is_err());
    assert!(Rule { reach: 499, ..rule }.check().unwrap_err().to_string().contains("`channels` is 999; expected at most 257"));
    assert_eq!(Rule { size: 4096, reach: 8, ..rule }.check(), Err(InputError::TooLarge { channels: 17, size: 4096 }));
    assert_eq!(Rule { size: 4096, reach: 7, ..rule }.check(), Ok(()));
}
