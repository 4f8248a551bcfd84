-- Tables of results: survival and models.

CREATE OR REPLACE TABLE survival_table AS
SELECT cohort, n, deaths, months_text(median.median, median.lower, median.upper) AS "median (95% CI), months",
    printf('%.1f / %.1f / %.1f / %.1f', 100 * s[1], 100 * s[2], 100 * s[3], 100 * s[4]) AS "alive at 1/2/3/5 years, %"
FROM (
    SELECT cohort, count(*) AS n, count(*) FILTER (died) AS deaths, km_median(months, died) AS median,
        km_survival(months, died, [12, 24, 36, 60]) AS s
    FROM patients GROUP BY cohort
)
ORDER BY cohort DESC;

CREATE OR REPLACE TABLE selection_table AS
SELECT step, features FROM (
    SELECT 1 AS place, 'computed' AS step, count(DISTINCT feature) AS features FROM reader_values
    UNION ALL SELECT 2, 'two readers agree', count(*) FROM reproducible
    UNION ALL SELECT 3, 'delta is a number in all patients', count(*) FROM defined
    UNION ALL SELECT 4, 'not correlated with another', count(*) FROM uncorrelated
    UNION ALL SELECT 5, 'associated with survival alone', count(*) FROM screened
    UNION ALL SELECT 6, 'kept by LASSO-Cox', count(*) FROM selected
)
ORDER BY place;

CREATE OR REPLACE TABLE selected_table AS
SELECT feature, printf('%.3f', selected.coef) AS lasso_coefficient, interval_text(hr, hr_lower, hr_upper) AS "HR per sd, alone (95% CI)",
    p_text(p) AS p
FROM selected JOIN univariate USING (feature)
ORDER BY abs(selected.coef) DESC, feature;

CREATE OR REPLACE TABLE settings_table AS
SELECT model, getvariable('trees') AS trees, node_size, mtry, printf('%.2f', cross_validated_c) AS "C-index, left out"
FROM settings
ORDER BY model_order(model);

-- The training rows are of the patients that the forests were grown on; "left out" is the mean over the folds, of patients
-- whom the forest had not seen (the features were selected on all folds).
CREATE OR REPLACE TABLE table2 AS
SELECT model, cohort, n, deaths,
    interval_text(c.estimate, c.lower, c.upper) AS "C-index (95% CI)",
    coalesce(p_text(c_test.p), '') AS "P vs Clinical",
    CASE WHEN cohort = 'training' THEN printf('%.2f', left_out.c_index) ELSE '' END AS "C left out",
    interval_text3(ibs.estimate, ibs.lower, ibs.upper) AS "iBS (95% CI)",
    coalesce(p_text(ibs_test.p), '') AS "P vs Clinical (iBS)"
FROM (SELECT * EXCLUDE (c_index), c_index AS c FROM discrimination)
JOIN calibration USING (model, cohort)
JOIN discrimination_left_out AS left_out USING (model)
LEFT JOIN (SELECT model, cohort, test AS c_test FROM discrimination_against_clinical) USING (model, cohort)
LEFT JOIN (SELECT model, cohort, test AS ibs_test FROM calibration_against_clinical) USING (model, cohort)
ORDER BY cohort DESC, model_order(model);

CREATE OR REPLACE TABLE risk_group_table AS
SELECT model, stratum, cohort, risk_group AS risk, n, deaths,
    coalesce(printf('%.1f', median.median), 'not reached') AS median_months,
    printf('%.0f / %.0f / %.0f / %.0f', 100 * survival[1], 100 * survival[2], 100 * survival[3], 100 * survival[4]) AS "alive at 1/2/3/5 y, %",
    array_to_string(at_risk, ' / ') AS "at risk",
    coalesce(p_text(p), '') AS "log-rank P"
FROM group_survival LEFT JOIN group_tests USING (model, stratum, cohort)
ORDER BY model_order(model), stratum, cohort DESC, risk_group;

CREATE OR REPLACE TABLE adjusted_table AS
SELECT model, term, coalesce(interval_text(hr, hr_lower, hr_upper), 'not estimable') AS "HR (95% CI)",
    coalesce(p_text(p), '') AS p
FROM adjusted
ORDER BY model_order(model), list_position(['risk, per sd'], term), term;
