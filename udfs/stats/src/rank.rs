//! Mid-ranks and tie groups.

/// Ranks from 1, tied values get the mean of their ranks. The values must be finite.
pub fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && values[order[end]] == values[order[start]] {
            end += 1;
        }
        for &i in &order[start..end] {
            ranks[i] = 0.5 * (start + 1 + end) as f64;
        }
        start = end;
    }
    ranks
}

/// Sizes of the groups of equal values, in ascending order of value; groups of one are included.
pub fn tie_sizes(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).collect()
}

/// Sum of t^3 - t over the tie groups.
pub(crate) fn tie_term(values: &[f64]) -> f64 {
    tie_sizes(values).into_iter().map(|t| t as f64).map(|t| t * t * t - t).sum()
}

pub(crate) fn has_ties(values: &[f64]) -> bool {
    tie_sizes(values).into_iter().any(|t| t > 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ties_share_the_mean_rank() {
        assert_eq!(super::mid_ranks(&[3.0, 1.0, 3.0, -0.0, 0.0]), [4.5, 3.0, 4.5, 1.5, 1.5]);
    }
}
