//! A cluster on this machine: a scheduler and executors, each a process of the program.
#![cfg(feature = "cluster")]

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use esccsql::engine::{Cluster, Engine, Engines};
use tempfile::TempDir;

/// How long anything may take before the test gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub struct Nodes {
    pub port: u16,
    pub scheduler: Child,
    pub executors: Vec<Child>,
    folder: TempDir,
    works: Vec<PathBuf>,
    environment: Vec<(&'static str, String)>,
}

impl Nodes {
    /// A scheduler and so many executors of one core.
    pub fn start(executors: usize) -> Nodes {
        Nodes::start_within(executors, Vec::new())
    }

    /// The same with variables in their environment.
    pub fn start_within(executors: usize, environment: Vec<(&'static str, String)>) -> Nodes {
        let port = free_port();
        let mut scheduler = Command::new(env!("CARGO_BIN_EXE_esccsql"));
        scheduler.args(["cluster", "scheduler", "--port", &port.to_string()]).envs(environment.clone()).stderr(Stdio::null());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut nodes = Nodes {
            port,
            scheduler: scheduler.spawn().expect("a scheduler"),
            executors: Vec::new(),
            folder,
            works: Vec::new(),
            environment,
        };
        until("the scheduler listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        (0..executors).for_each(|_| nodes.add_executor());
        nodes
    }

    pub fn add_executor(&mut self) {
        let (port, control) = (free_port(), free_port());
        let work = self.folder.path().join(format!("work{port}"));
        let executor = Command::new(env!("CARGO_BIN_EXE_esccsql"))
            .args(["cluster", "executor", "--cores", "1", "--scheduler", &self.url()])
            .args(["--port", &port.to_string(), "--control-port", &control.to_string(), "--work"])
            .arg(&work)
            .envs(self.environment.clone())
            .stderr(Stdio::null())
            .spawn()
            .expect("an executor");
        self.executors.push(executor);
        self.works.push(work);
        until("the executor listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    }

    /// Another executor in the place of the first, which has been killed.
    pub fn replace_executor(&mut self) {
        self.executors.remove(0).wait().expect("the end of an executor");
        self.works.remove(0);
        self.add_executor();
    }

    /// Has this executor finished a task?
    pub fn has_worked(&self, executor: usize) -> bool {
        fn holds_a_file(folder: PathBuf) -> bool {
            let Ok(entries) = folder.read_dir() else { return false };
            entries.flatten().any(|entry| if entry.path().is_dir() { holds_a_file(entry.path()) } else { true })
        }
        holds_a_file(self.works[executor].clone())
    }

    pub fn url(&self) -> String {
        format!("df://localhost:{}", self.port)
    }

    pub fn engines(&self) -> Engines {
        let cluster = Cluster { url: self.url(), share: Some(self.folder.path().display().to_string()), parts: 64 };
        Engines { default: Engine::Ballista, cluster: Some(cluster) }
    }

    /// What statements have left behind in the shared folder.
    pub fn shared_files(&self) -> Vec<String> {
        let entries = self.folder.path().read_dir().expect("the shared folder").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name.starts_with("esccsql-")).collect()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for child in self.executors.iter_mut().chain([&mut self.scheduler]) {
            // It may be gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        sleep(Duration::from_millis(5));
    }
}
