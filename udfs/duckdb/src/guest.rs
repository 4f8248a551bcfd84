//! Functions in a database that somebody else opened: the loadable extension.
//!
//! A connection to that database would keep it open after its owner closed it, and its file locked. So conversions go over a
//! private database in memory, and the settings are those that the last bound query had.

use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard};

use esccsql_functions::shape::Environment;
use libduckdb_sys::*;

use crate::bridge::Bridge;
use crate::error::AdapterError;
use crate::registrar::Registrar;
use crate::settings;

/// What a bridge of a guest knows.
pub struct Guest {
    private: duckdb_database,
    /// The connection to register over, while loading.
    target: Mutex<Option<Target>>,
    seen: Mutex<Arc<Environment>>,
}

struct Target(duckdb_connection);

// SAFETY: used by the loading thread alone, and gone afterwards.
unsafe impl Send for Target {}
// SAFETY: the private database's handle is only read until the drop, which has the last reference.
unsafe impl Send for Guest {}
// SAFETY: as above.
unsafe impl Sync for Guest {}

impl Guest {
    /// # Safety
    /// See [`Bridge::guest`].
    pub unsafe fn new(private: duckdb_database, target: duckdb_connection) -> Self {
        // SAFETY: by the caller's promise.
        let seen = unsafe { settings::of_connection(target) };
        Guest { private, target: Mutex::new(Some(Target(target))), seen: Mutex::new(Arc::new(seen)) }
    }

    pub fn target(&self) -> Option<duckdb_connection> {
        lock(&self.target).as_ref().map(|target| target.0)
    }

    pub fn is_loaded(&self) {
        lock(&self.target).take();
    }

    pub fn see(&self, environment: Environment) {
        *lock(&self.seen) = Arc::new(environment);
    }

    pub fn seen(&self) -> Arc<Environment> {
        lock(&self.seen).clone()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // SAFETY: ours, closed once; the bridge closed its connection before.
        unsafe { duckdb_close(&mut self.private) };
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Lets `install` register functions in a database that somebody else opened.
///
/// # Safety
/// `database` is open during the call.
pub unsafe fn load(database: duckdb_database, install: impl FnOnce(&Registrar) -> Result<(), AdapterError>) -> Result<(), AdapterError> {
    let refused = |what: &str| AdapterError::Open { path: what.into(), message: "no connection could be made".into() };
    let (mut private, mut target) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: by the caller's promise; what is opened here is closed here or given to the bridge.
    unsafe {
        if duckdb_open(c":memory:".as_ptr(), &mut private) != duckdb_state_DuckDBSuccess {
            return Err(refused("a database in memory"));
        }
        if duckdb_connect(database, &mut target) != duckdb_state_DuckDBSuccess {
            duckdb_close(&mut private);
            return Err(refused("the database"));
        }
        let outcome = Bridge::guest(private, target).and_then(|bridge| {
            let registrar = Registrar { bridge: Arc::new(bridge), database };
            let outcome = install(&registrar);
            registrar.bridge.is_loaded();
            outcome
        });
        duckdb_disconnect(&mut target);
        outcome
    }
}

/// The body of an extension's entry point: takes DuckDB's function table, and lets `install` register. True: loaded.
///
/// # Safety
/// `info` and `access` are what DuckDB passed to the entry point.
#[cfg(feature = "loadable-extension")]
pub unsafe fn entry(
    info: duckdb_extension_info,
    access: *const duckdb_extension_access,
    install: impl FnOnce(&Registrar) -> Result<(), AdapterError>,
) -> bool {
    // SAFETY: by the caller's promise; DuckDB copies an error's text.
    unsafe {
        let fail = |message: &str| {
            let message = crate::guard::text(message);
            if let Some(set_error) = (*access).set_error {
                set_error(info, message.as_ptr());
            }
            false
        };
        match duckdb_rs_extension_api_init(info, access, FLOOR) {
            Ok(true) => {}
            // DuckDB has told the error itself.
            Ok(false) => return false,
            Err(message) => return fail(message),
        }
        let Some(database) = (*access).get_database.map(|get| get(info)).filter(|database| !database.is_null()) else {
            return fail("esccsql: DuckDB gave no database to load the functions into");
        };
        match crate::guard::guard(|| load(*database, install).map_err(|error| error.to_string())) {
            Ok(()) => true,
            Err(message) => fail(&message.to_string_lossy()),
        }
    }
}

/// The oldest DuckDB with all functions of the C API that the adapter calls.
#[cfg(feature = "loadable-extension")]
const FLOOR: &str = "v1.5.6";
