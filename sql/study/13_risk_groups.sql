-- High and low risk: above the training cohort's median risk or not. The cut of the test cohort is the training cohort's.

CREATE OR REPLACE TABLE cuts AS
SELECT model, median(risk) AS cut FROM predictions WHERE cohort = 'training' GROUP BY model ORDER BY model;

CREATE OR REPLACE TABLE risk_groups AS
SELECT model, patient_id, cohort, CASE WHEN stage LIKE 'IV%' THEN 'IV' ELSE stage END AS stage, predictions.months, predictions.died,
    CASE WHEN risk > cut THEN 'high' ELSE 'low' END AS risk_group
FROM predictions JOIN cuts USING (model) JOIN patients USING (patient_id, cohort)
WHERE risk IS NOT NULL
ORDER BY model, patient_id;

-- The same patients in all stages, in stage III and in stage IV.
CREATE OR REPLACE TABLE strata AS
SELECT 'all' AS stratum, * FROM risk_groups
UNION ALL
SELECT 'stage ' || stage, * FROM risk_groups WHERE stage IN ('III', 'IV')
ORDER BY ALL;

CREATE OR REPLACE TABLE kaplan_meier AS
SELECT model, stratum, cohort, risk_group, unnest(curve, recursive := true)
FROM (SELECT model, stratum, cohort, risk_group, km_fit(months, died) AS curve FROM strata GROUP BY ALL)
ORDER BY ALL;

CREATE OR REPLACE TABLE group_survival AS
SELECT model, stratum, cohort, risk_group, count(*) AS n, count(*) FILTER (died) AS deaths,
    km_median(months, died) AS median,
    km_survival(months, died, [12, 24, 36, 60]) AS survival,
    [count(*) FILTER (months >= 12), count(*) FILTER (months >= 24), count(*) FILTER (months >= 36), count(*) FILTER (months >= 60)] AS at_risk
FROM strata
GROUP BY model, stratum, cohort, risk_group
ORDER BY model, stratum, cohort, risk_group;

-- Compared where both groups are still followed when the first patient dies.
CREATE OR REPLACE TABLE group_tests AS
WITH comparable AS (
    SELECT model, stratum, cohort
    FROM (
        SELECT model, stratum, cohort, risk_group, max(months) AS last_seen, min(months) FILTER (died) AS first_death
        FROM strata GROUP BY ALL
    )
    GROUP BY ALL
    HAVING count(*) = 2 AND min(last_seen) >= min(first_death)
)
SELECT model, stratum, cohort, logrank(months, died, risk_group).p AS p
FROM strata SEMI JOIN comparable USING (model, stratum, cohort)
GROUP BY model, stratum, cohort
ORDER BY model, stratum, cohort;

-- Is risk more than the clinical factors say? Cox regression in the training cohort, on the risk at which patients were
-- left out, per standard deviation; volume reduction per 10 %, age per 10 years.
CREATE OR REPLACE TABLE adjusted AS
SELECT model, unnest(cox_summary(cox_fit(months, died, {
    'risk, per sd': (risk - risk_mean) / risk_sd,
    'age, per 10 years': age / 10,
    'stage, per step': stage_rank,
    'volume reduction, per 10 %': volume_reduction * 10,
    'sex, female': (sex = 'female')::INTEGER
})), recursive := true)
FROM left_out_risk JOIN patients USING (patient_id) JOIN tumours USING (patient_id)
    JOIN (SELECT model, avg(risk) AS risk_mean, stddev_samp(risk) AS risk_sd FROM left_out_risk GROUP BY model) USING (model)
GROUP BY model
ORDER BY model;
