//! Loss, every parameter's gradient and Adam's first steps against float64 evaluations.

mod common;

use candle_core::{Tensor, Var};
use common::{close, config, golden, image, numbers, values, weights};
use esccsql_crossformer::loss::Loss;
use esccsql_crossformer::train::{Adam, Moments};
use esccsql_crossformer::{CrossFormer, Kernels};
use std::collections::{BTreeMap, HashMap};

fn check(name: &str, kernels: Kernels, steps: usize) {
    let Some(golden) = golden(name) else { return };
    let config = config(&golden);
    let size = golden["size"].as_u64().unwrap() as usize;
    let time = numbers(&golden["times"]);
    let event: Vec<bool> = numbers(&golden["events"]).into_iter().map(|e| e == 1.0).collect();
    let x = image(time.len(), config.in_channels, size, size, 0);
    let variables: BTreeMap<String, Var> = weights(&config, 0).into_iter().map(|(n, t)| (n, Var::from_tensor(&t).unwrap())).collect();
    let named: HashMap<String, Tensor> = variables.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
    let network = CrossFormer::new(&config, &named).unwrap().with_kernels(kernels);
    let adam = Adam { lr: golden["lr"].as_f64().unwrap(), ..Adam::default() };
    let mut moments: BTreeMap<&str, Moments> =
        variables.iter().map(|(n, v)| (n.as_str(), Moments::zeros(&v.as_detached_tensor()).unwrap())).collect();
    // Shift invariance of the Cox loss, and normalisation over the one or two channels of micro's first position networks, leave
    // gradients that are nothing but rounding: those must be small, the others right.
    let total = golden["grad_total_norm"].as_f64().unwrap();
    let vanishing = 1e-8 * total;
    for (step, want) in golden["trajectory"].as_array().unwrap().iter().take(steps).enumerate() {
        let eta = network.forward(&x).unwrap().logits.flatten_all().unwrap();
        let got = values(&eta);
        let (loss, slope) = Loss::Cox.evaluate(&got, &time, &event).unwrap();
        let wider = (1 + 4 * step) as f64;
        close(&format!("{name} loss {step}"), &[loss], &[want["loss"].as_f64().unwrap()], 5e-6 * wider);
        // The head's bias has no gradient under the Cox loss and drifts: differences are compared.
        let centred = |v: &[f64]| v.iter().map(|x| x - v.iter().sum::<f64>() / v.len() as f64).collect::<Vec<_>>();
        close(&format!("{name} eta {step}"), &centred(&got), &centred(&numbers(&want["eta"])), 2e-5 * wider);
        let slope = Tensor::new(slope, eta.device()).unwrap().to_dtype(eta.dtype()).unwrap();
        let gradients = network.gradients(&(eta * slope).unwrap().sum_all().unwrap()).unwrap();
        for (parameter, variable) in &variables {
            let gradient = gradients.get(parameter).unwrap_or_else(|| panic!("{parameter} has no gradient"));
            if step == 0 {
                let want = &golden["grads"][parameter];
                let got = values(gradient);
                let norm = want["norm"].as_f64().unwrap();
                let tolerance = if norm < vanishing { 1e-6 * total } else { 5e-5 * norm };
                close(parameter, &[got.iter().map(|g| g * g).sum::<f64>().sqrt()], &[norm], tolerance);
                close(parameter, &got[..got.len().min(8)], &numbers(&want["first8"]), tolerance);
            }
            moments.get_mut(parameter.as_str()).unwrap().step(&adam, step + 1, variable, gradient).unwrap();
        }
        if step == 0 {
            for (parameter, variable) in &variables {
                // Adam's first step is lr * sign(gradient): where the gradient vanishes the sign is rounding noise.
                let norm = golden["grads"][parameter]["norm"].as_f64().unwrap();
                let signs = numbers(&golden["grads"][parameter]["first8"]);
                let got = values(variable.as_tensor());
                let want = numbers(&golden["params_after_step1_first8"][parameter]);
                for ((got, want), g) in got.iter().zip(&want).zip(signs) {
                    if norm > vanishing && g.abs() > 1e-3 * norm {
                        close(parameter, &[*got], &[*want], 2e-7 * want.abs().max(1.0));
                    }
                }
            }
        }
    }
}

#[test]
fn plain_micro() {
    check("grad_micro_7ch_224.json", Kernels::Plain, 3);
}

#[test]
fn fast_micro() {
    check("grad_micro_7ch_224.json", Kernels::Fast, 3);
}

#[test]
fn fast_tiny() {
    check("grad_tiny_7ch_224.json", Kernels::Fast, 3);
}
