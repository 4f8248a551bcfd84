//! DuckDB SQL for another engine: which part of a statement is a query, and the query in words that DataFusion knows.
//!
//! DataFusion's parser takes most of DuckDB's dialect. Some habits are rewritten here: chains by dot
//! (`image(p).image_window(50, 350)` becomes `image_window(image(p), 50, 350)`), a member of a value
//! (`image_info(i).shape` becomes `image_info(i)['shape']`), `FROM t` without SELECT, and `getvariable('name')`, which becomes the
//! variable's value.

use std::ops::Range;

use anyhow::{Context, Result, bail};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;
use duckdb::Connection;

use crate::script::token::{Kind, Token, tokens};

/// Words that stand before a bracket and are no function's name.
const KEYWORDS: [&str; 29] = [
    "select", "from", "where", "and", "or", "not", "in", "as", "on", "when", "then", "else", "by", "having", "case", "using", "values",
    "distinct", "all", "over", "filter", "is", "like", "between", "limit", "with", "join", "union", "exists",
];

/// Where the query of a statement is: the whole of a SELECT, what stands behind AS in CREATE TABLE, behind the table's name in
/// INSERT. `None`: the statement has no query whose rows only go into a table or to the reader.
pub fn query(statement: &str) -> Option<Range<usize>> {
    let all = words(statement);
    let first = all.first()?;
    let end = all.last()?.span.end;
    let starts_query = |token: &Token| ["select", "from", "with", "values"].iter().any(|word| token.is(word)) || token.is_symbol('(');
    if ["select", "from", "with", "values"].iter().any(|word| first.is(word)) {
        let writes = outside_brackets(&all).any(|token| ["insert", "update", "delete", "merge"].iter().any(|word| token.is(word)));
        return (!writes).then_some(first.span.start..end);
    }
    if first.is("create") && all.iter().take(5).any(|token| token.is("table")) {
        let at = outside_brackets(&all).position(|token| token.is("as"))?;
        let start = outside_brackets(&all).nth(at + 1).or_else(|| all.iter().find(|token| token.is_symbol('(')))?;
        return starts_query(start).then_some(start.span.start..end);
    }
    if first.is("insert") {
        let start = outside_brackets(&all).find(|token| ["select", "from", "with"].iter().any(|word| token.is(word)))?;
        let returns = outside_brackets(&all).any(|token| token.is("returning") || token.is("conflict"));
        return (!returns).then_some(start.span.start..end);
    }
    None
}

/// The query as DataFusion reads it.
///
/// # Errors
/// A variable of a type that cannot be written as SQL.
pub fn translate(connection: &Connection, query: &str) -> Result<String> {
    variables(connection, &selected(&members(&calls(query))))
}

/// `FROM t` as `SELECT * FROM t`.
fn selected(query: &str) -> String {
    let all = words(query);
    let begins = all.first().is_some_and(|token| token.is("from"));
    let selects = outside_brackets(&all).any(|token| token.is("select"));
    if begins && !selects { format!("SELECT * {query}") } else { query.to_string() }
}

/// Does the statement call one of these functions?
pub fn uses(statement: &str, functions: &[String]) -> bool {
    let all = words(statement);
    all.windows(2).any(|pair| pair[1].is_symbol('(') && pair[0].word().is_some_and(|word| functions.iter().any(|name| name == word)))
}

/// `f(x).member` as `f(x)['member']`. A dot behind a plain name stays: it may be a table's.
fn members(query: &str) -> String {
    let all = words(query);
    let mut text = String::new();
    let mut done = 0;
    for at in 1..all.len().saturating_sub(1) {
        // Also `f(x).member.member`, whose first member has just been taken.
        let behind_value = all[at - 1].is_symbol(')') || all[at - 1].is_symbol(']') || (done > 0 && done == all[at].span.start);
        let called = all.get(at + 2).is_some_and(|token| token.is_symbol('('));
        if !(behind_value && all[at].is_symbol('.')) || called || all[at + 1].word().is_none() {
            continue;
        }
        let name = query[all[at + 1].span.clone()].trim_matches('"').replace("\"\"", "\"").replace('\'', "''");
        text.push_str(&query[done..all[at].span.start]);
        text.push_str(&format!("['{name}']"));
        done = all[at + 1].span.end;
    }
    text + &query[done..]
}

/// Chains by dot as calls within each other.
pub fn calls(query: &str) -> String {
    let mut text = query.to_string();
    loop {
        let all = words(&text);
        let chained = (1..all.len().saturating_sub(2)).find_map(|dot| Some((dot, receiver(&all, dot)?)));
        let Some((dot, from)) = chained else { return text };
        let (function, open) = (&text[all[dot + 1].span.clone()], all[dot + 2].span.end);
        let object = text[all[from].span.start..all[dot].span.start].trim_end();
        let comma = if all.get(dot + 3).is_some_and(|token| token.is_symbol(')')) { "" } else { ", " };
        text = format!("{}{function}({object}{comma}{}", &text[..all[from].span.start], &text[open..]);
    }
}

/// The first token of what the function behind the dot at `dot` is called on; `None` where the dot joins names.
fn receiver(all: &[Token], dot: usize) -> Option<usize> {
    let is_call = all[dot].is_symbol('.') && all[dot + 1].word().is_some() && all[dot + 2].is_symbol('(');
    if !is_call {
        return None;
    }
    let mut at = dot - 1;
    loop {
        let (close, open) = match all[at].kind {
            Kind::Symbol(')') => (')', '('),
            Kind::Symbol(']') => (']', '['),
            Kind::Symbol('}') => ('}', '{'),
            Kind::Word { .. } | Kind::Text(_) | Kind::Other => {
                while at >= 2 && all[at - 1].is_symbol('.') && all[at - 2].word().is_some() {
                    at -= 2;
                }
                return Some(at);
            }
            _ => return None,
        };
        let mut depth = 0;
        at = (0..=at).rev().find(|&place| {
            depth += i32::from(all[place].is_symbol(close)) - i32::from(all[place].is_symbol(open));
            depth == 0
        })?;
        // `f(...)` and `x[...]` go on to the left, `(...)`, `[...]` and `{...}` begin here.
        let before = at.checked_sub(1).map(|place| &all[place]);
        let goes_on = match (open, before) {
            ('(', Some(token)) => token.word().is_some_and(|word| !KEYWORDS.contains(&word)),
            ('[', Some(token)) => {
                token.word().is_some_and(|word| !KEYWORDS.contains(&word)) || token.is_symbol(')') || token.is_symbol(']')
            }
            _ => false,
        };
        if !goes_on {
            return Some(at);
        }
        at -= 1;
    }
}

/// `getvariable('name')` as the value of the variable.
fn variables(connection: &Connection, query: &str) -> Result<String> {
    let all = words(query);
    let mut text = String::new();
    let mut done = 0;
    for at in 0..all.len().saturating_sub(3) {
        let Kind::Text(name) = &all[at + 2].kind else { continue };
        if !(all[at].is("getvariable") && all[at + 1].is_symbol('(') && all[at + 3].is_symbol(')')) {
            continue;
        }
        text.push_str(&query[done..all[at].span.start]);
        text.push_str(&variable(connection, name).with_context(|| format!("the variable '{name}'"))?);
        done = all[at + 3].span.end;
    }
    Ok(text + &query[done..])
}

fn variable(connection: &Connection, name: &str) -> Result<String> {
    let mut statement = connection.prepare(&format!("SELECT getvariable('{}')", name.replace('\'', "''")))?;
    let batches: Vec<_> = statement.query_arrow([])?.collect();
    match batches.first() {
        Some(batch) if batch.num_rows() == 1 => literal(batch.column(0), 0),
        _ => Ok("NULL".into()),
    }
}

/// A value as SQL.
fn literal(array: &ArrayRef, row: usize) -> Result<String> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Ok("NULL".into());
    }
    let list = |items: ArrayRef| -> Result<String> {
        let items = (0..items.len()).map(|item| literal(&items, item)).collect::<Result<Vec<_>>>()?;
        Ok(format!("[{}]", items.join(", ")))
    };
    Ok(match array.data_type() {
        DataType::Float64 => format!("{:?}", array.as_primitive::<arrow::datatypes::Float64Type>().value(row)),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            format!("'{}'", array_value_to_string(array, row)?.replace('\'', "''"))
        }
        DataType::List(_) => list(array.as_list::<i32>().value(row))?,
        DataType::FixedSizeList(..) => list(array.as_fixed_size_list().value(row))?,
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let members = fields
                .iter()
                .zip(columns)
                .map(|(field, column)| Ok(format!("'{}': {}", field.name().replace('\'', "''"), literal(column, row)?)));
            format!("{{{}}}", members.collect::<Result<Vec<_>>>()?.join(", "))
        }
        kind if kind.is_numeric() || *kind == DataType::Boolean => array_value_to_string(array, row)?,
        DataType::Date32 => format!("CAST('{}' AS DATE)", array_value_to_string(array, row)?),
        kind => bail!("it is {kind}, which another engine cannot read from a statement; cast it to a number or VARCHAR"),
    })
}

fn words(text: &str) -> Vec<Token> {
    tokens(text, 0).filter(|token| token.kind != Kind::Comment).collect()
}

fn outside_brackets(all: &[Token]) -> impl Iterator<Item = &Token> {
    let mut depth = 0i32;
    all.iter().filter(move |token| {
        let before = depth;
        match token.kind {
            Kind::Symbol('(' | '[' | '{') => depth += 1,
            Kind::Symbol(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        before == 0 && depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::duckdb::{Settings, open};

    #[test]
    fn chains_become_calls() {
        let cases = [
            ("SELECT image(p).image_window(50, 350).image_zscore() FROM t", "SELECT image_zscore(image_window(image(p), 50, 350)) FROM t"),
            ("SELECT t.img.image_info().shape", "SELECT image_info(t.img).shape"),
            ("SELECT ('a' || p).image()", "SELECT image(('a' || p))"),
            ("SELECT a.b, s.x FROM a", "SELECT a.b, s.x FROM a"),
            ("SELECT l[1].image().image_resample([1, 1, 1])", "SELECT image_resample(image(l[1]), [1, 1, 1])"),
            ("SELECT f(g(a).h(b), '.x(').i()", "SELECT i(f(h(g(a), b), '.x('))"),
        ];
        for (chain, expected) in cases {
            assert_eq!(calls(chain), expected);
        }
    }

    #[test]
    fn members_become_subscripts() {
        let cases = [
            ("SELECT image_info(i).shape[1], t.a FROM t", "SELECT image_info(i)['shape'][1], t.a FROM t"),
            ("SELECT l[1].a.b, (s).\"C d\"", "SELECT l[1]['a']['b'], (s)['C d']"),
            ("SELECT ').a', f(x).g(y)", "SELECT ').a', f(x).g(y)"),
        ];
        for (dotted, expected) in cases {
            assert_eq!(members(dotted), expected);
        }
    }

    #[test]
    fn from_alone_selects_all() {
        assert_eq!(selected("FROM t WHERE a IN (SELECT 1)"), "SELECT * FROM t WHERE a IN (SELECT 1)");
        assert_eq!(selected("FROM t SELECT a"), "FROM t SELECT a");
    }

    #[test]
    fn functions_are_found_by_name() {
        let functions = ["radiomics".to_string()];
        assert!(uses("SELECT Radiomics(a, b) FROM t", &functions) && uses("FROM t SELECT a.radiomics(b)", &functions));
        assert!(!uses("SELECT radiomics FROM t -- radiomics(a)", &functions) && !uses("SELECT 'radiomics(a)'", &functions));
    }

    #[test]
    fn the_query_of_a_statement() {
        let found = |statement: &'static str| query(statement).map(|span| &statement[span]);
        assert_eq!(found("SELECT 1 -- end"), Some("SELECT 1"));
        assert_eq!(found("CREATE OR REPLACE TABLE t AS SELECT a AS b FROM u"), Some("SELECT a AS b FROM u"));
        assert_eq!(found("CREATE TABLE t AS (SELECT 1)"), Some("(SELECT 1)"));
        assert_eq!(found("CREATE TABLE t AS WITH a AS (SELECT 1) FROM a"), Some("WITH a AS (SELECT 1) FROM a"));
        assert_eq!(found("INSERT INTO t (a, b) SELECT 1, 2"), Some("SELECT 1, 2"));
        for other in
            ["CREATE TABLE t (a INTEGER)", "CREATE VIEW v AS SELECT 1", "SET VARIABLE a = 1", "INSERT INTO t VALUES (1)", "DROP TABLE t"]
        {
            assert_eq!(found(other), None, "{other}");
        }
    }

    #[test]
    fn variables_become_values() {
        let session = open(None, &Settings::default()).unwrap();
        session
            .execute_batch("SET VARIABLE a = [1, 2.5]; SET VARIABLE b = 'it''s'; SET VARIABLE c = {'k': 1e-7::DOUBLE, 'l': true}")
            .unwrap();
        let sql = "SELECT getvariable('a'), getvariable('b'), getvariable('c'), getvariable('none'), 'getvariable(''a'')'";
        let expected = "SELECT [1.0, 2.5], 'it''s', {'k': 1e-7, 'l': true}, NULL, 'getvariable(''a'')'";
        assert_eq!(translate(&session, sql).unwrap(), expected);
    }
}
