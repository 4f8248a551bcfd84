//! `esccsql synth`: a synthetic two-centre cohort with a known, planted truth.
//!
//! The cohort is written to a temporary folder beside its destination and renamed when it is complete, so a folder with
//! a `cohort.json` is always whole. Every patient and purpose has its own stream of random numbers: the files are the
//! same, bit for bit, for any number of threads.

mod cohort;
mod field;
mod margins;
mod math;
mod phantom;
mod random;
mod tables;
mod tumour;

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde_json::{Value, json};

use phantom::{Grid, Timepoint};

/// Fewest patients that leave both cohorts something to fit and to test.
const FEWEST: usize = 16;
const MOST: usize = 20_000;
/// The file that says a cohort is complete.
const MANIFEST: &str = "cohort.json";
/// What a manifest says it belongs to.
const KIND: &str = "esccsql synthetic cohort";
/// Raised when the same arguments give other files.
const VERSION: u32 = 1;

/// Write a synthetic two-centre cohort: CT scans, two readers' masks, clinical records and the planted truth.
#[derive(Debug, Clone, clap::Args)]
pub struct SynthArgs {
    /// Folder to write; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Included patients, both centres together.
    #[arg(long, default_value_t = 257)]
    pub patients: usize,
    /// Seed of the cohort: the same seed gives the same files.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Strength of the planted relation to survival; 0 plants none.
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    pub effect: f64,
    /// full: tumours of real size; small: a miniature that is quick to make and to study.
    #[arg(long, value_enum, default_value_t = Size::Full)]
    pub size: Size,
    /// Replace a synthetic cohort of other arguments that is in the folder.
    #[arg(long)]
    pub force: bool,
}

impl SynthArgs {
    /// Is a cohort of these arguments in the folder, complete?
    pub fn is_there(&self) -> Result<bool> {
        check(self)?;
        Ok(matches!(find(&self.out)?, Found::Cohort(found) if found == manifest(self)))
    }
}

/// Extent of the scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Size {
    Full,
    Small,
}

impl Size {
    fn grid(self) -> Grid {
        match self {
            Size::Full => Grid { size: [112, 112, 32], spacing: [0.8, 0.8, 3.0], scale: 1.0 },
            Size::Small => Grid { size: [46, 46, 20], spacing: [1.2, 1.2, 3.0], scale: 0.6 },
        }
    }

    fn name(self) -> &'static str {
        match self {
            Size::Full => "full",
            Size::Small => "small",
        }
    }
}

/// Writes the cohort, or says that it is already there.
pub fn run(args: &SynthArgs) -> Result<()> {
    if make(args)? {
        eprintln!("wrote {} patients, {} scans to {}", args.patients, 2 * args.patients, args.out.display());
    } else {
        eprintln!("already there: {} ({} patients, seed {})", args.out.display(), args.patients, args.seed);
    }
    Ok(())
}

/// Writes the cohort unless it is there; true: it was written.
pub fn make(args: &SynthArgs) -> Result<bool> {
    check(args)?;
    if !args.force && args.is_there()? {
        return Ok(false);
    }
    let manifest = manifest(args);
    match find(&args.out)? {
        Found::Nothing => {}
        Found::Cohort(_) if args.force => {}
        Found::Cohort(found) => bail!(
            "{} holds a synthetic cohort of other arguments ({found}); name another folder, or replace it with --force",
            args.out.display()
        ),
        Found::SomethingElse => {
            bail!("{} is not empty and is not a synthetic cohort; name another folder, or empty this one", args.out.display())
        }
    }
    let partial = beside(&args.out, "partial")?;
    remove(&partial)?;
    write(args, &partial, &manifest).inspect_err(|_| {
        let _ = fs::remove_dir_all(&partial);
    })?;
    replace(&args.out, &partial)?;
    Ok(true)
}

fn check(args: &SynthArgs) -> Result<()> {
    if !(FEWEST..=MOST).contains(&args.patients) {
        bail!("--patients {}: expected {FEWEST} to {MOST}", args.patients);
    }
    if !(0.0..=5.0).contains(&args.effect) {
        bail!("--effect {}: expected 0 (no relation to survival) to 5; 1 is the paper's order of magnitude", args.effect);
    }
    Ok(())
}

/// What makes one cohort differ from another.
fn manifest(args: &SynthArgs) -> Value {
    json!({
        "kind": KIND,
        "version": VERSION,
        "patients": args.patients,
        "seed": args.seed,
        "effect": args.effect,
        "size": args.size.name(),
    })
}

/// What the destination holds.
enum Found {
    Nothing,
    Cohort(Value),
    SomethingElse,
}

fn find(out: &Path) -> Result<Found> {
    if !out.exists() {
        return Ok(Found::Nothing);
    }
    if !out.is_dir() {
        bail!("{} is a file; --out names a folder", out.display());
    }
    let mut entries = fs::read_dir(out).with_context(|| format!("cannot list {}", out.display()))?;
    if entries.next().is_none() {
        return Ok(Found::Nothing);
    }
    let found = fs::read_to_string(out.join(MANIFEST)).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    Ok(match found {
        Some(value) if value["kind"] == KIND => Found::Cohort(value),
        _ => Found::SomethingElse,
    })
}

/// A hidden sibling of `out`: renaming within one folder is atomic.
fn beside(out: &Path, suffix: &str) -> Result<PathBuf> {
    let name = out.file_name().with_context(|| format!("--out {}: name a folder to make", out.display()))?;
    Ok(out.with_file_name(format!(".{}.{suffix}", name.to_string_lossy())))
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

/// Puts the finished folder in its place.
fn replace(out: &Path, finished: &Path) -> Result<()> {
    let old = beside(out, "old")?;
    remove(&old)?;
    if out.exists() {
        fs::rename(out, &old).with_context(|| format!("cannot replace {}", out.display()))?;
    }
    fs::rename(finished, out).with_context(|| format!("cannot move the finished cohort to {}", out.display()))?;
    remove(&old)
}

/// Writes every file of the cohort into `folder`, the manifest last.
fn write(args: &SynthArgs, folder: &Path, manifest: &Value) -> Result<()> {
    for sub in ["images", "masks"] {
        let path = folder.join(sub);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    let grid = args.size.grid();
    let volume_factor = grid.scale * grid.scale * grid.scale;
    let (patients, baseline) = cohort::patients(args.patients, args.seed, args.effect, volume_factor);
    let save = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    save("clinical.csv", tables::clinical(&patients, args.seed))?;
    save("scans.csv", tables::scans(&patients))?;
    save("truth.csv", tables::truth(&patients))?;
    save("README.txt", tables::readme(&patients, baseline, args.seed, args.effect, volume_factor))?;

    let progress = progress(2 * patients.len() as u64);
    patients.par_iter().flat_map(|patient| Timepoint::ALL.into_par_iter().map(move |t| (patient, t))).try_for_each(
        |(patient, timepoint)| -> Result<()> {
            let id = tables::scan_id(patient, timepoint);
            let scan = phantom::scan(patient, timepoint, grid, args.seed);
            save_volume(&folder.join(tables::image_path(&id)), &scan.image)?;
            for (reader, mask) in scan.masks.iter().enumerate() {
                save_volume(&folder.join(tables::mask_path(&id, reader + 1)), mask)?;
            }
            progress.inc(1);
            Ok(())
        },
    )?;
    progress.finish_and_clear();
    save(MANIFEST, format!("{manifest:#}\n"))
}

fn save_volume(path: &Path, volume: &esccsql_imaging::Volume) -> Result<()> {
    esccsql_imaging::write_volume(path, volume).with_context(|| format!("cannot write {}", path.display()))
}

/// Scans done, on a terminal only.
fn progress(scans: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} scans, {eta} left").expect("a fixed, valid template");
    let bar = ProgressBar::new(scans).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests;
