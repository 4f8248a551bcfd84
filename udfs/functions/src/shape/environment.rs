//! What the engine tells a running function: how many threads, which files it may open.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

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

    /// `work` of 0 to n - 1 on this environment's threads and within it, each number a task of its own.
    pub fn map<T: Send>(self: &Arc<Self>, n: usize, work: impl Fn(usize) -> T + Sync) -> Result<Vec<T>, Problem> {
        let slots = Slots::empty(n);
        self.for_each(n, &|i| slots.put(i, work(i)))?;
        Ok(slots.take().into_iter().flatten().collect())
    }

    /// Compiled once, whatever the work.
    fn for_each(self: &Arc<Self>, n: usize, work: &(dyn Fn(usize) + Sync)) -> Result<(), Problem> {
        self.pool()?.install(|| (0..n).into_par_iter().with_max_len(1).for_each(|i| self.enter(|| work(i))));
        Ok(())
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

    /// The thread pool of this size; one per size for the whole process, so that queries at once do not multiply threads.
    pub fn pool(&self) -> Result<Arc<ThreadPool>, Problem> {
        static POOLS: Mutex<Vec<Arc<ThreadPool>>> = Mutex::new(Vec::new());
        let mut pools = POOLS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(pool) = pools.iter().find(|pool| pool.current_num_threads() == self.threads) {
            return Ok(pool.clone());
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .thread_name(|i| format!("esccsql-{i}"))
            .build()
            .map_err(|error| Problem::user(format!("no thread pool of {} threads: {error}", self.threads)))?;
        pools.push(Arc::new(pool));
        Ok(pools[pools.len() - 1].clone())
    }
}

/// Places for the values of tasks that run at once.
pub(crate) struct Slots<T>(Vec<Mutex<Option<T>>>);

impl<T> Slots<T> {
    pub fn empty(n: usize) -> Self {
        Self((0..n).map(|_| Mutex::new(None)).collect())
    }

    pub fn full(values: Vec<T>) -> Self {
        Self(values.into_iter().map(|value| Mutex::new(Some(value))).collect())
    }

    pub fn put(&self, place: usize, value: T) {
        *self.0[place].lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(value);
    }

    /// What is there, taken out.
    pub fn get(&self, place: usize) -> Option<T> {
        self.0[place].lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }

    /// All of them in order.
    pub fn take(self) -> Vec<Option<T>> {
        self.0.into_iter().map(|slot| slot.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())).collect()
    }
}

/// A row that a function with `'on_error': 'null'` could not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCase {
    pub function: String,
    /// The row's arguments, shortened.
    pub arguments: String,
    pub message: String,
}

static FAILED: LazyLock<Mutex<Vec<FailedCase>>> = LazyLock::new(Mutex::default);

/// Notes a row that became NULL because of `'on_error': 'null'`. The same failure is kept once.
pub fn report_failed_case(case: FailedCase) {
    let mut failed = FAILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !failed.contains(&case) {
        failed.push(case);
    }
}

/// The failed rows since the program started or since [`forget_failed_cases`], sorted.
pub fn failed_cases() -> Vec<FailedCase> {
    let mut cases = FAILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    cases.sort_by(|a, b| (&a.function, &a.arguments, &a.message).cmp(&(&b.function, &b.arguments, &b.message)));
    cases
}

/// Empties the list of failed rows.
pub fn forget_failed_cases() {
    FAILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clear();
}
