//! What a statement reads and writes, seen from its words alone.
//!
//! Reads are over-estimated on purpose: every name in the statement counts as a table if a table of that name exists.
//! A step that reads too much runs once too often; a step that reads too little would keep a stale result.

use std::collections::BTreeSet;

use super::token::{Kind, Token, tokens};

/// How a statement is treated by the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Prints rows: SELECT, FROM, SHOW, ...
    Query,
    /// Changes the database or a file.
    Write,
    /// Changes only the session, or cannot be remembered: runs every time.
    Session,
    /// BEGIN, COMMIT, ROLLBACK.
    Transaction,
}

/// How an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Made anew, whatever was there.
    Create,
    /// Built on what was there.
    Modify,
    Drop,
}

/// The table, view, macro, ... that a statement writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `table`, `view`, `macro`, `type`, `sequence`, `schema` or `index`.
    pub kind: &'static str,
    /// As written, in lower case: `["analysis", "scores"]`.
    pub path: Vec<String>,
    pub change: Change,
    /// CREATE without OR REPLACE: the runner drops what an earlier run made.
    pub is_plain_create: bool,
}

impl Target {
    /// The name without schema and database.
    pub fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// A string that the statement may use as a path: literals and variables joined by `||`.
pub type Pattern = Vec<Part>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Text(String),
    Variable(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effects {
    pub role: Role,
    /// The first word, or two of them for CREATE and the like.
    pub title: String,
    pub target: Option<Target>,
    /// `SET VARIABLE name`.
    pub sets_variable: Option<String>,
    /// A setting of threads, memory or display, which no result depends on.
    pub is_resource_setting: bool,
    /// Every word that may name a table, view or macro.
    pub words: BTreeSet<String>,
    /// `getvariable('name')`.
    pub variables: BTreeSet<String>,
    pub patterns: Vec<Pattern>,
    /// `DESC t`, on its own or in brackets; not ORDER BY ... DESC.
    pub is_desc: bool,
    /// `COPY ... TO 'file'`.
    pub output_file: Option<Pattern>,
    /// The statement in one spelling: comments and spacing do not count.
    pub canonical: String,
}

/// Functions whose string arguments name tables.
const NAMES_IN_STRINGS: [&str; 6] = ["query_table", "query", "nextval", "currval", "pragma_table_info", "pragma_show"];
/// Settings that change how fast or where, never what.
const RESOURCE_SETTINGS: [&str; 12] = [
    "threads",
    "worker_threads",
    "external_threads",
    "memory_limit",
    "max_memory",
    "temp_directory",
    "max_temp_directory_size",
    "enable_progress_bar",
    "progress_bar_time",
    "enable_progress_bar_print",
    "checkpoint_threshold",
    "wal_autocheckpoint",
];

/// Reads a statement.
pub fn effects(statement: &str) -> Effects {
    let all: Vec<Token> = tokens(statement, 0).filter(|token| token.kind != Kind::Comment).collect();
    let first = all.first().and_then(Token::word).unwrap_or_default();
    let (target, skip) = target(&all);
    let output_file = output_file(&all);
    let sets_variable = (first == "set" && all.get(1).is_some_and(|token| token.is("variable")))
        .then(|| all.get(2).and_then(Token::word).map(String::from))
        .flatten();
    let is_temporary = all.iter().take(5).any(|token| token.is("temp") || token.is("temporary"));
    let role = match first {
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" => Role::Transaction,
        "create" if target.is_some() && !is_temporary => Role::Write,
        "select" | "from" | "values" | "table" | "show" | "describe" | "desc" | "summarize" | "pivot" | "unpivot" | "explain" => {
            Role::Query
        }
        "with" if target.is_none() => Role::Query,
        _ if all.first().is_some_and(|token| token.is_symbol('(')) => Role::Query,
        "copy" if output_file.is_some() || target.is_some() => Role::Write,
        _ if target.is_some() && !is_temporary => Role::Write,
        _ => Role::Session,
    };
    let is_resource_setting = match first {
        "set" | "reset" => all.iter().take(4).filter_map(Token::word).any(|word| RESOURCE_SETTINGS.contains(&word)),
        "pragma" => all.get(1).and_then(Token::word).is_some_and(|word| RESOURCE_SETTINGS.contains(&word)),
        _ => false,
    };
    let mut words: BTreeSet<String> =
        all.iter().enumerate().filter(|(at, _)| !skip.contains(at)).filter_map(|(_, token)| token.word().map(String::from)).collect();
    if NAMES_IN_STRINGS.iter().any(|name| words.contains(*name)) {
        for token in &all {
            if let Kind::Text(content) = &token.kind {
                words.extend(tokens(content, 0).filter_map(|token| token.word().map(String::from)));
            }
        }
    }
    Effects {
        role,
        title: title(&all),
        target,
        sets_variable,
        is_resource_setting,
        words,
        variables: variables(&all),
        patterns: patterns(&all),
        is_desc: (0..all.len()).any(|at| all[at].is("desc") && (at == 0 || all[at - 1].is_symbol('('))),
        output_file,
        canonical: all.iter().map(|token| canonical(statement, token)).collect::<Vec<_>>().join(" "),
    }
}

/// Is the statement one that prints rows?
pub fn is_query(statement: &str) -> bool {
    effects(statement).role == Role::Query
}

/// The variable that a statement sets, in lower case.
pub fn sets_variable(statement: &str) -> Option<String> {
    effects(statement).sets_variable.map(|name| name.to_lowercase())
}

impl Effects {
    /// Does it call a function that writes files, such as `image_write`?
    pub fn writes_files(&self) -> bool {
        self.words.iter().any(|word| word.ends_with("_write"))
    }
}

/// The written object, and the places of its name among the tokens.
fn target(all: &[Token]) -> (Option<Target>, Vec<usize>) {
    let word = |at: usize| all.get(at).and_then(Token::word).unwrap_or_default();
    let skip_words = |mut at: usize, among: &[&str]| {
        while among.contains(&word(at)) {
            at += 1;
        }
        at
    };
    let mut start = 0;
    if word(0) == "with" {
        let verbs = ["insert", "update", "delete", "merge"];
        let Some(at) = at_depth_zero(all, |token| verbs.iter().any(|verb| token.is(verb))) else { return (None, Vec::new()) };
        start = at;
    }
    let (kind, change, at, is_plain_create) = match word(start) {
        "create" => {
            let is_replace = word(1) == "or";
            let at = skip_words(1, &["or", "replace", "temp", "temporary", "unique", "recursive", "persistent", "local"]);
            let Some(kind) = object_kind(word(at)) else { return (None, Vec::new()) };
            let at = skip_words(at + 1, &["if", "not", "exists"]);
            (kind, Change::Create, at, !is_replace)
        }
        "insert" => ("table", Change::Modify, skip_words(start + 1, &["or", "replace", "ignore", "into"]), false),
        "update" => ("table", Change::Modify, skip_words(start + 1, &["or", "replace", "ignore"]), false),
        "delete" | "merge" => ("table", Change::Modify, skip_words(start + 1, &["from", "into"]), false),
        "truncate" => ("table", Change::Modify, skip_words(start + 1, &["table"]), false),
        "alter" | "drop" => {
            let Some(kind) = object_kind(word(start + 1)) else { return (None, Vec::new()) };
            let change = if word(start) == "drop" { Change::Drop } else { Change::Modify };
            (kind, change, skip_words(start + 2, &["macro", "table", "if", "exists"]), false)
        }
        "copy" => match at_depth_zero(all, |token| token.is("from")) {
            Some(_) if !all.get(1).is_some_and(|token| token.is_symbol('(')) => ("table", Change::Modify, 1, false),
            _ => return (None, Vec::new()),
        },
        _ => return (None, Vec::new()),
    };
    let mut path = Vec::new();
    let mut places = Vec::new();
    let mut next = at;
    while let Some(name) = all.get(next).and_then(Token::word) {
        path.push(name.to_string());
        places.push(next);
        if !all.get(next + 1).is_some_and(|token| token.is_symbol('.')) {
            break;
        }
        next += 2;
    }
    if path.is_empty() {
        return (None, Vec::new());
    }
    (Some(Target { kind, path, change, is_plain_create }), places)
}

fn object_kind(word: &str) -> Option<&'static str> {
    Some(match word {
        "table" => "table",
        "view" => "view",
        "macro" | "function" => "macro",
        "type" => "type",
        "sequence" => "sequence",
        "schema" => "schema",
        "index" => "index",
        _ => return None,
    })
}

fn at_depth_zero(all: &[Token], wanted: impl Fn(&Token) -> bool) -> Option<usize> {
    let mut depth = 0i32;
    for (at, token) in all.iter().enumerate() {
        match token.kind {
            Kind::Symbol('(') => depth += 1,
            Kind::Symbol(')') => depth -= 1,
            _ if depth == 0 && wanted(token) => return Some(at),
            _ => {}
        }
    }
    None
}

fn output_file(all: &[Token]) -> Option<Pattern> {
    if !all.first()?.is("copy") {
        return None;
    }
    let to = at_depth_zero(all, |token| token.is("to"))?;
    pattern_at(all, to + 1).or_else(|| pattern_at(all, to + 2)).map(|(pattern, _)| pattern)
}

fn variables(all: &[Token]) -> BTreeSet<String> {
    (0..all.len()).filter_map(|at| variable_at(all, at)).collect()
}

/// `getvariable('name')` at this token.
fn variable_at(all: &[Token], at: usize) -> Option<String> {
    let is_call = all.get(at)?.is("getvariable") && all.get(at + 1)?.is_symbol('(');
    match (&all.get(at + 2)?.kind, is_call) {
        (Kind::Text(name), true) => Some(name.to_lowercase()),
        _ => None,
    }
}

/// Every string, and every chain of strings and variables joined by `||`.
fn patterns(all: &[Token]) -> Vec<Pattern> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < all.len() {
        // The name within getvariable('name') is a string too, but no path.
        match pattern_at(all, at) {
            Some((pattern, next)) => {
                found.push(pattern);
                at = next;
            }
            None => at += 1,
        }
    }
    found.sort();
    found.dedup();
    found
}

fn pattern_at(all: &[Token], start: usize) -> Option<(Pattern, usize)> {
    let mut pattern = Vec::new();
    let mut at = start;
    loop {
        if let Some(variable) = variable_at(all, at) {
            pattern.push(Part::Variable(variable));
            at += 4;
        } else if let Some(Kind::Text(text)) = all.get(at).map(|token| &token.kind) {
            pattern.push(Part::Text(text.clone()));
            at += 1;
        } else {
            break;
        }
        let is_joined = (at..at + 2).all(|bar| all.get(bar).is_some_and(|token| token.is_symbol('|')));
        if !is_joined {
            return Some((pattern, at));
        }
        at += 2;
    }
    // A chain that goes on with something else (a column): what is known of it is no path.
    (!pattern.is_empty()).then_some((pattern, at))
}

fn title(all: &[Token]) -> String {
    let words: Vec<&str> = all.iter().take(3).map_while(Token::word).collect();
    words.join(" ")
}

fn canonical(statement: &str, token: &Token) -> String {
    match &token.kind {
        Kind::Word { text, quoted: false } => text.clone(),
        _ => statement[token.span.clone()].to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target_of(statement: &str) -> (String, Change) {
        let target = effects(statement).target.unwrap();
        (format!("{} {}", target.kind, target.path.join(".")), target.change)
    }

    #[test]
    fn targets() {
        assert_eq!(target_of("create or replace table A.\"B c\" as select 1"), ("table a.b c".into(), Change::Create));
        assert_eq!(target_of("CREATE VIEW IF NOT EXISTS v AS FROM t"), ("view v".into(), Change::Create));
        assert_eq!(target_of("INSERT OR REPLACE INTO t SELECT 1"), ("table t".into(), Change::Modify));
        assert_eq!(target_of("WITH x AS (SELECT 1) INSERT INTO t FROM x"), ("table t".into(), Change::Modify));
        assert_eq!(target_of("DROP TABLE IF EXISTS t"), ("table t".into(), Change::Drop));
        assert_eq!(target_of("COPY t FROM 'a.csv'"), ("table t".into(), Change::Modify));
        assert_eq!(target_of("CREATE MACRO f(a) AS a + 1"), ("macro f".into(), Change::Create));
        assert!(effects("CREATE SECRET s (TYPE s3)").target.is_none());
    }

    #[test]
    fn a_target_is_no_read_unless_named_again() {
        assert!(!effects("CREATE OR REPLACE TABLE t AS SELECT * FROM u").words.contains("t"));
        assert!(effects("CREATE OR REPLACE TABLE t AS SELECT * FROM t").words.contains("t"));
    }

    #[test]
    fn roles() {
        let role = |statement| effects(statement).role;
        assert_eq!(role("SELECT 1"), Role::Query);
        assert_eq!(role("(SELECT 1)"), Role::Query);
        assert_eq!(role("WITH a AS (SELECT 1) FROM a"), Role::Query);
        assert_eq!(role("SET VARIABLE x = 1"), Role::Session);
        assert_eq!(role("CREATE TEMP TABLE t AS SELECT 1"), Role::Session);
        assert_eq!(role("COPY t TO 'x.csv'"), Role::Write);
        assert_eq!(role("ATTACH 'x' AS y"), Role::Session);
        assert_eq!(role("BEGIN"), Role::Transaction);
        assert!(effects("SET threads = 4").is_resource_setting);
        assert!(!effects("SET TimeZone = 'UTC'").is_resource_setting);
    }

    #[test]
    fn variables_and_paths() {
        let effects = effects("SELECT * FROM read_csv(getvariable('root') || '/a.csv') WHERE k = getvariable('K')");
        assert_eq!(effects.variables, ["k".to_string(), "root".to_string()].into());
        assert!(effects.patterns.contains(&vec![Part::Variable("root".into()), Part::Text("/a.csv".into())]));
    }

    #[test]
    fn a_descending_order_describes_nothing() {
        assert!(!effects("SELECT * FROM t ORDER BY a DESC, b").is_desc);
        assert!(effects("DESC t").is_desc && effects("SELECT * FROM (DESC t)").is_desc);
    }

    #[test]
    fn names_in_strings_count_where_functions_take_them() {
        assert!(effects("FROM query_table('scores')").words.contains("scores"));
        assert!(!effects("SELECT 'scores'").words.contains("scores"));
    }

    #[test]
    fn spacing_and_comments_do_not_change_a_statement() {
        assert_eq!(effects("SELECT  1 -- a\n, 'B'").canonical, effects("select 1,/* x */'B'").canonical);
        assert_ne!(effects("SELECT 'b'").canonical, effects("SELECT 'B'").canonical);
    }
}
