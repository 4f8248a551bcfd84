//! Values by group: what two-sample and k-sample tests take.

use esccsql_stats::contingency::ContingencyTable;

use crate::shape::{Problem, Rows};

/// The labels in alphabetical order, each with its values. Argument 0 holds the values, argument 1 the labels.
///
/// # Errors
/// A value that is not finite.
pub fn groups(rows: &Rows) -> Result<Vec<(String, Vec<f64>)>, Problem> {
    if let Some((value, label)) = rows.numbers(0).iter().zip(rows.texts(1)).find(|(value, _)| !value.is_finite()) {
        let message = format!("a value of group '{label}' is {value}: replace values that are not finite by NULL or filter them out");
        return Err(Problem::user(message));
    }
    let mut labels: Vec<&String> = rows.texts(1).iter().collect();
    labels.sort();
    labels.dedup();
    let mut groups: Vec<(String, Vec<f64>)> = labels.iter().map(|label| ((*label).clone(), Vec::new())).collect();
    for (value, label) in rows.numbers(0).iter().zip(rows.texts(1)) {
        if let Ok(place) = labels.binary_search(&label) {
            groups[place].1.push(*value);
        }
    }
    Ok(groups)
}

/// The two groups of a two-sample test.
pub fn two_groups(rows: &Rows) -> Result<[(String, Vec<f64>); 2], Problem> {
    let groups = groups(rows)?;
    let found = groups.len();
    <[(String, Vec<f64>); 2]>::try_from(groups).map_err(|_| {
        Problem::user(format!("group has {found} distinct values, expected two; filter the rows, or use anova or kruskal_wallis"))
    })
}

/// Counts of each pair of labels of arguments 0 and 1.
pub fn contingency(rows: &Rows) -> Result<ContingencyTable<String, String>, Problem> {
    ContingencyTable::from_labels(rows.texts(0), rows.texts(1)).map_err(Problem::user)
}
