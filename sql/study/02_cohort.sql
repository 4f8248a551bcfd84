-- Patients: who was screened, who is included, and why others are not.

CREATE OR REPLACE TABLE records AS
SELECT * FROM read_csv(getvariable('cohort') || '/clinical.csv');

-- Included: age >= 18; squamous cell carcinoma; cT3-4 N0 M0, or cT1-4 N+ M0, or M1 by non-regional nodes alone;
-- at least 50 Gy in conventional fractions with at least one cycle of concurrent chemotherapy; the second scan within a
-- month. Excluded: poor images, an incomplete record, radical surgery. Each record with the first criterion that it fails.
CREATE OR REPLACE TABLE screening AS
SELECT *,
    CASE
        WHEN age < 18 THEN 'younger than 18'
        WHEN histology <> 'ESCC' THEN 'other histology'
        WHEN distant_organ_metastasis THEN 'metastasis in a distant organ'
        WHEN cm = 'M0' AND cn = 'N0' AND ct NOT SIMILAR TO 'T[34].*' THEN 'cT1-2 N0 M0'
        WHEN dose_gy < 50 OR NOT dose_gy / fractions BETWEEN 1.79 AND 2.21 THEN 'below 50 Gy in conventional fractions'
        WHEN chemo_cycles < 1 THEN 'no concurrent chemotherapy'
        WHEN days_to_post_scan > 30 THEN 'second scan later than a month'
        WHEN radical_surgery THEN 'radical surgery'
        WHEN image_quality <> 'adequate' THEN 'poor image quality'
        WHEN NOT record_complete THEN 'incomplete record'
    END AS excluded_for
FROM (SELECT * REPLACE (distant_organ_metastasis = 1 AS distant_organ_metastasis, radical_surgery = 1 AS radical_surgery,
        record_complete = 1 AS record_complete) FROM records);

-- The study's patients. Overall survival: months from the start of radiotherapy to death, else to the last follow-up.
CREATE OR REPLACE TABLE patients AS
SELECT
    patient_id,
    cohort,
    age,
    sex,
    location,
    ct,
    cn,
    cm,
    stage,
    list_position(['I', 'II', 'III', 'IVA', 'IVB'], stage) AS stage_rank,
    months,
    died = 1 AS died
FROM screening
WHERE excluded_for IS NULL
ORDER BY patient_id;
