//! A cluster of Ballista: a scheduler and executors, each this same program, and statements that run there.
//!
//! Tables that a statement reads go to a shared folder or object store as Parquet, cut into parts of a few rows; each part is a
//! task. Large models go there once, and rows hold their hash. The rows of the result come back over Arrow Flight.

mod executor;
mod fetched;
mod scheduler;
mod share;
mod stores;
mod version;

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use ballista_core::extension::{SessionConfigExt, SessionStateExt};
use datafusion::execution::context::SessionContext;
use datafusion::execution::session_state::SessionStateBuilder;
use esccsql_duckdb::Rows;
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
/// How often a query is begun anew because rows were lost with an executor.
const ATTEMPTS: usize = 3;
/// Parts of a table at most after a join or GROUP BY: each part before sends to each part after.
const SHUFFLED: usize = 64;
/// Bytes of a message at most: a row may hold a model.
const MESSAGE: usize = 256 << 20;

/// The rows of a query on the tables of `session`, computed by `cluster`.
///
/// # Errors
/// No scheduler, one of another version, one that is lost on the way, what DataFusion cannot plan, a failing function, Ctrl-C.
pub fn evaluate(session: &Session, query: &str, cluster: &Cluster) -> Result<Rows> {
    let (host, port) = address(&cluster.url)?;
    knock(&host, port).with_context(|| {
        format!("no scheduler answers at {}; start one with esccsql cluster scheduler, or leave --cluster out to run here", cluster.url)
    })?;
    let share = Arc::new(Share::new(cluster)?);
    let mut config = config().upgrade_for_ballista().with_target_partitions(cluster.parts.min(SHUFFLED));
    config = config
        .with_ballista_override_create_grpc_client_endpoint(version::endpoint("client", VERSION))
        .with_ballista_grpc_client_max_message_size(MESSAGE);
    config.options_mut().optimizer.repartition_file_scans = false;
    let builder = SessionStateBuilder::new().with_config(config).with_runtime_env(stores::runtime_env()?);
    let state = state(builder, &share)?.upgrade_for_ballista(format!("http://{host}:{port}")).map_err(plainly)?;
    let context = SessionContext::new_with_state(state);
    // The upgrade has put DataFusion's own functions in the place of all.
    register(&mut *context.state_ref().write()).map_err(plainly)?;
    hand_over(session, &context, query, &*share)?;
    let mut attempt = 1;
    loop {
        let (context, query) = (context.clone(), query.to_string());
        let runtime = runtime(&mut Builder::new_multi_thread())?;
        match wait(runtime, async move { run(&context, &query).await }) {
            Ok(rows) => return share.with_models(rows),
            // The scheduler gives the tasks of a lost executor to others, but its rows that wait to be fetched are gone.
            Err(error) if attempt < ATTEMPTS && is_loss(&format!("{error:#}")) && knock(&host, port).is_ok() => attempt += 1,
            Err(error) => return Err(explain(&error, cluster)),
        }
    }
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

/// Was a scheduler or an executor lost?
fn is_loss(text: &str) -> bool {
    let signs = [
        "transport error",
        "ConnectError",
        "Connection refused",
        "tcp connect error",
        "broken pipe",
        "connection closed",
        "connection reset",
        "h2 protocol error",
    ];
    version::refusal(text).is_none() && signs.iter().any(|sign| text.to_lowercase().contains(&sign.to_lowercase()))
}

/// What went wrong on the cluster, without the layers that it came through.
fn explain(error: &anyhow::Error, cluster: &Cluster) -> anyhow::Error {
    let text = format!("{error:#}");
    if let Some(refused) = version::refusal(&text) {
        return anyhow!("the cluster {} refused: {refused}", cluster.url);
    }
    if is_loss(&text) {
        return anyhow!(
            "the cluster {} was lost while the statement ran; the database is as it was: run it again when the scheduler is back ({text})",
            cluster.url
        );
    }
    // A function's own message stands behind the job's number and the names of the layers.
    let layers = ["Execution error: ", "Execution(\"", "Execution(\\\""];
    let own = layers.iter().filter_map(|layer| text.rfind(layer).map(|at| at + layer.len())).max().map_or(text.as_str(), |at| &text[at..]);
    let own = own.trim_end_matches(['"', ')', '}', ' ', '\\']).replace("\\\"", "\"").replace("\\'", "'");
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
