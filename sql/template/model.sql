-- The study's models for one's own patients: folder with patients.csv, scans.csv and images, pre and post treatment.
--
--     esccsql run sql/template/model.sql --db my_study.duckdb --set cohort=my_cohort
--
-- Runs extract.sql first, or skips it where it was run already. README.md beside this file says what the files hold.

.read extract.sql

-- To change: what the study chooses. sql/study.sql explains each.
SET VARIABLE seed = 7;
SET VARIABLE min_icc = 0.8;
SET VARIABLE max_correlation = 0.8;
SET VARIABLE screening_p = 0.1;
SET VARIABLE lasso_folds = 10;
SET VARIABLE network = 'micro';
SET VARIABLE network_size = 96;
SET VARIABLE network_epochs = 30;
SET VARIABLE network_batch = 32;
SET VARIABLE network_lr = 0.001;
SET VARIABLE network_dropout = 0.1;
SET VARIABLE network_validation = 0.2;
SET VARIABLE network_patience = 10;
SET VARIABLE deep_components = 10;
SET VARIABLE trees = 400;
SET VARIABLE node_sizes = [5, 10, 20];
SET VARIABLE mtrys = [2, 4];
SET VARIABLE folds = 5;
SET VARIABLE resamples = 1000;
SET VARIABLE horizon = 60;

-- Fewer patients or deaths than this, in either cohort, and no figure would mean anything.
SET VARIABLE least_training = 40;
SET VARIABLE least_test = 10;
SET VARIABLE least_deaths = 5;

CREATE OR REPLACE TABLE patients AS
SELECT
    patient_id::VARCHAR AS patient_id,
    lower(cohort) AS cohort,
    age,
    lower(sex) AS sex,
    stage,
    coalesce(list_position(['I', 'II', 'III', 'IVA', 'IVB'], stage), error('patients.csv: stage ' || stage || ' is not I, II, III, IVA or IVB')) AS stage_rank,
    months,
    died::INTEGER = 1 AS died
FROM read_csv(getvariable('cohort') || '/patients.csv')
ORDER BY patient_id;

-- Nothing is fitted on these patients: a step that tries fails.
SET VARIABLE held_out = (SELECT {'patient_id': list(patient_id ORDER BY patient_id)} FROM patients WHERE cohort = 'test');

-- @step check_patients
CREATE OR REPLACE TABLE check_patients AS
SELECT CASE
    WHEN n > ids THEN error('patients.csv: a patient_id stands in more than one row')
    WHEN n > complete THEN error((n - complete) || ' rows of patients.csv lack a value; complete them or take them out')
    WHEN n > in_cohorts THEN error('patients.csv: cohort is ''training'' or ''test'' in every row')
    WHEN n > scanned THEN error((n - scanned) || ' patients lack a scan before (pre) or after (post) treatment in scans.csv')
    WHEN training < getvariable('least_training') OR test < getvariable('least_test')
        OR least(training_deaths, test_deaths) < getvariable('least_deaths') THEN
        error(printf('too few patients for models: %d training (%d deaths) and %d test (%d deaths); at least %d and %d with %d deaths each. extract.sql works with any number',
            training, training_deaths, test, test_deaths,
            getvariable('least_training'), getvariable('least_test'), getvariable('least_deaths')))
    ELSE 'complete'
END AS patients
FROM (
    SELECT count(*) AS n, count(DISTINCT patient_id) AS ids,
        count(*) FILTER (age + stage_rank + months + died::INTEGER IS NOT NULL AND sex IS NOT NULL) AS complete,
        count(*) FILTER (cohort IN ('training', 'test')) AS in_cohorts,
        count(*) FILTER (patient_id IN (SELECT patient_id FROM tumours WHERE volume_reduction IS NOT NULL)) AS scanned,
        count(*) FILTER (cohort = 'training') AS training,
        count(*) FILTER (cohort = 'test') AS test,
        count(*) FILTER (cohort = 'training' AND died) AS training_deaths,
        count(*) FILTER (cohort = 'test' AND died) AS test_deaths
    FROM patients
);

.read ../study/01_formats.sql
.read ../study/07_agreement.sql
.read ../study/08_selection.sql
.read ../study/09_deep.sql
.read ../study/10_models.sql
.read ../study/11_predictions.sql
.read ../study/12_evaluation.sql
.read ../study/13_risk_groups.sql
.read ../study/16_tables_models.sql

.print
-- @step Overall survival
FROM survival_table;

.print
-- @step Features left after each step
FROM selection_table;

.print
-- @step Table S2: delta features selected
FROM selected_table;

.print
-- @step Forests, chosen by cross-validation
FROM settings_table;

.print
-- @step Table 2: performance
FROM table2;

.print
-- @step Survival by risk group, Fusion
SELECT * EXCLUDE (model) FROM risk_group_table WHERE model = 'Fusion';

.print
-- @step Table S3: risk adjusted by Cox regression, Fusion
SELECT * EXCLUDE (model) FROM adjusted_table WHERE model = 'Fusion';
