//! Seconds for exact SurvSHAP(t) on one thread: `cargo bench -p esccsql-survival --bench shap -- data.csv`.
//!
//! The CSV has the columns time, event and the features; its first 153 rows fit the forest (400 trees, node size 10) and are the
//! background, the other rows are explained at all event times. Prints one line of JSON.

use std::time::Instant;

use esccsql_survival::rsf::{RsfOptions, fit};
use esccsql_survival::shap::{Explained, Explainer, Method, Output};
use ndarray::{Array2, s};

const BACKGROUND: usize = 153;

fn main() {
    let path = std::env::args().find(|a| a.ends_with(".csv")).expect("the path of a .csv file as argument");
    let text = std::fs::read_to_string(&path).expect("a readable file");
    let rows: Vec<Vec<f64>> =
        text.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().expect("a number")).collect()).collect();
    let x = Array2::from_shape_fn((rows.len(), rows[0].len() - 2), |(i, j)| rows[i][j + 2]);
    let time: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let event: Vec<bool> = rows.iter().map(|row| row[1] == 1.0).collect();
    let background = x.slice(s![..BACKGROUND, ..]);
    let explained = x.slice(s![BACKGROUND.., ..]);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread pool");
    pool.install(|| {
        let options = RsfOptions { trees: 400, node_size: 10, ..Default::default() };
        let forest = fit(&time[..BACKGROUND], &event[..BACKGROUND], background, &options).expect("a forest");
        let (times, leaves) = (forest.event_times.clone(), forest.mean_leaves());
        let explainer = Explainer::new(Explained::Forest(forest), background, Method::Interventional).expect("an explainer");
        let mut seconds = Vec::new();
        let mut gap = 0.0_f64;
        for _ in 0..5 {
            let start = Instant::now();
            let all = explainer.explain_all(explained, &times, Output::Survival).expect("explanations");
            seconds.push(start.elapsed().as_secs_f64());
            for one in &all {
                for (k, column) in one.values.columns().into_iter().enumerate() {
                    gap = gap.max((column.sum() - (one.prediction[k] - one.base[k])).abs());
                }
            }
        }
        seconds.sort_by(f64::total_cmp);
        println!(
            "{{\"rows\": {}, \"features\": {}, \"background\": {BACKGROUND}, \"times\": {}, \"mean_leaves\": {leaves}, \"median_seconds\": {}, \"efficiency_gap\": {gap:e}}}",
            explained.nrows(),
            x.ncols(),
            times.len(),
            seconds[2]
        );
    });
}
