-- How figures are written in the tables of results.

CREATE OR REPLACE MACRO p_text(p) AS CASE WHEN p < 0.001 THEN '<0.001' ELSE printf('%.3f', p) END;
CREATE OR REPLACE MACRO interval_text(estimate, lower_end, upper_end) AS
    printf('%.2f (%.2f-%.2f)', estimate, lower_end, upper_end);
CREATE OR REPLACE MACRO interval_text3(estimate, lower_end, upper_end) AS
    printf('%.3f (%.3f-%.3f)', estimate, lower_end, upper_end);
CREATE OR REPLACE MACRO months_text(estimate, lower_end, upper_end) AS
    format('{} ({}-{})', coalesce(printf('%.1f', estimate), 'not reached'), coalesce(printf('%.1f', lower_end), 'not reached'),
        coalesce(printf('%.1f', upper_end), 'not reached'));
CREATE OR REPLACE MACRO share_text(n, total) AS printf('%d (%.1f%%)', n, 100.0 * n / total);

-- The models, in the order of the tables.
CREATE OR REPLACE MACRO model_order(model) AS
    list_position(['Clinical', 'Delta_radiomics', 'DL_Pre', 'DL_Post', 'DL_Longitudinal', 'Fusion'], model);
