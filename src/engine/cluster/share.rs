//! The folder that all machines see: a statement's tables lie there as Parquet while it runs.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::Result as DataFusionResult;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::parquet::arrow::ArrowWriter;

use super::super::Cluster;
use super::super::datafusion::Place;

/// Rows of a part at least, where the table has them: a task costs some milliseconds.
const ROWS: usize = 4;

/// A statement's own folder in the share, gone when the statement is over.
#[derive(Debug)]
pub struct Share {
    folder: PathBuf,
    parts: usize,
    tables: AtomicUsize,
}

impl Share {
    pub fn new(cluster: &Cluster) -> Result<Share> {
        static STATEMENTS: AtomicUsize = AtomicUsize::new(0);
        let root = cluster.share.clone().unwrap_or_else(std::env::temp_dir);
        let root = root.canonicalize().with_context(|| format!("the shared folder {}", root.display()))?;
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let name = format!("esccsql-{}-{}-{}", host.trim(), process::id(), STATEMENTS.fetch_add(1, Ordering::Relaxed));
        let folder = root.join(name);
        fs::create_dir(&folder).with_context(|| format!("cannot write to the shared folder {}", root.display()))?;
        Ok(Share { folder, parts: cluster.parts, tables: AtomicUsize::new(0) })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // What cannot be removed is of no use to anyone, and hurts nobody either.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Place for Share {
    /// One file per part. Rows keep their order: parts are read back by name.
    fn table(&self, _: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> DataFusionResult<Arc<dyn TableProvider>> {
        let folder = self.folder.join(self.tables.fetch_add(1, Ordering::Relaxed).to_string());
        fs::create_dir(&folder)?;
        let rows = concat_batches(&schema, &batches)?;
        let count = rows.num_rows().div_ceil(ROWS).clamp(1, self.parts);
        for part in 0..count {
            let (start, end) = (rows.num_rows() * part / count, rows.num_rows() * (part + 1) / count);
            let mut writer = ArrowWriter::try_new(File::create(folder.join(format!("{part:06}.parquet")))?, schema.clone(), None)?;
            writer.write(&rows.slice(start, end - start))?;
            writer.close()?;
        }
        let url = ListingTableUrl::parse(format!("{}/", folder.display()))?;
        let format = ParquetFormat::default().with_skip_metadata(false);
        let options = ListingOptions::new(Arc::new(format)).with_file_extension(".parquet").with_target_partitions(self.parts);
        Ok(Arc::new(ListingTable::try_new(ListingTableConfig::new(url).with_listing_options(options).with_schema(schema))?))
    }
}
