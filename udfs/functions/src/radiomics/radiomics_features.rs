//! The features that a call of radiomics gives.

use super::settings::Options;
use crate::shape::{Function, Problem, record, table};

record! {
    /// One feature.
    struct Feature {
        name: String,
        class: String,
        image_type: String,
        unit: Option<String>,
        formula: String,
        ibsi: Option<String>,
        code: Option<String>,
    }
}

pub fn radiomics_features() -> Function {
    table(
        "radiomics_features",
        "Every feature that radiomics gives under these options: class, image type, unit, formula, and IBSI's tag and code of the same quantity.",
    )
    .options::<Options>()
    .example("SELECT class, count(*) FROM radiomics_features() GROUP BY class ORDER BY class")
    .rows(|_, options| {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
        let features = esccsql_radiomics::features(options.settings()?).map_err(Problem::user)?;
        Ok((features.into_iter())
            .map(|feature| Feature {
                class: feature.class.into(),
                unit: some(feature.unit),
                formula: feature.formula.into(),
                ibsi: some(feature.ibsi),
                code: some(feature.code),
                name: feature.name,
                image_type: feature.image_type,
            })
            .collect())
    })
}
