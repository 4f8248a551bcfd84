//! Engines: each has all SQL functions. DuckDB holds the tables and runs what no other engine is asked for.

#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(feature = "datafusion")]
pub mod datafusion;
mod dialect;
pub mod duckdb;

use anyhow::{Result, bail};
use esccsql_duckdb::{Offer, Rows};
use esccsql_functions::shape::{Function, guard};

use self::duckdb::Session;

/// What runs a statement's query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    #[default]
    Duckdb,
    /// In this process.
    Datafusion,
    /// On a cluster of Ballista.
    Ballista,
}

/// Where the cluster is, and what it and this process both see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// `df://host:port` of the scheduler.
    pub url: String,
    /// A folder that every machine sees under this path, or the URL of an object store: tables go there as Parquet. `None`:
    /// the system's temporary folder, for a cluster on this machine.
    pub share: Option<String>,
    /// Into how many parts a table is cut at most.
    pub parts: usize,
}

/// Which engines a run may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Engines {
    /// For statements that ask for none.
    pub default: Engine,
    pub cluster: Option<Cluster>,
}

/// A statement as DuckDB runs it: as it was, or with the rows of another engine in the place of its query.
pub struct Prepared {
    pub sql: String,
    _rows: Option<Offer>,
}

impl Engines {
    /// Runs the query of `statement` on the engine that `asked` (the value of `-- @engine`) or else the default names, and
    /// gives back what is left for DuckDB: to keep or to show the rows. With a cluster, queries whose rows read images run
    /// there unasked. A statement without a query is DuckDB's.
    ///
    /// # Errors
    /// An unknown engine, a statement that the engine cannot run, or what went wrong there. The database is as it was.
    pub fn prepare(&self, session: &Session, statement: &str, asked: Option<&str>) -> Result<Prepared> {
        let whole = || Ok(Prepared { sql: statement.into(), _rows: None });
        let engine = match asked {
            None if self.default == Engine::Duckdb && self.cluster.is_some() && reads_images(statement) => Engine::Ballista,
            None => self.default,
            Some("duckdb") => Engine::Duckdb,
            Some("datafusion") => Engine::Datafusion,
            // Without a cluster the script runs here, with the same results.
            Some("ballista") if self.cluster.is_none() => Engine::Duckdb,
            Some("ballista") => Engine::Ballista,
            Some(other) => bail!("-- @engine {other}: no such engine; the engines are duckdb, datafusion and ballista"),
        };
        // The guard over held-out rows watches the fits of this process.
        let is_elsewhere = engine == Engine::Ballista && guard::is_watching() && fits(statement);
        if engine == Engine::Duckdb || is_elsewhere {
            return whole();
        }
        let Some(span) = dialect::query(statement) else {
            if asked.is_some() {
                bail!("only SELECT, CREATE TABLE ... AS and INSERT ... SELECT run on another engine; take -- @engine away");
            }
            return whole();
        };
        let query = dialect::translate(session, &statement[span.clone()])?;
        let rows = self.evaluate(engine, session, &query)?;
        let offer = session.handover().offer(rows);
        let sql = format!("{}{}{}", &statement[..span.start], offer.sql(), &statement[span.end..]);
        Ok(Prepared { sql, _rows: Some(offer) })
    }

    #[cfg(feature = "datafusion")]
    fn evaluate(&self, engine: Engine, session: &Session, query: &str) -> Result<Rows> {
        if engine == Engine::Datafusion {
            return datafusion::evaluate(session, query);
        }
        let Some(cluster) = &self.cluster else { bail!("--engine ballista needs a cluster: --cluster df://host:port") };
        #[cfg(feature = "cluster")]
        return cluster::evaluate(session, query, cluster);
        #[cfg(not(feature = "cluster"))]
        bail!("{}: this program is built without clusters; build it with cargo build --release --features cluster", cluster.url)
    }

    #[cfg(not(feature = "datafusion"))]
    fn evaluate(&self, engine: Engine, _: &Session, _: &str) -> Result<Rows> {
        let (name, feature) = if engine == Engine::Ballista { ("ballista", "cluster") } else { ("datafusion", "datafusion") };
        bail!("this program is built without the engine {name}; build it with cargo build --release --features {feature}")
    }
}

/// Does each row of the statement's query read voxels?
fn reads_images(statement: &str) -> bool {
    calls(statement, |function| function.doc.reads_images())
}

/// Does the statement's query fit a model?
fn fits(statement: &str) -> bool {
    calls(statement, Function::learns)
}

/// Does the statement call a function of this kind?
fn calls(statement: &str, is_such: impl Fn(&Function) -> bool) -> bool {
    let functions = esccsql_functions::all().into_iter().flat_map(|(_, functions)| functions);
    let names: Vec<String> = functions.filter(is_such).map(|function| function.name().to_string()).collect();
    dialect::uses(statement, &names)
}

#[cfg(test)]
mod tests {
    use super::{fits, reads_images};

    #[test]
    fn what_a_statement_calls_is_seen() {
        assert!(fits("CREATE TABLE m AS SELECT cox_fit(months, died, x) AS m FROM patients"));
        assert!(!fits("CREATE TABLE risks AS SELECT cox_predict(m, x) FROM patients, m WHERE note <> 'cox_fit(1)'"));
        assert!(reads_images("SELECT radiomics(image(scan), mask(gtv)) FROM scans"));
        assert!(!reads_images("SELECT image(scan) FROM scans"));
    }
}
