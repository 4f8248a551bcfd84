-- How well the models predict: Harrell's C, the integrated Brier score, and both against the Clinical model.

CREATE OR REPLACE TABLE discrimination AS
SELECT model, cohort, count(risk) AS n, count(*) FILTER (died) AS deaths,
    c_index_ci(months, died, risk, {'resamples': getvariable('resamples'), 'seed': getvariable('seed')}) AS c_index
FROM predictions
GROUP BY model, cohort
ORDER BY model, cohort;

-- The training cohort once more, each patient predicted by a forest that was grown without him or her.
CREATE OR REPLACE TABLE discrimination_left_out AS
SELECT model, cross_validated_c AS c_index FROM settings ORDER BY model;

-- Two models on the same patients: Student's t on their C-indices (R survcomp).
CREATE OR REPLACE TABLE discrimination_against_clinical AS
SELECT a.model, a.cohort, c_index_compare(a.months, a.died, a.risk, b.risk) AS test
FROM predictions AS a JOIN predictions AS b USING (patient_id)
WHERE a.model <> 'Clinical' AND b.model = 'Clinical'
GROUP BY a.model, a.cohort
ORDER BY a.model, a.cohort;

-- The Brier score weights patients by the censoring of the training cohort, in both cohorts.
CREATE OR REPLACE TABLE censoring AS
SELECT list(months ORDER BY patient_id) AS training_time, list(died ORDER BY patient_id) AS training_event
FROM patients
WHERE cohort = 'training';

CREATE OR REPLACE TABLE calibration AS
SELECT model, cohort,
    integrated_brier_score_ci(months, died, survival, getvariable('times'), {
        'training_time': training_time, 'training_event': training_event, 'side': 'before',
        'resamples': getvariable('resamples'), 'seed': getvariable('seed')
    }) AS ibs
FROM predictions, censoring
GROUP BY model, cohort
ORDER BY model, cohort;

CREATE OR REPLACE TABLE calibration_against_clinical AS
SELECT a.model, a.cohort,
    integrated_brier_score_compare(a.months, a.died, a.survival, b.survival, getvariable('times'), {
        'training_time': training_time, 'training_event': training_event, 'side': 'before',
        'resamples': getvariable('resamples'), 'seed': getvariable('seed')
    }) AS test
FROM predictions AS a JOIN predictions AS b USING (patient_id), censoring
WHERE a.model <> 'Clinical' AND b.model = 'Clinical'
GROUP BY a.model, a.cohort
ORDER BY a.model, a.cohort;

-- Over time: the C-index as it stood had follow-up ended after so many months, of the survival predicted for that month.
CREATE OR REPLACE TABLE discrimination_over_time AS
WITH shortened AS (
    SELECT model, cohort, month, least(months, month) AS months, died AND months <= month AS died, 1 - survival[month] AS risk
    FROM predictions, (SELECT unnest(range(12, getvariable('horizon') + 1, 6)) AS month)
),
comparable AS (SELECT cohort, month FROM shortened GROUP BY ALL HAVING min(months) FILTER (died) < max(months))
SELECT model, cohort, month, c_index(months, died, risk) AS c_index
FROM shortened SEMI JOIN comparable USING (cohort, month)
GROUP BY model, cohort, month
ORDER BY model, cohort, month;
