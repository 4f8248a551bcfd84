//! DICOM through SQL alone: features of CT, MR and PET with their RTSTRUCT, held to PyRadiomics 3.1 on the NIfTI files of the
//! same patient (`../shared/reference/dicom`), and the small objects of `udfs/imaging/tests/golden/dicom`.

use std::collections::HashMap;

use esccsql::engine::duckdb::{Session, Settings, open};

fn reference() -> Option<String> {
    let folder = crate::checkout().join("../shared/reference/dicom");
    if !folder.is_dir() {
        println!("skipped: ../shared is not here");
        return None;
    }
    Some(folder.display().to_string())
}

fn session() -> Session {
    open(None, &Settings::default()).expect("a session")
}

/// A table of two texts and a number.
fn map(session: &Session, sql: &str) -> HashMap<(String, String), f64> {
    let mut statement = session.prepare(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"));
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

fn text(session: &Session, sql: &str) -> String {
    session.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

const SCANS: &str = "(VALUES ('CT'), ('MR_T1'), ('PET')) scans(scan)";

fn expected(session: &Session, folder: &str) -> HashMap<(String, String), f64> {
    let values = map(
        session,
        &format!(
            "SELECT replace(\"case\", 'sts019_', ''), concat_ws('_', image_type, feature_class, feature), value FROM read_csv('{folder}/values.csv')"
        ),
    );
    assert_eq!(values.len(), 3 * 107);
    values
}

/// Features of the three scans with a pattern of image and mask; `||scan||` in the patterns is the scan.
fn features(session: &Session, image: &str, mask: &str) -> HashMap<(String, String), f64> {
    map(
        session,
        &format!(
            "SELECT scan, entry.key, entry.value FROM (SELECT scan, unnest(map_entries(radiomics({image}, {mask}))) AS entry FROM {SCANS})"
        ),
    )
}

fn differences(found: &HashMap<(String, String), f64>, expected: &HashMap<(String, String), f64>, limit: impl Fn(&str, &str) -> f64) {
    assert_eq!(found.len(), expected.len());
    for (key, &expected) in expected {
        let (found, limit) = (found[key], limit(&key.0, &key.1));
        assert!((found - expected).abs() <= limit * expected.abs(), "{key:?}: {found} for {expected} (within {limit:e})");
    }
}

/// Features of DICOM equal those of the NIfTI files. A NIfTI header keeps spacing in single precision, 0.976562 mm of the CT as
/// 0.976562023...: there what is measured in mm carries that header's error of 2.4e-8 in length, three times that in volume.
/// PET values are fractions that the NIfTI file keeps in single precision.
#[test]
fn features_of_a_patients_dicom_equal_pyradiomics() {
    let Some(folder) = reference() else { return };
    let session = session();
    let expected = expected(&session, &folder);
    let image = format!("image('{folder}/STS_019/' || scan || '/image')");
    let mask = format!("mask('{folder}/STS_019/' || scan || '/mask/RS.dcm', 'GTV_Mass_' || scan)");
    let in_mm = |feature: &str| feature.starts_with("original_shape") || feature == "original_firstorder_TotalEnergy";
    differences(&features(&session, &image, &mask), &expected, |scan, feature| match scan {
        "PET" => 1e-5,
        "CT" if in_mm(feature) => 3.0 * 2.4e-8,
        _ => 1e-9,
    });
}

/// Written as NIfTI, whose header rounds the grid as the reference's does, nothing is left of the difference.
#[test]
fn dicom_written_as_nifti_gives_pyradiomics_features_without_exception() {
    let Some(folder) = reference() else { return };
    let (session, out) = (session(), tempfile::tempdir().expect("a folder"));
    let expected = expected(&session, &folder);
    let to = out.path().display();
    text(
        &session,
        &format!(
            "SELECT string_agg(image_write(image('{folder}/STS_019/' || scan || '/image'), '{to}/' || scan || '_image.nii.gz') ||
                               image_write(mask('{folder}/STS_019/' || scan || '/mask/RS.dcm', 'GTV_Mass_' || scan), '{to}/' || scan || '_mask.nii.gz'), ' ')
             FROM {SCANS}"
        ),
    );
    let found =
        features(&session, &format!("image('{to}/' || scan || '_image.nii.gz')"), &format!("mask('{to}/' || scan || '_mask.nii.gz')"));
    differences(&found, &expected, |scan, _| if scan == "PET" { 1e-5 } else { 1e-9 });
}

#[test]
fn a_patients_folder_is_a_table_of_series_and_regions() {
    let Some(folder) = reference() else { return };
    let session = session();
    let listed = format!("read_images('{folder}/STS_019', sha256 = false) WHERE format = 'DICOM'");
    let series = format!(
        "SELECT string_agg(concat_ws(' ', modality, shape::VARCHAR, round(spacing[3], 2), dtype), '; ' ORDER BY path) FROM (FROM {listed}) WHERE rois IS NULL"
    );
    assert_eq!(text(&session, &series), "CT [136, 134, 47] 3.27 int16; MR [112, 110, 47] 3.27 int16; PT [28, 28, 47] 3.27 float64");
    // Images and their regions meet in the series' UID.
    let pairs = format!(
        "WITH listed AS (FROM {listed}), regions AS (SELECT series, path, unnest(rois) AS roi FROM listed)
         SELECT string_agg(concat_ws(' ', listed.modality, roi, mask_volume(mask(regions.path, roi))::INT), '; ' ORDER BY listed.path)
         FROM listed JOIN regions USING (series) WHERE rois IS NULL"
    );
    assert_eq!(text(&session, &pairs), "CT GTV_Mass_CT 17351; MR GTV_Mass_MR_T1 17316; PT GTV_Mass_PET 17172");
}

/// The folder of the small objects.
fn golden() -> String {
    crate::checkout().join("udfs/imaging/tests/golden/dicom").display().to_string()
}

#[test]
fn segmentations_and_contours_are_masks_by_name_and_number() {
    let (session, golden) = (session(), golden());
    let volume = |mask: &str| text(&session, &format!("SELECT (mask_volume({mask}) / (0.75 * 1.25 * 2.5))::INT::VARCHAR"));
    for file in ["seg/binary.dcm", "seg/fractional.dcm", "seg/labelmap.dcm", "rtstruct/rs.dcm"] {
        assert_eq!(volume(&format!("mask('{golden}/{file}', 'GTV')")), "120", "{file}");
        assert_eq!(volume(&format!("mask('{golden}/{file}', 2)")), "4", "{file}");
    }
    let info = format!(
        "SELECT concat_ws(' ', i.shape::VARCHAR, i.dtype, i.min::INT, i.max::INT) FROM (SELECT image_info('{golden}/ct_jpeg/3.dcm') AS i)"
    );
    assert_eq!(text(&session, &info), "[12, 10, 6] int16 -1024 3071");
    let rois = format!("SELECT string_agg(rois::VARCHAR, ' ' ORDER BY path) FROM read_images('{golden}/seg/*.dcm')");
    assert_eq!(text(&session, &rois), "[GTV, node] [GTV, node] [GTV, node]");
    let error = session
        .query_row(&format!("SELECT mask_volume(mask('{golden}/seg/binary.dcm', 'liver'))"), [], |row| row.get::<_, f64>(0))
        .unwrap_err();
    assert!(error.to_string().contains("it holds no region 'liver'; it holds 'GTV' (1), 'node' (2)"), "{error}");
}

#[test]
fn images_of_a_closed_folder_are_not_read_through_an_open_rtstruct() {
    let (session, golden) = (session(), golden());
    session.execute_batch(&format!("SET allowed_directories = ['{golden}/rtstruct']; SET enable_external_access = false")).unwrap();
    let ask =
        |mask: &str| session.query_row(&format!("SELECT mask_volume({mask})"), [], |row| row.get::<_, f64>(0)).unwrap_err().to_string();
    let error = ask(&format!("mask('{golden}/rtstruct/rs.dcm', 'GTV')"));
    assert!(error.contains("not in its folder nor in those beside it"), "{error}");
    let error = ask(&format!("mask('{golden}/rtstruct/rs.dcm#{golden}/ct', 'GTV')"));
    assert!(error.contains("file access is off"), "{error}");
    let error = ask(&format!("mask('{golden}/seg/binary.dcm', 'GTV')"));
    assert!(error.contains("file access is off"), "{error}");
}
