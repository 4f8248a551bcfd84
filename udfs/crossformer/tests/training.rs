//! The training loop: it learns, repeats its bits, adds up parts, and goes on after an interruption.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{close, values};
use esccsql_crossformer::loss::Loss;
use esccsql_crossformer::train::{Adam, FitOptions, Told, Trained, fit};
use esccsql_crossformer::weights::initial;
use esccsql_crossformer::{Config, CrossFormer, Error};
use ndarray::Array4;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Barrier;

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
    assert!(run(&other, usize::MAX).unwrap_err().to_string().contains("a folder, which keeps one for each"));
    let (images, time, event) = cohort(32);
    let elsewhere = initial(&config(), 4).tensors(&Device::Cpu).unwrap();
    let other_start = fit(&config(), &elsewhere, images.view(), &time, &event, &options, &mut |_| true);
    assert!(other_start.unwrap_err().to_string().contains("starting weights"));
    let few = run(&FitOptions { epochs: 1, ..options.clone() }, usize::MAX).unwrap_err().to_string();
    assert!(few.contains("it has 2 epochs, 1 are asked for: ask for 2 or more, or delete it"), "{few}");
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

/// A checkpoint's tensors and training state, changed and written back.
fn damage(path: &Path, change: impl Fn(&mut serde_json::Value, &mut HashMap<String, Tensor>)) {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let mut state = serde_json::from_str(&header.metadata().as_ref().unwrap()["esccsql_training"]).unwrap();
    let mut tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap();
    change(&mut state, &mut tensors);
    let metadata = HashMap::from([("esccsql_training".to_string(), state.to_string())]);
    std::fs::write(path, safetensors::serialize(&tensors, Some(metadata)).unwrap()).unwrap();
}

#[test]
fn a_damaged_checkpoint_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("fit.safetensors");
    let options = FitOptions { checkpoint: Some(checkpoint.clone()), ..options() };
    assert!(matches!(run(&options, 1), Err(Error::Stopped(1))));
    let whole = std::fs::read(&checkpoint).unwrap();
    let told = |change: &dyn Fn(&mut serde_json::Value, &mut HashMap<String, Tensor>)| {
        std::fs::write(&checkpoint, &whole).unwrap();
        damage(&checkpoint, change);
        let error = run(&options, usize::MAX).unwrap_err();
        assert!(matches!(error, Error::Checkpoint { .. }), "{error:?}");
        assert!(error.to_string().contains("delete it to start anew"), "{error}");
    };
    told(&|state, _| state["best"] = 9.into());
    told(&|state, _| state["epochs"] = serde_json::json!([]));
    told(&|state, _| state["epochs"][0]["epoch"] = 2.into());
    told(&|state, _| state["step"] = u64::MAX.into());
    for kind in ["weight", "first", "second", "best"] {
        let name = format!("{kind}/norm.weight");
        told(&|_, tensors| drop(tensors.remove(&name)));
        told(&|_, tensors| drop(tensors.insert(name.clone(), Tensor::zeros(5, DType::F32, &Device::Cpu).unwrap())));
        told(&|_, tensors| {
            let other = tensors[&name].to_dtype(DType::F64).unwrap();
            tensors.insert(name.clone(), other);
        });
    }
    std::fs::write(&checkpoint, &whole).unwrap();
    damage(&checkpoint, |_, _| {});
    run(&options, usize::MAX).unwrap();
}

#[test]
fn a_missing_folder_is_told_before_training() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["none/fit.safetensors", "none/"] {
        let options = FitOptions { checkpoint: Some(folder.path().join(name)), ..options() };
        let (images, time, event) = cohort(32);
        let mut begun = false;
        let trained = fit(&config(), &start(&config()), images.view(), &time, &event, &options, &mut |_| {
            begun = true;
            true
        });
        let error = trained.unwrap_err().to_string();
        assert!(error.contains("create it") && !begun, "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Trainings that share a file may each lose their checkpoint to the other, but none fails.
#[test]
fn trainings_at_once_do_not_share_a_part() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("fit.safetensors");
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        let one = |seed: u64| {
            let options = FitOptions { checkpoint: Some(checkpoint.clone()), seed, epochs: 6, ..options() };
            let (images, time, event) = cohort(32);
            let mut first = true;
            let mut told = |_: Told| {
                if std::mem::take(&mut first) {
                    barrier.wait();
                }
                true
            };
            fit(&config(), &start(&config()), images.view(), &time, &event, &options, &mut told).unwrap();
        };
        scope.spawn(move || one(1));
        scope.spawn(move || one(2));
    });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Rows that say nothing of the network must not choose its epoch, nor end its training.
#[test]
fn held_out_rows_without_a_comparison_are_told() {
    let (images, _, _) = cohort(8);
    let weights = start(&config());
    let time: Vec<f64> = (1..=8).map(f64::from).collect();
    let options = FitOptions { epochs: 4, patience: 1, ..options() };
    let run = |event: &[bool], options: &FitOptions| fit(&config(), &weights, images.view(), &time, event, options, &mut |_| true).unwrap();
    let few = [true, true, false, false, false, false, false, false];
    let held = FitOptions { validation: 0.2, ..options.clone() };
    let cox = run(&few, &held);
    assert_eq!((cox.rows, cox.best, cox.epochs.len(), cox.stopped_early), ((7, 1), 4, 4, false));
    assert!(cox.warnings[0].contains("the held-out rows have no event that another row outlives: the last epoch is kept"));
    assert!(cox.epochs.iter().all(|epoch| epoch.validation_loss.is_none()));
    let name = "norm.weight";
    assert_ne!(values(&cox.weights[name]), values(&weights[name]));
    // One event and no other row: its loss is 0 whatever the network says.
    let one = FitOptions { validation: 0.13, ..options.clone() };
    let last = run(&[true; 8], &one);
    assert_eq!((last.rows, last.best, last.warnings.len()), ((7, 1), 4, 1));
    let binary = run(&few, &FitOptions { loss: Loss::Binary { horizon: 2.5 }, ..held });
    assert_eq!((binary.best, binary.stopped_early), (4, false));
    assert!(binary.warnings[0].contains("only one outcome"));
    assert!(run(&few, &FitOptions { validation: 0.0, ..options }).warnings.is_empty());
}

#[test]
fn stops_for_want_of_progress() {
    let lr = Adam { lr: 1e-12, ..Adam::default() };
    let trained = run(&FitOptions { epochs: 30, patience: 2, adam: lr, ..options() }, usize::MAX).unwrap();
    assert!(trained.stopped_early && trained.warnings.is_empty());
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
    let mut before = time.clone();
    before[2] = -71.9;
    assert!(run(&images, &before, &event, options()).contains("time is -71.9: follow-up times start at 0"));
    let one = images.slice(ndarray::s![..1, .., .., ..]).to_owned();
    let all = FitOptions { validation: 0.0, ..options() };
    assert!(run(&one, &[4.0], &[true], all.clone()).contains("no event that another row outlives"));
    let never = FitOptions { loss: Loss::Binary { horizon: 0.5 }, ..all };
    assert!(run(&images, &time, &event, never).contains("only one outcome at horizon 0.5"));
    let mut holes = images.clone();
    holes[[3, 0, 0, 0]] = f32::NAN;
    assert!(run(&holes, &time, &event, options()).contains("row 3"));
    assert!(run(&images, &time, &event, FitOptions { batch: 1, ..options() }).contains("batch"));
}
