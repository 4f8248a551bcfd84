//! Work on the threads that a function may use.

use std::sync::{Arc, Mutex};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::environment::Environment;
use super::error::Problem;

impl Environment {
    /// `work` of 0 to n - 1 on this environment's threads and within it, each number a task of its own.
    pub fn map<T: Send>(self: &Arc<Self>, n: usize, work: impl Fn(usize) -> T + Sync) -> Result<Vec<T>, Problem> {
        let slots = Slots::empty(n);
        self.for_each(n, &|i| slots.put(i, work(i)))?;
        Ok(slots.into_values().into_iter().flatten().collect())
    }

    /// Compiled once, whatever the work.
    fn for_each(self: &Arc<Self>, n: usize, work: &(dyn Fn(usize) + Sync)) -> Result<(), Problem> {
        self.pool()?.install(|| (0..n).into_par_iter().with_max_len(1).for_each(|i| self.enter(|| work(i))));
        Ok(())
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
    pub fn take(&self, place: usize) -> Option<T> {
        self.0[place].lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }

    /// All of them in order.
    pub fn into_values(self) -> Vec<Option<T>> {
        self.0.into_iter().map(|slot| slot.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())).collect()
    }
}
