//! Queries and their results as text that tells every bit.

use esccsql::engine::duckdb::Session;

/// Each row of a query as DuckDB prints it, sorted; a DOUBLE prints with all its bits.
pub fn rows(session: &Session, query: &str) -> Result<Vec<String>, String> {
    let text = format!("SELECT result::VARCHAR FROM ({query}) AS result");
    let told = |error: duckdb::Error| format!("{error}\n{query}");
    let mut statement = session.prepare(&text).map_err(told)?;
    let found = statement.query_map([], |row| row.get::<_, String>(0)).map_err(told)?;
    let mut rows = found.collect::<Result<Vec<_>, _>>().map_err(told)?;
    rows.sort();
    Ok(rows)
}

/// A call of a function in a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Call<'a> {
    /// From the function's name to its closing parenthesis.
    pub call: &'a str,
    /// The query's FROM, up to GROUP BY.
    pub from: &'a str,
    /// What it groups by, if it does.
    pub group: Option<&'a str>,
}

/// The call of `name` in a query, and what it is called on.
pub fn call<'a>(query: &'a str, name: &str) -> Option<Call<'a>> {
    let start = query.find(&format!("{name}("))?;
    let mut depth = 0;
    let length = query[start..].find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ')' && depth == 0
    })? + 1;
    let (call, rest) = query[start..].split_at(length);
    let rest = rest.split_once(" FROM ")?.1;
    let rest = rest.split(" ORDER BY ").next().unwrap_or(rest);
    let (from, group) = rest.split_once(" GROUP BY ").map_or((rest, None), |(from, group)| (from, Some(group)));
    Some(Call { call, from, group })
}

#[test]
fn a_call_is_found_with_its_tables() {
    let query = "SELECT a, f(g(x, {'k': (1)})).p FROM t, (SELECT 1 AS y) GROUP BY a ORDER BY a";
    let from = "t, (SELECT 1 AS y)";
    assert_eq!(call(query, "g"), Some(Call { call: "g(x, {'k': (1)})", from, group: Some("a") }));
    assert_eq!(call(query, "f"), Some(Call { call: "f(g(x, {'k': (1)}))", from, group: Some("a") }));
    assert_eq!(call(query, "h"), None);
}
