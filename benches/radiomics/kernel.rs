//! Runs the radiomics kernel for `compare.py`: 851 features (original and wavelet) under the settings of `compare.py`.
//!
//! `radiomics_bench serve` answers each line `IMAGE<tab>MASK` with `features cpu_s wall_s peak_mb`, reading the files
//! included.
//! `radiomics_bench batch THREADS REPEATS` reads such lines to their end, runs the whole list on a pool of threads and
//! prints `cpu_s wall_s digest`, the wall time the best of the repeats; the digest is of the bits of all values.
//! `radiomics_bench names` prints the features' names.
//! `radiomics_bench peak` makes a CT of 512 x 512 x 300 voxels with a region of 30 cm3 in memory and prints
//! `features wall_s peak_mb`.

use std::collections::hash_map::DefaultHasher;
use std::error::Error;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, Write};
use std::time::Instant;

use esccsql_imaging::{Geometry, Interpolator, Volume, Voxels, read_volume};
use esccsql_radiomics::{Features, ImageType, Settings, extract_windowed, features};
use ndarray::Array3;
use rayon::prelude::*;

type Failure = Box<dyn Error + Send + Sync>;

const WINDOW: Option<[f64; 2]> = Some([-125.0, 225.0]);

fn settings() -> Settings {
    Settings {
        normalize: true,
        normalize_scale: 100.0,
        bin_width: 25.0,
        resampled_pixel_spacing: Some([1.0; 3]),
        interpolator: Some(Interpolator::BSpline),
        image_types: vec![ImageType::Original, ImageType::Wavelet],
        ..Settings::default()
    }
}

fn run(line: &str) -> Result<Features, Failure> {
    let (image, mask) = line.split_once('\t').ok_or("expected IMAGE<tab>MASK")?;
    Ok(extract_windowed(&read_volume(image)?, WINDOW, &read_volume(mask)?, &settings())?)
}

/// CPU seconds of all threads so far, as the kernel's scheduler counts them.
fn cpu() -> Result<f64, Failure> {
    let mut total = 0.0;
    for thread in fs::read_dir("/proc/self/task")? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        total += text.split_whitespace().next().ok_or("an empty schedstat")?.parse::<f64>()? * 1e-9;
    }
    Ok(total)
}

/// The most memory that the process has held so far, in MB.
fn peak_mb() -> Result<f64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim_end_matches("kB").trim().parse::<f64>()? * 1024.0 / 1e6)
}

fn serve() -> Result<(), Failure> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (before, start) = (cpu()?, Instant::now());
        let found = run(&line)?;
        let wall = start.elapsed().as_secs_f64();
        println!("{} {:.6} {wall:.6} {:.1}", found.0.len(), cpu()? - before, peak_mb()?);
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn batch(threads: usize, repeats: usize) -> Result<(), Failure> {
    let lines: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let (mut least, mut total, mut digest) = (f64::INFINITY, f64::INFINITY, 0);
    for _ in 0..repeats {
        let (before, start) = (cpu()?, Instant::now());
        let found: Vec<Features> = pool.install(|| lines.par_iter().with_max_len(1).map(|l| run(l)).collect::<Result<_, _>>())?;
        least = least.min(start.elapsed().as_secs_f64());
        total = total.min(cpu()? - before);
        let mut hasher = DefaultHasher::new();
        found.iter().flat_map(|f| &f.0).for_each(|(name, value)| (name, value.to_bits()).hash(&mut hasher));
        digest = hasher.finish();
    }
    println!("{total:.6} {least:.6} {digest:016x}");
    Ok(())
}

/// A CT like a trunk of soft tissue in air with texture, and a ball of 30 cm3 in it.
fn phantom() -> (Volume, Volume) {
    let mut geometry = Geometry::identity([512, 512, 300]);
    geometry.spacing = [0.8, 0.8, 1.5];
    let place = |z: usize, y: usize, x: usize| [(z as f64 - 150.0) * 1.5, (y as f64 - 256.0) * 0.8, (x as f64 - 256.0) * 0.8];
    let image = Array3::from_shape_fn(geometry.shape(), |(z, y, x)| {
        let [_, b, c] = place(z, y, x);
        let noise = ((x * 73_856_093) ^ (y * 19_349_663) ^ (z * 83_492_791)) % 101;
        let inside = (b / 110.0).powi(2) + (c / 170.0).powi(2) < 1.0;
        (if inside { 40.0 + 40.0 * (0.2 * c).sin() * (0.15 * b).cos() } else { -1000.0 }) as i16 + noise as i16 - 50
    });
    let radius = (30_000.0 * 3.0 / (4.0 * std::f64::consts::PI)).cbrt();
    let mask = Array3::from_shape_fn(geometry.shape(), |(z, y, x)| {
        let [a, b, c] = place(z, y, x);
        u8::from(a * a + b * b + c * c < radius * radius)
    });
    (Volume { geometry: geometry.clone(), voxels: Voxels::I16(image) }, Volume { geometry, voxels: Voxels::U8(mask) })
}

fn names() -> Result<(), Failure> {
    for feature in features(&settings())? {
        println!("{}", feature.name);
    }
    Ok(())
}

fn peak() -> Result<(), Failure> {
    let (image, mask) = phantom();
    let start = Instant::now();
    let found = extract_windowed(&image, WINDOW, &mask, &settings())?;
    let wall = start.elapsed().as_secs_f64();
    println!("{} {wall:.6} {:.1}", found.0.len(), peak_mb()?);
    Ok(())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => serve(),
        ["batch", threads, repeats] => batch(threads.parse()?, repeats.parse()?),
        ["names"] => names(),
        ["peak"] => peak(),
        _ => Err("usage: radiomics_bench serve | batch THREADS REPEATS | names | peak".into()),
    }
}
