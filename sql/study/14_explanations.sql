-- What the Fusion forest looks at: SurvSHAP(t), exact, against the training cohort.

CREATE OR REPLACE TABLE explainer AS
SELECT surv_shap_fit(forest, x) AS explainer
FROM inputs JOIN forests USING (model)
WHERE model = 'Fusion' AND cohort = 'training';

-- How far each feature moves each test patient's predicted survival, every half year.
CREATE OR REPLACE TABLE shap_values AS
SELECT patient_id, unnest(surv_shap(explainer, x, range(6, getvariable('horizon') + 1, 6)::DOUBLE[]), recursive := true)
FROM inputs, explainer
WHERE model = 'Fusion' AND cohort = 'test'
ORDER BY ALL;

-- Two test patients of one stage with different prospects: those of highest and of lowest risk, in the stage where they
-- differ most.
CREATE OR REPLACE TABLE representatives AS
WITH ranked AS (
    SELECT patient_id, stage, risk, p.months, p.died, max(risk) OVER of_stage AS highest, min(risk) OVER of_stage AS lowest
    FROM predictions AS p JOIN patients USING (patient_id)
    WHERE model = 'Fusion' AND p.cohort = 'test'
    WINDOW of_stage AS (PARTITION BY stage)
),
chosen AS (SELECT stage FROM ranked GROUP BY stage ORDER BY max(highest - lowest) DESC, stage LIMIT 1)
SELECT CASE WHEN risk = highest THEN 'high risk' ELSE 'low risk' END AS example, patient_id, stage, months, died, risk
FROM ranked SEMI JOIN chosen USING (stage)
WHERE risk IN (highest, lowest)
QUALIFY row_number() OVER (PARTITION BY example ORDER BY patient_id) = 1
ORDER BY example;

-- Where the networks look in these two patients' scans.
CREATE OR REPLACE TABLE heat_maps AS
SELECT example, timepoint, gradcam_png(network, image, mask) AS picture
FROM representatives JOIN prepared_scans USING (patient_id) JOIN networks USING (timepoint)
ORDER BY example, timepoint DESC;
