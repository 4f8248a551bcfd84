//! Times the survival kernels on a folder of CSV files: `time, status, x...`, one header line.
//!
//! `survival_bench FOLDER REPEATS` prints one line `task,file,n,p,seconds` for each, the median of the repeats. Threads are
//! rayon's (`RAYON_NUM_THREADS`). `compare.py` makes the files and runs the peers on them.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use esccsql_survival::bootstrap::BootstrapOptions;
use esccsql_survival::concordance::{ConcordanceOptions, Ties, concordance};
use esccsql_survival::concordance_inference::c_index_ci;
use esccsql_survival::cox::{self, CoxData, CoxOptions};
use esccsql_survival::coxnet::{self, CoxnetData, CoxnetOptions, CvOptions, Folds};
use esccsql_survival::km::{ConfidenceType, kaplan_meier};
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

/// Seconds, the median of `repeats`, a short run in loops of 10 ms; a run of over 5 s is not repeated.
fn median<T, E>(repeats: usize, mut run: impl FnMut() -> Result<T, E>) -> Result<f64, E> {
    let mut seconds = |loops: usize| {
        let start = Instant::now();
        for _ in 0..loops {
            black_box(run()?);
        }
        Ok(start.elapsed().as_secs_f64() / loops as f64)
    };
    let first = seconds(1)?;
    if first > 5.0 {
        return Ok(first);
    }
    let loops = (0.01 / first).ceil().clamp(1.0, 1000.0) as usize;
    let mut all: Vec<f64> = (0..repeats).map(|_| seconds(loops)).collect::<Result<_, _>>()?;
    all.sort_unstable_by(f64::total_cmp);
    Ok(all[all.len() / 2])
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
            report(task, median(repeats, || concordance(time, event, &risk, None, &options))?);
        }
        if n <= 1000 {
            let resample = || c_index_ci(time, event, &risk, Ties::Half, &BootstrapOptions::default());
            report("c_index_ci_1000", median(repeats, resample)?);
        }
        report("km_fit", median(repeats, || kaplan_meier(time, event, 0.95, ConfidenceType::Log))?);
        let few = data.x.slice(s![.., ..p.min(5)]);
        report("cox_fit_5", median(repeats, || cox::fit(&CoxData::new(few, time, event), &CoxOptions::default()))?);
        if p >= 100 {
            let all = CoxData::new(data.x.view(), time, event);
            report("cox_screen", median(repeats, || cox::screen(&all, &CoxOptions::default()))?);
            let options = CoxnetOptions { lambda_min_ratio: Some(0.05), ..Default::default() };
            let coxnet = CoxnetData::new(data.x.view(), time, event);
            report("coxnet_path", median(repeats, || coxnet::fit(&coxnet, &options))?);
            let cv = CvOptions { folds: Folds::Stratified { folds: 5, seed: 1 }, ..Default::default() };
            if n > 1000 {
                continue;
            }
            report("coxnet_cv5", median(repeats, || coxnet::cross_validate(&coxnet, &options, &cv))?);
        } else if p >= 10 && n <= 100_000 {
            // As many at each size of a growth curve: the ranking of the features is shared among them.
            let trees = if n < 1000 { 400 } else { 20 };
            for (task, n_split) in [("rsf_random", 10), ("rsf_exhaustive", 0)] {
                // All the trees of a large forest with random cuts are grown once; the exhaustive search is timed up to 5000.
                if n > 5000 && n_split == 0 {
                    continue;
                }
                let trees = if n == 50_000 { 400 } else { trees };
                let options = RsfOptions { trees, mtry: Some(4), node_size: 10, n_split, ..Default::default() };
                report(&format!("{task}_{trees}"), median(repeats, || rsf::fit(time, event, data.x.view(), &options))?);
            }
        }
    }
    Ok(())
}
