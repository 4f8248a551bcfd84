//! Times of CrossFormer-Tiny (7 channels, 224 x 224, float32): `cargo run --release -p esccsql-crossformer --example speed [-- plain] [forward] [step]`.
//!
//! `plain` takes the tensor library's own operations; `forward` or `step` measures only that.
//!
//! Set `RAYON_NUM_THREADS=1`: the first milliseconds are those of the process on a core, the second ones those of the clock.
//! `benches/crossformer.py` runs it next to PyTorch.

use candle_core::{Device, Tensor, Var};
use esccsql_crossformer::train::{Adam, Moments};
use esccsql_crossformer::weights::initial;
use esccsql_crossformer::{Config, CrossFormer, Kernels, Noise, Result};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

/// Seconds of this process's threads on a core, so that other work on the machine does not count (Linux); wall seconds elsewhere.
fn now() -> f64 {
    let seconds = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        Some(text.split_whitespace().next()?.parse::<f64>().ok()? * 1e-9)
    };
    match std::fs::read_dir("/proc/self/task") {
        Ok(threads) => threads.flatten().filter_map(seconds).sum(),
        Err(_) => std::time::UNIX_EPOCH.elapsed().map_or(0.0, |d| d.as_secs_f64()),
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    1000.0 * seconds[seconds.len() / 2]
}

fn images(batch: usize) -> Result<Tensor> {
    let values: Vec<f32> = (0..batch * 7 * 224 * 224).map(|i| (i % 977) as f32 / 488.0 - 1.0).collect();
    Ok(Tensor::from_vec(values, (batch, 7, 224, 224), &Device::Cpu)?)
}

fn main() -> Result<()> {
    let kernels = if std::env::args().any(|a| a == "plain") { Kernels::Plain } else { Kernels::Fast };
    let config = Config { drop_path: 0.0, ..Config::tiny().channels(7).classes(1) };
    let weights = initial(&config, 0).tensors(&Device::Cpu)?;
    let network = CrossFormer::new(&config, &weights)?.with_kernels(kernels);
    let only = |part: &str| std::env::args().all(|a| a != "forward" && a != "step") || std::env::args().any(|a| a == part);
    for (batch, repeats) in if only("forward") { vec![(1, 15), (8, 7)] } else { vec![] } {
        let x = images(batch)?;
        network.forward(&x)?;
        let (mut seconds, mut clock) = (Vec::new(), Vec::new());
        for _ in 0..repeats {
            let (start, at) = (now(), Instant::now());
            network.forward(&x)?;
            seconds.push(now() - start);
            clock.push(at.elapsed().as_secs_f64());
        }
        println!("forward {batch} {:.1} {:.1}", median(seconds), median(clock));
    }
    if !only("step") {
        return Ok(());
    }
    let mut variables = BTreeMap::new();
    for (name, tensor) in &weights {
        variables.insert(name.clone(), (Var::from_tensor(tensor)?, Moments::zeros(tensor)?));
    }
    let named: HashMap<String, Tensor> = variables.iter().map(|(n, (v, _))| (n.clone(), v.as_tensor().clone())).collect();
    let network = CrossFormer::new(&config, &named)?.with_kernels(kernels);
    let x = images(8)?;
    let (mut seconds, mut clock, mut parts) = (Vec::new(), Vec::new(), [0.0; 3]);
    for step in 1..=6 {
        let (start, at) = (now(), Instant::now());
        let loss = network.forward_train(&x, &mut Noise::new(0, 0))?.logits.sqr()?.mean_all()?;
        let forward = now() - start;
        let gradients = network.gradients(&loss)?;
        let backward = now() - start;
        for (name, (variable, moments)) in &mut variables {
            if let Some(g) = gradients.get(name) {
                moments.step(&Adam::default(), step, variable, g)?;
            }
        }
        if step > 1 {
            seconds.push(now() - start);
            clock.push(at.elapsed().as_secs_f64());
            parts = [forward, backward - forward, now() - start - backward];
        }
    }
    println!("train 8 {:.1} {:.1}", median(seconds), median(clock));
    println!("  of it forward, backward, Adam: {:.0?}", parts.map(|s| 1000.0 * s));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(line) = status.lines().find(|l| l.starts_with("VmHWM")) {
        println!("  most memory: {}", line["VmHWM:".len()..].trim());
    }
    Ok(())
}
