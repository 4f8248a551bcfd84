-- Deep features: a CrossFormer per time point, trained on the survival of training patients, and what it sees in each scan.

-- The input: HU window, voxels of 1 mm, z-score. What the network cuts out of it, crossformer_input shows.
CREATE OR REPLACE TABLE prepared_scans AS
SELECT patient_id, timepoint,
    image(image_file)
        .image_window(getvariable('window_center'), getvariable('window_width'))
        .image_resample(getvariable('spacing')[1], {'yz': getvariable('spacing')[2:3]})
        .image_zscore() AS image,
    mask(mask_file).image_resample(getvariable('spacing')[1], {'yz': getvariable('spacing')[2:3]}) AS mask
FROM outlines
WHERE reader = 1
ORDER BY patient_id, timepoint;

CREATE OR REPLACE TABLE networks AS
SELECT timepoint,
    crossformer_fit(image, mask, months, died, {
        'variant': getvariable('network'), 'size': getvariable('network_size'),
        'epochs': getvariable('network_epochs'), 'batch': getvariable('network_batch'), 'lr': getvariable('network_lr'),
        'dropout': getvariable('network_dropout'), 'flip': true,
        'validation': getvariable('network_validation'), 'patience': getvariable('network_patience'),
        'seed': getvariable('seed')
    }) AS network
FROM prepared_scans JOIN patients USING (patient_id)
WHERE cohort = 'training'
GROUP BY timepoint
ORDER BY timepoint;

CREATE OR REPLACE TABLE network_history AS
SELECT timepoint, unnest(crossformer_history(network), recursive := true) FROM networks
ORDER BY ALL;

-- The average pooling layer, and its first components, both fitted on training rows.
CREATE OR REPLACE TABLE embeddings AS
SELECT patient_id, cohort, timepoint, crossformer_embed(network, image, mask) AS embedding
FROM prepared_scans JOIN networks USING (timepoint) JOIN patients USING (patient_id)
ORDER BY patient_id, timepoint;

CREATE OR REPLACE TABLE components AS
SELECT timepoint, pca_fit(embedding, getvariable('deep_components'), {'scale': true}) AS pca
FROM embeddings
WHERE cohort = 'training'
GROUP BY timepoint
ORDER BY timepoint;

-- One map of features per patient: Pre_DL_01 and so on.
CREATE OR REPLACE TABLE deep_features AS
SELECT patient_id, cohort,
    map_from_entries(list({'key': name, 'value': score} ORDER BY name) FILTER (timepoint = 'pre')) AS pre,
    map_from_entries(list({'key': name, 'value': score} ORDER BY name) FILTER (timepoint = 'post')) AS post
FROM (
    SELECT patient_id, cohort, timepoint, scores[i] AS score,
        printf('%s_DL_%02d', CASE timepoint WHEN 'pre' THEN 'Pre' ELSE 'Post' END, i) AS name
    FROM (SELECT patient_id, cohort, timepoint, pca_transform(pca, embedding) AS scores FROM embeddings JOIN components USING (timepoint)),
        (SELECT unnest(range(1, getvariable('deep_components') + 1)) AS i)
)
GROUP BY patient_id, cohort
ORDER BY patient_id;

-- Do the two scans say the same? Spearman within and between the two sets, in the training cohort.
CREATE OR REPLACE TABLE deep_correlation AS
SELECT unnest(correlation_matrix(map_concat(pre, post), {'method': 'spearman'}), recursive := true)
FROM deep_features
WHERE cohort = 'training';
