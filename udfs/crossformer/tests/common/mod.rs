//! Weights and images by formula, and golden files. The formula is in `reference/crossformer/ARCHITECTURE.md`.
#![allow(dead_code)]

use candle_core::{DType, Device, Tensor};
use esccsql_crossformer::Config;
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;

fn splitmix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The i-th value of a name's stream, in [-1, 1).
fn unit(name: &str, seed: u32) -> impl Fn(u64) -> f64 {
    let base = u64::from(crc32fast::hash(name.as_bytes()) ^ seed) << 32;
    move |i| 2.0 * ((splitmix(base.wrapping_add(i)) >> 11) as f64 * 2f64.powi(-53)) - 1.0
}

pub fn weight(name: &str, shape: &[usize], seed: u32) -> Vec<f32> {
    let v = unit(name, seed);
    let fan_in: usize = shape[1..].iter().product();
    (0..shape.iter().product::<usize>() as u64)
        .map(|i| {
            let x = match (name.ends_with(".weight"), shape.len()) {
                (true, 1) => 1.0 + 0.1 * v(i),
                (true, _) => (3.0 / fan_in as f64).sqrt() * v(i),
                (false, _) => 0.05 * v(i),
            };
            x as f32
        })
        .collect()
}

pub fn weights(config: &Config, seed: u32) -> HashMap<String, Tensor> {
    config
        .parameters()
        .into_iter()
        .map(|(name, shape)| {
            let values = weight(&name, &shape, seed);
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
            (name, tensor)
        })
        .collect()
}

/// A blob that moves with sample and channel, plus noise; [b, c, h, w].
pub fn image(b: usize, c: usize, h: usize, w: usize, seed: u32) -> Tensor {
    let v = unit("input", seed);
    let mut values = Vec::with_capacity(b * c * h * w);
    for i in 0..b * c * h * w {
        let (x, y, ch, sample) = (i % w, i / w % h, i / (w * h) % c, i / (w * h * c));
        let dy = y as f64 - (h as f64 - 1.0) / 2.0 - 5.0 * (sample % 4) as f64 + 3.0 * ch as f64;
        let dx = x as f64 - (w as f64 - 1.0) / 2.0 + 7.0 * (sample % 3) as f64 - 2.0 * ch as f64;
        let r2 = (h as f64 / 3.0) * (h as f64 / 3.0);
        let blob = (1.0 - (dy * dy + dx * dx) / r2).max(0.0);
        values.push((1.5 * blob + 0.5 * v(i as u64)) as f32);
    }
    Tensor::from_vec(values, (b, c, h, w), &Device::Cpu).unwrap()
}

/// A golden file, or None (said aloud) when the reference folder is not beside the repository.
pub fn golden(name: &str) -> Option<Value> {
    let path = PathBuf::from("../../../shared/reference/crossformer").join(name);
    if !path.exists() {
        println!("skipped: ../shared is not here");
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// All numbers of a possibly nested array.
pub fn numbers(v: &Value) -> Vec<f64> {
    match v {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

pub fn values(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

pub fn config(golden: &Value) -> Config {
    let classes = golden["num_classes"].as_u64().unwrap_or(1) as usize;
    let channels = golden["in_chans"].as_u64().unwrap() as usize;
    Config::named(golden["variant"].as_str().unwrap()).unwrap().channels(channels).classes(classes)
}

#[track_caller]
pub fn close(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    let worst = got.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, |m: f64, d| if d.is_nan() { f64::NAN } else { m.max(d) });
    assert!(worst <= tolerance, "{what}: off by {worst:.3e}, allowed {tolerance:.1e}");
}
