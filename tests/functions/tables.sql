-- The tables that the functions' examples speak of. Made by arithmetic, so that every machine has the same.

-- A number in [0, 1) from a row and a column.
CREATE MACRO unit(i, k) AS ((i * 48271 + k * 1000003 + 11) * 69621 % 2147483647) % 100003 / 100003.0::DOUBLE;

-- 120 patients of two cohorts. Follow-up is in whole months, so that times are tied; about half are censored.
CREATE TABLE patients AS
WITH drawn AS (
    SELECT
        i,
        CASE WHEN i % 5 < 3 THEN 'training' ELSE 'test' END AS cohort,
        CASE WHEN i % 2 = 0 THEN 'north' ELSE 'south' END AS site,
        round(45 + 35 * unit(i, 1))::INTEGER AS age,
        CASE WHEN unit(i, 2) < 0.7 THEN 'male' ELSE 'female' END AS sex,
        1 + floor(4 * unit(i, 3))::INTEGER AS stage,
        5 + 95 * unit(i, 4) ** 2 AS volume,
        2 * (unit(i, 5) + unit(i, 6) + unit(i, 7)) - 3 AS marker,
        24 + 48 * unit(i, 9) AS censoring
    FROM range(1, 121) AS rows(i)
), risks AS (
    SELECT *, 0.03 * (age - 62) + 0.5 * (stage - 2.5) + 0.01 * volume + 0.3 * marker AS risk FROM drawn
), outcomes AS (
    SELECT *, -ln(1 - unit(i, 8)) * 45 * exp(-risk) AS survival_time FROM risks
)
SELECT
    printf('P%03d', i) AS patient_id,
    cohort,
    site,
    age,
    sex,
    stage,
    volume,
    marker,
    round(risk, 1) AS risk,
    ceil(least(survival_time, censoring)) AS months,
    survival_time <= censoring AS died
FROM outcomes
ORDER BY i;

-- Three features of 20 scans, read by two readers who differ by a little.
CREATE TABLE readings AS
SELECT
    printf('S%02d', scan) AS scan_id,
    CASE WHEN scan % 2 = 0 THEN 'north' ELSE 'south' END AS site,
    printf('reader %d', reader) AS reader,
    feature,
    10 * unit(scan, 20 + k) + 0.5 * reader + k * unit(scan * 2 + reader, 30 + k) AS value
FROM range(1, 21) AS scans(scan), range(1, 3) AS readers(reader), (VALUES (1, 'sphericity'), (2, 'entropy'), (5, 'contrast')) AS features(k, feature)
ORDER BY ALL;
