//! A cluster of Ballista: a scheduler and executors, each this same program, and statements that run there.
//!
//! Tables that a statement reads go to a shared folder as Parquet, cut into parts of a few rows; each part is a task. The rows
//! of the result come back over Arrow Flight.

mod executor;
mod scheduler;
mod share;
mod version;

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use arrow::array::RecordBatch;
use ballista_core::extension::{SessionConfigExt, SessionStateExt};
use datafusion::execution::context::SessionContext;
use tokio::runtime::Builder;

pub use self::executor::{Executor, execute};
pub use self::scheduler::{Scheduler, schedule};
use self::share::Share;
pub use self::version::VERSION;
use super::Cluster;
use super::datafusion::{config, explain as plainly, hand_over, register, run, runtime, state, wait};
use super::duckdb::Session;

/// Port of a scheduler whose address names none.
pub const PORT: u16 = 50050;
/// How long a scheduler may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a message at most: a row may hold a model.
const MESSAGE: usize = 256 << 20;

/// The rows of a query on the tables of `session`, computed by `cluster`.
///
/// # Errors
/// No scheduler, one of another version, one that is lost on the way, what DataFusion cannot plan, a failing function, Ctrl-C.
pub fn evaluate(session: &Session, query: &str, cluster: &Cluster) -> Result<RecordBatch> {
    let (host, port) = address(&cluster.url)?;
    knock(&host, port).with_context(|| {
        format!("no scheduler answers at {}; start one with esccsql cluster scheduler, or leave --cluster out to run here", cluster.url)
    })?;
    let share = Arc::new(Share::new(cluster)?);
    let mut config = config().upgrade_for_ballista().with_target_partitions(cluster.parts);
    config = config
        .with_ballista_override_create_grpc_client_endpoint(version::endpoint("client", VERSION))
        .with_ballista_grpc_client_max_message_size(MESSAGE);
    config.options_mut().optimizer.repartition_file_scans = false;
    let state = state(config, &share)?.upgrade_for_ballista(format!("http://{host}:{port}")).map_err(plainly)?;
    let context = SessionContext::new_with_state(state);
    // The upgrade has put DataFusion's own functions in the place of all.
    register(&mut *context.state_ref().write()).map_err(plainly)?;
    hand_over(session, &context, query, &*share)?;
    let query = query.to_string();
    let runtime = runtime(&mut Builder::new_multi_thread())?;
    wait(runtime, async move { run(&context, &query).await }).map_err(|error| explain(&error, cluster))
}

/// Host and port of `df://host:port`.
pub fn address(url: &str) -> Result<(String, u16)> {
    let wrong = || anyhow!("{url}: a cluster is named df://host:port, such as df://localhost:{PORT}");
    let place = url.strip_prefix("df://").ok_or_else(wrong)?.trim_end_matches('/');
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
        None => (place, PORT),
    };
    if host.is_empty() { Err(wrong()) } else { Ok((host.to_string(), port)) }
}

/// Does anything listen there?
fn knock(host: &str, port: u16) -> Result<()> {
    let mut last = None;
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(_) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => Err(error.into()),
        None => bail!("{host} has no address"),
    }
}

/// What went wrong on the cluster, without the layers that it came through.
fn explain(error: &anyhow::Error, cluster: &Cluster) -> anyhow::Error {
    let text = format!("{error:#}");
    let lost = [
        "transport error",
        "ConnectError",
        "Connection refused",
        "tcp connect error",
        "broken pipe",
        "connection closed",
        "h2 protocol error",
    ];
    if let Some(refused) = version::refusal(&text) {
        return anyhow!("the cluster {} refused: {refused}", cluster.url);
    }
    if lost.iter().any(|sign| text.contains(sign)) {
        return anyhow!(
            "the cluster {} was lost while the statement ran; the database is as it was: run it again when the scheduler is back ({text})",
            cluster.url
        );
    }
    // A function's own message stands behind the job's number and the names of the layers.
    let own = text.rsplit("Execution error: ").next().unwrap_or(&text);
    let own = own.trim_end_matches(['"', ')', '}', ' ']).replace("\\\"", "\"").replace("\\'", "'");
    anyhow!("on the cluster: {own}")
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses() {
        assert_eq!(address("df://node1:5000").unwrap(), ("node1".to_string(), 5000));
        assert_eq!(address("df://node1").unwrap(), ("node1".to_string(), 50050));
        for wrong in ["node1:5000", "http://node1", "df://", "df://node1:port"] {
            assert!(address(wrong).unwrap_err().to_string().contains("df://host:port"), "{wrong}");
        }
    }
}
