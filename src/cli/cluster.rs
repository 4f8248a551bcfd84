//! `esccsql cluster`: the processes of a cluster.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::engine::cluster::{Executor, PORT, Scheduler, VERSION, execute, schedule};

/// Run a part of a cluster: one scheduler, and an executor on each machine. Statements reach it with --cluster df://host:port.
///
/// There is no password and no encryption between the parts: whoever reaches the ports can run statements and read what the
/// executors can read. Keep them within a network of your own.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct ClusterArgs {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Clone, Subcommand)]
enum Part {
    /// Give the tasks of statements to executors.
    Scheduler {
        /// Address to listen at; 0.0.0.0 for all.
        #[arg(long, default_value = "127.0.0.1")]
        bind: IpAddr,
        #[arg(long, default_value_t = PORT)]
        port: u16,
        /// Name under which the other machines reach this one.
        #[arg(long, default_value = "localhost")]
        host: String,
    },
    /// Run tasks, as many at once as there are cores.
    Executor {
        /// The scheduler.
        #[arg(long, value_name = "df://HOST:PORT", default_value = "df://localhost:50050")]
        scheduler: String,
        /// Address to listen at; 0.0.0.0 for all.
        #[arg(long, default_value = "127.0.0.1")]
        bind: IpAddr,
        /// Name under which the other machines reach this one.
        #[arg(long, default_value = "localhost")]
        host: String,
        /// Port for the results of tasks.
        #[arg(long, default_value_t = PORT + 1)]
        port: u16,
        /// Port for the scheduler's calls [default: the other port and one].
        #[arg(long)]
        control_port: Option<u16>,
        /// Tasks at once [default: all cores].
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        cores: Option<u16>,
        /// Folder for results that wait to be fetched [default: one in the temporary folder].
        #[arg(long, value_name = "DIR")]
        work: Option<PathBuf>,
        /// Gigabytes of images from object stores to keep on disk at most.
        #[arg(long, value_name = "GB", default_value_t = 20)]
        fetched: u32,
        /// Where paths that are not absolute begin [default: the working directory].
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
        /// Let functions open files in this folder or under this URL only, and in the share if it is named here too; may be
        /// given more than once.
        #[arg(long, value_name = "DIR|URL")]
        allow: Vec<PathBuf>,
    },
}

pub fn cluster(args: &ClusterArgs) -> Result<ExitCode> {
    match args.part.clone() {
        Part::Scheduler { bind, port, host } => {
            eprintln!("scheduler of esccsql {VERSION} at df://{host}:{port}");
            schedule(&Scheduler { bind, port, host })?;
        }
        Part::Executor { scheduler, bind, host, port, control_port, cores, work, fetched, folder, allow } => {
            if let Some(folder) = folder {
                env::set_current_dir(&folder).with_context(|| format!("--folder {}", folder.display()))?;
            }
            let cores = cores.map_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()), usize::from);
            let work = work.unwrap_or_else(|| env::temp_dir().join(format!("esccsql-executor-{}", std::process::id())));
            eprintln!("executor of esccsql {VERSION} at {host}:{port} with {cores} cores, for {scheduler}");
            let control_port = control_port.unwrap_or(port.wrapping_add(1));
            let (fetched, version) = (u64::from(fetched) << 30, VERSION.into());
            execute(&Executor { scheduler, bind, host, port, control_port, cores, work, fetched, allowed: allow, version })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
