-- The report of the study. After esccsql run sql/study.sql:
--
--     esccsql report sql/reports/study.sql --db study.duckdb --out report.html

SET VARIABLE n = (SELECT count(*) FROM patients);
SET VARIABLE n_training = (SELECT count(*) FROM patients WHERE cohort = 'training');
SET VARIABLE n_test = (SELECT count(*) FROM patients WHERE cohort = 'test');
SET VARIABLE n_computed = (SELECT features FROM selection_table WHERE step = 'computed');
SET VARIABLE n_selected = (SELECT count(*) FROM selected);
SET VARIABLE c_clinical = (SELECT "C-index (95% CI)" FROM table2 WHERE model = 'Clinical' AND cohort = 'test');
SET VARIABLE c_fusion = (SELECT "C-index (95% CI)" FROM table2 WHERE model = 'Fusion' AND cohort = 'test');
SET VARIABLE p_fusion = (SELECT "P vs Clinical" FROM table2 WHERE model = 'Fusion' AND cohort = 'test');
SET VARIABLE network = (SELECT value FROM variables_table WHERE setting = 'network');
SET VARIABLE deep = (SELECT list(feature ORDER BY feature NOT LIKE 'Pre%', feature) FROM (SELECT unnest(map_keys(map_concat(pre, post))) AS feature FROM (FROM deep_features LIMIT 1)));
SET VARIABLE stage = (SELECT any_value(stage) FROM representatives);
SET VARIABLE models = ['Clinical', 'Delta_radiomics', 'DL_Pre', 'DL_Post', 'DL_Longitudinal', 'Fusion'];

/*
# Longitudinal CT radiomics and deep features of oesophageal cancer

The patients are **synthetic**: no figure here is a clinical result. {{n}} patients with CT before and after
chemoradiotherapy, {{n_training}} of centre 1 to train and {{n_test}} of centre 2 to test; nothing was chosen, scaled or
fitted on a test patient. The methods follow Hu, Maitudi et al., J Cancer 2026;17:808.

In the test cohort the C-index was {{c_clinical}} for the clinical model and {{c_fusion}} for the fusion of clinical
variables, the change of {{n_selected}} radiomic features and the deep features of both scans (P = {{p_fusion}}).

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
A network ({{network}} CrossFormer) learned survival from the training patients' scans, one before treatment and one after.
The first principal components of what each sees are the deep features.
*/

-- @caption Training of the networks: concordance of held-out training patients by epoch.
SELECT line_plot(epoch, coalesce(validation_c_index, c_index), timepoint, {'x_label': 'epoch', 'y_label': 'C-index', 'reference': 0.5, 'order': ['pre', 'post']}) AS svg
FROM network_history;

-- @caption Spearman correlation within and between the deep features of both scans (training cohort).
SELECT heatmap_plot(a, b, r, {'value_label': 'Spearman rho', 'symmetric': true, 'order': getvariable('deep')}) AS svg FROM deep_correlation;

/*
## Performance

Deep features of training patients come from networks that knew these patients' survival: only the test cohort says how
well they predict.
*/

-- @caption Forests, chosen by cross-validation within the training cohort.
FROM settings_table;

-- @caption Discrimination and integrated Brier score (iBS). "C left out" is of training patients whom the forest had not seen.
FROM table2;

-- @caption C-index by month: that of follow-up until then.
SELECT cohort, line_plot(month, c_index, model, {'x_label': 'months', 'y_label': 'C-index', 'y_range': [0.3, 1], 'reference': 0.5, 'order': getvariable('models'), 'width': 500}) AS svg
FROM discrimination_over_time GROUP BY cohort ORDER BY cohort DESC;

-- @caption Area under the time-dependent ROC curve by month.
WITH areas AS (
    SELECT model, cohort, unnest(auc_td(months, died, risk, [12.0, 18, 24, 30, 36, 42, 48]).areas, recursive := true)
    FROM predictions GROUP BY model, cohort
)
SELECT cohort, line_plot(time, auc, model, {'x_label': 'months', 'y_label': 'AUC', 'y_range': [0.3, 1], 'reference': 0.5, 'order': getvariable('models'), 'width': 500}) AS svg
FROM areas GROUP BY cohort ORDER BY cohort DESC;

-- @caption Calibration of the predicted two-year survival (Fusion), in five groups of similar prediction.
WITH calibrated AS (
    SELECT cohort, unnest(calibration_curve(months, died, survival[24], 24, {'groups': 5}), recursive := true)
    FROM predictions WHERE model = 'Fusion' GROUP BY cohort
)
SELECT cohort, calibration_plot(predicted, observed, lower, upper, {'x_label': 'predicted survival', 'y_label': 'observed survival', 'whole': true}) AS svg
FROM calibrated GROUP BY cohort ORDER BY cohort DESC;

/*
## Risk groups

High risk is above the training cohort's median risk, in both cohorts.
*/

-- @caption Overall survival by risk group (Fusion), in all stages, stage III and stage IV.
SELECT cohort, stratum, km_plot(months, died, risk_group, {'time_unit': 'months', 'time_step': 12, 'order': ['low', 'high'], 'width': 500}) AS svg
FROM strata WHERE model = 'Fusion'
GROUP BY cohort, stratum ORDER BY stratum, cohort DESC;

-- @caption Survival by risk group, all models and stages together.
SELECT * EXCLUDE (stratum) FROM risk_group_table WHERE stratum = 'all';

-- @caption Risk adjusted for clinical factors (Fusion; training cohort, Cox regression on the risk at which patients were left out).
SELECT forest_plot(term, hr, hr_lower, hr_upper, p) AS svg FROM adjusted WHERE hr IS NOT NULL AND model = 'Fusion';

-- @caption The same for every model.
FROM adjusted_table;

/*
## What the forest looks at

SurvSHAP(t) of the Fusion forest in the test cohort, exact, against the training cohort: how far each feature moves a
patient's predicted survival curve.
*/

-- @caption Mean absolute contribution to predicted survival, over patients and time: the ten features that move it most.
SELECT shap_plot(feature, contribution, {'kind': 'bar', 'max_features': 10, 'x_label': 'mean |SurvSHAP(t)|'}) AS svg
FROM (SELECT patient_id, feature, avg(abs(value)) AS contribution FROM shap_values GROUP BY ALL);

-- @caption The same over time.
SELECT shap_plot(feature, contribution, time, {'kind': 'time', 'max_features': 10, 'time_unit': 'months', 'y_label': 'mean |SurvSHAP(t)|'}) AS svg
FROM (SELECT feature, time, avg(abs(value)) AS contribution FROM shap_values GROUP BY ALL);

-- @caption Each test patient's contributions to survival at two years, coloured by the feature's value.
SELECT shap_plot(feature, value, x[feature], {'max_features': 10, 'x_label': 'SurvSHAP at 24 months'}) AS svg
FROM shap_values JOIN inputs USING (patient_id) WHERE model = 'Fusion' AND time = 24;

/*
### Two patients

Both of stage {{stage}}, with different prospects: of its test patients those whom the Fusion forest gives the highest and
the lowest risk.
*/

-- @caption Two patients of one stage.
SELECT example, patient_id AS patient, stage, printf('%.1f', months) AS months, CASE WHEN died THEN 'died' ELSE 'alive' END AS outcome, printf('%.1f', risk) AS risk
FROM representatives;

-- @caption Where the networks look (Grad-CAM), before and after treatment: the largest cross-section, the tumour outlined; bright where the scan raised the risk.
SELECT example, timepoint, picture FROM heat_maps ORDER BY example, timepoint DESC;

-- @caption What moves their predicted survival, over time.
SELECT example, shap_plot(feature, value, time, {'kind': 'time', 'max_features': 6, 'time_unit': 'months', 'y_label': 'SurvSHAP(t)', 'width': 500}) AS svg
FROM shap_values JOIN representatives USING (patient_id) GROUP BY example ORDER BY example;

/*
## How this was made
*/

-- @caption Settings and seed.
FROM variables_table;

-- @caption Programs of the last run.
SELECT script, strftime(started::TIMESTAMP, '%Y-%m-%d %H:%M') AS started, status, versions->>'esccsql' AS esccsql,
    versions->>'duckdb' AS "DuckDB", versions->>'functions' AS functions, threads
FROM esccsql_runs
ORDER BY run_id DESC
LIMIT 1;

-- @caption From records and scans to the predictions of Table 2: each table below those that it was made from. An arrow that a longer way says already is left out.
WITH RECURSIVE made AS (
    SELECT object, list_intersect(tables, (SELECT list(object) FROM esccsql_lineage() WHERE rows IS NOT NULL)) AS sources FROM esccsql_lineage()
),
behind AS (
    SELECT 'predictions' AS object
    UNION
    SELECT unnest(sources) FROM behind JOIN made USING (object)
)
SELECT lineage_plot(object, sources, {'title': 'Lineage of the predictions'}) FROM made SEMI JOIN behind USING (object);

-- @caption What was made of what. A table is made again when its statement or anything that it reads has changed.
SELECT object, array_to_string(tables, ', ') AS "reads", array_to_string(variables, ', ') AS settings, script || ':' || line AS statement, rows
FROM esccsql_lineage();

.read checklists.sql
