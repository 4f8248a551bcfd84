//! The report of a failed statement: where it stands, what DuckDB said, and the place within the statement.

use std::fmt::Write;

use super::step::Step;
use crate::render::{Format, Limits, Table};

/// Lines of the statement shown on either side of the place.
const AROUND: usize = 3;

/// The text of a failure, for the person at the terminal.
pub fn report(step: &Step, message: &str) -> String {
    let (message, place) = split_place(message, &step.statement);
    let line = step.source.line + place.map_or(0, |(line, _)| line);
    let mut text = format!("{}:{line}: step {:?} failed\n{}\n\n", step.source.file.display(), step.name, message.trim_end());
    let last = step.source.line + step.statement.lines().count();
    let width = last.to_string().len();
    let shown = place.map_or(0, |(line, _)| line);
    for (at, content) in step.statement.lines().enumerate() {
        let is_near = at + AROUND >= shown && at <= shown + AROUND;
        if !is_near {
            continue;
        }
        let _ = writeln!(text, "{:>width$} | {content}", step.source.line + at);
        if let Some((_, column)) = place.filter(|(line, _)| *line == at) {
            let _ = writeln!(text, "{:width$} | {}^", "", " ".repeat(column));
        }
    }
    text
}

/// What a test of the data found.
pub fn of_test(offending: &Table, limits: Limits) -> String {
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = offending.write(Format::Box, limits, &mut text);
    let count = offending.rows();
    let rows = if count == 1 { "1 row is" } else { &format!("{count} rows are") };
    format!("{rows} not as the test demands:\n{}", String::from_utf8_lossy(&text))
}

/// DuckDB's message without its excerpt, and the line and column (from 0) in the statement that the excerpt points at.
fn split_place(message: &str, statement: &str) -> (String, Option<(usize, usize)>) {
    let lines: Vec<&str> = message.lines().collect();
    let Some(at) = lines.iter().rposition(|line| line.starts_with("LINE ")) else { return (message.into(), None) };
    let place = || {
        let (number, excerpt) = lines[at].strip_prefix("LINE ")?.split_once(": ")?;
        let number: usize = number.parse().ok()?;
        let head = lines[at].chars().count() - excerpt.chars().count();
        let caret = lines.get(at + 1)?.chars().position(|c| c == '^')?.checked_sub(head)?;
        // A long line is cut to an excerpt with dots at its ends.
        let cut_at_start = excerpt.starts_with("...");
        let core = excerpt.trim_start_matches("...").trim_end_matches("...");
        let line = statement.lines().nth(number.checked_sub(1)?)?;
        let start = line.find(core).map_or(0, |byte| line[..byte].chars().count());
        let dots = if cut_at_start { 3 } else { 0 };
        Some((number - 1, (start + caret).saturating_sub(dots)))
    };
    let rest: Vec<&str> = lines.iter().enumerate().filter(|(line, _)| *line != at && *line != at + 1).map(|(_, line)| *line).collect();
    (rest.join("\n").trim_end().into(), place())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::load::{Action, Source};
    use crate::script::step::steps;

    #[test]
    fn the_caret_stands_under_the_place() {
        let statement = "SELECT a,\n  b FROM t";
        let source = Source {
            file: "study.sql".into(),
            line: 10,
            label: Some("s".into()),
            is_test: false,
            engine: None,
            held_out: None,
            action: Action::Statement(statement.into()),
        };
        let step = &steps(vec![source]).unwrap()[0];
        let message = "Binder Error: Referenced column \"b\" not found\n\nLINE 2:   b FROM t\n          ^";
        let text = report(step, message);
        assert!(text.starts_with("study.sql:11: step \"s\" failed\nBinder Error"), "{text}");
        assert!(text.contains("11 |   b FROM t\n   |   ^\n"), "{text}");
        assert!(!text.contains("LINE 2"), "{text}");
    }
}
