//! Losses on the network's first output, with their gradients, in float64.

use serde::{Deserialize, Serialize};

/// What training minimises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Loss {
    /// The mean over events of the negative Cox partial log-likelihood, ties by Breslow, risk sets inside the batch.
    Cox,
    /// Logistic loss of "an event up to `horizon`". Who was censored before it says neither yes nor no and is left out.
    Binary {
        /// In the unit of `time`.
        horizon: f64,
    },
}

impl Loss {
    /// The loss and its gradient with respect to `eta`; None when the rows hold nothing to learn from (no event, or no label).
    pub fn evaluate(&self, eta: &[f64], time: &[f64], event: &[bool]) -> Option<(f64, Vec<f64>)> {
        match *self {
            Loss::Cox => cox(eta, time, event),
            Loss::Binary { horizon } => binary(eta, time, event, horizon),
        }
    }
}

impl Loss {
    /// Does the loss of these rows depend on how the network ranks them? Of Cox: has an event another row at risk; of Binary: are
    /// there both outcomes.
    pub fn compares(&self, time: &[f64], event: &[bool]) -> bool {
        match *self {
            Loss::Cox => {
                let first = (0..time.len()).filter(|&i| event[i]).map(|i| time[i]).fold(f64::INFINITY, f64::min);
                time.iter().filter(|&&t| t >= first).count() > 1
            }
            Loss::Binary { horizon } => {
                let has = |y| (0..time.len()).any(|i| label(time[i], event[i], horizon) == Some(y));
                has(0.0) && has(1.0)
            }
        }
    }
}

/// 1 for an event up to the horizon, 0 for none, None for a row censored before it.
fn label(time: f64, event: bool, horizon: f64) -> Option<f64> {
    match (time <= horizon, event) {
        (true, true) => Some(1.0),
        (true, false) if time < horizon => None,
        _ => Some(0.0),
    }
}

/// mean over events i of log(sum over t_j >= t_i of exp eta_j) - eta_i.
fn cox(eta: &[f64], time: &[f64], event: &[bool]) -> Option<(f64, Vec<f64>)> {
    let events = event.iter().filter(|&&e| e).count();
    if events == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..eta.len()).collect();
    order.sort_by(|&a, &b| time[b].total_cmp(&time[a]).then(a.cmp(&b)));
    // The shift keeps every exponential finite and cancels.
    let top = eta.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // From the last time to the first: the risk set grows, and each tied group enters whole.
    let mut groups: Vec<(usize, usize, f64)> = Vec::new();
    let (mut at, mut sum, mut loss) = (0, 0.0, 0.0);
    while at < order.len() {
        let mut end = at;
        while end < order.len() && time[order[end]] == time[order[at]] {
            sum += (eta[order[end]] - top).exp();
            end += 1;
        }
        for &i in order[at..end].iter().filter(|&&i| event[i]) {
            loss += sum.ln() + top - eta[i];
        }
        groups.push((at, end, sum));
        at = end;
    }
    // d loss / d eta_j = exp eta_j * (sum over events i with t_i <= t_j of 1 / sum_i) - event_j: from the first time to the last.
    let mut gradient = vec![0.0; eta.len()];
    let mut inverse = 0.0;
    for (at, end, sum) in groups.into_iter().rev() {
        inverse += order[at..end].iter().filter(|&&i| event[i]).count() as f64 / sum;
        for &j in &order[at..end] {
            gradient[j] = ((eta[j] - top).exp() * inverse - f64::from(u8::from(event[j]))) / events as f64;
        }
    }
    Some((loss / events as f64, gradient))
}

fn binary(eta: &[f64], time: &[f64], event: &[bool], horizon: f64) -> Option<(f64, Vec<f64>)> {
    let label = |i: usize| label(time[i], event[i], horizon);
    let known = (0..eta.len()).filter(|&i| label(i).is_some()).count() as f64;
    if known == 0.0 {
        return None;
    }
    let (mut loss, mut gradient) = (0.0, vec![0.0; eta.len()]);
    for i in 0..eta.len() {
        if let Some(y) = label(i) {
            // log(1 + e^x) - y x without overflow.
            loss += eta[i].max(0.0) + (-eta[i].abs()).exp().ln_1p() - y * eta[i];
            gradient[i] = (1.0 / (1.0 + (-eta[i]).exp()) - y) / known;
        }
    }
    Some((loss / known, gradient))
}

/// Harrell's concordance index: of the pairs whose shorter time is an event, those with the higher risk there; ties in risk
/// count half. None without such a pair.
pub fn c_index(risk: &[f64], time: &[f64], event: &[bool]) -> Option<f64> {
    let (mut agree, mut pairs) = (0.0, 0.0);
    for i in (0..risk.len()).filter(|&i| event[i]) {
        for j in 0..risk.len() {
            if time[j] > time[i] || (time[j] == time[i] && !event[j]) {
                pairs += 1.0;
                agree += match risk[i].total_cmp(&risk[j]) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
    }
    (pairs > 0.0).then(|| agree / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: [f64; 6] = [5.0, 3.0, 9.0, 3.0, 7.0, 1.0];
    const EVENT: [bool; 6] = [true, true, false, true, true, false];
    const ETA: [f64; 6] = [0.3, -1.2, 0.7, 2.0, -0.4, 0.1];

    #[test]
    fn gradients_are_the_losses_slopes() {
        for loss in [Loss::Cox, Loss::Binary { horizon: 5.0 }] {
            let (_, gradient) = loss.evaluate(&ETA, &TIME, &EVENT).unwrap();
            for i in 0..ETA.len() {
                let at = |d: f64| {
                    let mut eta = ETA;
                    eta[i] += d;
                    loss.evaluate(&eta, &TIME, &EVENT).unwrap().0
                };
                let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((gradient[i] - slope).abs() < 1e-9, "{loss:?} {i}: {} and {slope}", gradient[i]);
            }
        }
    }

    #[test]
    fn cox_by_definition_and_without_overflow() {
        let mut want = 0.0;
        for i in (0..6).filter(|&i| EVENT[i]) {
            let risk: f64 = (0..6).filter(|&j| TIME[j] >= TIME[i]).map(|j| ETA[j].exp()).sum();
            want += risk.ln() - ETA[i];
        }
        assert!((Loss::Cox.evaluate(&ETA, &TIME, &EVENT).unwrap().0 - want / 4.0).abs() < 1e-14);
        let far = ETA.map(|e| e + 1000.0);
        assert!((Loss::Cox.evaluate(&far, &TIME, &EVENT).unwrap().0 - want / 4.0).abs() < 1e-10);
        assert!(Loss::Cox.evaluate(&ETA, &TIME, &[false; 6]).is_none());
    }

    #[test]
    fn rows_that_say_nothing() {
        assert!(Loss::Cox.compares(&TIME, &EVENT));
        assert!(!Loss::Cox.compares(&TIME, &[false; 6]));
        assert!(!Loss::Cox.compares(&[4.0], &[true]));
        assert!(!Loss::Cox.compares(&[4.0, 9.0], &[false, true]), "nobody is left at the last event");
        assert!(Loss::Cox.compares(&[9.0, 9.0], &[false, true]), "a censored row is at risk at its time");
        let early = Loss::Binary { horizon: 2.0 };
        assert!(!early.compares(&TIME, &EVENT), "the only row before the horizon is censored");
        assert!(Loss::Binary { horizon: 4.0 }.compares(&TIME, &EVENT));
        assert!(!Loss::Binary { horizon: 10.0 }.compares(&TIME, &EVENT), "the rows without an event are censored before the horizon");
    }

    #[test]
    fn concordance() {
        assert_eq!(c_index(&[3.0, 2.0, 1.0], &[1.0, 2.0, 3.0], &[true, true, false]), Some(1.0));
        assert_eq!(c_index(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0], &[true, true, false]), Some(0.5));
        assert_eq!(c_index(&[1.0, 2.0], &[1.0, 2.0], &[false, false]), None);
    }
}
