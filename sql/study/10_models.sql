-- Random survival forests, log-rank splitting: the inputs of each model, their settings, and the fits.

-- The networks have seen the training patients' survival: a forest's C-index on training rows says nothing of new patients.
CREATE OR REPLACE TABLE separate_inputs AS
SELECT 'Clinical' AS model, patient_id, cohort, months, died,
    MAP {'age': age::DOUBLE, 'stage': stage_rank::DOUBLE, 'volume_reduction': volume_reduction} AS x
FROM patients JOIN tumours USING (patient_id)
UNION ALL
SELECT 'Delta_radiomics', patient_id, cohort, months, died, features_pick(x, names)
FROM patients JOIN delta_features USING (patient_id, cohort), (SELECT list(feature ORDER BY feature) AS names FROM selected)
UNION ALL
SELECT 'DL_Pre', patient_id, cohort, months, died, pre FROM patients JOIN deep_features USING (patient_id, cohort)
UNION ALL
SELECT 'DL_Post', patient_id, cohort, months, died, post FROM patients JOIN deep_features USING (patient_id, cohort)
UNION ALL
SELECT 'DL_Longitudinal', patient_id, cohort, months, died, map_concat(pre, post) FROM patients JOIN deep_features USING (patient_id, cohort)
ORDER BY model, patient_id;

-- Fusion: all of them side by side.
CREATE OR REPLACE TABLE inputs AS
FROM separate_inputs
UNION ALL
SELECT 'Fusion', patient_id, cohort, months, died, map_concat(clinical.x, delta.x, deep.x)
FROM (SELECT patient_id, cohort, months, died, x FROM separate_inputs WHERE model = 'Clinical') AS clinical
JOIN (SELECT patient_id, x FROM separate_inputs WHERE model = 'Delta_radiomics') AS delta USING (patient_id)
JOIN (SELECT patient_id, x FROM separate_inputs WHERE model = 'DL_Longitudinal') AS deep USING (patient_id)
ORDER BY model, patient_id;

-- Five folds of the training cohort, each with its share of deaths.
CREATE OR REPLACE TABLE training_folds AS
SELECT patient_id, row_number() OVER (ORDER BY died, md5(patient_id || getvariable('seed'))) % getvariable('folds') + 1 AS fold
FROM patients
WHERE cohort = 'training';

-- The settings to try for each model; mtry is at most the number of its features.
CREATE OR REPLACE TABLE grid AS
SELECT DISTINCT model, node_size, least(mtry, features)::INTEGER AS mtry
FROM (SELECT model, max(cardinality(x)) AS features FROM inputs WHERE cohort = 'training' GROUP BY model),
    (SELECT unnest(getvariable('node_sizes')) AS node_size), (SELECT unnest(getvariable('mtrys')) AS mtry)
ORDER BY ALL;

-- Each fold is predicted by a forest of the other folds.
CREATE OR REPLACE TABLE fold_forests AS
SELECT model, node_size, mtry, left_out,
    rsf_fit(months, died, x, {'trees': getvariable('trees'), 'node_size': node_size, 'mtry': mtry, 'seed': getvariable('seed')}) AS forest
FROM inputs JOIN training_folds USING (patient_id) JOIN grid USING (model),
    (SELECT unnest(range(1, getvariable('folds') + 1)) AS left_out)
WHERE fold <> left_out
GROUP BY model, node_size, mtry, left_out;

CREATE OR REPLACE TABLE fold_predictions AS
SELECT model, node_size, mtry, fold, patient_id, months, died, rsf_predict(forest, x) AS risk
FROM inputs JOIN training_folds USING (patient_id) JOIN fold_forests USING (model)
WHERE fold = left_out
ORDER BY ALL;

CREATE OR REPLACE TABLE tuning AS
SELECT model, node_size, mtry, avg(c_index) AS cross_validated_c
FROM (
    SELECT model, node_size, mtry, fold, c_index(months, died, risk) AS c_index
    FROM fold_predictions
    GROUP BY model, node_size, mtry, fold
    ORDER BY ALL
)
GROUP BY model, node_size, mtry
ORDER BY model, cross_validated_c DESC, node_size DESC, mtry;

-- The best setting of each model; of equals the simpler forest.
CREATE OR REPLACE TABLE settings AS
SELECT * FROM tuning
QUALIFY row_number() OVER (PARTITION BY model ORDER BY cross_validated_c DESC, node_size DESC, mtry) = 1
ORDER BY model;

CREATE OR REPLACE TABLE forests AS
SELECT model,
    rsf_fit(months, died, x, {'trees': getvariable('trees'), 'node_size': node_size, 'mtry': mtry, 'seed': getvariable('seed')}) AS forest
FROM inputs JOIN settings USING (model)
WHERE cohort = 'training'
GROUP BY model
ORDER BY model;
