-- What two readers agree on, in the training cohort: intraclass correlation (two-way random effects, absolute agreement,
-- single reader) of at least min_icc before treatment and after it. Where one reader drew all outlines, all features stay.

CREATE OR REPLACE TABLE agreement AS
SELECT feature, timepoint, icc(scan_id, reader, value, {'model': 'two_way_random', 'unit': 'single'}).icc AS icc
FROM reader_values JOIN patients USING (patient_id)
WHERE cohort = 'training' AND (SELECT max(reader) FROM outlines) > 1
GROUP BY feature, timepoint
ORDER BY feature, timepoint;

CREATE OR REPLACE TABLE reproducible AS
SELECT DISTINCT feature
FROM reader_values
ANTI JOIN (SELECT feature FROM agreement WHERE NOT (isfinite(icc) AND icc >= getvariable('min_icc'))) USING (feature)
ORDER BY feature;
