//! An executor: runs the tasks that the scheduler gives it, with all functions.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::prelude::SessionConfig;
use esccsql_functions::shape::{Environment, Implementation};
use tokio::runtime::Builder;

use super::super::datafusion::runtime;
use super::{MESSAGE, address, version};

/// Seconds between two signs of life.
const HEARTBEAT: u64 = 2;
/// Seconds that a finished statement's files are kept, and between two looks for older ones.
const KEEP: u64 = 24 * 3600;
const CLEAN: u64 = 600;

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
    fs::create_dir_all(&executor.work).with_context(|| format!("cannot make the work folder {}", executor.work.display()))?;
    let environment = Environment {
        threads: executor.cores,
        external_access: executor.allowed.is_empty(),
        allowed_directories: executor.allowed.clone(),
    };
    Arc::new(environment).adopt_everywhere();
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
        work_dir: Some(executor.work.display().to_string()),
        job_data_ttl_seconds: KEEP,
        job_data_clean_up_interval_seconds: CLEAN,
        grpc_max_decoding_message_size: MESSAGE as u32,
        grpc_max_encoding_message_size: MESSAGE as u32,
        executor_heartbeat_interval_seconds: HEARTBEAT,
        override_function_registry: Some(Arc::new(functions())),
        override_config_producer: Some(Arc::new(SessionConfig::new_with_ballista)),
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

/// DataFusion's functions and all of ours.
fn functions() -> BallistaFunctionRegistry {
    let mut registry = BallistaFunctionRegistry::default();
    for function in esccsql_functions::all().into_iter().flat_map(|(_, functions)| functions) {
        let name = function.name().to_string();
        match function.implementation {
            Implementation::Scalar(scalar) => drop(registry.scalar_functions.insert(name, scalar)),
            Implementation::Aggregate(aggregate) => drop(registry.aggregate_functions.insert(name, aggregate)),
            Implementation::Table(_) => {}
        }
    }
    registry
}
