//! The scheduler: takes statements, cuts them into tasks, and gives these to executors.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result};
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpcServer;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::create_scheduler;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::runtime::Builder;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;

use super::super::datafusion::{register, runtime};
use super::{MESSAGE, version};

/// An executor that is silent for so many seconds is lost, and its tasks are given to others.
const SILENCE: u64 = 8;

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
        grpc_server_max_decoding_message_size: MESSAGE as u32,
        grpc_server_max_encoding_message_size: MESSAGE as u32,
        override_config_producer: Some(Arc::new(SessionConfig::new_with_ballista)),
        override_session_builder: Some(Arc::new(|config| {
            let mut state = SessionStateBuilder::new().with_config(config).with_default_features().build();
            register(&mut state)?;
            Ok(state)
        })),
        ..SchedulerConfig::default()
    });
    let address = SocketAddr::new(scheduler.bind, scheduler.port);
    let runtime = runtime(&mut Builder::new_multi_thread())?;
    runtime.block_on(async {
        let cluster = BallistaCluster::new_from_config(&config).await?;
        let server = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, config).await?;
        let service = SchedulerGrpcServer::new(server).max_decoding_message_size(MESSAGE).max_encoding_message_size(MESSAGE);
        let service = InterceptedService::new(service, version::admit);
        Server::builder().add_service(service).serve(address).await.with_context(|| format!("cannot serve at {address}"))
    })
}
