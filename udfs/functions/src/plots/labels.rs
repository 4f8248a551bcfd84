//! The distinct labels of a column, in the order in which a figure shows them.

/// The distinct labels: first those that `order` names, then the others by number if all are numbers, else by alphabet.
pub(super) fn distinct(texts: &[String], order: &[String]) -> Vec<String> {
    let mut labels: Vec<String> = texts.to_vec();
    labels.sort();
    labels.dedup();
    let number = |label: &String| label.parse::<f64>().ok().filter(|number| number.is_finite());
    if labels.iter().all(|label| number(label).is_some()) {
        labels.sort_by(|a, b| number(a).unwrap_or_default().total_cmp(&number(b).unwrap_or_default()));
    }
    let place = |label: &String| order.iter().position(|named| named == label).unwrap_or(order.len());
    labels.sort_by_key(place);
    labels
}

/// For each label the rows that bear it, in their order.
pub(super) fn rows_of<'a>(texts: &'a [String], labels: &'a [String]) -> impl Iterator<Item = (&'a String, Vec<usize>)> {
    let mut rows = vec![Vec::new(); labels.len()];
    let places: std::collections::HashMap<&String, usize> = labels.iter().enumerate().map(|(place, label)| (label, place)).collect();
    for (row, text) in texts.iter().enumerate() {
        if let Some(&place) = places.get(text) {
            rows[place].push(row);
        }
    }
    labels.iter().zip(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_by_size_and_named_labels_first() {
        let texts = |labels: &[&str]| labels.iter().map(|label| label.to_string()).collect::<Vec<_>>();
        assert_eq!(distinct(&texts(&["10", "2", "10", "1"]), &[]), ["1", "2", "10"]);
        assert_eq!(distinct(&texts(&["low", "high", "middle"]), &texts(&["low", "absent"])), ["low", "high", "middle"]);
    }
}
