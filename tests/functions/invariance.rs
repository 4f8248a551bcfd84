//! Same input, same bits: every aggregate gives the same for any number of threads, any order of the rows, any chunks and
//! any merges. Driven by the functions' own examples, so that a new function is held to it too.

use esccsql::engine::duckdb::Session;

use crate::{desk, sql};

/// The tables of the examples.
const TABLES: [&str; 2] = ["patients", "readings"];

/// Ways to lay the same rows out. `{t}` is the table that holds them.
const LAYOUTS: [(&str, &str); 5] = [
    ("as made", "SELECT * FROM {t}"),
    ("backwards", "SELECT * FROM {t} ORDER BY rowid DESC"),
    ("shuffled", "SELECT * FROM {t} ORDER BY hash(rowid + 17)"),
    (
        "in five pieces of other sizes",
        "SELECT * FROM {t} WHERE rowid % 11 = 3 UNION ALL SELECT * FROM {t} WHERE rowid % 11 = 0
         UNION ALL SELECT * FROM {t} WHERE rowid % 11 > 8 UNION ALL SELECT * FROM {t} WHERE rowid % 11 IN (1, 2, 4, 5)
         UNION ALL SELECT * FROM {t} WHERE rowid % 11 IN (6, 7, 8)",
    ),
    // Several row groups of 122,880 rows, nearly all of them filtered out: many threads, each with a few rows.
    (
        "scattered over row groups",
        "SELECT held.* EXCLUDE (row) FROM range(400000) AS places(place) LEFT JOIN (SELECT *, rowid AS row FROM {t}) AS held
         ON row = place // 3259 AND place % 3259 = 5",
    ),
];

/// Lays the examples' tables out anew.
fn lay_out(session: &Session, layout: &str) {
    for table in TABLES {
        let source = layout.replace("{t}", &format!("made.{table}"));
        session.execute_batch(&format!("CREATE OR REPLACE TABLE laid.{table} AS {source}")).unwrap();
        let view = format!("CREATE OR REPLACE VIEW main.{table} AS SELECT * FROM laid.{table} WHERE site IS NOT NULL");
        session.execute_batch(&view).unwrap();
    }
}

/// A session whose examples' tables can be laid out anew.
fn session() -> Session {
    let session = desk::session();
    session.execute_batch("CREATE SCHEMA made; CREATE SCHEMA laid").unwrap();
    for table in TABLES {
        session.execute_batch(&format!("CREATE TABLE made.{table} AS FROM {table}; DROP TABLE {table}")).unwrap();
    }
    session
}

/// Each aggregate: its name, its example, and the call in it.
fn aggregates() -> Vec<(String, &'static str, sql::Call<'static>)> {
    let functions = esccsql_functions::all().into_iter().flat_map(|(_, functions)| functions);
    functions
        .filter(|function| function.kind() == "aggregate")
        .map(|function| {
            let (name, example) = (function.doc.name.clone(), function.doc.example);
            let call = sql::call(example, &name).unwrap_or_else(|| panic!("{name}: no call and FROM in {example}"));
            (name, example, call)
        })
        .collect()
}

#[test]
fn threads_order_and_chunks_change_no_bit() {
    let session = session();
    let mut expected = Vec::new();
    let mut problems = Vec::new();
    for (layout, source) in LAYOUTS {
        lay_out(&session, source);
        for threads in [1, 2, 8] {
            session.execute_batch(&format!("SET threads = {threads}")).unwrap();
            for (index, (name, example, call)) in aggregates().into_iter().enumerate() {
                // An example may show a part of the result; the call alone shows all of it.
                let group = call.group.map_or(String::new(), |group| format!("GROUP BY {group}"));
                let whole = format!("SELECT {} FROM {} {group}", call.call, call.from);
                let found = sql::rows(&session, example).and_then(|shown| Ok((shown, sql::rows(&session, &whole)?)));
                match found {
                    Ok(found) if expected.len() == index => expected.push(found),
                    Ok(found) if expected[index] == found => {}
                    Ok(_) => problems.push(format!("{name}: another result with {threads} threads, rows {layout}")),
                    Err(error) => panic!("{name}, {threads} threads, rows {layout}: {error}"),
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A group's result is the same from one pass over the group alone, from a GROUP BY in parallel, and from FILTER.
#[test]
fn merging_changes_no_bit() {
    let session = session();
    let mut problems = Vec::new();
    for (name, _, sql::Call { call, from, group }) in aggregates() {
        // It takes the rows of its model's fit, all of them.
        if name == "rsf_oob_ensemble" {
            continue;
        }
        let ask = |select: &str, rest: &str| {
            let query = format!("SELECT {select} AS result FROM {from} {rest}");
            sql::rows(&session, &query).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let (also, grouped) = group.map_or(("".into(), "".into()), |group| (format!(", {group}"), format!("GROUP BY {group}")));

        lay_out(&session, LAYOUTS[0].1);
        session.execute_batch("SET threads = 1").unwrap();
        let north = ask(&format!("'north' AS site{also}, {call}"), &format!("WHERE site = 'north' {grouped}"));
        let south = ask(&format!("'south' AS site{also}, {call}"), &format!("WHERE site = 'south' {grouped}"));

        lay_out(&session, LAYOUTS[4].1);
        session.execute_batch("SET threads = 8").unwrap();
        let mut alone = [north, south.clone()].concat();
        alone.sort();
        if alone != ask(&format!("site{also}, {call}"), &format!("GROUP BY site{also}")) {
            problems.push(format!("{name}: GROUP BY differs"));
        }
        if south != ask(&format!("'south' AS site{also}, {call} FILTER (WHERE site = 'south')"), &grouped) {
            problems.push(format!("{name}: FILTER differs"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
