-- Predictions for both cohorts; from here on nothing is fitted for prediction any more.

-- Months at which survival curves are read.
SET VARIABLE times = (SELECT range(1, getvariable('horizon') + 1)::DOUBLE[]);

-- Risk is the forest's ensemble mortality: the deaths expected if all training patients were like this one.
CREATE OR REPLACE TABLE predictions AS
SELECT model, patient_id, cohort, months, died,
    rsf_predict(forest, x) AS risk,
    rsf_survival(forest, x, getvariable('times')) AS survival
FROM inputs JOIN forests USING (model)
ORDER BY model, patient_id;

-- The training cohort's risk of patients whom the forest has not seen: that of the fold in which they were left out.
CREATE OR REPLACE TABLE left_out_risk AS
SELECT model, patient_id, risk
FROM fold_predictions JOIN settings USING (model, node_size, mtry)
ORDER BY model, patient_id;
