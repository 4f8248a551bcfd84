//! Some of a row's features by name.

use crate::shape::{Function, Kind, Map, each};

pub fn features_pick() -> Function {
    each("features_pick", "The named features of x, in the order of the names.")
        .arg("x", Kind::Features, "features by name (STRUCT or MAP)")
        .arg("names", Kind::Names, "names to keep")
        .example("SELECT features_pick({'age': 61, 'stage': 3, 'volume': 20.5}, ['volume', 'age'])")
        .returns(|row, _| {
            let (features, index) = row.features(0);
            let names = row.names(1);
            let values = features.row(index);
            let positions = features.positions(names)?;
            Ok(Map(names.iter().cloned().zip(positions.into_iter().map(|position| values[position])).collect()))
        })
}
