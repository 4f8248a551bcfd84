-- Radiomics of every outline: HU window, z-score, voxels of 1 mm, PyRadiomics' features.

CREATE OR REPLACE TABLE radiomics_of_outlines AS
SELECT
    scan_id,
    reader,
    radiomics(
        image(image_file).image_window(getvariable('window_center'), getvariable('window_width')),
        mask(mask_file),
        {
            'normalize': true,
            'normalize_scale': getvariable('normalize_scale'),
            'resampled_pixel_spacing': getvariable('spacing'),
            'bin_width': getvariable('bin_width'),
            'image_types': getvariable('image_types'),
            'feature_set': getvariable('feature_set')
        }
    ) AS features
FROM outlines;

-- One row per outline and feature.
CREATE OR REPLACE TABLE reader_values AS
SELECT scan_id, patient_id, timepoint, reader, entry.key AS feature, entry.value AS value
FROM (SELECT scan_id, reader, unnest(map_entries(features)) AS entry FROM radiomics_of_outlines)
JOIN outlines USING (scan_id, reader);
