//! The ascending order of many numbers.

/// Below this many, one sort is as quick.
const FEW: usize = 2048;
/// Numbers that share a bucket, on average.
const IN_A_BUCKET: usize = 128;

/// Finite `values` with their indices in ascending order (-0 before 0), equal ones by index. Numbers are dealt to buckets of equal
/// width first, each of which is sorted within the processor's cache.
pub(crate) fn ascending(values: impl ExactSizeIterator<Item = f64> + Clone) -> Vec<(f64, u32)> {
    let n = values.len();
    let numbered = || values.clone().zip(0u32..);
    let (low, high) = values.clone().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let buckets = n / IN_A_BUCKET;
    let scale = (buckets as f64 - 1.0) / (high - low);
    // No width, or one that overflows.
    if n < FEW || !scale.is_finite() || scale <= 0.0 {
        let mut sorted: Vec<(f64, u32)> = numbered().collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        return sorted;
    }
    // Rounding keeps the order: a larger number is never in an earlier bucket.
    let bucket = |v: f64| (((v - low) * scale) as usize).min(buckets - 1);
    let mut next = vec![0u32; buckets + 1];
    values.clone().for_each(|v| next[bucket(v) + 1] += 1);
    for b in 0..buckets {
        next[b + 1] += next[b];
    }
    let starts = next.clone();
    let mut sorted = vec![(0.0, 0); n];
    for (v, index) in numbered() {
        let slot = &mut next[bucket(v)];
        sorted[*slot as usize] = (v, index);
        *slot += 1;
    }
    for ends in starts.windows(2) {
        sorted[ends[0] as usize..ends[1] as usize].sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_stable_sort() {
        let n = 5000u32;
        let wide = |i: u32| f64::from(i.wrapping_mul(2_654_435_761) >> 7);
        let makers: [&dyn Fn(u32) -> f64; 6] = [
            &wide,
            &|i| (wide(i) / 1e6).exp(),
            &|i| f64::from(i % 7),
            &|i| if i % 2 == 0 { -0.0 } else { 0.0 },
            &|i| if i == 17 { f64::MAX } else { -f64::MAX / f64::from(i + 1) },
            &|i| if i == 5 { -1e300 } else { (f64::from(i % 100) - 50.0) * 1e-300 },
        ];
        for value in makers {
            let values: Vec<f64> = (0..n).map(value).collect();
            let mut expected: Vec<u32> = (0..n).collect();
            expected.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
            let found: Vec<u32> = ascending(values.iter().copied()).into_iter().map(|(_, i)| i).collect();
            assert_eq!(found, expected);
        }
    }
}
