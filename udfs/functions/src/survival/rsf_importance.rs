//! How much each feature matters to a forest.

use esccsql_survival::rsf::Forest;

use crate::shape::{Function, Kind, each, record};

record! {
    /// One feature.
    struct Importance {
        feature: String,
        importance: Option<f64>,
        minimal_depth: f64,
    }
}

pub fn rsf_importance() -> Function {
    each("rsf_importance", "Per feature: fall of the out-of-bag C-index when it is permuted (NULL unless fitted with 'importance': true, or where the C-index is NULL), and mean minimal depth (small: important).")
        .arg("model", Kind::Model, "made by rsf_fit")
        .source("Ishwaran et al., J Am Stat Assoc 2010;105:205")
        .example("SELECT unnest(rsf_importance(rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 50, 'importance': true})), recursive := true) FROM patients")
        .returns(|row, _| {
            let trained = row.model::<Forest>(0)?;
            let depth = trained.model.minimal_depth();
            let importance = |feature: usize| trained.model.importance.as_ref().map(|values| values[feature]).filter(|fall| !fall.is_nan());
            let features = trained.header.features.iter().enumerate();
            Ok(features.map(|(i, name)| Importance { feature: name.clone(), importance: importance(i), minimal_depth: depth[i] }).collect::<Vec<_>>())
        })
}
