-- Tables of results: who is in the study.

CREATE OR REPLACE TABLE screening_table AS
SELECT coalesce('excluded: ' || excluded_for, 'included') AS patients, count(*) FILTER (cohort = 'training') AS training,
    count(*) FILTER (cohort = 'test') AS test
FROM screening
GROUP BY excluded_for
ORDER BY excluded_for NULLS FIRST;
