//! Files of weights: every container gives the same numbers, and files that are not as they should be are refused.

use std::fs;
use std::path::PathBuf;

use esccsql_crossformer::Config;
use esccsql_crossformer::weights::{Adapt, Weights, WeightsError, initial};

/// A reference file; `None`, told once, where the reference is not at hand.
fn reference(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from("../../../shared/reference/crossformer");
    if !folder.exists() {
        eprintln!("skipped: ../shared is not here");
        return None;
    }
    Some(fs::read(folder.join(name)).expect(name))
}

const MICRO: [&str; 4] = ["micro_seed0.pth", "micro_seed0_full.pth", "micro_seed0_legacy.pth", "micro_seed0.safetensors"];

fn micro() -> Config {
    Config::micro().channels(7).classes(2)
}

#[test]
fn every_container_gives_the_same_tensors() {
    let Some(bytes) = reference(MICRO[3]) else { return };
    let expected = Weights::read(&bytes).unwrap();
    expected.check(&micro()).unwrap();
    assert_eq!(expected.config().unwrap(), micro());
    for name in MICRO {
        let weights = Weights::read(&reference(name).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(weights == expected, "{name} gives other weights");
    }
}

/// The reference's formula for weights: the numbers in the files are the numbers that were meant.
#[test]
fn the_numbers_are_the_formulas() {
    let Some(bytes) = reference(MICRO[0]) else { return };
    let weights = Weights::read(&bytes).unwrap();
    for (name, parameter) in &weights.0 {
        let base = u64::from(crc32(name.as_bytes())) << 32;
        let scale = match (name.ends_with(".weight"), &parameter.shape[1..]) {
            (true, []) => (1.0, 0.1),
            (true, rest) => (0.0, (3.0 / rest.iter().product::<usize>() as f64).sqrt()),
            (false, _) => (0.0, 0.05),
        };
        for (index, &value) in parameter.values.iter().enumerate() {
            let v = 2.0 * ((splitmix(base + index as u64) >> 11) as f64 * 2f64.powi(-53)) - 1.0;
            assert_eq!(value, (scale.0 + scale.1 * v) as f32, "{name}[{index}]");
        }
    }
}

fn splitmix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }))
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for name in MICRO {
        let Some(bytes) = reference(name) else { return };
        for part in 0..16 {
            let cut = bytes.len() * part / 16;
            assert!(Weights::read(&bytes[..cut]).is_err(), "{name} cut at {part}/16");
        }
        assert!(Weights::read(&bytes[..bytes.len() - 1]).is_err(), "{name} without its last byte");
    }
}

/// A byte changed anywhere is no panic, and in a zip archive, which has checksums, never gives other weights.
#[test]
fn a_changed_byte_is_no_panic() {
    for name in MICRO {
        let Some(bytes) = reference(name) else { return };
        let original = Weights::read(&bytes);
        for index in (0..160).map(|place| 3 * place).chain((0..160).map(|place| place * bytes.len() / 160)) {
            let mut changed = bytes.clone();
            changed[index] ^= 0x11;
            let read = Weights::read(&changed);
            let is_zip = bytes.starts_with(b"PK");
            assert!(!is_zip || read.is_err() || read == original, "{name}: byte {index} changes the weights unseen");
        }
    }
}

/// A pickle in torch's old container, after its magic number, protocol and system.
fn legacy(objects: &[u8]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    file.extend(objects);
    file.extend(b"\x80\x02].");
    file
}

#[test]
fn a_pickle_that_calls_something_is_refused_by_its_name() {
    for (pickle, called) in [
        (&b"\x80\x02cos\nsystem\nX\x08\x00\x00\x00touch me\x85R."[..], "os.system"),
        (b"\x80\x02}X\x05\x00\x00\x00modelc__builtin__\neval\nX\x01\x00\x00\x001\x85Rs.", "__builtin__.eval"),
        (b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R.", "posix.system"),
        (b"(X\x02\x00\x00\x00lsios\nsystem\n.", "os.system"),
        (b"\x80\x02(csubprocess\nPopen\nX\x02\x00\x00\x00lso.", "subprocess.Popen"),
        (b"\x80\x02ctorch.hub\nload\n)R.", "torch.hub.load"),
        // The result of a call that is allowed is not itself callable.
        (b"\x80\x02ccollections\nOrderedDict\n)R)R.", "an object that the pickle made"),
    ] {
        let error = Weights::read(&legacy(pickle)).unwrap_err();
        assert_eq!(error, WeightsError::Calls(called.into()));
        assert!(error.to_string().contains("nothing was executed"), "{error}");
    }
}

/// A tensor `w` of this shape and stride over a storage of `length` float32, of which the file holds two.
fn tensor(length: u8, shape: [u8; 2], stride: [u8; 2]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(".to_vec();
    pickle.extend(b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK");
    pickle.extend([length]);
    pickle.extend(b"NtQK\x00");
    for pair in [shape, stride] {
        pickle.extend([b'K', pair[0], b'K', pair[1], 0x86]);
    }
    pickle.extend(b"\x89NtRs.");
    let mut file = legacy(&pickle);
    file.truncate(file.len() - 4);
    file.extend(b"\x80\x02]X\x01\x00\x00\x000a.");
    file.extend(u64::from(length).to_le_bytes());
    file.extend(1.5f32.to_le_bytes());
    file.extend((-2.0f32).to_le_bytes());
    file
}

#[test]
fn sizes_are_held_against_the_file() {
    let weights = Weights::read(&tensor(2, [1, 2], [2, 1])).unwrap();
    assert_eq!((&weights.0["w"].shape[..], &weights.0["w"].values[..]), (&[1, 2][..], &[1.5, -2.0][..]));
    assert_eq!(Weights::read(&tensor(2, [2, 1], [1, 2])).unwrap().0["w"].shape, [2, 1]);
    assert_eq!(Weights::read(&tensor(2, [2, 2], [0, 1])).unwrap().0["w"].values, [1.5, -2.0, 1.5, -2.0]);
    let said = |file: Vec<u8>| Weights::read(&file).unwrap_err().to_string();
    assert!(said(tensor(9, [3, 3], [3, 1])).contains("cut off"));
    assert!(said(tensor(2, [3, 3], [3, 1])).contains("does not fit its storage"));
    assert!(said(tensor(2, [255, 255], [0, 0])).contains("larger than the file"));
    assert!(said(tensor(2, [255, 255], [255, 255])).contains("does not fit its storage"));
}

#[test]
fn names_and_shapes_that_differ_are_listed() {
    let weights = initial(&micro(), 1);
    let mut renamed = weights.clone();
    let parameter = renamed.0.remove("norm.bias").unwrap();
    renamed.0.insert("last_norm.bias".into(), parameter);
    renamed.0.remove("head.bias");
    let said = renamed.check(&micro()).unwrap_err().to_string();
    assert!(said.contains("missing (2): head.bias, norm.bias") && said.contains("unexpected (1): last_norm.bias"), "{said}");

    let mut turned = weights.clone();
    turned.0.get_mut("layers.0.blocks.0.mlp.fc1.weight").unwrap().shape = vec![16, 64];
    let said = turned.check(&micro()).unwrap_err().to_string();
    assert!(said.contains("layers.0.blocks.0.mlp.fc1.weight has shape [16, 64] in the file, the model needs [64, 16]"), "{said}");

    let mut holes = weights;
    holes.0.get_mut("head.weight").unwrap().values[3] = f32::NAN;
    let said = Weights::read(&holes.to_safetensors().unwrap()).unwrap_err().to_string();
    assert!(said.contains("head.weight holds a value that is not finite"), "{said}");
    let said = Weights::default().config().unwrap_err().to_string();
    assert!(said.contains("not the weights of a CrossFormer"), "{said}");
}

#[test]
fn channels_are_adapted_by_the_rule_and_the_head_is_made_anew() {
    let three = initial(&Config::micro(), 4);
    let kernel = |weights: &Weights| weights.0["patch_embed.projs.1.weight"].clone();
    let old = kernel(&three);
    for adapt in [Adapt::Mean, Adapt::Repeat] {
        let (fitted, config, changes) = three.clone().fit(7, 1, adapt, 4).unwrap();
        assert_eq!((config.in_channels, config.classes, changes.channels, changes.classes), (7, 1, Some(3), Some(1000)));
        assert_eq!((&fitted.0["head.weight"].shape[..], &fitted.0["head.bias"].values[..]), (&[1, 128][..], &[0.0][..]));
        let new = kernel(&fitted);
        for filter in 0..old.shape[0] {
            for place in 0..64 {
                let at = |channel: usize| f64::from(old.values[(filter * 3 + channel) * 64 + place]);
                for channel in 0..7 {
                    let expected = if adapt == Adapt::Mean { (at(0) + at(1) + at(2)) / 7.0 } else { at(channel % 3) * 3.0 / 7.0 };
                    let found = f64::from(new.values[(filter * 7 + channel) * 64 + place]);
                    assert!((found - expected).abs() < 1e-7 * (1.0 + expected.abs()), "{adapt:?}: {found} for {expected}");
                }
            }
        }
        for untouched in ["patch_embed.projs.1.bias", "layers.2.blocks.1.attn.qkv.weight"] {
            assert_eq!(fitted.0[untouched], three.0[untouched]);
        }
    }
    let said = three.clone().fit(7, 1000, Adapt::None, 4).unwrap_err().to_string();
    assert!(said.contains("for 3 input channels, the model takes 7"), "{said}");
    assert_eq!(three.clone().fit(3, 1000, Adapt::None, 9).unwrap().0, three);
}

#[test]
fn initial_weights_are_upstreams_distributions() {
    let config = Config::tiny().channels(7).classes(1);
    let weights = initial(&config, 1);
    assert_eq!(weights.0.len(), 448);
    assert_eq!(weights.0.values().map(|parameter| parameter.values.len()).sum::<usize>(), 27_311_411);
    let spread = |name: &str| {
        let values = &weights.0[name].values;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        (mean, (values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
    };
    // 2,097,152 draws: four standard errors of mean and standard deviation.
    let (mean, sd) = spread("layers.3.blocks.5.mlp.fc1.weight");
    assert!(mean.abs() < 4.0 * 0.02 / 1024.0 && (sd - 0.02).abs() < 4.0 * 0.02 / 1448.0, "{mean} {sd}");
    let bound = 1.0 / (7.0f32 * 32.0 * 32.0).sqrt();
    let kernel = &weights.0["patch_embed.projs.3.weight"].values;
    assert!(kernel.iter().all(|value| value.abs() <= bound) && kernel.iter().any(|value| value.abs() > 0.99 * bound));
    assert!(weights.0["norm.weight"].values.iter().all(|&value| value == 1.0));
    assert!(weights.0["layers.0.blocks.0.attn.qkv.bias"].values.iter().all(|&value| value == 0.0));
    assert_eq!(initial(&config, 1), weights);
    assert_ne!(initial(&config, 2), weights);
}
