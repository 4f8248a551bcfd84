//! The adapter itself, with small functions made for it: every way in, every way out, every way to fail.

mod common;

use common::open;

#[test]
fn scalars_see_every_type() {
    let db = open();
    db.gives("describe_arguments(1, 1.5, 'x', NULL, TRUE)", "Int32 1 | Decimal128(2, 1) 1.5 | Utf8 x | Null | Boolean true");
    db.gives("describe_arguments({'trees': 400, 'x': [1.5, NULL]})", "Struct {trees: 400, x: [1.5, ]}");
    db.gives("describe_arguments(MAP {'a': 1.0::DOUBLE})", "Map {a: 1.0}");
    db.gives("describe_arguments([1, NULL, 3])", "List [1, , 3]");
    db.gives("describe_arguments([1.0, 2.0]::DOUBLE[2])", "FixedSizeList [1.0, 2.0]");
    db.gives("describe_arguments('a'::BLOB, 7)", "BinaryView 61 | Int32 7");
    db.gives("describe_arguments()", "");
    db.gives("describe_arguments(DATE '2026-01-02', 5::HUGEINT)", "Date32 2026-01-02 | Decimal128(38, 0) 5");
}

#[test]
fn scalars_see_sliced_constant_and_dictionary_vectors() {
    let db = open();
    db.gives("SELECT string_agg(identity(i), ',') FROM (SELECT i FROM range(5000) t(i) LIMIT 3 OFFSET 4000)", "4000.0,4001.0,4002.0");
    db.gives("SELECT max(len(describe_arguments(i, 'constant', {'k': i}))) FROM range(10000) t(i)", "45");
    db.gives("SELECT sum(identity(i)) FROM range(300000) t(i) WHERE i % 3 = 0", "14999850000.0");
    db.gives("SELECT count(DISTINCT describe_arguments(b)) FROM (SELECT repeat('m', 5000)::BLOB b), range(3000)", "1");
    db.gives("SELECT sum(octet_length(make_blob(i))) FROM range(3000) t(i)", "4798500");
}

#[test]
fn results_of_every_type_come_out() {
    let db = open();
    db.gives("make_list(2)", "[2.0, NULL]");
    db.gives("make_array(2)", "[2.0, 3.0, 4.0]");
    db.gives("make_map(2)", "{a=2.0, b=NULL}");
    db.gives("make_struct(2)", "{'x': 2.0, 'labels': [a label that is longer than twelve bytes 2, NULL]}");
    db.gives("make_structs(1)", "[{'x': 1.0, 'labels': [a label that is longer than twelve bytes 1, NULL]}, NULL]");
    for name in ["make_list", "make_array", "make_map", "make_struct", "make_structs", "make_blob"] {
        db.gives(&format!("{name}(NULL)"), "NULL");
        db.gives(&format!("SELECT count({name}(nullif(i % 7, 0))) FROM range(7000) t(i)"), "6000");
        db.gives(&format!("SELECT {name}(i) = {name}(4999) FROM range(5000) t(i) ORDER BY i DESC LIMIT 1"), "true");
    }
}

#[test]
fn aggregates_group_filter_distinct_and_order() {
    let db = open();
    db.gives("SELECT gather(i) FROM range(10) t(i)", "10+0 0..9");
    db.gives("SELECT gather(i) FROM range(300000) t(i)", "300000+0 0..99999");
    db.gives("SELECT gather(i) FILTER (WHERE i < 3) FROM range(100) t(i)", "3+0 0..2");
    db.gives("SELECT gather(DISTINCT i % 5) FROM range(100000) t(i)", "5+0 0..4");
    db.gives("SELECT gather(i ORDER BY i DESC) FROM range(5000) t(i)", "5000+0 0..999");
    db.gives(
        "SELECT count(*) FROM (SELECT g, gather(i) x FROM (SELECT i, i % 1009 g FROM range(100000) t(i)) GROUP BY g HAVING x LIKE '%+0 %')",
        "1009",
    );
    db.gives(
        "SELECT string_agg(x, ' / ' ORDER BY x) FROM (SELECT gather(i) x FROM range(5000) t(i) GROUP BY i % 2)",
        "2500+0 0..998 / 2500+0 1..999",
    );
}

#[test]
fn aggregates_work_over_windows_and_grouping_sets() {
    let db = open();
    db.gives(
        "SELECT string_agg(x, ' / ' ORDER BY i) FROM (SELECT i, gather(i) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) x FROM range(3) t(i))",
        "1+0 0..0 / 2+0 0..1 / 2+0 1..2",
    );
    db.gives("SELECT count(DISTINCT x) FROM (SELECT gather(i) OVER () x FROM range(5000) t(i))", "1");
    db.gives(
        "SELECT string_agg(x, ' / ' ORDER BY x) FROM (SELECT gather(i) x FROM range(4) t(i) GROUP BY GROUPING SETS ((i % 2), ()))",
        "2+0 0..2 / 2+0 1..3 / 4+0 0..3",
    );
    db.gives(
        "SELECT count(*) FROM (SELECT i, gather(i) OVER (ORDER BY i ROWS BETWEEN 50 PRECEDING AND 50 FOLLOWING) x FROM range(5000) t(i)) WHERE x NOT LIKE '101+0%'",
        "100",
    );
}

#[test]
fn empty_and_null_input() {
    let db = open();
    db.gives("SELECT gather(i) FROM range(0) t(i)", "0+0");
    db.gives("SELECT gather(NULL::INTEGER) FROM range(3000)", "0+3000");
    db.gives("SELECT gather(CASE WHEN i % 2 = 0 THEN i END) FROM range(10) t(i)", "5+5 0..8");
    db.gives("SELECT gather([1, NULL]) FROM range(2)", "2+0 [1, ]..[1, ]");
    db.gives("SELECT gather({'a': CASE WHEN i = 0 THEN 1 END}) FROM range(2) t(i)", "2+0 {a: 1}..{a: }");
    db.gives("SELECT count(*) FROM (SELECT gather(i) FROM range(0) t(i) GROUP BY i)", "0");
}

#[test]
fn options_are_a_constant_or_a_column() {
    let db = open();
    db.gives("SELECT gather(i, {'trees': 400, 'rate': 0.5}) FROM range(3) t(i)", "3+0 0..2 {trees: 400, rate: 0.5}");
    db.gives("SELECT gather(i, o) FROM range(3) t(i), (SELECT {'k': 'v'} o)", "3+0 0..2 {k: v}");
}

#[test]
fn errors_and_panics_become_query_errors() {
    let db = open();
    for (how, said) in [("error", "asked to fail"), ("panic", "esccsql bug: panic: asked to panic")] {
        db.fails(&format!("SELECT fail('{how}')"), said);
        db.fails(&format!("SELECT fail(x) FROM (SELECT '{how}' x FROM range(10000))"), said);
        db.fails(&format!("FROM count_to('{how}')"), said);
        for place in ["update", "merge", "evaluate"] {
            let rows = if place == "merge" { 500_000 } else { 10 };
            db.fails(&format!("SELECT fail_{place}(i, {{'how': '{how}'}}) FROM range({rows}) t(i)"), &format!("{said} in {place}"));
            db.fails(
                &format!("SELECT fail_{place}(i, {{'how': '{how}'}}) FROM range(500000) t(i) GROUP BY i % 3"),
                &format!("{said} in {place}"),
            );
        }
        db.fails(
            &format!("SELECT fail_evaluate(i, {{'how': '{how}'}}) OVER (ORDER BY i) FROM range(10) t(i)"),
            &format!("{said} in evaluate"),
        );
    }
    // A destructor has no way to fail its query; the connection and the other groups live on.
    db.gives("SELECT count(*) FROM (SELECT fail_drop(i) FROM range(10) t(i) GROUP BY i)", "10");
    db.gives("SELECT 1 + 1", "2");
}

#[test]
fn table_functions_give_any_number_of_rows() {
    let db = open();
    db.gives("SELECT count(*) FROM count_to('0')", "0");
    db.gives("SELECT sum(i) FROM count_to('5000')", "12502500");
    db.gives("SELECT squares FROM count_to('3000') WHERE i = 2999", "[2999, 8994001]");
}

#[test]
fn queries_at_once_do_not_disturb_each_other() {
    let db = open();
    let connections: Vec<_> = (0..4).map(|_| db.try_clone().unwrap()).collect();
    std::thread::scope(|scope| {
        for (i, connection) in connections.into_iter().enumerate() {
            scope.spawn(move || {
                for _ in 0..20 {
                    let text: String = connection
                        .query_row(&format!("SELECT gather(describe_arguments(i)) FROM range({}) t(i)", 1000 + i), [], |row| row.get(0))
                        .unwrap();
                    assert!(text.starts_with(&format!("{}+0", 1000 + i)), "{text}");
                }
            });
        }
    });
}

#[test]
fn a_closed_database_fails_politely() {
    let db = open();
    let survivor = db.try_clone().unwrap();
    drop(db);
    let error = survivor.query_row("SELECT describe_arguments(1)", [], |row| row.get::<_, String>(0)).unwrap_err().to_string();
    assert!(error.contains("the database is closed"), "{error}");
}

#[test]
fn a_file_can_be_opened_again() {
    let folder = std::env::temp_dir().join(format!("esccsql-adapter-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("study.duckdb");
    for round in 0..3 {
        let database = esccsql_duckdb::Database::open(Some(&file), &[]).unwrap();
        let connection = unsafe { duckdb::Connection::open_from_raw(database.raw()) }.unwrap();
        connection.execute_batch("CREATE TABLE IF NOT EXISTS t AS SELECT 0 i; INSERT INTO t SELECT max(i) + 1 FROM t").unwrap();
        let rows: i64 = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, round + 2);
    }
    std::fs::remove_dir_all(folder).unwrap();
}
