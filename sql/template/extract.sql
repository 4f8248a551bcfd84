-- Radiomics of one's own scans: a folder with scans.csv and images; one scan is enough.
--
--     esccsql run sql/template/extract.sql --db my_study.duckdb --set cohort=my_cohort
--
-- README.md beside this file says what scans.csv holds. The features end up in the tables reader_values (long) and
-- radiomics_of_outlines, and in features.csv where you are. (A file written into the cohort's folder would count as a
-- change of the cohort.)

-- To change: where the cohort is, and how images are prepared.
SET VARIABLE cohort = 'my_cohort';
SET VARIABLE window_center = 50;
SET VARIABLE window_width = 350;
SET VARIABLE spacing = [1.0, 1.0, 1.0];
SET VARIABLE normalize_scale = 100;
SET VARIABLE bin_width = 25;
SET VARIABLE image_types = ['original'];
SET VARIABLE feature_set = 'all';

CREATE OR REPLACE TABLE scans AS
SELECT * FROM read_csv(getvariable('cohort') || '/scans.csv', all_varchar = true);

-- One row per outline: each column of scans.csv whose name begins with mask is a reader.
CREATE OR REPLACE TABLE outlines AS
SELECT
    scan_id,
    patient_id,
    coalesce(lower(timepoint), 'pre') AS timepoint,
    dense_rank() OVER (ORDER BY drawn_by) AS reader,
    getvariable('cohort') || '/' || image AS image_file,
    getvariable('cohort') || '/' || mask AS mask_file
FROM (UNPIVOT scans ON COLUMNS('^mask') INTO NAME drawn_by VALUE mask)
ORDER BY ALL;

-- @step check_scans
CREATE OR REPLACE TABLE check_scans AS
SELECT CASE
    WHEN count(*) = 0 THEN error('scans.csv has no row with an image and a mask')
    WHEN count(*) > count(image_file) THEN error('scans.csv: a row has a mask but no image; name its image, or delete the row')
    WHEN count(*) > count(DISTINCT (scan_id, reader)) THEN
        error('scans.csv: a scan_id stands in more than one row; give each scan its own')
    WHEN count(*) > count(DISTINCT (patient_id, timepoint, reader)) THEN
        error('scans.csv: a patient has two scans of one timepoint; keep one, or name the timepoints apart')
    WHEN count(DISTINCT scan_id) < (SELECT count(*) FROM scans) THEN
        'each scan once; scans without a mask, left out: ' || ((SELECT count(*) FROM scans) - count(DISTINCT scan_id))
    ELSE 'each scan once'
END AS scans
FROM outlines;

.read ../study/04_volumes.sql
.read ../study/06_radiomics.sql

-- @step features.csv
COPY (
    PIVOT (SELECT scan_id, patient_id, timepoint, reader, feature, value FROM reader_values)
    ON feature USING first(value) ORDER BY scan_id, reader
) TO 'features.csv';

.print
.print Tumour volumes
-- @step volumes_table
SELECT scan_id, timepoint, reader, printf('%.1f', volume_cm3) AS volume_cm3, features
FROM volumes JOIN (SELECT scan_id, reader, count(*) AS features FROM reader_values GROUP BY ALL) USING (scan_id, reader)
ORDER BY scan_id, reader
LIMIT 20;
