//! The training loop: it learns, repeats its bits, adds up parts, and goes on after an interruption.

mod common;

use candle_core::{Device, Tensor};
use common::{close, values};
use esccsql_crossformer::loss::Loss;
use esccsql_crossformer::train::{Adam, FitOptions, Told, Trained, fit};
use esccsql_crossformer::weights::initial;
use esccsql_crossformer::{Config, CrossFormer, Error};
use ndarray::Array4;
use std::collections::HashMap;

/// Bright squares on one side die early.
fn cohort(rows: usize) -> (Array4<f32>, Vec<f64>, Vec<bool>) {
    let bright = |row: usize| (row * 7 % rows) as f32 / rows as f32;
    let images = Array4::from_shape_fn((rows, 2, 32, 32), |(r, c, y, x)| {
        let noise = ((r * 131 + c * 17 + y * 5 + x * 3) % 23) as f32 / 46.0;
        let inside = (8..24).contains(&y) && (8..24).contains(&x);
        noise + if inside { 2.0 * bright(r) } else { 0.0 }
    });
    let time = (0..rows).map(|r| 1.0 + 10.0 * f64::from(1.0 - bright(r))).collect();
    let event = (0..rows).map(|r| r % 4 != 0).collect();
    (images, time, event)
}

fn config() -> Config {
    Config { dropout: 0.1, drop_path: 0.1, ..Config::micro().channels(2).classes(1) }
}

fn start(config: &Config) -> HashMap<String, Tensor> {
    initial(config, 3).tensors(&Device::Cpu).unwrap()
}

fn options() -> FitOptions {
    let adam = Adam { lr: 1e-3, ..Adam::default() };
    FitOptions { epochs: 3, batch: 12, adam, validation: 0.25, seed: 11, ..FitOptions::default() }
}

fn run(options: &FitOptions, stop_after: usize) -> Result<Trained, Error> {
    let (images, time, event) = cohort(32);
    let weights = start(&config());
    fit(&config(), &weights, images.view(), &time, &event, options, &mut |told| !matches!(told, Told::Epoch(e) if e.epoch >= stop_after))
}

fn same(a: &HashMap<String, Tensor>, b: &HashMap<String, Tensor>) {
    assert_eq!(a.len(), b.len());
    for (name, t) in a {
        assert_eq!(values(t), values(&b[name]), "{name}");
    }
}

#[test]
fn it_learns() {
    let (images, time, event) = cohort(48);
    let weights = start(&config());
    for loss in [Loss::Cox, Loss::Binary { horizon: 6.0 }] {
        let options = FitOptions { epochs: 12, patience: 12, loss, ..options() };
        let trained = fit(&config(), &weights, images.view(), &time, &event, &options, &mut |_| true).unwrap();
        assert_eq!(trained.rows, (36, 12));
        let best = &trained.epochs[trained.best - 1];
        assert!(best.validation_c_index.unwrap() > 0.85, "{:?}", trained.epochs);
        assert!(best.validation_loss.unwrap() < trained.epochs[0].validation_loss.unwrap());
        CrossFormer::new(&trained.config, &trained.weights).unwrap();
    }
}

#[test]
fn same_seed_same_bits() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let two = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let a = one.install(|| run(&options(), usize::MAX)).unwrap();
    let b = two.install(|| run(&options(), usize::MAX)).unwrap();
    same(&a.weights, &b.weights);
    assert_eq!(a.epochs, b.epochs);
    let other = run(&FitOptions { seed: 12, ..options() }, usize::MAX).unwrap();
    assert_ne!(a.epochs, other.epochs);
}

/// The loss is the whole batch's however few rows are in memory: only rounding differs.
#[test]
fn parts_add_up() {
    let still = Config { dropout: 0.0, drop_path: 0.0, ..config() };
    let (images, time, event) = cohort(12);
    let weights = start(&still);
    let run = |part: usize| {
        let options = FitOptions { epochs: 1, part, validation: 0.0, ..options() };
        fit(&still, &weights, images.view(), &time, &event, &options, &mut |_| true).unwrap()
    };
    let (whole, parts) = (run(12), run(5));
    close("loss", &[whole.epochs[0].loss], &[parts.epochs[0].loss], 1e-6);
    let name = "layers.2.blocks.1.mlp.fc1.weight";
    let (a, b) = (values(&whole.weights[name]), values(&parts.weights[name]));
    let mean = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64;
    assert!(mean < 1e-5, "{mean}");
}

#[test]
fn an_interrupted_fit_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("fit.safetensors");
    let options = FitOptions { checkpoint: Some(checkpoint.clone()), ..options() };
    let whole = run(&FitOptions { checkpoint: None, ..options.clone() }, usize::MAX).unwrap();
    assert!(matches!(run(&options, 2), Err(Error::Stopped(2))));
    let other = FitOptions { seed: 12, ..options.clone() };
    assert!(matches!(run(&other, usize::MAX), Err(Error::Checkpoint { .. })));
    let rest = run(&options, usize::MAX).unwrap();
    same(&whole.weights, &rest.weights);
    assert_eq!(whole.epochs, rest.epochs);
    assert!(!checkpoint.exists());

    // In a folder each training has a file of its own.
    let options = FitOptions { checkpoint: Some(folder.path().into()), ..options };
    let other = FitOptions { checkpoint: options.checkpoint.clone(), ..other };
    assert!(matches!(run(&options, 2), Err(Error::Stopped(2))));
    assert!(matches!(run(&other, 1), Err(Error::Stopped(1))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    same(&whole.weights, &run(&options, usize::MAX).unwrap().weights);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the other training still waits");

    let options = FitOptions { checkpoint: Some(checkpoint.clone()), ..options };
    std::fs::write(&checkpoint, b"nothing").unwrap();
    assert!(matches!(run(&options, usize::MAX), Err(Error::Checkpoint { .. })));
}

#[test]
fn stops_for_want_of_progress() {
    let lr = Adam { lr: 1e-12, ..Adam::default() };
    let trained = run(&FitOptions { epochs: 30, patience: 2, adam: lr, ..options() }, usize::MAX).unwrap();
    assert!(trained.stopped_early);
    assert_eq!(trained.epochs.len(), trained.best + 2);
}

#[test]
fn bad_data_is_told() {
    let (images, time, event) = cohort(12);
    let weights = start(&config());
    let run = |images: &Array4<f32>, time: &[f64], event: &[bool], options: FitOptions| {
        fit(&config(), &weights, images.view(), time, event, &options, &mut |_| true).unwrap_err().to_string()
    };
    assert!(run(&images, &time, &[false; 12], options()).contains("no event"));
    assert!(run(&images, &time[1..], &event, options()).contains("one of each per row"));
    let mut holes = images.clone();
    holes[[3, 0, 0, 0]] = f32::NAN;
    assert!(run(&holes, &time, &event, options()).contains("row 3"));
    assert!(run(&images, &time, &event, FitOptions { batch: 1, ..options() }).contains("batch"));
}
