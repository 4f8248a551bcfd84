//! The study's scripts, end to end, on a small synthetic cohort.

mod browser;
// Shared with the other tests; each uses a part of it.
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;

use std::fs;

use browser::look;
use support::{Desk, Said};

/// The tables that hold results.
const RESULTS: [&str; 12] = [
    "screening_table",
    "table1",
    "survival_table",
    "selection_table",
    "selected_table",
    "settings_table",
    "table2",
    "risk_group_table",
    "adjusted_table",
    "predictions",
    "deep_features",
    "shap_values",
];

/// The study on a miniature: 40 patients, original image type, few resamples, a short training of small pictures.
const SMALL: [&str; 14] = [
    "--set",
    "patients=40",
    "--set",
    "size=small",
    "--set",
    "image_types=['original']",
    "--set",
    "resamples=50",
    "--set",
    "node_sizes=[5]",
    "--set",
    "network_epochs=2",
    "--set",
    "network_size=32",
];

fn script(name: &str) -> String {
    std::path::absolute(format!("sql/{name}")).expect("a working directory").display().to_string()
}

fn run(desk: &Desk, name: &str, database: &str, more: &[&str]) -> Said {
    let script = script(name);
    desk.say(&[&["run", script.as_str(), "--db", database], more].concat())
}

/// Names of the steps that were run, not skipped.
fn steps_run(said: &Said) -> Vec<&str> {
    said.out.lines().filter(|line| line.trim_end().ends_with(" s") && !line.starts_with('│')).collect()
}

/// The report holds every figure, and the numbers that SQL gives.
fn report(desk: &Desk, database: &str) {
    let script = script("reports/study.sql");
    let said = desk.say(&["report", &script, "--db", database, "--out", "report.html"]);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert_eq!(said.out, "report.html: 15 tables, 14 figures\n");
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    for column in ["\"C-index (95% CI)\"", "\"iBS (95% CI)\""] {
        for cell in desk.ask(database, &format!("SELECT {column} FROM table2")).lines() {
            let cell = cell.trim_matches('"');
            assert!(page.contains(&format!("<td class=\"short\">{cell}</td>")), "{cell} is not in the page");
        }
    }
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"), "a page asks for nothing");

    let Some((looks, console)) = look(&desk.path("."), &page, &[375, 1440]) else { return };
    assert_eq!(console, Vec::<String>::new());
    assert_eq!(looks.iter().map(|look| look.width).collect::<Vec<_>>(), [375, 1440]);
    for look in looks {
        assert!(look.needed <= look.width, "{look:?}");
        assert_eq!(look.tables, 15);
        assert!(look.pictures >= 13, "{look:?}");
        assert_eq!(look.drawn, look.pictures);
        assert_eq!(look.requests, Vec::<String>::new());
    }
}

/// The comparison of any two cohorts, here the study's.
fn comparison(desk: &Desk, database: &str) {
    let said = desk.say(&["report", &script("reports/cohort_comparison.sql"), "--db", database, "--out", "comparison.html"]);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert_eq!(said.out, "comparison.html: 3 tables, 2 figures\n");
    let page = fs::read_to_string(desk.path("comparison.html")).unwrap();
    let c = desk
        .ask(database, "SELECT printf('%.3f', c_index(months, died, risk)) FROM predictions WHERE model = 'Fusion' AND cohort = 'test'");
    assert!(page.contains(&format!(">{}</td>", c.trim())), "{c} is not in the page");
}

fn tables(desk: &Desk, database: &str) -> Vec<String> {
    RESULTS.iter().map(|table| desk.ask(database, &format!("FROM {table} ORDER BY ALL"))).collect()
}

#[test]
fn the_study_runs_skips_and_does_not_depend_on_threads() {
    let desk = Desk::new();
    let first = run(&desk, "study.sql", "one.duckdb", &[&SMALL[..], &["--threads", "1"]].concat());
    assert_eq!(first.status, Some(0), "{first:?}");
    for title in ["Table 1:", "Table 2:", "Table S2:", "Table S3:", "Delta_radiomics"] {
        assert!(first.out.contains(title), "{title} is not in {}", first.out);
    }
    let one = tables(&desk, "one.duckdb");
    for (name, table) in RESULTS.iter().zip(&one) {
        assert!(!table.is_empty(), "{name} is empty");
    }

    let second = run(&desk, "study.sql", "one.duckdb", &[&SMALL[..], &["--threads", "1"]].concat());
    assert_eq!(second.status, Some(0), "{second:?}");
    assert_eq!(steps_run(&second), Vec::<&str>::new());
    report(&desk, "one.duckdb");
    comparison(&desk, "one.duckdb");

    let other = run(&desk, "study.sql", "two.duckdb", &[&SMALL[..], &["--threads", "2"]].concat());
    assert_eq!(other.status, Some(0), "{other:?}");
    for ((name, one), two) in RESULTS.iter().zip(&one).zip(tables(&desk, "two.duckdb")) {
        assert_eq!(*one, two, "{name} differs between 1 and 2 threads");
    }
}

/// A cohort as a user has it: `patients` of the synthetic one under the template's names.
fn own_cohort(desk: &Desk, synthetic: &str, patients: usize) {
    let source = desk.path(synthetic);
    let own = desk.path("my_cohort");
    fs::create_dir_all(&own).unwrap();
    let pick = |name: &str, rows: usize| -> String {
        let text = fs::read_to_string(source.join(name)).unwrap();
        text.lines().take(rows + 1).map(|line| format!("{line}\n")).collect()
    };
    fs::write(own.join("patients.csv"), pick("clinical.csv", patients)).unwrap();
    let scans = pick("scans.csv", 2 * patients);
    for file in scans.lines().skip(1).flat_map(|line| line.split(',').skip(3)) {
        let to = own.join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(source.join(file), to).unwrap();
    }
    fs::write(own.join("scans.csv"), scans).unwrap();
}

fn synth(desk: &Desk) {
    let said = desk.say(&["synth", "--out", "synthetic", "--patients", "60", "--size", "small"]);
    assert_eq!(said.status, Some(0), "{said:?}");
}

#[test]
fn the_template_extracts_three_scans_and_says_that_three_are_too_few_for_models() {
    let desk = Desk::new();
    synth(&desk);
    own_cohort(&desk, "synthetic", 3);
    let extract = run(&desk, "template/extract.sql", "my.duckdb", &[]);
    assert_eq!(extract.status, Some(0), "{extract:?}");
    assert!(desk.path("features.csv").exists());
    assert_eq!(desk.ask("my.duckdb", "SELECT count(DISTINCT scan_id) FROM reader_values"), "6");

    assert_eq!(steps_run(&run(&desk, "template/extract.sql", "my.duckdb", &[])), Vec::<&str>::new());

    let model = run(&desk, "template/model.sql", "my.duckdb", &[]);
    assert_eq!(model.status, Some(1), "{model:?}");
    assert!(model.error.contains("too few patients for models: 3 training"), "{}", model.error);
}

#[test]
fn the_template_models_a_cohort_of_ones_own() {
    let desk = Desk::new();
    synth(&desk);
    own_cohort(&desk, "synthetic", 60);
    let more = &SMALL[4..];
    let model = run(&desk, "template/model.sql", "my.duckdb", more);
    assert_eq!(model.status, Some(0), "{model:?}");
    assert_eq!(desk.ask("my.duckdb", "SELECT count(*) FROM table2"), "12");
}
