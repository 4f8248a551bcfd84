//! `kill -9` at random moments: what was finished stays, and the last run ends with the tables of an undisturbed one.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Desk;

/// Thirty steps of some hundredths of a second, each made from the one before, in tables, insertions and files.
fn script() -> String {
    let mut script = String::from("CREATE TABLE total (i INTEGER, s DOUBLE);\n");
    for i in 0..10 {
        let before = if i == 0 { "(SELECT 1.0 AS s)".to_string() } else { format!("t{}", i - 1) };
        script += &format!(
            "CREATE OR REPLACE TABLE t{i} AS SELECT any_value(p.s) + avg(a.i % 7 * b.i) AS s FROM range(3000) a(i), range(2000) b(i), {before} AS p;
             INSERT INTO total SELECT {i}, s FROM t{i};
             COPY t{i} TO 't{i}.csv';\n"
        );
    }
    script
}

#[test]
fn ten_kills_at_random_moments_lose_nothing_and_redo_nothing() {
    let calm = Desk::new();
    calm.write("s.sql", &script());
    let start = Instant::now();
    assert_eq!(calm.say(&["run", "s.sql"]).status, Some(0));
    let whole = start.elapsed();

    let desk = Desk::new();
    desk.write("s.sql", &script());
    let mut random: u64 = 20_261_123;
    for _ in 0..10 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (random >> 33) as f64 / f64::from(1u32 << 31);
        let mut child = desk.command(&["run", "s.sql"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(whole.mul_f64(0.05 + 0.3 * share).max(Duration::from_millis(20)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let last = desk.say(&["run", "s.sql"]);
    assert_eq!(last.status, Some(0), "{last:?}");
    let tables = "SELECT i, s FROM total ORDER BY i, s";
    assert_eq!(desk.ask("s.duckdb", tables), calm.ask("s.duckdb", tables));
    for i in 0..10 {
        let read = |desk: &Desk| std::fs::read_to_string(desk.path(&format!("t{i}.csv"))).unwrap();
        assert_eq!(read(&desk), read(&calm));
    }
    let redone = "SELECT name, count(*) FROM esccsql_steps WHERE status = 'done' AND writes IS NOT NULL GROUP BY name HAVING count(*) > 1";
    assert_eq!(desk.ask("s.duckdb", redone), "");
}
