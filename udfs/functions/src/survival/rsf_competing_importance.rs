//! How much each feature matters for each cause.

use esccsql_survival::rsf::competing::CompetingForest;

use crate::shape::{Function, Kind, each, record};

record! {
    /// One feature for one cause.
    struct Importance {
        cause: u64,
        feature: String,
        importance: Option<f64>,
        minimal_depth: f64,
    }
}

pub fn rsf_competing_importance() -> Function {
    each(
        "rsf_competing_importance",
        "Per cause and feature: fall of the out-of-bag concordance when it is permuted (NULL unless fitted with 'importance': true, or where the concordance is NULL), and mean minimal depth (small: important; of all causes together).",
    )
    .arg("model", Kind::Model, "made by rsf_competing_fit")
    .source("Ishwaran et al., Biostatistics 2014;15:757; J Am Stat Assoc 2010;105:205")
    .example("SELECT unnest(rsf_competing_importance(model), recursive := true) FROM (SELECT rsf_competing_fit(months, CASE WHEN NOT died THEN 0 WHEN marker > 0 THEN 2 ELSE 1 END, {'age': age, 'stage': stage}, {'trees': 50, 'importance': true}) AS model FROM patients)")
    .returns(|row, _| {
        let trained = row.model::<CompetingForest>(0)?;
        let forest = &trained.model;
        let depth = forest.minimal_depth();
        let of_cause = |k: usize| {
            let one = |(feature, name): (usize, &String)| Importance {
                cause: u64::from(forest.causes[k]),
                feature: name.clone(),
                importance: forest.importance.as_ref().map(|values| values[k][feature]).filter(|fall| !fall.is_nan()),
                minimal_depth: depth[feature],
            };
            trained.header.features.iter().enumerate().map(one).collect::<Vec<_>>()
        };
        Ok((0..forest.causes.len()).flat_map(of_cause).collect::<Vec<_>>())
    })
}
