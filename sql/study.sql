-- Radiomics models of survival after chemoradiotherapy for oesophageal squamous cell carcinoma.
--
--     esccsql run sql/study.sql
--
-- The methods of Hu, Maitudi et al., J Cancer 2026;17:808, step by step: six models, from three
-- clinical variables to the fusion of clinical, radiomic and deep features of two scans.
-- The patients of the paper are not public: the study runs on a synthetic two-centre cohort, and no figure of it is a
-- clinical result. For patients of one's own see sql/template/.
--
-- Centre 1 trains, centre 2 tests. Whatever is chosen, scaled or fitted is so on training rows alone; the only tables
-- that hold test rows beside them are the cohort's, the features and, after the last fit, the predictions.

-- The cohort: made if the folder is not there.
SET VARIABLE cohort = 'synthetic_cohort';
SET VARIABLE patients = 257;
SET VARIABLE seed = 7;
SET VARIABLE effect = 1.0;
SET VARIABLE size = 'full';

-- Images: window of the soft tissues in HU, voxels of 1 mm, z-scores times 100 so that a bin width of 25 holds.
SET VARIABLE window_center = 50;
SET VARIABLE window_width = 350;
SET VARIABLE spacing = [1.0, 1.0, 1.0];
SET VARIABLE normalize_scale = 100;
SET VARIABLE bin_width = 25;
-- 851 features by PyRadiomics 3.1's names; 'escc2026' are the 833 that the paper's class counts add up to.
SET VARIABLE image_types = ['original', 'wavelet'];
SET VARIABLE feature_set = 'all';

-- Selection of features.
SET VARIABLE min_icc = 0.8;
SET VARIABLE max_correlation = 0.8;
SET VARIABLE screening_p = 0.1;
SET VARIABLE lasso_folds = 10;

-- Networks, trained from scratch. These settings train on two cores in minutes; the paper's are one line away:
-- --set network=tiny --set network_size=224 --set network_epochs=100 --set network_lr=1e-4, on a GPU if there is one.
SET VARIABLE network = 'micro';
SET VARIABLE network_size = 96;
SET VARIABLE network_epochs = 30;
SET VARIABLE network_batch = 32;
SET VARIABLE network_lr = 0.001;
SET VARIABLE network_dropout = 0.1;
SET VARIABLE network_validation = 0.2;
SET VARIABLE network_patience = 10;
SET VARIABLE deep_components = 10;

-- Forests: the paper's 400 trees; node size and mtry are chosen among these by cross-validation in the training cohort.
-- The paper ends at 10 and 4. A model with fewer features tries all of them.
SET VARIABLE trees = 400;
SET VARIABLE node_sizes = [5, 10, 20];
SET VARIABLE mtrys = [2, 4];
SET VARIABLE folds = 5;

-- Evaluation: bootstrap resamples, and the months over which survival curves are scored.
SET VARIABLE resamples = 1000;
SET VARIABLE horizon = 60;

.synth $cohort --patients $patients --seed $seed --effect $effect --size $size

.read study/01_formats.sql
.read study/02_cohort.sql

-- Nothing is fitted on these patients: a step that tries, through whatever table or view, fails.
SET VARIABLE held_out = (SELECT {'patient_id': list(patient_id ORDER BY patient_id)} FROM patients WHERE cohort = 'test');

.read study/03_outlines.sql
.read study/04_volumes.sql
.read study/05_table1.sql
.read study/06_radiomics.sql
.read study/07_agreement.sql
.read study/08_selection.sql
.read study/09_deep.sql
.read study/10_models.sql
.read study/11_predictions.sql
.read study/12_evaluation.sql
.read study/13_risk_groups.sql
.read study/14_explanations.sql
.read study/15_tables_cohort.sql
.read study/16_tables_models.sql
.read study/17_settings.sql

.print
-- @step Patients screened
FROM screening_table;

.print
-- @step Table 1: patients
FROM table1;

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
