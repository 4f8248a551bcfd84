//! DICOM: the patient of `../shared/reference/dicom`, held to the NIfTI files of the same scans and regions.

use std::path::{Path, PathBuf};

use esccsql_imaging::{Cache, Geometry, Label, Recipe, Volume, read_header, read_volume};

const SCANS: [(&str, &str, usize); 3] = [("CT", "GTV_Mass_CT", 5564), ("MR_T1", "GTV_Mass_MR_T1", 3856), ("PET", "GTV_Mass_PET", 239)];

fn patient() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/dicom/STS_019");
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
