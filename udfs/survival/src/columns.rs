//! How messages call the columns of x: by their features' names where they are known.

/// Columns listed in a message; the rest is counted.
const LISTED: usize = 10;

/// `feature 'age', 'stage'` of known names, `column 1, 2 of x` without.
pub(crate) fn called(names: Option<&[String]>, columns: &[usize]) -> String {
    let name = |&column: &usize| match names.and_then(|names| names.get(column)) {
        Some(name) => format!("'{name}'"),
        None => (column + 1).to_string(),
    };
    let listed = columns.iter().take(LISTED).map(name).collect::<Vec<_>>().join(", ");
    let more = if columns.len() > LISTED { format!(" and {} more", columns.len() - LISTED) } else { String::new() };
    if names.is_some() { format!("feature {listed}{more}") } else { format!("column {listed}{more} of x") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_where_known_else_numbers() {
        let names = ["age".to_string(), "stage".to_string()];
        assert_eq!(called(Some(&names), &[1]), "feature 'stage'");
        assert_eq!(called(None, &[1, 5]), "column 2, 6 of x");
        assert_eq!(called(None, &(0..12).collect::<Vec<_>>()), "column 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more of x");
    }
}
