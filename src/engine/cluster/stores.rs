//! Object stores by URL: `s3://bucket/...` of any S3-compatible service. Credentials, region and endpoint come from the
//! environment, by the names that AWS's own tools read (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT, ...).

use std::collections::HashMap;
use std::env;
use std::future::Future;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};

use anyhow::{Context, Result, anyhow};
use datafusion::common::Result as DataFusionResult;
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use object_store::path::Path;
use object_store::{ObjectStore, parse_url_opts};
use tokio::runtime::{Builder, Runtime};
use url::{Position, Url};

/// The stores that this process has met.
#[derive(Debug, Default)]
pub struct Stores {
    known: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl Stores {
    /// The store of a URL, and where in it the URL points.
    pub fn find(&self, url: &Url) -> Result<(Arc<dyn ObjectStore>, Path)> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let path = Path::from_url_path(url.path()).with_context(|| format!("{url} cannot be read as a URL"))?;
        if let Some(store) = known.get(key(url)) {
            return Ok((store.clone(), path));
        }
        let settings = env::vars().filter(|(name, _)| name.starts_with("AWS_")).map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, _) = parse_url_opts(url, settings).map_err(|error| anyhow!("{url}: {error}; stores are s3://bucket or a folder"))?;
        let store: Arc<dyn ObjectStore> = Arc::from(store);
        known.insert(key(url).to_string(), store.clone());
        Ok((store, path))
    }
}

/// Scheme and bucket.
fn key(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

impl ObjectStoreRegistry for Stores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key(url).to_string(), store)
    }

    fn get_store(&self, url: &Url) -> DataFusionResult<Arc<dyn ObjectStore>> {
        Ok(self.find(url).map_err(|error| DataFusionError::Execution(format!("{error:#}")))?.0)
    }
}

/// What the sessions of a cluster read tables with.
pub fn runtime_env() -> DataFusionResult<Arc<RuntimeEnv>> {
    Ok(Arc::new(RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(Stores::default())).build()?))
}

/// Waits for `work` with a store, on whatever thread this is.
pub fn wait<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    static RUNTIME: LazyLock<std::io::Result<Runtime>> =
        LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().thread_name("esccsql-store").build());
    let runtime = RUNTIME.as_ref().map_err(|error| anyhow!("no thread for the object store: {error}"))?;
    let (sender, receiver) = mpsc::channel();
    runtime.spawn(async move {
        // Nobody waits any longer: nothing to tell.
        let _ = sender.send(work.await);
    });
    receiver.recv().map_err(|_| anyhow!("esccsql bug: the object store's task ended early"))?
}
