//! A database with small functions made to try every way into and out of the adapter.

mod probes;

use std::ops::Deref;

use duckdb::Connection;
use duckdb::types::Value;
use esccsql_duckdb::Database;

pub struct Session {
    connection: Connection,
    _database: Database,
}

impl Deref for Session {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// A database in memory with the probes.
pub fn open() -> Session {
    let database = Database::open(None, &[("threads", "4".into())]).unwrap();
    probes::register(database.registrar());
    let connection = unsafe { Connection::open_from_raw(database.raw()) }.unwrap();
    Session { connection, _database: database }
}

impl Session {
    /// The first column of a query, as text, rows joined by `; `.
    pub fn text(&self, sql: &str) -> Result<String, String> {
        let mut statement = self.prepare(sql).map_err(|error| error.to_string())?;
        let mut rows = statement.query([]).map_err(|error| error.to_string())?;
        let mut texts = Vec::new();
        while let Some(row) = rows.next().map_err(|error| error.to_string())? {
            texts.push(match row.get::<_, Value>(0).map_err(|error| error.to_string())? {
                Value::Text(text) => text,
                Value::Null => "NULL".into(),
                other => format!("{other:?}"),
            });
        }
        Ok(texts.join("; "))
    }

    /// Asserts what a query gives; the query casts its result to VARCHAR.
    #[track_caller]
    pub fn gives(&self, sql: &str, expected: &str) {
        assert_eq!(self.text(&format!("SELECT ({sql})::VARCHAR")).as_deref(), Ok(expected), "{sql}");
    }

    /// Asserts that a query fails with a message, and that the connection answers afterwards.
    #[track_caller]
    pub fn fails(&self, sql: &str, message: &str) {
        let error = self.text(sql).expect_err(sql);
        assert!(error.contains(message), "{sql}\nexpected: {message}\ngot: {error}");
        self.gives("SELECT 1 + 1", "2");
    }
}
