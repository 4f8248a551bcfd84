//! The documented example of every function on both engines of this process: the same rows, bit for bit.

use esccsql::engine::{Engine, Engines};

use crate::cohort::{engines, rows};
use crate::desk;

/// Examples in words that DataFusion does not know, with what it says.
const DUCKDBS_OWN: [(&str, &str); 0] = [];

#[test]
fn every_example_gives_the_same_rows() {
    let session = desk::session();
    let datafusion = engines(Engine::Datafusion, None);
    let mut problems = Vec::new();
    let mut same = 0;
    for function in esccsql_functions::all().into_iter().flat_map(|(_, functions)| functions) {
        let (name, example) = (function.name(), function.doc.example);
        let mut expected = rows(&session, &Engines::default(), example).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        expected.sort();
        let reason = DUCKDBS_OWN.iter().find(|(known, _)| *known == name).map(|(_, reason)| reason);
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
