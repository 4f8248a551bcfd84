-- Table 1: the cohorts side by side.

-- Continuous: age by mean and Student's t-test, tumour volumes by median and the Mann-Whitney test.
CREATE OR REPLACE TABLE table1_continuous AS
WITH of_patients AS (SELECT * FROM patients JOIN tumours USING (patient_id)),
rows AS (
    SELECT 1 AS place, 'age, years' AS item, 'mean (sd)' AS level, cohort, printf('%.1f (%.1f)', avg(age), stddev_samp(age)) AS content
    FROM of_patients GROUP BY cohort
    UNION ALL
    SELECT 8, 'tumour volume before, cm3', 'median (quartiles)', cohort,
        printf('%.1f (%.1f-%.1f)', median(gtv_pre), quantile_cont(gtv_pre, 0.25), quantile_cont(gtv_pre, 0.75))
    FROM of_patients GROUP BY cohort
    UNION ALL
    SELECT 9, 'tumour volume after, cm3', 'median (quartiles)', cohort,
        printf('%.1f (%.1f-%.1f)', median(gtv_post), quantile_cont(gtv_post, 0.25), quantile_cont(gtv_post, 0.75))
    FROM of_patients GROUP BY cohort
),
tests AS (
    SELECT 1 AS place, t_test(age, cohort, {'pooled': true}).p AS p FROM of_patients
    UNION ALL
    SELECT 8, mann_whitney_u(gtv_pre, cohort).p FROM of_patients
    UNION ALL
    SELECT 9, mann_whitney_u(gtv_post, cohort).p FROM of_patients
)
SELECT place, item, level, first(content) FILTER (cohort = 'training') AS training, first(content) FILTER (cohort = 'test') AS test, p
FROM rows JOIN tests USING (place)
GROUP BY place, item, level, p;

-- Categorical: counts; the chi-squared test, or Fisher's exact test where an expected count is below 5.
CREATE OR REPLACE TABLE table1_categorical AS
WITH long AS (
    SELECT patient_id, cohort, item, level
    FROM (UNPIVOT patients ON sex, location, ct AS cT, cn AS cN, cm AS cM, stage INTO NAME item VALUE level)
),
counts AS (
    SELECT item, level, cohort, count(*) AS n, sum(count(*)) OVER (PARTITION BY item, cohort) AS total
    FROM long GROUP BY item, level, cohort
),
tests AS (
    SELECT item, CASE WHEN chi2.min_expected < 5 THEN fisher.p ELSE chi2.p END AS p
    FROM (
        SELECT item, chi2_test(level, cohort) AS chi2, fisher_exact(level, cohort) AS fisher
        FROM (SELECT *, count(DISTINCT level) OVER (PARTITION BY item) AS levels FROM long)
        WHERE levels > 1
        GROUP BY item
    )
)
SELECT list_position(['age', 'sex', 'location', 'cT', 'cN', 'cM', 'stage'], item) AS place, item, level,
    first(share_text(n, total)) FILTER (cohort = 'training') AS training, first(share_text(n, total)) FILTER (cohort = 'test') AS test, p
FROM counts LEFT JOIN tests USING (item)
GROUP BY item, level, p;

CREATE OR REPLACE TABLE table1 AS
SELECT CASE WHEN is_first THEN item ELSE '' END AS characteristic, level, coalesce(training, '0') AS training, coalesce(test, '0') AS test,
    CASE WHEN is_first THEN coalesce(p_text(p), '') ELSE '' END AS p
FROM (
    SELECT *, row_number() OVER (PARTITION BY place ORDER BY list_position(['male', 'proximal', 'middle'], level), level) = 1 AS is_first,
        list_position(['male', 'proximal', 'middle'], level) AS rank
    FROM (FROM table1_continuous UNION ALL FROM table1_categorical)
)
ORDER BY place, rank, level;
