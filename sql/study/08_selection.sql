-- Which delta features predict survival. Every step of this file sees training rows alone.

-- 1. Delta = (post - pre) / pre of the first reader's outlines, where it is a number for every training patient.
CREATE OR REPLACE TABLE delta AS
SELECT patient_id, cohort, feature, (post.value - pre.value) / nullif(pre.value, 0) AS value
FROM reader_values AS pre JOIN reader_values AS post USING (patient_id, feature, reader) JOIN patients USING (patient_id)
WHERE reader = 1 AND pre.timepoint = 'pre' AND post.timepoint = 'post' AND feature IN (SELECT feature FROM reproducible)
ORDER BY patient_id, feature;

CREATE OR REPLACE TABLE defined AS
SELECT feature, median(value) AS typical FROM delta WHERE cohort = 'training' GROUP BY feature
HAVING bool_and(value IS NOT NULL AND isfinite(value)) ORDER BY feature;

-- A test patient without such a number, for a feature of 0 before treatment say, gets the training cohort's median.
CREATE OR REPLACE TABLE delta_features AS
SELECT patient_id, cohort,
    map_from_entries(list({'key': feature, 'value': CASE WHEN isfinite(value) THEN value ELSE typical END} ORDER BY feature)) AS x
FROM delta JOIN defined USING (feature)
GROUP BY patient_id, cohort
ORDER BY patient_id;

-- 2. Of each pair with an absolute Pearson correlation above max_correlation one goes.
CREATE OR REPLACE TABLE uncorrelated AS
SELECT unnest(correlation_filter(x, getvariable('max_correlation'))) AS feature
FROM delta_features
WHERE cohort = 'training';

-- 3. Univariate Cox regression, hazard ratio per standard deviation: P below screening_p; where none passes, the feature
--    with the smallest P.
CREATE OR REPLACE TABLE univariate AS
SELECT feature, fit.hr, fit.hr_lower, fit.hr_upper, fit.p
FROM (
    SELECT feature, cox_summary(cox_fit(months, died, {'delta': value / sd}))[1] AS fit
    FROM (SELECT *, stddev_samp(value) OVER (PARTITION BY feature) AS sd FROM delta WHERE cohort = 'training')
    JOIN patients USING (patient_id, cohort) SEMI JOIN uncorrelated USING (feature)
    GROUP BY feature
)
ORDER BY feature;

CREATE OR REPLACE TABLE screened AS
SELECT feature FROM univariate
QUALIFY p < getvariable('screening_p') OR row_number() OVER (ORDER BY p, feature) = 1
ORDER BY feature;

-- 4. LASSO-Cox: of the penalties that keep a feature, the one with the best cross-validated deviance.
CREATE OR REPLACE TABLE lasso AS
SELECT coxnet_fit(months, died, features_pick(x, names), {'folds': getvariable('lasso_folds'), 'seed': getvariable('seed')}) AS model
FROM delta_features JOIN patients USING (patient_id, cohort), (SELECT list(feature ORDER BY feature) AS names FROM screened)
WHERE cohort = 'training';

CREATE OR REPLACE TABLE lasso_path AS
SELECT unnest(coxnet_path(model), recursive := true) FROM lasso;

CREATE OR REPLACE TABLE selected AS
SELECT entry.key AS feature, entry.value AS coef
FROM (SELECT unnest(map_entries(coef)) AS entry FROM (FROM lasso_path WHERE df > 0 ORDER BY cv_mean, "lambda" DESC LIMIT 1))
ORDER BY abs(entry.value) DESC, feature;
