//! The documented example of every function on both engines of this process: the same rows, bit for bit.
//!
//! What a function gives is compared as it is: DataFusion does not know `unnest(..., recursive := true)`, which only spreads it out.

use esccsql::engine::{Engine, Engines};

use crate::cohort::{engines, rows};
use crate::desk;

/// Examples in words that DataFusion does not know, with what it says.
const DUCKDBS_OWN: [(&str, &str); 4] = [
    ("crossformer_forward", "found: FOR"),
    ("forest_plot", "unnest() requires"),
    ("heatmap_plot", "unnest() requires"),
    ("line_plot", "unnest() requires"),
];

#[test]
fn every_example_gives_the_same_rows() {
    let session = desk::session();
    let datafusion = engines(Engine::Datafusion, None);
    let mut problems = Vec::new();
    let mut same = 0;
    for function in esccsql_functions::all().into_iter().flat_map(|(_, functions)| functions) {
        let name = function.name();
        let reason = DUCKDBS_OWN.iter().find(|(known, _)| *known == name).map(|(_, reason)| reason);
        let example = match reason {
            None => &function.doc.example.replace(", recursive := true)", ")").replace("unnest(", "("),
            Some(_) => function.doc.example,
        };
        let mut expected = rows(&session, &Engines::default(), example).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        expected.sort();
        match (rows(&session, &datafusion, example), reason) {
            (Ok(mut found), None) => {
                found.sort();
                same += usize::from(found == expected);
                if found != expected {
                    problems.push(format!("{name}: {example}\n{found:?}\n{expected:?}"));
                }
            }
            (Ok(_), Some(_)) => problems.push(format!("{name}: DataFusion knows {example} now")),
            (Err(error), Some(reason)) if format!("{error:#}").contains(reason) => {}
            (Err(error), _) => problems.push(format!("{name}: {example}\n{error:#}")),
        }
    }
    assert!(problems.is_empty(), "{same} alike, {} not\n\n{}", problems.len(), problems.join("\n\n"));
    assert!(same > 100, "{same}");
}
