-- Two cohorts side by side: who they are, how long they live, and how well a model does in each.
--
--     esccsql report sql/reports/cohort_comparison.sql --db study.duckdb --out comparison.html
--
-- It reads a table of patients with a column that names the cohort, and a table of predictions. The names below are those
-- of the study; for tables of one's own say --set patients_table=... and so on, or change them here.

-- One row per patient, with follow-up `time`, `event`, and the `cohort` that the patient belongs to.
SET VARIABLE patients_table = 'patients';
SET VARIABLE cohort_column = 'cohort';
SET VARIABLE id_column = 'patient_id';
SET VARIABLE time_column = 'months';
SET VARIABLE event_column = 'died';
SET VARIABLE time_unit = 'months';
-- What Table 1 tells: everything but these columns.
SET VARIABLE left_out_columns = ['patient_id', 'cohort', 'months', 'died', 'stage_rank'];
-- Predictions: one row per model and patient, with `risk`, and the predicted survival at `horizon` as `survival[horizon]`.
SET VARIABLE predictions_table = 'predictions';
SET VARIABLE horizon = 24;

CREATE TEMP TABLE people AS
SELECT COLUMNS(c -> c = getvariable('id_column')) AS id, COLUMNS(c -> c = getvariable('cohort_column')) AS cohort,
    COLUMNS(c -> c = getvariable('time_column')) AS time, COLUMNS(c -> c = getvariable('event_column')) AS event
FROM query_table(getvariable('patients_table'));

CREATE TEMP TABLE predicted AS
SELECT model, risk, survival, people.*
FROM (
    SELECT COLUMNS(c -> c = getvariable('id_column')) AS id, model, risk, survival[getvariable('horizon')] AS survival
    FROM query_table(getvariable('predictions_table'))
) JOIN people USING (id);

SET VARIABLE cohorts = (SELECT string_agg(cohort || ' (n = ' || n || ')', ', ' ORDER BY cohort DESC) FROM (SELECT cohort, count(*) AS n FROM people GROUP BY cohort));
SET VARIABLE missing = (SELECT count(*) FILTER (time IS NULL OR event IS NULL) FROM people);

/*
# Comparison of cohorts

{{cohorts}}. Follow-up is missing for {{missing}} patients, who are left out of what needs it.

## Patients
*/

CREATE TEMP TABLE characteristics AS
SELECT row_number() OVER () AS place, entry.*
FROM (
    SELECT unnest(table_one(column_0, column_1)) AS entry
    FROM (
        SELECT COLUMNS(c -> c = getvariable('cohort_column')) AS column_0,
            struct_pack(*COLUMNS(c -> NOT list_contains(getvariable('left_out_columns'), c))) AS column_1
        FROM query_table(getvariable('patients_table'))
    )
);

-- @caption Patients by cohort. Numbers by mean (SD) and Welch's t-test, or by median (Q1, Q3) and a rank test where they are not normal; counts by the chi-squared test, or Fisher's exact test where they are small. SMD: standardised mean difference.
SELECT * EXCLUDE (place)
FROM (
    PIVOT (
        SELECT place, CASE WHEN level IS NULL THEN variable ELSE '' END AS characteristic, coalesce(level, statistic) AS level, CASE WHEN level IS NULL THEN missing::VARCHAR ELSE '' END AS missing,
            overall, coalesce(CASE WHEN p < 0.001 THEN '<0.001' ELSE printf('%.3f', p) END, '') AS p, coalesce(test, '') AS "by",
            coalesce(printf('%.2f', smd), '') AS "SMD", unnest(map_entries(groups), recursive := true)
        FROM characteristics
    )
    ON key USING first(value)
)
ORDER BY place;

/*
## Survival
*/

-- @caption Survival by cohort (Kaplan-Meier, with 95% confidence bands).
SELECT km_plot(time, event, cohort, {'time_unit': getvariable('time_unit')}) AS svg FROM people;

-- @caption Median survival by cohort.
SELECT cohort, n, deaths, coalesce(printf('%.1f', m.median), 'not reached') AS median,
    format('{} to {}', coalesce(printf('%.1f', m.lower), 'not reached'), coalesce(printf('%.1f', m.upper), 'not reached')) AS "95% CI"
FROM (SELECT cohort, count(*) AS n, count(*) FILTER (event) AS deaths, km_median(time, event) AS m FROM people GROUP BY cohort)
ORDER BY cohort DESC;

/*
## Performance of the models
*/

-- @caption Discrimination by cohort: C-index, with a bootstrap interval of 1000 resamples.
SELECT model, cohort, n, printf('%.3f', c.estimate) AS "C-index", printf('%.3f to %.3f', c.lower, c.upper) AS "95% CI"
FROM (
    SELECT model, cohort, count(risk) AS n, c_index_ci(time, event, risk, {'resamples': 1000, 'seed': 1}) AS c
    FROM predicted GROUP BY model, cohort
)
ORDER BY model, cohort DESC;

-- @caption Calibration of predicted survival at the horizon, in five groups of similar prediction; the dashed line is perfect.
WITH calibrated AS (
    SELECT model, cohort, unnest(calibration_curve(time, event, survival, getvariable('horizon'), {'groups': 5}), recursive := true)
    FROM predicted GROUP BY model, cohort
)
SELECT model, cohort, calibration_plot(predicted, observed, lower, upper, {'x_label': 'predicted survival', 'y_label': 'observed survival', 'whole': true, 'width': 320}) AS svg
FROM calibrated GROUP BY model, cohort ORDER BY model, cohort DESC;
