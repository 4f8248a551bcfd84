//! `esccsql report`: what stands in the page, and what a mistake in its script says.

use std::fs;

use crate::support::Desk;

const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"80\" height=\"60\"><title>Ages</title><desc>A bar of 100</desc></svg>";

fn study() -> Desk {
    let desk = Desk::new();
    desk.write("study.sql", "CREATE TABLE patients AS SELECT i AS id, 30.0 + i % 7 / 3 AS age, i % 2 = 0 AS died FROM range(100) t(i);");
    assert_eq!(desk.say(&["run", "study.sql"]).status, Some(0));
    desk
}

fn page(desk: &Desk) -> String {
    fs::read_to_string(desk.path("out/report.html")).expect("a page")
}

const CALL: [&str; 6] = ["report", "report.sql", "--db", "study.duckdb", "--out", "out/report.html"];

#[test]
fn text_values_tables_and_figures_stand_in_their_order() {
    let desk = study();
    let script = format!(
        "SET VARIABLE n = (SELECT count(*) FROM patients);
        SET VARIABLE cut = 34;
        /* # Ages of {{{{ n }}}} patients

           ## Method
           Above {{{{cut}}}} is *old* & <b>grey</b>. */
        -- @caption By death, n = {{{{n}}}}.
        SELECT died, avg(age) AS mean, count(*) AS n, NULL AS nothing FROM patients GROUP BY died ORDER BY died;
        /* ## Results */
        -- @caption The bar.
        SELECT 'all' AS who, '{SVG}' AS bar;
        SELECT id FROM patients WHERE age > 1000;"
    );
    desk.write("report.sql", &script);
    let said = desk.say(&CALL);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert_eq!(said.out, "out/report.html: 2 tables, 1 figures\n");
    let page = page(&desk);
    let places: Vec<usize> = [
        "<title>Ages of 100 patients</title>",
        "<li><a href=\"#results\">",
        "<h1 id=\"ages-of-100-patients\">",
        "Above 34 is <em>old</em> &amp; &lt;b&gt;grey&lt;/b&gt;.",
        "<b>Table 1.</b> By death, n = 100.",
        "<td class=\"short\">false</td><td class=\"number\">30.99</td><td class=\"number\">50</td>",
        "<td class=\"number\">–</td>",
        "<h2 id=\"results\">",
        "alt=\"Ages. A bar of 100\" src=\"data:image/svg+xml;base64,",
        "<b>Figure 1.</b> The bar.",
        "<b>Table 2.</b>",
        "no rows",
        "<footer>",
    ]
    .iter()
    .map(|part| page.find(part).unwrap_or_else(|| panic!("{part} is not in\n{page}")))
    .collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"), "a page asks for nothing");
}

#[test]
fn the_command_line_sets_variables() {
    let desk = study();
    desk.write("report.sql", "SET VARIABLE cut = 34; /* Above {{cut}}. */");
    assert_eq!(desk.say(&[&CALL[..], &["--set", "cut=31"]].concat()).status, Some(0));
    assert!(page(&desk).contains("Above 31."));
}

#[test]
fn the_same_study_gives_the_same_page_but_for_the_date() {
    let desk = study();
    desk.write("report.sql", "/* # R */ FROM patients ORDER BY id;");
    let dateless = |page: String| page.split("<time>").next().unwrap_or_default().to_string();
    assert_eq!(desk.say(&CALL).status, Some(0));
    let first = dateless(page(&desk));
    assert_eq!(desk.say(&CALL).status, Some(0));
    assert_eq!(dateless(page(&desk)), first);
}

#[test]
fn a_mistake_is_told_with_its_place_and_leaves_the_old_page() {
    let desk = study();
    desk.write("report.sql", "/* kept */");
    assert_eq!(desk.say(&CALL).status, Some(0));
    for (script, place, told) in [
        ("SELECT 1;\nSELECT *\nFROM nobody;", "report.sql:2", "Table with name nobody does not exist"),
        ("SELECT 1;\n/* {{n}} */", "report.sql:2", "there is no variable \"n\" here; set it before: SET VARIABLE n = (SELECT ...)"),
        ("\n.mode csv", "report.sql:2", "a report may use .read other.sql"),
        ("CREATE TABLE t AS SELECT 1;", "report.sql:1", "read-only"),
    ] {
        desk.write("report.sql", script);
        let said = desk.say(&CALL);
        assert_eq!(said.status, Some(1), "{said:?}");
        assert!(said.error.contains(place) && said.error.contains(told), "{said:?}");
        assert!(page(&desk).contains("kept"));
    }
    let said = desk.say(&["report", "report.sql", "--db", "absent.duckdb", "--out", "r.html"]);
    assert!(said.error.contains("there is no database absent.duckdb"), "{said:?}");
    assert!(!desk.path("absent.duckdb").exists());
}

#[test]
fn markdown_has_its_tables_and_figures_beside_it() {
    let desk = study();
    desk.write(
        "report.sql",
        &format!("/* # R */\n-- @caption Two rows.\nSELECT id, age FROM patients ORDER BY id LIMIT 2;\nSELECT '{SVG}' AS f;"),
    );
    let said = desk.say(&["report", "report.sql", "--db", "study.duckdb", "--out", "r.md", "--format", "md"]);
    assert_eq!(said.status, Some(0), "{said:?}");
    let text = fs::read_to_string(desk.path("r.md")).unwrap();
    assert!(text.contains("**Table 1.** Two rows. ([CSV](r_files/table_01.csv))") && text.contains("| 1 | 30.33 |"), "{text}");
    assert!(text.contains("![Figure 1](r_files/figure_01.svg)"), "{text}");
    assert_eq!(fs::read_to_string(desk.path("r_files/table_01.csv")).unwrap(), "id,age\n0,30.0\n1,30.333333333333332\n");
    assert_eq!(fs::read_to_string(desk.path("r_files/figure_01.svg")).unwrap(), SVG);
}

#[test]
fn the_page_takes_the_place_of_neither_database_nor_script() {
    let desk = study();
    desk.write("report.sql", ".read parts/more.sql\nSELECT 1 AS x;");
    desk.write("parts/more.sql", "SELECT 2 AS y;");
    for (out, what) in [("./study.duckdb", "the database"), ("report.sql", "a script"), ("parts/../parts/more.sql", "a script")] {
        let before = fs::read(desk.path(out)).unwrap();
        let said = desk.say(&["report", "report.sql", "--db", "study.duckdb", "--out", out]);
        assert_eq!(said.status, Some(1), "{said:?}");
        assert!(said.error.contains(what) && said.error.contains("choose another name"), "{said:?}");
        assert!(fs::read(desk.path(out)).unwrap() == before, "{out} has changed");
    }
    // A page of an earlier time is replaced.
    for _ in 0..2 {
        assert_eq!(desk.say(&CALL).status, Some(0));
    }
}

#[test]
fn an_open_comment_and_an_unknown_variable_are_errors() {
    let desk = study();
    desk.write("report.sql", "SET VARIABLE cut = 34;\nSELECT getvariable('cut');\n/* open\nSELECT 1;");
    let said = desk.say(&CALL);
    assert_eq!(said.status, Some(1), "{said:?}");
    assert!(said.error.contains("report.sql:3: unterminated /* comment"), "{said:?}");
    let said = desk.say(&[&CALL[..], &["--set", "cutt=31"]].concat());
    assert!(said.error.contains("no variable `cutt` in report.sql: it has `cut`"), "{said:?}");
    assert!(!desk.path("out").exists());
}
