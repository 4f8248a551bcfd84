-- Outlines of the tumour: one row per scan and reader, before ('pre') and after ('post') treatment.

CREATE OR REPLACE TABLE outlines AS
SELECT
    scan_id,
    patient_id,
    timepoint,
    right(drawn_by, 1)::INTEGER AS reader,
    getvariable('cohort') || '/' || image AS image_file,
    getvariable('cohort') || '/' || mask AS mask_file
FROM (
    UNPIVOT (FROM read_csv(getvariable('cohort') || '/scans.csv'))
    ON mask_reader1, mask_reader2 INTO NAME drawn_by VALUE mask
)
JOIN patients USING (patient_id)
ORDER BY ALL;
