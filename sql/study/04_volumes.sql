-- Tumour volumes, and how far the readers agree on the outlines.

CREATE OR REPLACE TABLE volumes AS
SELECT scan_id, patient_id, timepoint, reader, mask_volume(mask(mask_file)) / 1000 AS volume_cm3
FROM outlines;

-- How well the readers' outlines overlap.
CREATE OR REPLACE TABLE overlap AS
SELECT a.scan_id, a.timepoint, mask_dice(mask(a.mask_file), mask(b.mask_file)) AS dice
FROM outlines AS a JOIN outlines AS b USING (scan_id)
WHERE a.reader = 1 AND b.reader = 2
ORDER BY scan_id;

-- The gross tumour volume of the study is the first reader's. Its reduction rate is a clinical feature.
CREATE OR REPLACE TABLE tumours AS
SELECT patient_id, pre AS gtv_pre, post AS gtv_post, (pre - post) / pre AS volume_reduction
FROM (PIVOT (SELECT patient_id, timepoint, volume_cm3 FROM volumes WHERE reader = 1)
      ON timepoint IN ('pre', 'post') USING first(volume_cm3))
ORDER BY patient_id;
