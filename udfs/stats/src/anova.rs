//! One-way analysis of variance with equal variances, as R `oneway.test(var.equal = TRUE)`.

use serde::{Deserialize, Serialize};

use crate::distribution::f_sf;
use crate::error::{Result, StatsError, check_count, check_finite};
use crate::summary;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Anova {
    pub f: f64,
    pub df1: f64,
    pub df2: f64,
    pub p: f64,
}

/// Compares the means of the groups: F = mean square between / mean square within.
///
/// # Errors
/// Fewer than 2 groups, an empty group, no more values than groups, a value that is not finite, no variance within the groups.
pub fn anova<G: AsRef<[f64]>>(groups: &[G]) -> Result<Anova> {
    const WHAT: &str = "anova";
    let all = pooled(WHAT, groups)?;
    let (k, n) = (groups.len(), all.len());
    check_count(WHAT, "values", n, k + 1)?;
    let grand = summary::mean(&all);
    let mut between = 0.0;
    let mut within = 0.0;
    for group in groups {
        let group = group.as_ref();
        between += group.len() as f64 * (summary::mean(group) - grand).powi(2);
        within += summary::sum_of_squares(group);
    }
    if groups.iter().all(|g| summary::is_constant(g.as_ref())) {
        return Err(StatsError::Constant { what: WHAT, which: "each group".into(), value: all[0] });
    }
    let (df1, df2) = (k as f64 - 1.0, (n - k) as f64);
    let f = (between / df1) / (within / df2);
    Ok(Anova { f, df1, df2, p: f_sf(f, df1, df2) })
}

/// All values, group after group, checked.
pub(crate) fn pooled<G: AsRef<[f64]>>(what: &'static str, groups: &[G]) -> Result<Vec<f64>> {
    check_count(what, "groups", groups.len(), 2)?;
    for (i, group) in groups.iter().enumerate() {
        check_count(what, "values in each group", group.as_ref().len(), 1)?;
        check_finite(what, format!("group {i}"), group.as_ref())?;
    }
    Ok(groups.iter().flat_map(|g| g.as_ref()).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_groups_are_students_t_squared() {
        use crate::t_test::{TTestKind, TTestOptions, t_test};
        let (x, y) = (vec![1.0, 2.5, 4.0, 4.5], vec![2.0, 5.0, 6.0]);
        let t = t_test(&x, &y, TTestOptions { kind: TTestKind::Student, ..TTestOptions::default() }).unwrap();
        let f = anova(&[x, y]).unwrap();
        assert!((f.f - t.t * t.t).abs() < 1e-12 && (f.p - t.p).abs() < 1e-14);
        assert!(matches!(anova(&[vec![1.0, 1.0], vec![2.0]]), Err(StatsError::Constant { .. })));
        assert!(matches!(anova(&[vec![1.0]]), Err(StatsError::TooFew { .. })));
    }
}
