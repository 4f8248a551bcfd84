//! What the engine tells a running function: how many threads, which files it may open.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::error::Problem;

/// The engine's settings as they stand while a function runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Threads that one function may use.
    pub threads: usize,
    /// May functions open files at all, outside `allowed_directories`?
    pub external_access: bool,
    /// Folders that stay open to functions when `external_access` is off.
    pub allowed_directories: Vec<PathBuf>,
}

impl Default for Environment {
    fn default() -> Self {
        Environment {
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
            external_access: true,
            allowed_directories: Vec::new(),
        }
    }
}

/// The environment where nothing else is said: for a program that runs functions on threads that an engine starts.
static PROCESS: OnceLock<Arc<Environment>> = OnceLock::new();

thread_local! {
    static CURRENT: RefCell<Option<Arc<Environment>>> = const { RefCell::new(None) };
}

impl Environment {
    /// The environment of the running function.
    pub fn current() -> Arc<Environment> {
        CURRENT.with_borrow(|current| current.clone()).or_else(|| PROCESS.get().cloned()).unwrap_or_default()
    }

    /// From now on this thread's functions run within this environment.
    pub fn adopt(self: &Arc<Self>) {
        CURRENT.set(Some(self.clone()));
    }

    /// From now on the functions of all threads run within this environment, unless a thread is told otherwise. The first call counts.
    pub fn adopt_everywhere(self: &Arc<Self>) {
        let _ = PROCESS.set(self.clone());
    }

    /// Runs `work` within this environment.
    pub fn enter<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        struct Restore(Option<Arc<Environment>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(|current| *current = self.0.take());
            }
        }
        let _restore = Restore(CURRENT.with_borrow_mut(|current| current.replace(self.clone())));
        work()
    }

    /// Refuses a path that the engine's settings close.
    pub fn check_path(&self, path: &Path) -> Result<(), Problem> {
        if self.external_access {
            return Ok(());
        }
        let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if self.allowed_directories.iter().any(|folder| real.starts_with(folder.canonicalize().unwrap_or(folder.clone()))) {
            return Ok(());
        }
        Err(Problem::user(format!(
            "{}: file access is off (enable_external_access = false); add its folder to allowed_directories",
            path.display()
        )))
    }
}
