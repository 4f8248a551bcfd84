//! Times the survival kernels on a folder of CSV files: `time, status, x...`, one header line.
//!
//! `survival_bench FOLDER REPEATS` prints one line `task,file,n,p,seconds` for each, the best of the repeats. Threads are
//! rayon's (`RAYON_NUM_THREADS`). `compare.py` makes the files and runs the peers on them.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use esccsql_survival::concordance::{ConcordanceOptions, concordance};
use esccsql_survival::cox::{self, CoxData, CoxOptions};
use esccsql_survival::coxnet::{self, CoxnetData, CoxnetOptions, CvOptions, Folds};
use esccsql_survival::rsf::{self, RsfOptions};
use ndarray::{Array2, s};

struct Data {
    time: Vec<f64>,
    event: Vec<bool>,
    x: Array2<f64>,
}

fn read(path: &Path) -> Result<Data, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for line in text.lines().skip(1) {
        rows.push(line.split(',').map(str::parse).collect::<Result<_, _>>()?);
    }
    let p = rows.first().ok_or("an empty file")?.len() - 2;
    Ok(Data {
        time: rows.iter().map(|r| r[0]).collect(),
        event: rows.iter().map(|r| r[1] == 1.0).collect(),
        x: Array2::from_shape_fn((rows.len(), p), |(i, j)| rows[i][j + 2]),
    })
}

/// Seconds, the best of `repeats`; a run of over 20 s is not repeated.
fn best<T, E>(repeats: usize, mut run: impl FnMut() -> Result<T, E>) -> Result<f64, E> {
    let mut least = f64::INFINITY;
    for _ in 0..repeats {
        let start = Instant::now();
        black_box(run()?);
        least = least.min(start.elapsed().as_secs_f64());
        if least > 20.0 {
            break;
        }
    }
    Ok(least)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("give the folder of the CSV files")?;
    let repeats = arguments.next().map_or(Ok(5), |r| r.parse())?;
    let mut files: Vec<_> = fs::read_dir(folder)?.filter_map(|f| f.ok().map(|f| f.path())).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "csv"));
    files.sort();
    for file in files {
        let data = read(&file)?;
        let (n, p) = data.x.dim();
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let report = |task: &str, seconds: f64| println!("{task},{name},{n},{p},{seconds:.6}");
        let (time, event) = (&data.time[..], &data.event[..]);
        let risk: Vec<f64> = data.x.column(0).to_vec();
        for (task, std_err) in [("c_index", false), ("c_index_se", true)] {
            let options = ConcordanceOptions { std_err, ..Default::default() };
            report(task, best(repeats, || concordance(time, event, &risk, None, &options))?);
        }
        let few = data.x.slice(s![.., ..p.min(5)]);
        report("cox_fit_5", best(repeats, || cox::fit(&CoxData::new(few, time, event), &CoxOptions::default()))?);
        if p >= 100 {
            let options = CoxnetOptions { lambda_min_ratio: Some(0.05), ..Default::default() };
            let coxnet = CoxnetData::new(data.x.view(), time, event);
            report("coxnet_path", best(repeats, || coxnet::fit(&coxnet, &options))?);
            let cv = CvOptions { folds: Folds::Stratified { folds: 5, seed: 1 }, ..Default::default() };
            report("coxnet_cv5", best(repeats, || coxnet::cross_validate(&coxnet, &options, &cv))?);
        } else if p >= 10 && n <= 100_000 {
            let trees = if n <= 1000 { 400 } else { 20 };
            for (task, n_split) in [("rsf_random", 10), ("rsf_exhaustive", 0)] {
                let options = RsfOptions { trees, mtry: Some(4), node_size: 10, n_split, ..Default::default() };
                report(&format!("{task}_{trees}"), best(repeats, || rsf::fit(time, event, data.x.view(), &options))?);
            }
        }
    }
    Ok(())
}
