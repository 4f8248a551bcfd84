//! Forward passes against float64 evaluations of the same float32 weights.

mod common;

use common::{close, config, golden, image, numbers, values, weights};
use esccsql_crossformer::{Config, CrossFormer, Error, Kernels};

fn check(name: &str, kernels: Kernels) {
    let Some(golden) = golden(name) else { return };
    let config = config(&golden);
    let size = numbers(&golden["size"]);
    let (h, w) = (size[0] as usize, *size.last().unwrap() as usize);
    let batch = golden["batch"].as_u64().unwrap() as usize;
    let seed = golden["seed"].as_u64().unwrap() as u32;
    let x = image(batch, config.in_channels, h, w, seed);
    close("input", &values(&x)[..64], &numbers(&golden["input"]["first64"]), 0.0);
    let network = CrossFormer::new(&config, &weights(&config, seed)).unwrap().with_kernels(kernels);
    let mut seen = 0;
    let output = network
        .trace(&x, &mut |layer, t| {
            let want = &golden["layers"][layer];
            let got = values(t);
            let stride = want["stride"].as_u64().unwrap() as usize;
            let strided: Vec<f64> = got.iter().step_by(stride).take(64).copied().collect();
            assert_eq!(t.dims().iter().map(|&d| d as f64).collect::<Vec<_>>(), numbers(&want["shape"]), "{layer}");
            close(&format!("{name} {layer}"), &got[..got.len().min(64)], &numbers(&want["first64"]), 5e-5);
            close(&format!("{name} {layer}"), &strided, &numbers(&want["strided64"]), 5e-5);
            seen += 1;
        })
        .unwrap();
    assert_eq!(seen, golden["layers"].as_object().unwrap().len());
    close(&format!("{name} pooled"), &values(&output.pooled), &numbers(&golden["pooled"]), 5e-6);
    close(&format!("{name} logits"), &values(&output.logits), &numbers(&golden["logits"]), 5e-6);
}

const GOLDENS: [&str; 6] = [
    "forward_micro_7ch_224.json",
    "forward_tiny_3ch_224.json",
    "forward_tiny_7ch_192.json",
    "forward_tiny_7ch_192x256.json",
    "forward_tiny_7ch_224.json",
    "forward_tiny_7ch_256.json",
];

#[test]
fn plain_matches_the_reference() {
    GOLDENS.iter().for_each(|name| check(name, Kernels::Plain));
}

#[test]
fn fast_matches_the_reference() {
    GOLDENS.iter().for_each(|name| check(name, Kernels::Fast));
}

#[test]
fn weights_by_formula() {
    let Some(golden) = golden("weights_tiny7.json") else { return };
    let config = Config::tiny().channels(7).classes(2);
    let listed = golden.as_object().unwrap();
    assert_eq!(listed.len(), config.parameters().len());
    for (name, shape) in config.parameters() {
        let want = &listed[&name];
        assert_eq!(shape.iter().map(|&d| d as f64).collect::<Vec<_>>(), numbers(&want["shape"]), "{name}");
        let got: Vec<f64> = common::weight(&name, &shape, 0).into_iter().map(f64::from).collect();
        close(&name, &got[..got.len().min(4)], &numbers(&want["first4"]), 0.0);
        close(&name, &got[got.len() - 1..], &numbers(&want["last"]), 0.0);
    }
}

/// Sizes that pad in every stage, rectangular and small: both kernels, and each image alone, agree.
#[test]
fn sizes_and_batches() {
    let config = Config::micro().channels(2).classes(3);
    let weights = weights(&config, 5);
    for (h, w) in [(32, 32), (64, 96), (160, 32), (320, 96), (96, 416)] {
        let x = image(2, 2, h, w, 1);
        let fast = CrossFormer::new(&config, &weights).unwrap();
        let plain = CrossFormer::new(&config, &weights).unwrap().with_kernels(Kernels::Plain);
        let (a, b) = (fast.forward(&x).unwrap(), plain.forward(&x).unwrap());
        close("pooled", &values(&a.pooled), &values(&b.pooled), 5e-6);
        close("logits", &values(&a.logits), &values(&b.logits), 5e-6);
    }
}

/// An image's result has the same bits alone, in any batch and on any number of threads.
#[test]
fn an_image_does_not_feel_its_batch() {
    let config = Config::micro().channels(7).classes(2);
    let network = CrossFormer::new(&config, &weights(&config, 5)).unwrap();
    for (h, w) in [(32, 32), (64, 96), (224, 224)] {
        let x = image(9, 7, h, w, 1);
        let bits = |from: usize, n: usize, threads: usize| -> Vec<Vec<f64>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let output = pool.install(|| network.forward(&x.narrow(0, from, n).unwrap()).unwrap());
            (0..n).map(|i| [&output.pooled, &output.logits].map(|t| values(&t.get(i).unwrap())).concat()).collect()
        };
        let whole = bits(0, 9, 1);
        for (from, n, threads) in [(0, 1, 1), (8, 1, 2), (3, 2, 1), (1, 8, 2), (4, 5, 3), (0, 9, 2)] {
            assert_eq!(bits(from, n, threads), whole[from..from + n], "{h} x {w}: {n} from {from} on {threads} threads");
        }
    }
}

#[test]
fn wrong_input_is_told() {
    let config = Config::micro().channels(7).classes(2);
    let mut weights = weights(&config, 0);
    let network = CrossFormer::new(&config, &weights).unwrap();
    for shape in [(1, 7, 200, 184), (1, 3, 224, 224), (1, 7, 224, 0)] {
        let (b, c, h, w) = shape;
        let error = network.forward(&image(b, c, h, w, 0)).unwrap_err();
        assert!(error.to_string().contains("multiples of 32"), "{error}");
    }
    let head = weights.remove("head.weight").unwrap();
    weights.insert("head.wait".into(), head);
    let Err(Error::Weights { missing, unexpected, shapes, .. }) = CrossFormer::new(&config, &weights) else { panic!() };
    assert_eq!((missing, unexpected, shapes.len()), (vec!["head.weight".into()], vec!["head.wait".into()], 0));
}
