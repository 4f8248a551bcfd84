-- The report of the study. After esccsql run sql/study.sql:
--
--     esccsql report sql/reports/study.sql --db study.duckdb --out report.html

SET VARIABLE n = (SELECT count(*) FROM patients);
SET VARIABLE n_training = (SELECT count(*) FROM patients WHERE cohort = 'training');
SET VARIABLE n_test = (SELECT count(*) FROM patients WHERE cohort = 'test');
SET VARIABLE n_computed = (SELECT features FROM selection_table WHERE step = 'computed');
SET VARIABLE n_selected = (SELECT count(*) FROM selected);
SET VARIABLE c_clinical = (SELECT "C-index (95% CI)" FROM table2 WHERE model = 'Clinical' AND cohort = 'test');
SET VARIABLE c_delta = (SELECT "C-index (95% CI)" FROM table2 WHERE model = 'Delta_radiomics' AND cohort = 'test');

/*
# Delta-radiomics and survival after chemoradiotherapy for oesophageal cancer

The patients are **synthetic**: no figure here is a clinical result. {{n}} patients with CT before and after
chemoradiotherapy, {{n_training}} of centre 1 to train and {{n_test}} of centre 2 to test; nothing was chosen, scaled or
fitted on a test patient. The methods follow Hu, Maitudi et al., J Cancer 2026;17:808.

In the test cohort the C-index was {{c_clinical}} for the clinical model and {{c_delta}} for the change of
{{n_selected}} radiomic features.

## Patients
*/

-- @caption Patients screened, and why some were left out.
FROM screening_table;

-- @caption Patients by cohort. Age by Student's t-test, volumes by the Mann-Whitney test, counts by the chi-squared test or Fisher's exact test.
FROM table1;

-- @caption Overall survival.
FROM survival_table;

-- @caption Overall survival by cohort (Kaplan-Meier, with 95% confidence bands).
SELECT km_plot(months, died, cohort, {'time_unit': 'months', 'time_step': 12}) AS svg FROM patients;

/*
## Features

Of {{n_computed}} features of the whole tumour, those on which two readers agree and that say something of their own are
kept; their relative change between the scans is related to survival, and LASSO-Cox keeps the last ones.
*/

-- @caption Features left after each step.
FROM selection_table;

-- @caption Delta features kept by LASSO-Cox.
FROM selected_table;

/*
## Performance
*/

-- @caption Forests, chosen by cross-validation within the training cohort.
FROM settings_table;

-- @caption Discrimination and integrated Brier score (iBS). "C left out" is of training patients whom the forest had not seen.
FROM table2;

-- @caption Area under the time-dependent ROC curve by month.
WITH areas AS (
    SELECT model, cohort, unnest(auc_td(months, died, risk, [12.0, 18, 24, 30, 36, 42, 48]).areas, recursive := true)
    FROM predictions GROUP BY model, cohort
)
SELECT cohort, line_plot(time, auc, model, {'x_label': 'months', 'y_label': 'AUC', 'y_range': [0, 1], 'reference': 0.5, 'width': 500}) AS svg
FROM areas GROUP BY cohort ORDER BY cohort DESC;

-- @caption Calibration of the predicted two-year survival (Delta_radiomics), in five groups of similar prediction.
WITH calibrated AS (
    SELECT cohort, unnest(calibration_curve(months, died, survival[24], 24, {'groups': 5}), recursive := true)
    FROM predictions WHERE model = 'Delta_radiomics' GROUP BY cohort
)
SELECT cohort, calibration_plot(predicted, observed, lower, upper, {'x_label': 'predicted survival', 'y_label': 'observed survival', 'whole': true}) AS svg
FROM calibrated GROUP BY cohort ORDER BY cohort DESC;

/*
## Risk groups

High risk is above the training cohort's median risk, in both cohorts.
*/

-- @caption Overall survival by risk group (Delta_radiomics).
SELECT cohort, stratum, km_plot(months, died, risk_group, {'time_unit': 'months', 'time_step': 12, 'order': ['low', 'high'], 'width': 500}) AS svg
FROM strata WHERE model = 'Delta_radiomics'
GROUP BY cohort, stratum ORDER BY stratum, cohort DESC;

-- @caption Survival by risk group.
FROM risk_group_table;

-- @caption Risk adjusted for clinical factors (training cohort, Cox regression on the risk at which patients were left out).
SELECT model, forest_plot(term, hr, hr_lower, hr_upper, p) AS svg FROM adjusted WHERE hr IS NOT NULL GROUP BY model ORDER BY model;

/*
## What the forest looks at

SurvSHAP(t) of the Delta_radiomics forest in the test cohort, against the training cohort: how far each feature moves a
patient's predicted survival curve.
*/

CREATE TEMP TABLE explained AS
WITH explainer AS (
    SELECT surv_shap_fit(forest, x) AS explainer FROM inputs JOIN forests USING (model) WHERE model = 'Delta_radiomics' AND cohort = 'training'
)
SELECT patient_id, unnest(surv_shap(explainer, x, [12.0, 24, 36, 48]), recursive := true)
FROM inputs, explainer WHERE model = 'Delta_radiomics' AND cohort = 'test';

-- @caption Mean absolute contribution to predicted survival, over patients and over 12 to 48 months.
SELECT shap_plot(feature, contribution, {'kind': 'bar', 'max_features': 10, 'x_label': 'mean |SurvSHAP|'}) AS svg
FROM (SELECT patient_id, feature, avg(abs(value)) AS contribution FROM explained GROUP BY ALL);

-- @caption The same over time.
SELECT shap_plot(feature, contribution, time, {'kind': 'time', 'max_features': 6, 'time_unit': 'months', 'y_label': 'mean |SurvSHAP|'}) AS svg
FROM (SELECT feature, time, avg(abs(value)) AS contribution FROM explained GROUP BY ALL);

/*
## How this was made
*/

-- @caption Programs of the last run.
SELECT script, started, status, versions::VARCHAR AS versions, threads FROM esccsql_runs ORDER BY run_id DESC LIMIT 1;

-- @caption What was made of what. A table is made again when its statement or anything that it reads has changed.
SELECT object, array_to_string(tables, ', ') AS "reads", array_to_string(variables, ', ') AS settings, script || ':' || line AS statement, rows
FROM esccsql_lineage();
