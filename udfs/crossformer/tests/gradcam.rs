//! Grad-CAM against float64 evaluations.

mod common;

use common::{close, config, golden, image, numbers, weights};
use esccsql_crossformer::CrossFormer;
use esccsql_crossformer::gradcam::{Target, gradcam};

fn check(name: &str) {
    let Some(golden) = golden(name) else { return };
    let config = config(&golden);
    let batch = golden["batch"].as_u64().unwrap() as usize;
    let network = CrossFormer::new(&config, &weights(&config, 0)).unwrap();
    let x = image(batch, config.in_channels, 224, 224, 0);
    for (target, key) in [(Target::LastBlock, "last_block"), (Target::FinalNorm, "final_norm")] {
        let want = &golden["targets"][key];
        let got = gradcam(&network, &x, 0, target).unwrap();
        let raw = numbers(&want["raw"]);
        let scale = raw.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        close("eta", &got.eta, &numbers(&want["eta"]), 5e-6);
        close("raw", &got.raw.iter().copied().collect::<Vec<_>>(), &raw, 1e-4 * scale);
        close("map", &got.map.iter().copied().collect::<Vec<_>>(), &numbers(&want["relu_over_max"]), 2e-4);
        let at: Vec<usize> = numbers(&want["upsampled_sample_index"]).into_iter().map(|i| i as usize).collect();
        let mut sample = Vec::new();
        for b in 0..batch {
            for &y in &at {
                sample.extend(at.iter().map(|&x| got.image[[b, y, x]]));
            }
        }
        close("image", &sample, &numbers(&want["upsampled_sample"]), 2e-4);
        let means: Vec<f64> = got.image.outer_iter().map(|m| m.mean().unwrap()).collect();
        close("means", &means, &numbers(&want["upsampled_mean"]), 2e-5);
    }
}

#[test]
fn micro() {
    check("gradcam_micro_7ch_224.json");
}

#[test]
fn tiny() {
    check("gradcam_tiny_7ch_224.json");
}
