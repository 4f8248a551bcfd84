//! A training step has the same bits on any number of threads.
//!
//! The tensor library reads the number of its threads once in a process, so the step runs in processes of their own: this program,
//! asked for nothing but the test that tells the bits.

mod common;

use candle_core::{Tensor, Var};
use common::{image, weights};
use esccsql_crossformer::train::{Adam, Moments};
use esccsql_crossformer::{Config, CrossFormer, Noise};
use std::collections::{BTreeMap, HashMap};
use std::process::Command;

const MARK: &str = "bits of a step: ";

/// FNV-1a of every parameter after two steps of Adam, and the size of the change.
fn step() -> (u64, f64) {
    let config = Config { drop_path: 0.2, ..Config::tiny().channels(3).classes(1) };
    let start = weights(&config, 3);
    let variables: BTreeMap<String, Var> = start.iter().map(|(n, t)| (n.clone(), Var::from_tensor(t).unwrap())).collect();
    let named: HashMap<String, Tensor> = variables.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
    let network = CrossFormer::new(&config, &named).unwrap();
    let mut moments: BTreeMap<&String, Moments> =
        variables.iter().map(|(n, v)| (n, Moments::zeros(&v.as_detached_tensor()).unwrap())).collect();
    let x = image(5, 3, 96, 96, 0);
    for number in 1..=2 {
        let output = network.forward_train(&x, &mut Noise::new(7, number as u64)).unwrap();
        let gradients = network.gradients(&output.logits.sqr().unwrap().mean_all().unwrap()).unwrap();
        for (name, variable) in &variables {
            moments.get_mut(name).unwrap().step(&Adam::default(), number, variable, &gradients[name]).unwrap();
        }
    }
    let (mut hash, mut change) = (0xcbf2_9ce4_8422_2325u64, 0.0);
    for (name, variable) in &variables {
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (new, old) in flat(variable.as_tensor()).into_iter().zip(flat(&start[name])) {
            hash = (hash ^ u64::from(new.to_bits())).wrapping_mul(0x0100_0000_01b3);
            change += f64::from((new - old).abs());
        }
    }
    (hash, change)
}

#[test]
fn a_step_moves_the_parameters() {
    let (hash, change) = step();
    println!("{MARK}{hash:016x}");
    assert!(change.is_finite() && change > 0.0, "{change}");
}

#[test]
fn the_number_of_threads_does_not_change_a_step() {
    let told = |threads: &str| {
        let program = std::env::current_exe().unwrap();
        let mut run = Command::new(program);
        let output =
            run.args(["--exact", "a_step_moves_the_parameters", "--nocapture"]).env("RAYON_NUM_THREADS", threads).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find_map(|line| Some(line.split_once(MARK)?.1.to_string())).unwrap_or_else(|| panic!("{threads} threads: {text}"))
    };
    let one = told("1");
    assert_eq!(told("2"), one);
    assert_eq!(told("5"), one);
}
