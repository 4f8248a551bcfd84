//! `esccsql run` and the other commands: what they print, what they leave in the database, how they fail.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Desk;

const STUDY: &str = "
SET VARIABLE cut = 50;
-- Ages of the cohort.
CREATE OR REPLACE TABLE patients AS SELECT i AS id, 30 + i % 50 AS age FROM range(100) t(i);
CREATE OR REPLACE TABLE old AS SELECT * FROM patients WHERE age > getvariable('cut');
CREATE OR REPLACE TABLE counts AS SELECT count(*) AS n FROM patients;
.print results
-- @step summary
SELECT count(*) AS n_old FROM old;
";

#[test]
fn a_second_run_skips_all_and_prints_the_same_tables() {
    let desk = Desk::new();
    desk.write("study.sql", STUDY);
    let first = desk.say(&["run", "study.sql"]);
    assert_eq!(first.status, Some(0), "{first:?}");
    assert!(first.out.contains("n_old") && first.out.contains("results\n"), "{first:?}");
    for name in ["patients", "old", "counts", "summary"] {
        assert_eq!(first.step(name), "ran");
    }
    let second = desk.say(&["run", "study.sql"]);
    assert_eq!(second.status, Some(0), "{second:?}");
    for name in ["patients", "old", "counts", "summary"] {
        assert_eq!(second.step(name), "skipped", "{second:?}");
    }
    let boxes = |out: &str| out.lines().filter(|line| line.starts_with(['│', '┌', '└', '├'])).map(String::from).collect::<Vec<_>>();
    assert!(!boxes(&first.out).is_empty());
    assert_eq!(boxes(&first.out), boxes(&second.out));
    assert_eq!(desk.ask("study.duckdb", "SELECT string_agg(status, ' ' ORDER BY run_id) FROM esccsql_runs"), "done done");
}

#[test]
fn one_setting_recomputes_what_depends_on_it_and_nothing_else() {
    let desk = Desk::new();
    desk.write("study.sql", STUDY);
    assert_eq!(desk.say(&["run", "study.sql"]).status, Some(0));
    let again = desk.say(&["run", "study.sql", "--set", "cut=70"]);
    assert_eq!(again.step("patients"), "skipped", "{again:?}");
    assert_eq!(again.step("counts"), "skipped");
    assert_eq!(again.step("old"), "ran");
    assert_eq!(again.step("summary"), "ran");
    assert_eq!(desk.ask("study.duckdb", "SELECT min(age) FROM old"), "71");
    assert_eq!(desk.say(&["run", "study.sql", "--set", "cut=70"]).step("old"), "skipped");
    // Back to the script's own value: the table in the database is of another version.
    assert_eq!(desk.say(&["run", "study.sql"]).step("old"), "ran");
    assert_eq!(desk.ask("study.duckdb", "SELECT min(age) FROM old"), "51");
}

#[test]
fn comments_and_spacing_are_no_change_but_the_statement_is() {
    let desk = Desk::new();
    desk.write("study.sql", STUDY);
    desk.say(&["run", "study.sql"]);
    desk.write(
        "study.sql",
        &STUDY.replace("SELECT * FROM patients", "SELECT  *  -- all\nFROM patients").replace("count(*) AS n FROM", "count(age) AS n FROM"),
    );
    let again = desk.say(&["run", "study.sql"]);
    assert_eq!(again.step("old"), "skipped", "{again:?}");
    assert_eq!(again.step("counts"), "ran");
}

#[test]
fn a_lost_table_and_a_lost_file_are_made_again() {
    let desk = Desk::new();
    desk.write("study.sql", "CREATE TABLE a AS SELECT 1 AS x;\n-- @step export\nCOPY a TO 'a.csv';\nCREATE TABLE b AS SELECT * FROM a;");
    desk.say(&["run", "study.sql"]);
    std::fs::remove_file(desk.path("a.csv")).unwrap();
    let again = desk.say(&["run", "study.sql"]);
    assert_eq!((again.step("a"), again.step("export"), again.step("b")), ("skipped", "ran", "skipped"), "{again:?}");
    assert_eq!(desk.say(&["query", "--db", "study.duckdb", "DROP TABLE b"]).status, Some(0));
    let again = desk.say(&["run", "study.sql"]);
    assert_eq!((again.step("a"), again.step("export"), again.step("b")), ("skipped", "skipped", "ran"), "{again:?}");
}

#[test]
fn changed_input_files_are_seen_by_name_by_glob_and_through_variables() {
    let desk = Desk::new();
    desk.write("in/a.csv", "x\n1\n");
    desk.write("in/b.csv", "x\n2\n");
    desk.write(
        "study.sql",
        "SET VARIABLE root = 'in';
CREATE OR REPLACE TABLE one AS FROM read_csv('in/a.csv');
CREATE OR REPLACE TABLE every AS FROM read_csv('in/*.csv');
CREATE OR REPLACE TABLE joined AS FROM read_csv(getvariable('root') || '/b.csv');",
    );
    let first = desk.say(&["run", "study.sql"]);
    assert_eq!(first.status, Some(0), "{first:?}");
    desk.write("in/b.csv", "x\n3\n");
    let again = desk.say(&["run", "study.sql"]);
    assert_eq!((again.step("one"), again.step("every"), again.step("joined")), ("skipped", "ran", "ran"), "{again:?}");
    assert_eq!(desk.ask("study.duckdb", "SELECT sum(x) FROM every"), "4");
}

#[test]
fn inserts_are_never_done_twice() {
    let desk = Desk::new();
    let script = |rows: u32| {
        format!(
            "CREATE TABLE total (x INTEGER);
-- @step first
INSERT INTO total SELECT i FROM range({rows}) t(i);
-- @step second
INSERT INTO total VALUES (7);
-- @step sum
SELECT count(*) AS n FROM total;"
        )
    };
    desk.write("study.sql", &script(3));
    desk.say(&["run", "study.sql"]);
    assert_eq!(desk.ask("study.duckdb", "SELECT count(*) FROM total"), "4");
    assert_eq!(desk.say(&["run", "study.sql"]).step("first"), "skipped");
    assert_eq!(desk.ask("study.duckdb", "SELECT count(*) FROM total"), "4");
    desk.write("study.sql", &script(5));
    let again = desk.say(&["run", "study.sql"]);
    assert_eq!(again.status, Some(0), "{again:?}");
    assert_eq!(desk.ask("study.duckdb", "SELECT count(*) FROM total"), "6");
}

#[test]
fn a_table_that_is_written_twice_is_read_as_it_was_at_the_step() {
    let desk = Desk::new();
    let script = |factor: u32| {
        format!(
            "CREATE OR REPLACE TABLE t AS SELECT 1 AS x;
CREATE OR REPLACE TABLE early AS SELECT x * {factor} AS y FROM t;
CREATE OR REPLACE TABLE t AS SELECT 100 AS x;"
        )
    };
    desk.write("study.sql", &script(2));
    desk.say(&["run", "study.sql"]);
    desk.write("study.sql", &script(3));
    assert_eq!(desk.say(&["run", "study.sql"]).status, Some(0));
    assert_eq!(desk.ask("study.duckdb", "SELECT y, (SELECT x FROM t) FROM early"), "3,100");
}

#[test]
fn a_table_from_outside_the_script_counts_by_its_content() {
    let desk = Desk::new();
    desk.say(&["query", "--db", "study.duckdb", "CREATE TABLE given AS SELECT 1 AS x; CREATE VIEW seen AS FROM given"]);
    desk.write("study.sql", "CREATE OR REPLACE TABLE a AS SELECT sum(x) AS s FROM seen;\nCREATE OR REPLACE TABLE b AS SELECT 2 AS x;");
    desk.say(&["run", "study.sql"]);
    assert_eq!(desk.say(&["run", "study.sql"]).step("a"), "skipped");
    desk.say(&["query", "--db", "study.duckdb", "INSERT INTO given VALUES (5)"]);
    let again = desk.say(&["run", "study.sql"]);
    assert_eq!((again.step("a"), again.step("b")), ("ran", "skipped"), "{again:?}");
}

#[test]
fn from_and_force_run_what_is_unchanged() {
    let desk = Desk::new();
    desk.write("study.sql", STUDY);
    desk.say(&["run", "study.sql"]);
    let from = desk.say(&["run", "study.sql", "--from", "counts"]);
    assert_eq!((from.step("old"), from.step("counts"), from.step("summary")), ("skipped", "ran", "ran"), "{from:?}");
    assert_eq!(desk.say(&["run", "study.sql", "--force"]).step("patients"), "ran");
    let wrong = desk.say(&["run", "study.sql", "--from", "nowhere"]);
    assert_eq!(wrong.status, Some(1));
    assert!(wrong.error.contains("no such step") && wrong.error.contains("counts"), "{wrong:?}");
}

#[test]
fn a_plan_tells_why_and_changes_nothing() {
    let desk = Desk::new();
    desk.write("study.sql", STUDY);
    let plan = desk.say(&["run", "study.sql", "--plan"]);
    assert_eq!(plan.status, Some(0), "{plan:?}");
    assert!(plan.out.lines().any(|line| line.starts_with("run") && line.contains("patients") && line.contains("not done yet")), "{plan:?}");
    assert!(!desk.path("study.duckdb").exists());
    desk.say(&["run", "study.sql"]);
    let plan = desk.say(&["run", "study.sql", "--plan", "--set", "cut=70"]);
    let line =
        |name: &str| plan.out.lines().find(|line| line.split_whitespace().nth(1) == Some(name)).unwrap_or_else(|| panic!("{plan:?}"));
    assert!(line("patients").starts_with("skip"), "{plan:?}");
    assert!(line("old").starts_with("run") && line("old").contains("variable cut changed"), "{plan:?}");
    assert!(line("summary").contains("table old changed"), "{plan:?}");
    assert_eq!(desk.say(&["run", "study.sql"]).step("old"), "skipped");
}

#[test]
fn an_error_names_file_line_and_place_and_keeps_what_was_done() {
    let desk = Desk::new();
    desk.write("main.sql", "CREATE TABLE good AS SELECT 1 AS x;\n.read parts/bad.sql\nSELECT 'never';\n");
    desk.write("parts/bad.sql", "-- two lines of\n-- comment\nCREATE TABLE bad AS\nSELECT nowhere\nFROM good;\n");
    let said = desk.say(&["run", "main.sql", "--db", "out.duckdb"]);
    assert_eq!(said.status, Some(1), "{said:?}");
    assert!(said.error.contains("bad.sql:4: step \"bad\" failed"), "{}", said.error);
    assert!(said.error.contains("4 | SELECT nowhere\n  |        ^"), "{}", said.error);
    assert!(said.error.contains("Binder Error"), "{}", said.error);
    assert!(!said.out.contains("never"));
    assert_eq!(desk.ask("out.duckdb", "SELECT status FROM esccsql_runs"), "failed");
    assert_eq!(
        desk.ask("out.duckdb", "SELECT string_agg(name || ' ' || status, ', ' ORDER BY id) FROM esccsql_steps"),
        "\"good done, bad failed\""
    );
    desk.write("parts/bad.sql", "CREATE TABLE bad AS SELECT x FROM good;");
    let again = desk.say(&["run", "main.sql", "--db", "out.duckdb"]);
    assert_eq!((again.status, again.step("good"), again.step("bad")), (Some(0), "skipped", "ran"), "{again:?}");
}

#[test]
fn mistakes_of_calling_are_told() {
    let desk = Desk::new();
    desk.write("circle.sql", ".read circle.sql");
    desk.write("begin.sql", "SELECT 1;\nBEGIN;");
    for (arguments, message) in [
        (vec!["run", "nowhere.sql"], "cannot read the script nowhere.sql"),
        (vec!["run", "circle.sql"], "in a circle"),
        (vec!["run", "begin.sql"], "begin.sql:2"),
        (vec!["query", "SELECT broken FROM nowhere"], "nowhere"),
    ] {
        let said = desk.say(&arguments);
        assert_eq!(said.status, Some(1), "{said:?}");
        assert!(said.error.contains(message) && said.out.is_empty(), "{said:?}");
    }
    assert_eq!(desk.say(&["run"]).status, Some(2));
}

/// Waits until the first step is in the database's files, then returns.
fn wait_for_first_step(desk: &Desk) {
    let start = Instant::now();
    while !desk.path("first.csv").exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "the first step never ended");
        thread::sleep(Duration::from_millis(20));
    }
}

const LONG: &str = "
CREATE TABLE first AS SELECT 42 AS x;
-- @step export
COPY first TO 'first.csv';
CREATE TABLE slow AS SELECT sum(hash(a.i * b.i)::DOUBLE) AS s FROM range(getvariable('n')) a(i), range(getvariable('n')) b(i);
";

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let desk = Desk::new();
    desk.write("long.sql", LONG);
    let mut child = desk.command(&["run", "long.sql", "--set", "n=10000000"]).stdout(Stdio::null()).spawn().unwrap();
    wait_for_first_step(&desk);
    thread::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    let again = desk.say(&["run", "long.sql", "--set", "n=10"]);
    assert_eq!(again.status, Some(0), "{again:?}");
    assert_eq!((again.step("first"), again.step("slow")), ("skipped", "ran"), "{again:?}");
    assert_eq!(desk.ask("long.duckdb", "SELECT string_agg(status, ' ' ORDER BY run_id) FROM esccsql_runs"), "killed done");
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_the_query_and_keeps_what_was_done() {
    let desk = Desk::new();
    desk.write("long.sql", LONG);
    let mut child = desk.command(&["run", "long.sql", "--set", "n=10000000"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_first_step(&desk);
    thread::sleep(Duration::from_millis(300));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let again = desk.say(&["run", "long.sql", "--set", "n=10"]);
    assert_eq!((again.step("first"), again.step("slow")), ("skipped", "ran"), "{again:?}");
}

#[test]
fn queries_come_in_every_format() {
    let desk = Desk::new();
    let sql = "SELECT 1 AS i, 0.5::DOUBLE AS d, 'a,\"b' AS s, [1, NULL] AS l, {'k': 'x y', 'm': NULL} AS t, MAP {'p': 1.5::DOUBLE} AS m, NULL AS n";
    let said = |format: &str| desk.say(&["query", "--format", format, sql]).out;
    assert_eq!(said("csv"), "i,d,s,l,t,m,n\n1,0.5,\"a,\"\"b\",\"[1, NULL]\",\"{'k': x y, 'm': NULL}\",{p=1.5},\n");
    assert_eq!(
        said("jsonlines"),
        "{\"i\":1,\"d\":0.5,\"s\":\"a,\\\"b\",\"l\":[1,null],\"t\":{\"k\":\"x y\",\"m\":null},\"m\":{\"p\":1.5},\"n\":null}\n"
    );
    assert!(said("json").starts_with("[{") && said("json").ends_with("}]\n"));
    assert!(said("markdown").starts_with("| i | d |") && said("markdown").contains("|--:|--:|---|"), "{}", said("markdown"));
    let text = desk.say(&["query", "SELECT 42 AS answer"]).out;
    assert_eq!(text, "┌────────┐\n│ answer │\n│ int32  │\n├────────┤\n│     42 │\n└────────┘\n");
}

#[test]
fn queries_come_from_arguments_and_standard_input() {
    let desk = Desk::new();
    assert!(desk.say(&["query", "-c", "SELECT 'x' AS a"]).out.contains("│ x "));
    let said = desk.say_with(&["query", "--format", "csv", "-"], "CREATE TABLE t AS SELECT 3 AS x; -- a table\nFROM t;\n");
    assert_eq!((said.out.as_str(), said.status), ("x\n3\n", Some(0)), "{said:?}");
}

#[test]
fn values_are_written_as_duckdb_writes_them() {
    let desk = Desk::new();
    for (sql, text) in [
        ("1e20::DOUBLE", "1e+20"),
        ("1::DOUBLE", "1.0"),
        ("'nan'::DOUBLE", "nan"),
        ("DATE '2020-02-03'", "2020-02-03"),
        ("TIMESTAMP '2020-02-03 04:05:06.25'", "2020-02-03 04:05:06.25"),
        ("TIMESTAMP '2020-02-03 04:05:06'", "2020-02-03 04:05:06"),
        ("TIME '04:05:06.5'", "04:05:06.5"),
        ("INTERVAL '14 months 3 days 2 hours'", "1 year 2 months 3 days 02:00:00"),
        ("170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"),
        ("1.50::DECIMAL(9, 2)", "1.50"),
        ("true", "true"),
        ("'b'::ENUM('a', 'b')", "b"),
        ("uuid '5e1f1c1e-0000-4000-8000-000000000001'", "5e1f1c1e-0000-4000-8000-000000000001"),
    ] {
        let said = desk.say(&["query", "--format", "csv", &format!("SELECT {sql} AS v")]);
        assert_eq!(said.out, format!("v\n{text}\n"), "{sql}: {said:?}");
        // DuckDB's own cast says the same.
        let cast = desk.say(&["query", "--format", "csv", &format!("SELECT ({sql})::VARCHAR AS v")]);
        assert_eq!(cast.out, said.out, "{sql}");
    }
}

#[test]
fn the_shell_takes_statements_and_dot_commands_from_a_pipe() {
    let desk = Desk::new();
    desk.write("more.sql", "INSERT INTO t VALUES (2);");
    let input = "CREATE TABLE t AS\nSELECT 1 AS x;\n.read more.sql\n.mode csv\nSELECT sum(x) AS s\nFROM t;\n.tables\n.schema t\n.quit\nSELECT 'never';\n";
    let said = desk.say_with(&["shell"], input);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert!(said.out.contains("s\n3\n") && said.out.contains("CREATE TABLE t"), "{said:?}");
    assert!(!said.out.contains("never"));
    let said = desk.say_with(&["shell"], "SELECT nowhere;\n.wrong\nSELECT 'goes on' AS s;\n");
    assert_eq!(said.status, Some(1));
    assert!(said.out.contains("goes on") && said.error.contains(".wrong"), "{said:?}");
}

#[test]
fn functions_document_themselves() {
    let desk = Desk::new();
    let list = desk.say(&["functions"]);
    assert_eq!(list.status, Some(0), "{list:?}");
    assert!(list.out.contains("model_info(") && list.out.contains("esccsql_functions("), "{list:?}");
    let page = desk.say(&["functions", "model_info"]);
    assert!(page.out.starts_with("model_info(") && page.out.contains("Example"), "{page:?}");
    let wrong = desk.say(&["functions", "no_such_function"]);
    assert_eq!(wrong.status, Some(1));
    assert!(wrong.error.contains("no function is called"), "{wrong:?}");
}

#[test]
fn a_name_that_becomes_a_table_later_is_no_input_before() {
    let desk = Desk::new();
    desk.write("study.sql", "CREATE OR REPLACE TABLE a AS SELECT 1 AS later;\nCREATE OR REPLACE TABLE later AS SELECT later AS x FROM a;");
    desk.say(&["run", "study.sql"]);
    let again = desk.say(&["run", "study.sql"]);
    assert_eq!((again.step("a"), again.step("later")), ("skipped", "skipped"), "{again:?}");
}

#[test]
fn temporary_tables_attached_databases_and_macros_work_on_every_run() {
    let desk = Desk::new();
    desk.say(&["query", "--db", "other.duckdb", "CREATE TABLE given AS SELECT 4 AS x"]);
    desk.write(
        "study.sql",
        "ATTACH IF NOT EXISTS 'other.duckdb' AS other;
CREATE MACRO twice(a) AS 2 * a;
CREATE TEMP TABLE scratch AS SELECT twice(x) AS y FROM other.given;
CREATE TABLE kept AS SELECT sum(y) AS s FROM scratch;
CREATE OR REPLACE TABLE other.copied AS SELECT s FROM kept;",
    );
    for verdict in ["ran", "skipped"] {
        let said = desk.say(&["run", "study.sql"]);
        assert_eq!(said.status, Some(0), "{said:?}");
        assert_eq!((said.step("twice"), said.step("kept"), said.step("other.copied")), (verdict, verdict, verdict), "{said:?}");
    }
    desk.write("study.sql", &std::fs::read_to_string(desk.path("study.sql")).unwrap().replace("2 * a", "3 * a"));
    assert_eq!(desk.say(&["run", "study.sql"]).status, Some(0));
    assert_eq!(desk.ask("other.duckdb", "SELECT s FROM copied"), "12");
}

#[test]
fn a_table_of_the_same_name_elsewhere_is_an_input() {
    let desk = Desk::new();
    desk.say(&["query", "--db", "source.duckdb", "CREATE TABLE patients AS SELECT 1 AS x"]);
    desk.write("study.sql", "ATTACH 'source.duckdb' AS source (READ_ONLY);\nCREATE OR REPLACE TABLE patients AS FROM source.patients;");
    for verdict in ["ran", "skipped"] {
        assert_eq!(desk.say(&["run", "study.sql"]).step("patients"), verdict);
    }
    desk.say(&["query", "--db", "source.duckdb", "INSERT INTO patients VALUES (2)"]);
    assert_eq!(desk.say(&["run", "study.sql"]).step("patients"), "ran");
    assert_eq!(desk.ask("study.duckdb", "SELECT sum(x) FROM patients"), "3");
}

#[test]
fn a_test_of_the_data_stops_the_run_with_its_rows() {
    let desk = Desk::new();
    let script = |limit: u32| {
        format!(
            "CREATE TABLE patients AS SELECT i AS id, 30 + i AS age FROM range(5) t(i);\n-- test: nobody is too old\nSELECT id, age FROM patients WHERE age > {limit};\nSELECT 'after' AS step;"
        )
    };
    desk.write("study.sql", &script(99));
    let said = desk.say(&["run", "study.sql"]);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert!(said.out.contains("test: nobody is too old") && said.out.contains("0 rows"), "{said:?}");
    desk.write("study.sql", &script(32));
    let said = desk.say(&["run", "study.sql"]);
    assert_eq!(said.status, Some(1), "{said:?}");
    assert!(said.error.contains("study.sql:3: step \"test: nobody is too old\" failed\n2 rows are not as the test demands"), "{said:?}");
    assert!(said.error.contains("│    34 │") && !said.out.contains("after"), "{said:?}");
}

#[test]
fn lineage_tells_what_was_made_of_what() {
    let desk = Desk::new();
    desk.write("study.sql", STUDY);
    assert_eq!(desk.say(&["run", "study.sql"]).status, Some(0));
    assert_eq!(
        desk.ask("study.duckdb", "SELECT object, tables, variables, step, line, rows FROM esccsql_lineage() ORDER BY line"),
        "patients,[],[],patients,4,100\nold,[patients],[cut],old,5,58\ncounts,[patients],[],counts,6,1"
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_script() {
    let desk = Desk::new();
    desk.write("study.sql", "\u{feff}SET VARIABLE k = 1;\n.read more.sql\n");
    desk.write("more.sql", "\u{feff}CREATE TABLE t AS SELECT getvariable('k') AS k;\n");
    assert_eq!(desk.say(&["run", "study.sql", "--set", "k=5"]).step("t"), "ran");
    assert_eq!(desk.ask("study.duckdb", "SELECT k FROM t"), "5");
    assert!(desk.say(&["run", "more.sql", "--plan"]).out.contains("run   t "));
    desk.write("test.sql", "\u{feff}-- test: none\nSELECT 1;");
    assert_eq!(desk.say(&["run", "test.sql"]).status, Some(1));
    assert_eq!(desk.say_with(&["query", "-", "--format", "csv"], "\u{feff}SELECT 1 AS x;").out, "x\n1\n");
}

#[test]
fn a_comment_that_is_not_closed_stops_a_script_before_it_starts() {
    let desk = Desk::new();
    desk.write("study.sql", "CREATE TABLE a AS SELECT 1;\nCREATE TABLE b AS SELECT 2 /* open\n;\nCREATE TABLE c AS SELECT 3;");
    let said = desk.say(&["run", "study.sql"]);
    assert_eq!(said.status, Some(1), "{said:?}");
    assert!(said.error.contains("study.sql:2: unterminated /* comment"), "{said:?}");
    assert!(!desk.path("study.duckdb").exists());
    let said = desk.say(&["query", "SELECT 1;\n/* open"]);
    assert!(said.status == Some(1) && said.out.is_empty() && said.error.contains("line 2: unterminated /* comment"), "{said:?}");
    let said = desk.say_with(&["shell"], "/* two\nlines */ SELECT 42 AS x;\nSELECT 1 /* open");
    assert!(said.status == Some(1) && said.out.contains("42") && said.error.contains("unterminated /* comment"), "{said:?}");
}

#[test]
fn a_setting_that_the_script_does_not_know_is_an_error() {
    let desk = Desk::new();
    desk.write("study.sql", &STUDY.replace("count(*) AS n_old", "count(*) + coalesce(getvariable('more'), 0) AS n_old"));
    for more in [&["--set", "cutt=70"][..], &["--plan", "--set", "cut=70", "--set", "cutt=70"]] {
        let said = desk.say(&[&["run", "study.sql"], more].concat());
        assert_eq!(said.status, Some(1), "{said:?}");
        assert!(said.error.contains("no variable `cutt` in study.sql: it has `cut`, `more`"), "{said:?}");
        assert!(!desk.path("study.duckdb").exists());
    }
    assert_eq!(desk.say(&["run", "study.sql", "--set", "more=1", "--set", "Cut=70"]).status, Some(0));
}

#[test]
fn blobs_are_whole_in_all_formats_but_the_box() {
    let desk = Desk::new();
    let sql = "SELECT repeat('ab', 60)::BLOB AS b, {'k': [repeat('ab', 60)::BLOB]} AS s, '\\x00\\xAB'::BLOB AS c";
    let whole = "ab".repeat(60);
    for format in ["csv", "json", "jsonlines", "markdown"] {
        let said = desk.say(&["query", "--format", format, sql]);
        assert_eq!(said.out.matches(&whole).count(), 2, "{said:?}");
        assert!(said.out.contains("x00") && said.out.contains("xAB"), "{said:?}");
    }
    assert!(desk.say(&["query", sql]).out.contains("... 120 B"));
}
