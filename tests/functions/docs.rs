//! The SQL of the pages in `docs`, run as it stands.

use crate::desk;

/// What stands in a page's ```sql fences.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap_or(rest)).collect()
}

#[test]
fn nested_cross_validation_runs_as_written() {
    let page = crate::checkout().join("docs/cross-validation.md");
    let page = std::fs::read_to_string(page).unwrap();
    let session = desk::session();
    let blocks = blocks(&page);
    assert!(blocks.len() > 5, "{} blocks", blocks.len());
    for block in blocks {
        session.execute_batch(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
    let read = |sql: &str| session.query_row(sql, [], |row| row.get::<_, bool>(0)).unwrap();
    // Each patient is predicted once, by a model that has not seen it.
    assert!(read("SELECT count(*) = (SELECT count(*) FROM patients) AND count(DISTINCT patient_id) = count(*) FROM cross_validated"));
    assert!(read("SELECT count(*) = 0 FROM inner_folds JOIN outer_folds USING (id) WHERE inner_folds.held_out = outer_folds.fold"));
    // The features carry signal, and every candidate was tried in every fold.
    assert!(read("SELECT count(*) = 3 * 3 * 4 AND bool_and(c BETWEEN 0 AND 1) FROM inner_scores"));
    assert!(read("SELECT count(*) = 3 AND avg(c) BETWEEN 0.5 AND 0.95 FROM outer_scores"));
}
