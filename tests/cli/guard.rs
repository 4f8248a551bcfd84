//! The leak guard: fits on held-out rows fail, however the rows come to them; others run.

use crate::support::{Desk, Said};

const HEAD: &str = "
CREATE OR REPLACE TABLE patients AS
SELECT i AS patient_id, 1 + (i * 7919 % 97)::DOUBLE AS months, (i * 31 % 5) < 3 AS died, (i * 17 % 23)::DOUBLE AS age,
    CASE WHEN i % 4 = 0 THEN 'test' ELSE 'training' END AS cohort
FROM range(1, 121) t(i);
SET VARIABLE held_out = (SELECT {'patient_id': list(patient_id ORDER BY patient_id)} FROM patients WHERE cohort = 'test');
";

fn run(rest: &str) -> Said {
    let desk = Desk::new();
    desk.write("s.sql", &format!("{HEAD}{rest}"));
    desk.say(&["run", "s.sql"])
}

/// Scripts that leak, each with the step that fails.
const LEAKS: [(&str, &str, &str); 9] = [
    ("directly", "m", "CREATE TABLE m AS SELECT cox_fit(months, died, {'age': age}) AS m FROM patients;"),
    ("by a qualified name", "m", "CREATE TABLE m AS SELECT cox_fit(months, died, {'age': age}) AS m FROM main.patients;"),
    (
        "through a view",
        "m",
        "CREATE VIEW v AS SELECT * FROM patients WHERE age > 1; CREATE TABLE m AS SELECT cox_fit(months, died, {'age': age}) AS m FROM v;",
    ),
    (
        "from a copy without its patients' names",
        "m",
        "CREATE TABLE c AS SELECT months, died, age FROM patients; CREATE TABLE m AS SELECT cox_fit(months, died, {'age': age}) AS m FROM c;",
    ),
    (
        "by a number computed from them",
        "m",
        "CREATE TABLE scale AS SELECT avg(age) AS mean FROM patients;
         CREATE TABLE m AS SELECT cox_fit(months, died, {'age': age - mean}) AS m FROM patients, scale WHERE cohort = 'training';",
    ),
    (
        "in a macro",
        "m",
        "CREATE MACRO f(c) AS TABLE SELECT cox_fit(months, died, {'age': age}) AS m FROM patients WHERE cohort = c;
         CREATE TABLE good AS FROM f('training'); CREATE TABLE m AS FROM f('test');",
    ),
    (
        "in a view that fits",
        "m",
        "CREATE VIEW f AS SELECT cox_fit(months, died, {'age': age}) AS m FROM patients; CREATE TABLE m AS FROM f;",
    ),
    (
        "added to a table of models",
        "worse",
        "CREATE TABLE m (m BLOB);
         INSERT INTO m SELECT cox_fit(months, died, {'age': age}) FROM patients WHERE cohort = 'training';
         -- @step worse
         INSERT INTO m SELECT rsf_fit(months, died, {'age': age}, {'trees': 2}) FROM patients;",
    ),
    (
        "as components",
        "m",
        "CREATE TABLE m AS SELECT cohort, pca_fit({'age': age, 'months': months}, 1) AS m FROM patients GROUP BY cohort;",
    ),
];

#[test]
fn a_fit_on_held_out_rows_fails_and_its_step_is_named() {
    for (how, step, script) in LEAKS {
        let said = run(script);
        assert_eq!(said.status, Some(1), "{how}: {said:?}");
        assert!(said.error.contains(&format!("step {step:?} failed")), "{how}: {said:?}");
        assert!(said.error.contains("s.sql:") && said.error.contains("sees rows that are held out"), "{how}: {said:?}");
    }
}

#[test]
fn what_the_guard_cannot_look_through_is_refused_with_a_way_out() {
    let cases = [
        ("CREATE TEMP TABLE c AS FROM patients; SELECT cox_fit(months, died, {'age': age}) FROM c;", "without TEMP"),
        ("SELECT cox_fit(months, died, {'age': age}) FROM s.patients;", "without the database"),
        (
            "COPY patients TO 'p.csv'; SELECT cox_fit(months, died, {'age': age}) FROM 'p.csv' WHERE cohort = 'training';",
            "make a table of the file",
        ),
        (
            "CREATE TABLE m AS SELECT c_index(months, died, cox_predict(m, {'age': age})) FROM patients,
             (SELECT cox_fit(months, died, {'age': age}) AS m FROM patients WHERE cohort = 'training') WHERE cohort = 'test';",
            "two steps",
        ),
        ("SET VARIABLE held_out = 5; SELECT cox_fit(months, died, {'age': age}) FROM patients;", "STRUCT of lists"),
    ];
    for (script, told) in cases {
        let said = run(script);
        assert_eq!(said.status, Some(1), "{said:?}");
        assert!(said.error.contains(told), "{script}: {said:?}");
    }
}

#[test]
fn fits_on_the_other_rows_run_and_their_predictions_are_for_all() {
    let said = run("
        CREATE TABLE copy AS SELECT months, died, age FROM patients WHERE cohort = 'training';
        CREATE TABLE scale AS SELECT avg(age) AS mean FROM patients WHERE cohort = 'training';
        CREATE TABLE m AS SELECT cox_fit(months, died, {'age': age - mean}) AS m FROM copy, scale;
        INSERT INTO m SELECT cox_fit(months, died, {'age': age - mean}) FROM patients, scale WHERE cohort = 'training' AND age > 3;
        CREATE TABLE risks AS SELECT patient_id, cohort, months, died, cox_predict(m, {'age': age - mean}) AS risk FROM patients, m, scale;
        CREATE TABLE scores AS SELECT cohort, c_index(months, died, risk) AS c FROM risks GROUP BY cohort;
        -- @held_out it describes both cohorts and predicts nothing
        CREATE TABLE described AS SELECT unnest(cox_summary(cox_fit(months, died, {'age': age})), recursive := true) FROM patients;");
    assert_eq!(said.status, Some(0), "{said:?}");
    for step in ["m", "risks", "scores", "described"] {
        assert_eq!(said.step(step), "ran");
    }
}

#[test]
fn what_is_held_out_is_an_input_of_every_fit_and_of_nothing_else() {
    let desk = Desk::new();
    let fit = "CREATE OR REPLACE TABLE m AS SELECT cox_fit(months, died, {'age': age}) AS m FROM patients WHERE cohort = 'training';
        CREATE OR REPLACE TABLE counts AS SELECT count(*) AS total FROM patients;";
    desk.write("s.sql", &format!("{HEAD}{fit}"));
    assert_eq!(desk.say(&["run", "s.sql"]).status, Some(0));
    assert_eq!(desk.say(&["run", "s.sql"]).step("m"), "skipped");
    desk.write("s.sql", &format!("{}{fit}", HEAD.replace("WHERE cohort = 'test'", "WHERE patient_id < 3")));
    let said = desk.say(&["run", "s.sql"]);
    assert!(said.error.contains("step \"m\" failed"), "{said:?}");
    desk.write("s.sql", &format!("{}{fit}", HEAD.replace("WHERE cohort = 'test'", "WHERE patient_id = 4")));
    let said = desk.say(&["run", "s.sql"]);
    assert_eq!((said.step("m"), said.step("counts")), ("ran", "skipped"), "{said:?}");
}

/// No scheduler listens at this address: what is sent there fails.
#[test]
fn a_fit_that_a_directive_sends_to_a_cluster_runs_here_and_is_watched() {
    let sent = |script: &str| {
        let desk = Desk::new();
        desk.write("s.sql", script);
        desk.say(&["run", "s.sql", "--cluster", "df://127.0.0.1:9"])
    };
    let fit = |cohort: &str| {
        format!("-- @engine ballista\nCREATE TABLE m AS SELECT cox_fit(months, died, {{'age': age}}) AS m FROM patients WHERE {cohort};")
    };
    let said = sent(&format!("{HEAD}{}", fit("cohort = 'training'")));
    assert_eq!((said.status, said.step("m")), (Some(0), "ran"), "{said:?}");
    let said = sent(&format!("{HEAD}{}", fit("age > 1")));
    assert_eq!(said.status, Some(1), "{said:?}");
    assert!(said.error.contains("sees rows that are held out"), "{said:?}");
    let unguarded = HEAD.replace("SET VARIABLE held_out", "SET VARIABLE others");
    let said = sent(&format!("{unguarded}{}", fit("cohort = 'training'")));
    assert_eq!(said.status, Some(1), "{said:?}");
    assert!(said.error.contains("cluster") || said.error.contains("ballista"), "{said:?}");
}
