//! SurvSHAP(t) against the reference values and a sum over all subsets.

mod reference;

use esccsql_survival::cox::{CoxData, CoxOptions};
use esccsql_survival::error::SurvivalError;
use esccsql_survival::rsf::{Forest, Node, RsfOptions, fit};
use esccsql_survival::shap::interventional::Walk;
use esccsql_survival::shap::path_dependent::{CoverWalk, cover};
use esccsql_survival::shap::{Aggregation, CoxCurves, Explained, Explainer, Explanation, Method, Output};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use proptest::prelude::*;
use reference::{Data, Tolerance, indices, load, numbers};
use serde_json::Value;

/// Shapley values of a game with `p` players and one value per column, over all subsets. `v(S)` for S as bits.
fn all_subsets(p: usize, v: impl Fn(usize) -> Vec<f64>) -> Array2<f64> {
    let games: Vec<Vec<f64>> = (0..1usize << p).map(v).collect();
    let mut factorial = vec![1.0; p + 1];
    (1..=p).for_each(|k| factorial[k] = factorial[k - 1] * k as f64);
    let mut values = Array2::zeros((p, games[0].len()));
    for set in 0..1usize << p {
        let size = set.count_ones() as usize;
        for j in (0..p).filter(|j| set & (1 << j) == 0) {
            let weight = factorial[size] * factorial[p - size - 1] / factorial[p];
            for k in 0..games[0].len() {
                values[(j, k)] += weight * (games[set | 1 << j][k] - games[set][k]);
            }
        }
    }
    values
}

/// The interventional game of any model: the mean over the background of `f(x in S, b elsewhere)`.
fn interventional(x: ArrayView1<f64>, background: ArrayView2<f64>, f: impl Fn(ArrayView2<f64>) -> Array2<f64>) -> Array2<f64> {
    all_subsets(x.len(), |set| {
        let mut mixed = background.to_owned();
        for j in (0..x.len()).filter(|j| set & (1 << j) != 0) {
            mixed.column_mut(j).fill(x[j]);
        }
        f(mixed.view()).mean_axis(Axis(0)).unwrap().to_vec()
    })
}

#[track_caller]
fn close(what: &str, found: &Array2<f64>, expected: &Array2<f64>, tolerance: f64) {
    assert_eq!(found.dim(), expected.dim(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "{what} [{at}]: found {found:e}, expected {expected:e}");
    }
}

#[track_caller]
fn efficient(what: &str, explanation: &Explanation) {
    for (k, column) in explanation.values.columns().into_iter().enumerate() {
        let change = explanation.prediction[k] - explanation.base[k];
        assert!((column.sum() - change).abs() < 1e-10, "{what} [{k}]: {} and {change}", column.sum());
    }
}

/// A tree of the reference file: nodes in preorder, leaf curves by leaf number.
struct ReferenceTree {
    nodes: Vec<Node>,
    curves: [Vec<Vec<f64>>; 2],
}

impl ReferenceTree {
    fn read(tree: &Value) -> Self {
        let (mut nodes, mut curves) = (Vec::new(), [Vec::new(), Vec::new()]);
        for (at, threshold) in numbers(&tree["threshold_go_left_if_le"]).into_iter().enumerate() {
            let entry = |name: &str| tree[name][at].as_u64().map(|value| value as usize);
            nodes.push(match (entry("left"), entry("right"), entry("feature0")) {
                (Some(left), Some(right), Some(feature)) => Node::Split { feature, threshold, left, right },
                _ => {
                    curves[0].push(numbers(&tree["leaf_survival_at_times"][at.to_string()]));
                    curves[1].push(numbers(&tree["leaf_chf_at_times"][at.to_string()]));
                    Node::Leaf { leaf: curves[0].len() - 1 }
                }
            });
        }
        Self { nodes, curves }
    }
}

#[test]
fn trees_forests_and_cox_models_equal_the_reference() {
    let Some(file) = load("survshap.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let data = Data::read(case["data"].as_str().unwrap());
        let names = case["params"]["columns"].as_array().unwrap();
        let cox = case["model"]["coef"].is_array();
        // scikit-survival's trees see the features in single precision.
        let x = Array2::from_shape_fn((data.time.len(), names.len()), |(i, j)| {
            let value = data.column(names[j].as_str().unwrap())[i];
            if cox { value } else { f64::from(value as f32) }
        });
        let background = x.select(Axis(0), &indices(&case["params"]["background_rows0"]));
        let times = numbers(&case["params"]["times"]);
        let tolerance = Tolerance::of(case);
        for row in case["values"]["rows"].as_array().unwrap() {
            let x = x.row(row["row0"].as_u64().unwrap() as usize);
            for (curve, (name, output)) in [("survival", Output::Survival), ("chf", Output::CumulativeHazard)].into_iter().enumerate() {
                let what = format!("{id} row {} {name}", row["row0"]);
                let expected = &row[name]["phi_feature_by_time"];
                let explanation = if cox {
                    let model = CoxCurves {
                        coef: numbers(&case["model"]["coef"]),
                        means: vec![0.0; names.len()],
                        times: times.clone(),
                        cumulative_hazard: numbers(&case["model"]["cumulative_baseline_hazard_at_times"]),
                    };
                    let explainer = Explainer::new(Explained::Cox(model), background.view(), Method::Interventional).unwrap();
                    let explanation = explainer.explain(x, &times, output).unwrap();
                    tolerance.check_all(&what, &explanation.base, &row[name]["base"]);
                    tolerance.check_all(&what, &explanation.prediction, &row[name]["fx"]);
                    explanation
                } else {
                    let trees = case["model"]["trees"].as_array().cloned().unwrap_or_else(|| vec![case["model"].clone()]);
                    let mut values = Array2::<f64>::zeros((names.len(), times.len()));
                    for tree in trees.iter().map(ReferenceTree::read) {
                        let add = |leaf: usize, feature: usize, coefficient: f64| {
                            values.row_mut(feature).iter_mut().zip(&tree.curves[curve][leaf]).for_each(|(v, c)| *v += coefficient * c);
                        };
                        Walk::default().run(tree.nodes.as_slice(), x, background.view(), add).unwrap();
                    }
                    values /= trees.len() as f64;
                    Explanation { times: times.clone(), base: numbers(&row[name]["base"]), prediction: numbers(&row[name]["fx"]), values }
                };
                efficient(&what, &explanation);
                for (j, values) in explanation.values.rows().into_iter().enumerate() {
                    tolerance.check_all(&format!("{what} {}", names[j]), &values.to_vec(), &expected[j]);
                }
                if output == Output::Survival {
                    let mean = explanation.aggregate(Aggregation::MeanAbsolute).unwrap();
                    tolerance.check_all(&what, &mean, &row["aggregate_mean_abs"]);
                    let integral = explanation.aggregate(Aggregation::IntegralAbsolute).unwrap();
                    tolerance.check_all(&what, &integral, &row["aggregate_integral_abs_over_tmax"]);
                }
            }
        }
    }
}

/// Follow-up driven by a few of the features; some features are coarse, so that ties and repeated splits occur.
fn cohort(rows: usize, features: usize, seed: u64) -> (Vec<f64>, Vec<bool>, Array2<f64>) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let x = Array2::from_shape_fn((rows, features), |(_, j)| {
        let u = uniform();
        if j % 3 == 2 { (4.0 * u).floor() } else { 2.0 * u - 1.0 }
    });
    let time: Vec<f64> =
        x.rows().into_iter().map(|r| (1.0 + 40.0 * -uniform().ln() * (-(r[0] + r[r.len() - 1].powi(2))).exp()).ceil()).collect();
    let event = (0..rows).map(|_| uniform() < 0.7).collect();
    (time, event, x)
}

fn forest(rows: usize, features: usize, trees: usize, node_size: usize, seed: u64) -> (Forest, Array2<f64>) {
    let (time, event, x) = cohort(rows, features, seed);
    let options = RsfOptions { trees, node_size, seed, ..Default::default() };
    (fit(&time, &event, x.view(), &options).unwrap(), x)
}

fn curves(forest: &Forest, x: ArrayView2<f64>, times: &[f64], output: Output) -> Array2<f64> {
    match output {
        Output::Survival => forest.survival(x, times).unwrap(),
        Output::CumulativeHazard => forest.cumulative_hazard(x, times).unwrap(),
        Output::Risk => Array2::from_shape_vec((x.nrows(), 1), forest.mortality(x).unwrap()).unwrap(),
    }
}

const OUTPUTS: [Output; 3] = [Output::Survival, Output::CumulativeHazard, Output::Risk];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn interventional_values_of_a_forest_equal_all_subsets(seed in 0u64..1000, features in 1usize..8, node_size in 1usize..12) {
        let (forest, x) = forest(70, features, 4, node_size, seed);
        let background = x.slice(s![10..35, ..]);
        let explainer = Explainer::new(Explained::Forest(forest.clone()), background, Method::Interventional).unwrap();
        // Before the first event time, between and beyond.
        let times = [0.5, 3.0, 11.5, 40.0, 1e4];
        for output in OUTPUTS {
            let found = explainer.explain(x.row(3), &times, output).unwrap();
            efficient("forest", &found);
            let expected = interventional(x.row(3), background, |x| curves(&forest, x, &times, output));
            let scale = found.prediction.iter().chain(&found.base).fold(1.0, |m: f64, v| m.max(v.abs()));
            close("forest", &found.values, &expected, 1e-12 * scale);
            let base = curves(&forest, background, &times, output).mean_axis(Axis(0)).unwrap();
            for (found, expected) in found.base.iter().zip(base) {
                prop_assert!((found - expected).abs() < 1e-12 * scale);
            }
        }
        // The walk over the background rows, which large forests take, against the prepared background.
        let mut walked = Array2::<f64>::zeros((features, 1));
        for tree in &forest.trees {
            let add = |leaf: usize, feature: usize, c: f64| walked[(feature, 0)] += c * tree.leaf_mortality(leaf) / forest.trees.len() as f64;
            Walk::default().run(tree, x.row(3), background, add).unwrap();
        }
        close("walk", &walked, &explainer.explain(x.row(3), &[], Output::Risk).unwrap().values, 1e-10);
    }

    #[test]
    fn path_dependent_values_equal_all_subsets(seed in 0u64..1000, features in 1usize..7, node_size in 1usize..12) {
        let (forest, x) = forest(60, features, 3, node_size, seed);
        for tree in &forest.trees {
            let cover = cover(tree, tree.len(), |leaf| tree.leaf_size(leaf) as f64);
            // A leaf's weight for a set, going down both ways where the feature is not in the set.
            fn weigh(tree: &esccsql_survival::rsf::Tree, cover: &[f64], x: ArrayView1<f64>, set: usize, at: usize, weight: f64, out: &mut [f64]) {
                match tree.node(at) {
                    Node::Leaf { leaf } => out[leaf] += weight,
                    Node::Split { feature, threshold, left, right } if set & (1 << feature) != 0 => {
                        weigh(tree, cover, x, set, if x[feature] <= threshold { left } else { right }, weight, out);
                    }
                    Node::Split { left, right, .. } => {
                        for daughter in [left, right] {
                            weigh(tree, cover, x, set, daughter, weight * cover[daughter] / cover[at], out);
                        }
                    }
                }
            }
            let expected = all_subsets(features, |set| {
                let mut weights = vec![0.0; tree.leaves()];
                weigh(tree, &cover, x.row(1), set, 0, 1.0, &mut weights);
                weights
            });
            let mut found = Array2::zeros(expected.dim());
            CoverWalk::default().run(tree, &cover, x.row(1), |leaf, feature, c| found[(feature, leaf)] += c).unwrap();
            close("tree", &found, &expected, 1e-13);
        }
        let explainer = Explainer::new(Explained::Forest(forest), x.view(), Method::PathDependent).unwrap();
        for output in OUTPUTS {
            let found = explainer.explain(x.row(1), &[2.0, 9.0, 30.0], output).unwrap();
            efficient("forest", &found);
        }
    }

    #[test]
    fn values_of_a_cox_model_equal_all_subsets(
        coef in prop::collection::vec(-2.0f64..2.0, 1..7), spread in 0.1f64..2.0, hazard in prop::collection::vec(1e-6f64..3.0, 4), seed in 0u64..1000,
    ) {
        let x = cohort(20, coef.len(), seed).2 * spread;
        let mut cumulative_hazard = hazard;
        cumulative_hazard.sort_by(f64::total_cmp);
        let model = CoxCurves { means: vec![0.1; coef.len()], times: vec![1.0, 2.0, 3.0, 4.0], coef, cumulative_hazard };
        let times = [0.5, 1.0, 2.5, 3.0, 9.0];
        let hazard = [0.0, model.cumulative_hazard[0], model.cumulative_hazard[1], model.cumulative_hazard[2], model.cumulative_hazard[3]];
        let background = x.slice(s![5.., ..]);
        let explainer = Explainer::new(Explained::Cox(model.clone()), background, Method::Interventional).unwrap();
        let lp = |x: ArrayView1<f64>| x.iter().zip(&model.means).zip(&model.coef).map(|((x, m), b)| (x - m) * b).sum::<f64>();
        for output in OUTPUTS {
            let found = explainer.explain(x.row(0), &times, output).unwrap();
            let expected = interventional(x.row(0), background, |x| {
                let columns = if output == Output::Risk { 1 } else { times.len() };
                Array2::from_shape_fn((x.nrows(), columns), |(i, k)| match output {
                    Output::Survival => (-hazard[k] * lp(x.row(i)).exp()).exp(),
                    Output::CumulativeHazard => hazard[k] * lp(x.row(i)).exp(),
                    Output::Risk => lp(x.row(i)),
                })
            });
            let scale = found.prediction.iter().chain(&found.base).fold(1.0, |m: f64, v| m.max(v.abs()));
            close("cox", &found.values, &expected, 1e-11 * scale);
        }
    }
}

#[test]
fn many_features_many_rows_all_times_add_up() {
    let (forest, x) = forest(205, 33, 60, 10, 3);
    let background = x.slice(s![..153, ..]);
    let times = forest.event_times.clone();
    let explainer = Explainer::new(Explained::Forest(forest), background, Method::Interventional).unwrap();
    for output in OUTPUTS {
        for explanation in explainer.explain_all(x.slice(s![153.., ..]), &times, output).unwrap() {
            efficient("forest", &explanation);
            let zeros = explanation.values.iter().filter(|&&v| v == 0.0).count();
            assert!(zeros < explanation.values.len() / 2);
        }
    }
    let (time, event, x) = cohort(205, 33, 4);
    let cox = esccsql_survival::cox::fit(&CoxData::new(x.view(), &time, &event), &CoxOptions::default()).unwrap();
    let explainer = Explainer::new(Explained::Cox(CoxCurves::of(&cox).unwrap()), x.slice(s![..20, ..]), Method::Interventional).unwrap();
    let times = explainer.event_times();
    let found = explainer.explain(x.row(100), &times, Output::Survival).unwrap();
    efficient("cox", &found);
    let survival = cox.survival(x.slice(s![100..101, ..]), &times, None, None, 0.95).unwrap().survival;
    assert_eq!(found.prediction.len(), survival.len());
    found.prediction.iter().zip(&survival).for_each(|(a, b)| assert!((a - b).abs() < 1e-14));
}

#[test]
fn a_row_is_explained_alike_alone_and_among_others_on_any_number_of_threads() {
    let (forest, x) = forest(120, 9, 25, 6, 8);
    let explainer = Explainer::new(Explained::Forest(forest), x.slice(s![..60, ..]), Method::Interventional).unwrap();
    let times = explainer.event_times();
    let rows = x.slice(s![60.., ..]);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| explainer.explain_all(rows, &times, Output::Survival).unwrap())
    };
    let one = on(1);
    assert_eq!(one, on(4));
    assert_eq!(one[7], explainer.explain(rows.row(7), &times, Output::Survival).unwrap());
}

#[test]
fn what_cannot_be_explained_is_refused_with_advice() {
    let (forest, x) = forest(60, 3, 3, 5, 1);
    let model = Explained::Forest(forest);
    let error = |result: Result<Explanation, SurvivalError>| result.unwrap_err().to_string();
    let explainer = Explainer::new(model.clone(), x.view(), Method::Interventional).unwrap();
    assert!(error(explainer.explain(x.row(0).slice(s![..2]), &[1.0], Output::Survival)).contains("2 columns, the model has 3"));
    assert!(error(explainer.explain(x.row(0), &[2.0, 1.0], Output::Survival)).contains("ascend"));
    assert!(error(explainer.explain(ndarray::aview1(&[f64::NAN, 0.0, 0.0]), &[1.0], Output::Survival)).contains("not finite"));
    assert!(Explainer::new(model, x.slice(s![..0, ..]), Method::Interventional).unwrap_err().to_string().contains("no rows"));
    let cox = CoxCurves { coef: vec![60.0; 3], means: vec![0.0; 3], times: vec![1.0], cumulative_hazard: vec![1.0] };
    let nodes = Explainer::new(Explained::Cox(cox.clone()), x.view(), Method::PathDependent);
    assert!(nodes.unwrap_err().to_string().contains("'interventional' for a Cox model"));
    let explainer = Explainer::new(Explained::Cox(cox), x.view(), Method::Interventional).unwrap();
    assert!(error(explainer.explain(x.row(0), &[1.0], Output::Survival)).contains("orders of magnitude"));
    assert!(explainer.explain(x.row(0), &[1.0], Output::Risk).is_ok());
}
