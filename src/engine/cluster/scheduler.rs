//! The scheduler: takes statements, cuts them into tasks, and gives these to executors.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::scheduler_grpc_server::{SchedulerGrpc, SchedulerGrpcServer};
use ballista_core::serde::protobuf::{ExecutorHeartbeat, UpdateTaskStatusParams, executor_status};
use ballista_scheduler::cluster::{BallistaCluster, ClusterState};
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::create_scheduler;
use ballista_scheduler::scheduler_server::SchedulerServer;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::runtime::Builder;
use tonic::Request;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;

use super::super::datafusion::{register, runtime};
use super::{MESSAGE, stores, version};

/// An executor that is silent for so many seconds is lost, and its tasks are given to others.
const SILENCE: u64 = 8;
/// What is known of a finished statement is forgotten after so many seconds: until then the program that sent it has been told.
const REMEMBER: u64 = 60;
/// Between two looks for tasks that nobody has.
const NUDGE: Duration = Duration::from_secs(1);

/// Where a scheduler listens.
#[derive(Debug, Clone)]
pub struct Scheduler {
    pub bind: IpAddr,
    pub port: u16,
    /// The name under which others reach it.
    pub host: String,
}

/// Runs a scheduler until the process ends.
pub fn schedule(scheduler: &Scheduler) -> Result<()> {
    let config = Arc::new(SchedulerConfig {
        namespace: "esccsql".into(),
        external_host: scheduler.host.clone(),
        bind_host: scheduler.bind.to_string(),
        bind_port: scheduler.port,
        scheduling_policy: TaskSchedulingPolicy::PushStaged,
        task_distribution: TaskDistributionPolicy::RoundRobin,
        executor_timeout_seconds: SILENCE,
        expire_dead_executor_interval_seconds: 1,
        executor_termination_grace_period: 1,
        finished_job_state_clean_up_interval_seconds: REMEMBER,
        grpc_server_max_decoding_message_size: MESSAGE as u32,
        grpc_server_max_encoding_message_size: MESSAGE as u32,
        override_config_producer: Some(Arc::new(SessionConfig::new_with_ballista)),
        override_session_builder: Some(Arc::new(|config| {
            let mut state =
                SessionStateBuilder::new().with_config(config).with_runtime_env(stores::runtime_env()?).with_default_features().build();
            register(&mut state)?;
            Ok(state)
        })),
        ..SchedulerConfig::default()
    });
    let address = SocketAddr::new(scheduler.bind, scheduler.port);
    let runtime = runtime(&mut Builder::new_multi_thread())?;
    runtime.block_on(async {
        let cluster = BallistaCluster::new_from_config(&config).await?;
        let state = cluster.cluster_state();
        let server = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, config).await?;
        tokio::spawn(nudge(server.clone(), state));
        let service = SchedulerGrpcServer::new(server).max_decoding_message_size(MESSAGE).max_encoding_message_size(MESSAGE);
        let service = InterceptedService::new(service, version::admit);
        Server::builder().add_service(service).serve(address).await.with_context(|| format!("cannot serve at {address}"))
    })
}

/// Lets idle executors have the tasks of lost ones. The scheduler puts such tasks back on its list, and looks at the list only
/// when it hears of a task: an empty message in the name of a living executor makes it look.
async fn nudge(server: SchedulerServer<LogicalPlanNode, PhysicalPlanNode>, state: Arc<dyn ClusterState>) {
    loop {
        tokio::time::sleep(NUDGE).await;
        let alive = |heartbeat: &ExecutorHeartbeat| {
            matches!(heartbeat.status.as_ref().and_then(|status| status.status.as_ref()), Some(executor_status::Status::Active(_)))
        };
        let Some((executor_id, _)) = state.executor_heartbeats().into_iter().find(|(_, heartbeat)| alive(heartbeat)) else { continue };
        let nothing = UpdateTaskStatusParams { executor_id, task_status: Vec::new() };
        // If the executor is lost at this very moment, the next one is asked a second later.
        let _ = SchedulerGrpc::update_task_status(&server, Request::new(nothing)).await;
    }
}
