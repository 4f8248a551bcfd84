//! An executor: runs the tasks that the scheduler gives it, with all functions.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context, Result, anyhow};
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use esccsql_functions::shape::{Environment, failed_cases, fetch_with};
use tokio::runtime::Builder;

use super::super::datafusion::{register, runtime};
use super::fetched::Fetched;
use super::{MESSAGE, address, stores, version};

/// Seconds between two signs of life.
const HEARTBEAT: u64 = 2;
/// Seconds that a finished statement's files are kept, and between two looks for older ones.
const KEEP: u64 = 24 * 3600;
const CLEAN: u64 = 600;
/// Between two looks for rows that failed.
const LOOK: Duration = Duration::from_secs(1);

/// Where an executor runs, and for whom.
#[derive(Debug, Clone)]
pub struct Executor {
    /// `df://host:port` of the scheduler.
    pub scheduler: String,
    pub bind: IpAddr,
    /// The name under which the scheduler and others reach it.
    pub host: String,
    /// For the results of tasks.
    pub port: u16,
    /// For the scheduler.
    pub control_port: u16,
    /// Tasks at once, and threads that they share.
    pub cores: usize,
    /// Folder for results of tasks that wait to be fetched.
    pub work: PathBuf,
    /// Bytes of files from object stores to keep at most.
    pub fetched: u64,
    /// Functions may open files in these folders only; none: all that this process may read.
    pub allowed: Vec<PathBuf>,
    /// The version that it says to be: [`super::VERSION`].
    pub version: String,
}

/// Runs an executor until it is told to stop.
///
/// # Errors
/// No scheduler, or one that refuses this executor.
pub fn execute(executor: &Executor) -> Result<()> {
    let (scheduler_host, scheduler_port) = address(&executor.scheduler)?;
    super::knock(&scheduler_host, scheduler_port)
        .with_context(|| format!("no scheduler answers at {}; start esccsql cluster scheduler first", executor.scheduler))?;
    // Files of old statements are cleaned away in the one, images kept in the other.
    let (jobs, fetched) = (executor.work.join("jobs"), executor.work.join("fetched"));
    fs::create_dir_all(&jobs).with_context(|| format!("cannot make the work folder {}", jobs.display()))?;
    let environment = Environment {
        threads: executor.cores,
        external_access: executor.allowed.is_empty(),
        allowed_directories: executor.allowed.clone(),
    };
    Arc::new(environment).adopt_everywhere();
    fetch_with(Box::new(Fetched::new(fetched, executor.fetched)?));
    thread::spawn(tell_failed_cases);
    let who = format!("executor {}:{}", executor.host, executor.port);
    let config = ExecutorProcessConfig {
        bind_host: executor.bind.to_string(),
        external_host: Some(executor.host.clone()),
        port: executor.port,
        grpc_port: executor.control_port,
        scheduler_host,
        scheduler_port,
        concurrent_tasks: executor.cores,
        task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
        work_dir: Some(jobs.display().to_string()),
        job_data_ttl_seconds: KEEP,
        job_data_clean_up_interval_seconds: CLEAN,
        grpc_max_decoding_message_size: MESSAGE as u32,
        grpc_max_encoding_message_size: MESSAGE as u32,
        executor_heartbeat_interval_seconds: HEARTBEAT,
        override_function_registry: Some(Arc::new(functions()?)),
        override_config_producer: Some(Arc::new(SessionConfig::new_with_ballista)),
        override_runtime_producer: Some(Arc::new(|_| stores::runtime_env())),
        override_create_grpc_client_endpoint: Some(version::endpoint(&who, &executor.version)),
        ..ExecutorProcessConfig::default()
    };
    let runtime = runtime(&mut Builder::new_multi_thread())?;
    runtime.block_on(start_executor_process(Arc::new(config))).map_err(|error| {
        let text = error.to_string();
        match version::refusal(&text) {
            Some(refusal) => anyhow!("the scheduler {} refused: {refusal}", executor.scheduler),
            None => anyhow!("the executor stopped: {text}"),
        }
    })
}

/// Rows that became NULL because of `'on_error': 'null'` are told in this executor's log: `esccsql_errors()` knows those of its
/// own process only.
fn tell_failed_cases() {
    let mut told = BTreeSet::new();
    loop {
        for case in failed_cases() {
            let line = format!("{}({}): {}", case.function, case.arguments, case.message);
            if !told.contains(&line) {
                eprintln!("{line}");
                told.insert(line);
            }
        }
        thread::sleep(LOOK);
    }
}

/// DataFusion's functions, those of lists among them, and all of ours.
fn functions() -> Result<BallistaFunctionRegistry> {
    let mut state = SessionStateBuilder::new().with_default_features().build();
    register(&mut state).map_err(|error| anyhow!("esccsql bug: the functions cannot be registered: {error}"))?;
    Ok(BallistaFunctionRegistry::from(&state))
}
