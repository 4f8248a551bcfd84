//! Which engine runs the queries.

use crate::engine::{Cluster, Engine, Engines};

/// `--engine`, `--cluster` and what belongs to them.
#[derive(Debug, Clone, clap::Args)]
pub struct EngineArgs {
    /// Engine for the queries of SELECT, CREATE TABLE ... AS and INSERT ... SELECT; a comment `-- @engine NAME` before a
    /// statement chooses for that one. Tables stay in the DuckDB file.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Scheduler of a cluster, such as df://host:50050: queries that read images row by row run there, and those of statements
    /// marked `-- @engine ballista`.
    #[arg(long, value_name = "df://HOST:PORT")]
    cluster: Option<String>,
    /// Folder that all machines of the cluster see under this path, or s3://bucket/prefix; tables pass through it [default: the
    /// temporary folder, for a cluster on this machine].
    #[arg(long, value_name = "DIR|URL", requires = "cluster")]
    share: Option<String>,
    /// Parts that a table is cut into at most, for the cluster's cores to share: some for each core, of 4 rows or more.
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..), requires = "cluster")]
    parts: u16,
}

impl EngineArgs {
    pub fn engines(&self) -> Engines {
        let cluster = self.cluster.clone().map(|url| Cluster { url, share: self.share.clone(), parts: usize::from(self.parts) });
        Engines { default: self.engine, cluster }
    }
}
