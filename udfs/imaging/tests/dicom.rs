//! DICOM: the patient of `../shared/reference/dicom`, held to the NIfTI files of the same scans and regions, and small
//! synthetic objects (scripts/make_dicom_seg.py).

use std::path::{Path, PathBuf};

use esccsql_imaging::{Cache, Geometry, Label, Recipe, Volume, list_dicom, open_to_all, parse_dicom, read_header, read_volume};
use proptest::prelude::*;
use serde::Deserialize;

const SCANS: [(&str, &str, usize); 3] = [("CT", "GTV_Mass_CT", 5564), ("MR_T1", "GTV_Mass_MR_T1", 3856), ("PET", "GTV_Mass_PET", 239)];

fn patient() -> Option<PathBuf> {
    let folder = std::path::absolute("../../../shared/reference/dicom/STS_019").expect("a working directory");
    if !folder.is_dir() {
        println!("skipped: ../shared is not here");
        return None;
    }
    Some(folder)
}

fn load(recipe: &Recipe) -> Result<Volume, String> {
    recipe.load(&Cache::new(0)).map(|volume| (*volume).clone()).map_err(|e| e.to_string())
}

fn mask(path: &Path, label: Option<Label>) -> Result<Volume, String> {
    load(&Recipe::mask(path.to_string_lossy(), label))
}

/// NIfTI keeps the numbers of a grid in single precision.
fn same_grid(dicom: &Geometry, nifti: &Geometry) {
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-7 * b.abs().max(1.0));
    assert_eq!(dicom.size, nifti.size);
    assert!(near(&dicom.spacing, &nifti.spacing), "{dicom:?} {nifti:?}");
    assert!(near(&dicom.origin, &nifti.origin), "{dicom:?} {nifti:?}");
    assert_eq!(dicom.direction, nifti.direction);
}

#[test]
fn series_equal_their_nifti_voxel_for_voxel() {
    let Some(patient) = patient() else { return };
    for (scan, ..) in SCANS {
        let volume = read_volume(patient.join(scan).join("image")).unwrap();
        let nifti = read_volume(patient.join(format!("nifti/{scan}_image.nii.gz"))).unwrap();
        same_grid(&volume.geometry, &nifti.geometry);
        let (found, expected) = (volume.voxels.to_f64(), nifti.voxels.to_f64());
        if scan == "PET" {
            // Its slopes are fractions, one a slice; the NIfTI's values were made in single precision.
            assert_eq!(volume.voxels.dtype(), "float64");
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= f64::from(f32::EPSILON) * b.abs()));
        } else {
            assert_eq!(volume.voxels.dtype(), "int16");
            assert_eq!(found, expected, "{scan}");
        }
        let header = read_header(patient.join(scan).join("image/000007.dcm")).unwrap();
        assert_eq!(
            (header.format.to_string().as_str(), &header.geometry, header.dtype.name()),
            ("DICOM", &volume.geometry, volume.voxels.dtype())
        );
    }
}

#[test]
fn contours_equal_their_nifti_masks_voxel_for_voxel() {
    let Some(patient) = patient() else { return };
    for (scan, region, voxels) in SCANS {
        let path = patient.join(scan).join("mask/RS.dcm");
        let volume = mask(&path, Some(Label::Roi(region.into()))).unwrap();
        let nifti = read_volume(patient.join(format!("nifti/{scan}_mask.nii.gz"))).unwrap();
        same_grid(&volume.geometry, &nifti.geometry);
        assert_eq!(volume.voxels.to_f64(), nifti.voxels.to_f64(), "{scan}");
        assert_eq!(esccsql_imaging::mask::voxels(&volume), voxels);
    }
}

/// Small objects that `scripts/make_dicom_seg.py` made, and what they hold.
fn golden() -> PathBuf {
    std::path::absolute("tests/golden/dicom").expect("a working directory")
}

#[derive(Deserialize)]
struct Truth {
    size: [usize; 3],
    spacing: [f64; 3],
    origin: [f64; 3],
    direction: [[f64; 3]; 3],
    series: String,
    voxels: Vec<i32>,
    gtv: Vec<u8>,
    node: Vec<u8>,
}

fn truth() -> Truth {
    serde_json::from_str(&std::fs::read_to_string(golden().join("dicom.json")).unwrap()).unwrap()
}

fn values(volume: &Volume) -> Vec<i32> {
    volume.voxels.to_f64().iter().map(|v| *v as i32).collect()
}

fn widened(mask: &[u8]) -> Vec<i32> {
    mask.iter().map(|v| i32::from(*v)).collect()
}

const SYNTAXES: [&str; 9] =
    ["ct", "ct_implicit", "ct_deflated", "ct_big_endian", "ct_rle", "ct_jpeg", "ct_jpeg2000", "ct_signed_jpeg2000", "enhanced"];

#[test]
fn every_transfer_syntax_and_the_enhanced_file_give_the_same_volume() {
    let truth = truth();
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
    for folder in SYNTAXES {
        let volume = read_volume(golden().join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
        assert_eq!((volume.geometry.size, volume.voxels.dtype()), (truth.size, "int16"), "{folder}");
        assert_eq!(values(&volume), truth.voxels, "{folder}");
        let grid = &volume.geometry;
        assert!(near(&grid.spacing, &truth.spacing) && near(&grid.origin, &truth.origin), "{folder}: {grid:?}");
        assert!(near(grid.direction.as_flattened(), truth.direction.as_flattened()), "{folder}: {grid:?}");
    }
}

#[test]
fn segments_come_back_voxel_for_voxel_by_number_and_by_label() {
    let truth = truth();
    let ct = golden().join("ct");
    let grid = read_header(&ct).unwrap().geometry;
    for file in ["binary.dcm", "fractional.dcm", "labelmap.dcm"] {
        // The folder is beside its images.
        let path = golden().join("seg").join(file);
        for (label, expected) in [
            (Label::Number(1), &truth.gtv),
            (Label::Roi("GTV".into()), &truth.gtv),
            (Label::Number(2), &truth.node),
            (Label::Roi("node".into()), &truth.node),
        ] {
            let volume = mask(&path, Some(label.clone())).unwrap_or_else(|e| panic!("{file}: {e}"));
            assert_eq!(volume.geometry, grid, "{file}");
            assert_eq!(values(&volume), widened(expected), "{file} {label:?}");
        }
        let all: Vec<i32> = truth.gtv.iter().zip(&truth.node).map(|(a, b)| i32::from(*a) + 2 * i32::from(*b)).collect();
        assert_eq!(values(&mask(&path, None).unwrap()), all, "{file}");
        let given = PathBuf::from(format!("{}#{}", path.display(), golden().join("ct_rle").display()));
        assert_eq!(values(&mask(&given, Some(Label::Number(2))).unwrap()), widened(&truth.node));
        let message = mask(&path, Some(Label::Roi("Leber".into()))).unwrap_err();
        assert!(message.contains("no region 'Leber'; it holds 'GTV' (1), 'node' (2)"), "{message}");
    }
}

#[test]
fn contours_hold_the_voxels_whose_centres_they_enclose() {
    let truth = truth();
    let path = golden().join("rtstruct/rs.dcm");
    for (label, expected) in
        [(Label::Roi("GTV".into()), &truth.gtv), (Label::Number(1), &truth.gtv), (Label::Roi("Lymphknoten \u{e9}".into()), &truth.node)]
    {
        assert_eq!(values(&mask(&path, Some(label.clone())).unwrap()), widened(expected), "{label:?}");
    }
    let all: Vec<i32> = truth.gtv.iter().zip(&truth.node).map(|(a, b)| i32::from(*a) + 2 * i32::from(*b)).collect();
    assert_eq!(values(&mask(&path, None).unwrap()), all);
    for (label, words) in [
        (Some(Label::Roi("Leber".into())), "no region 'Leber'; it holds 'GTV' (1), 'Lymphknoten \u{e9}' (2), 'isocentre' (3), 'empty' (4)"),
        (Some(Label::Roi("isocentre".into())), "drawn as POINT"),
        (Some(Label::Number(4)), "no contours"),
    ] {
        let message = mask(&path, label).unwrap_err();
        assert!(message.contains(words), "{message}");
    }
}

/// A folder of this test's own, with some of the golden files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("esccsql-dicom-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (from, to) in files {
        std::fs::copy(golden().join(from), folder.join(to)).unwrap();
    }
    folder
}

fn refused(folder: &Path, words: &[&str]) {
    let message = read_volume(folder).unwrap_err().to_string();
    for word in words {
        assert!(message.contains(word), "'{word}' is not in: {message}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Replaces bytes that a file holds once.
fn replace(path: &Path, from: &[u8], to: &[u8]) {
    let bytes = std::fs::read(path).unwrap();
    let at: Vec<usize> = (0..bytes.len() - from.len()).filter(|i| bytes[*i..].starts_with(from)).collect();
    assert_eq!((at.len(), from.len()), (1, to.len()));
    std::fs::write(path, [&bytes[..at[0]], to, &bytes[at[0] + from.len()..]].concat()).unwrap();
}

const ALL: [(&str, &str); 6] = [
    ("ct/0.dcm", "0.dcm"),
    ("ct/1.dcm", "1.dcm"),
    ("ct/2.dcm", "2.dcm"),
    ("ct/3.dcm", "3.dcm"),
    ("ct/4.dcm", "4.dcm"),
    ("ct/5.dcm", "5.dcm"),
];

#[test]
fn what_is_no_whole_series_is_refused_with_what_to_do() {
    // Slice z is file 5 z + 2 modulo 6: 2, 1, 0, 5, 4, 3.
    refused(
        &folder("gap", &[ALL[2], ALL[1], ALL[5], ALL[4], ALL[3]]),
        &["1 slices are missing between 1.dcm and 5.dcm", "export the whole series"],
    );
    let twice = folder("twice", &ALL);
    std::fs::copy(twice.join("4.dcm"), twice.join("copy.dcm")).unwrap();
    refused(&twice, &["1 places hold more than one slice", "4.dcm, copy.dcm"]);
    let mixed = folder("mixed", &ALL);
    std::fs::copy(golden().join("enhanced/ct.dcm"), mixed.join("enhanced.dcm")).unwrap();
    let series = truth().series;
    let chosen = PathBuf::from(format!("{}#{series}", mixed.display()));
    assert_eq!(values(&read_volume(&chosen).unwrap()), truth().voxels);
    assert_eq!(values(&read_volume(mixed.join("3.dcm")).unwrap()), truth().voxels);
    let unknown = PathBuf::from(format!("{}#1.2.3", mixed.display()));
    assert!(read_volume(&unknown).unwrap_err().to_string().contains("no series 1.2.3; it holds"));
    refused(&mixed, &["2 series", "#SeriesInstanceUID", &format!("{series} (CT, 6 files)")]);
    let turned = folder("turned", &ALL);
    replace(&turned.join("4.dcm"), b"0.939692620786\\0.342020143326\\0.00", b"1.000000000000\\0.000000000000\\0.00");
    replace(&turned.join("4.dcm"), b"-0.342020143326\\0.939692620786", b"-0.000000000000\\1.000000000000");
    refused(&turned, &["ImageOrientationPatient differs", "4.dcm"]);
    let shifted = folder("shifted", &ALL);
    replace(&shifted.join("4.dcm"), b"-31.500000000000\\", b"-30.500000000000\\");
    refused(&shifted, &["slice 5 of 6 (4.dcm) is shifted", "gantry"]);
    let other = folder("other", &ALL);
    std::fs::write(other.join("notes.txt"), "not DICOM").unwrap();
    assert_eq!(values(&read_volume(&other).unwrap()), truth().voxels);
    std::fs::write(other.join("6.dcm"), "not DICOM").unwrap();
    refused(&other, &["6.dcm", "no DICOM file"]);
    refused(&folder("empty", &[]), &["no DICOM slices"]);
    let jpeg_ls = folder("jpeg-ls", &[("ct_jpeg/0.dcm", "0.dcm")]);
    replace(&jpeg_ls.join("0.dcm"), b"1.2.840.10008.1.2.4.70", b"1.2.840.10008.1.2.4.80");
    refused(&jpeg_ls, &["JPEG-LS", "gdcmconv --raw"]);
    for (file, words) in [("rtstruct/rs.dcm", "write mask("), ("seg/binary.dcm", "write mask(")] {
        let message = read_volume(golden().join(file)).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn what_cannot_be_read_is_listed_beside_what_can() {
    let gap = folder("listed", &[ALL[2], ALL[1], ALL[5], ALL[4], ALL[3], ("seg/binary.dcm", "seg.dcm")]);
    std::fs::write(gap.join("6.dcm"), "not DICOM").unwrap();
    let files: Vec<PathBuf> = std::fs::read_dir(&gap).unwrap().map(|entry| entry.unwrap().path()).collect();
    let found: Vec<String> = list_dicom(&files, &open_to_all)
        .unwrap()
        .into_iter()
        .map(|(path, entry)| match entry {
            Ok(entry) => format!("{path}: {}", entry.modality.unwrap_or_default()),
            Err(error) => error.to_string(),
        })
        .map(|line| line.replace(&gap.display().to_string(), "F"))
        .collect();
    for (found, start) in found.iter().zip(["F: 1 slices are missing", "F/6.dcm: ", "F/seg.dcm: SEG"]) {
        assert!(found.starts_with(start), "{found}");
    }
    assert!(found[0].ends_with("beside them 6.dcm cannot be read"), "{}", found[0]);
    assert_eq!(found.len(), 3, "{found:?}");
    std::fs::remove_dir_all(gap).unwrap();
}

#[test]
fn contours_that_do_not_fit_the_slices_are_refused() {
    for (name, from, to, words) in [
        ("number", "-31.788903035941\\14.140181217721\\-97.5", "-31.788903035941\\14.14018121772x\\-97.5", "no finite numbers"),
        ("tilted", "-31.788903035941\\14.140181217721\\-97.5", "-31.788903035941\\14.140181217721\\-91.5", "runs through 2.4 slices"),
        ("outside", "-97.500000000000", "-77.500000000000", "(at z = -77.5 mm) lies outside the series"),
        ("between", "-92.500000000000", "-94.300000000000", "two planes of contours fall on slice 3"),
    ] {
        let place = folder(name, &ALL);
        let text: Vec<u8> = std::fs::read(golden().join("rtstruct/rs.dcm")).unwrap();
        let mut at = 0;
        let mut changed = text.clone();
        while let Some(found) = (at..text.len()).find(|i| text[*i..].starts_with(from.as_bytes())) {
            changed[found..found + to.len()].copy_from_slice(to.as_bytes());
            at = found + to.len();
        }
        assert_ne!(changed, text, "{name}");
        std::fs::write(place.join("rs.dcm"), changed).unwrap();
        let message = mask(&place.join("rs.dcm"), Some(Label::Number(1))).unwrap_err();
        assert!(message.contains(words) && message.contains("region"), "{message}");
        std::fs::remove_dir_all(place).unwrap();
    }
}

#[test]
fn an_rtstruct_without_its_images_says_which_and_where() {
    let alone = folder("alone", &[]).join("rs");
    std::fs::create_dir_all(&alone).unwrap();
    std::fs::copy(golden().join("rtstruct/rs.dcm"), alone.join("rs.dcm")).unwrap();
    let message = mask(&alone.join("rs.dcm"), Some(Label::Number(1))).unwrap_err();
    assert!(message.contains(&truth().series) && message.contains("rs.dcm#folder/of/the/images"), "{message}");
    // Another study's images are not the contours' space.
    let other = alone.parent().unwrap().join("other");
    std::fs::create_dir_all(&other).unwrap();
    for z in 0..6 {
        let name = format!("{z}.dcm");
        std::fs::copy(golden().join("ct").join(&name), other.join(&name)).unwrap();
        replace(&other.join(&name), b"1.2.826.0.1.3680043.8.498.1.2\0", b"1.2.826.0.1.3680043.8.498.1.8\0");
    }
    let given = PathBuf::from(format!("{}#{}", alone.join("rs.dcm").display(), other.display()));
    let message = mask(&given, Some(Label::Number(1))).unwrap_err();
    assert!(message.contains("frame of reference"), "{message}");
    std::fs::remove_dir_all(alone.parent().unwrap()).unwrap();
}

#[test]
fn headers_that_lie_and_files_that_end_early_are_refused() {
    for syntax in SYNTAXES.iter().map(|s| if *s == "enhanced" { "enhanced/ct.dcm".to_string() } else { format!("{s}/0.dcm") }) {
        let whole = std::fs::read(golden().join(&syntax)).unwrap();
        assert_eq!(parse_dicom(&whole).unwrap().geometry.size[0], 12, "{syntax}");
        // The last bytes of encapsulated pixels end their sequence; deflate's may be padding.
        for n in 0..whole.len() - 10 {
            assert!(parse_dicom(&whole[..n]).is_err(), "{syntax} cut to {n} bytes");
        }
    }
    // Rows 65535 of the file's 240 bytes of pixels; an element of 4 GB.
    let whole = std::fs::read(golden().join("ct/0.dcm")).unwrap();
    let at = |what: &[u8]| (0..whole.len()).find(|i| whole[*i..].starts_with(what)).unwrap();
    let mut rows = whole.clone();
    let place = at(b"\x28\x00\x10\x00US\x02\x00") + 8;
    rows[place..place + 2].copy_from_slice(&[0xff, 0xff]);
    assert!(parse_dicom(&rows).unwrap_err().to_string().contains("truncated"));
    let mut long = whole.clone();
    let place = at(b"\xe0\x7f\x10\x00OW\0\0") + 8;
    long[place..place + 4].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
    assert!(parse_dicom(&long).unwrap_err().to_string().contains("promises 4294967280 bytes of voxels, found 240"));
}

fn any_golden() -> impl Strategy<Value = Vec<u8>> {
    let files =
        ["ct/0.dcm", "ct_implicit/0.dcm", "ct_deflated/0.dcm", "ct_big_endian/0.dcm", "ct_rle/0.dcm", "ct_jpeg/0.dcm", "ct_jpeg2000/0.dcm"];
    let more = ["enhanced/ct.dcm", "rtstruct/rs.dcm", "seg/binary.dcm", "seg/fractional.dcm", "seg/labelmap.dcm"];
    proptest::sample::select([files.as_slice(), more.as_slice()].concat()).prop_map(|file| std::fs::read(golden().join(file)).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damaged_bytes_never_panic(mut bytes in any_golden(), changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..8), cut in any::<usize>()) {
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _ = parse_dicom(&bytes);
        bytes.truncate(cut % bytes.len());
        let _ = parse_dicom(&bytes);
    }
}
