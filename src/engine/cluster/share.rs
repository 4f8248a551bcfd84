//! The place that all machines see, a folder or an object store: a statement's tables lie there as Parquet while it runs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, ListArray, RecordBatch, StructArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::Result as DataFusionResult;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::parquet::arrow::ArrowWriter;
use esccsql_duckdb::Rows;
use esccsql_functions::shape::{ALIAS_KEY, Model, SqlType, content_hash, is_url, reference, referenced};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use url::Url;

use super::super::Cluster;
use super::super::datafusion::Place;
use super::stores::{Stores, wait};

/// Rows of a part at least, where the table has them: a task costs some milliseconds, more of them where there are many.
const ROWS: usize = 8;
/// Bytes of a model from which on it lies once in the share and its rows hold a reference.
const LARGE: usize = 16 << 10;

/// A statement's own place in the share, gone when the statement is over.
#[derive(Debug)]
pub struct Share {
    /// Ends in `/`.
    url: Url,
    store: Arc<dyn ObjectStore>,
    root: Path,
    /// Where it is on this machine, if it is a folder.
    folder: Option<PathBuf>,
    parts: usize,
    tables: AtomicUsize,
    /// The models that lie there, by their hash.
    models: Mutex<HashMap<[u8; 32], Vec<u8>>>,
}

impl Share {
    pub fn new(cluster: &Cluster) -> Result<Share> {
        static STATEMENTS: AtomicUsize = AtomicUsize::new(0);
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let name = format!("esccsql-{}-{}-{}", host.trim(), process::id(), STATEMENTS.fetch_add(1, Ordering::Relaxed));
        let (url, folder) = match &cluster.share {
            Some(share) if is_url(share) => {
                (Url::parse(&format!("{}/{name}/", share.trim_end_matches('/'))).with_context(|| format!("the share {share}"))?, None)
            }
            share => {
                let root = share.clone().map_or_else(std::env::temp_dir, PathBuf::from);
                let root = root.canonicalize().with_context(|| format!("the shared folder {}", root.display()))?;
                let folder = root.join(name);
                fs::create_dir(&folder).with_context(|| format!("cannot write to the shared folder {}", root.display()))?;
                let url = Url::from_directory_path(&folder).map_err(|()| anyhow::anyhow!("{} is no folder", folder.display()))?;
                (url, Some(folder))
            }
        };
        let (store, root) = Stores::default().find(&url)?;
        Ok(Share { url, store, root, folder, parts: cluster.parts, tables: AtomicUsize::new(0), models: Mutex::default() })
    }

    fn put(&self, path: Path, bytes: Vec<u8>) -> Result<()> {
        let (store, url) = (self.store.clone(), self.url.clone());
        wait(async move {
            store.put(&path, bytes.into()).await.with_context(|| format!("cannot write to the share {url}"))?;
            Ok(())
        })
    }

    /// Large models leave their rows for the share.
    fn without_models(&self, schema: &SchemaRef, rows: RecordBatch) -> Result<RecordBatch> {
        let columns = rows.columns().iter().zip(schema.fields()).map(|(column, field)| {
            if !is_model(field) || *field.data_type() != DataType::Binary {
                return Ok(column.clone());
            }
            let models = column.as_binary::<i32>();
            let short = (0..models.len()).map(|row| {
                let bytes = models.is_valid(row).then(|| models.value(row));
                bytes.map(|bytes| if bytes.len() < LARGE { Ok(bytes.to_vec()) } else { self.leave(bytes) }).transpose()
            });
            Ok(Arc::new(BinaryArray::from_iter(short.collect::<Result<Vec<_>>>()?)) as ArrayRef)
        });
        Ok(RecordBatch::try_new(schema.clone(), columns.collect::<Result<_>>()?)?)
    }

    /// Puts a model into the share, once; the result stands for it.
    fn leave(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let hash = content_hash(bytes);
        let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Vacant(place) = models.entry(hash) {
            self.put(self.root.clone().join("models").join(name.as_str()), bytes.to_vec())?;
            place.insert(bytes.to_vec());
        }
        let place = match &self.folder {
            Some(folder) => folder.join("models").join(name).display().to_string(),
            None => format!("{}models/{name}", self.url),
        };
        Ok(reference(&hash, &place))
    }

    /// The rows of a result with models where references to them came back.
    pub fn with_models(&self, rows: Rows) -> Result<Rows> {
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if models.is_empty() {
            return Ok(rows);
        }
        let batches = rows.batches.into_iter().map(|batch| {
            let columns = batch.columns().iter().map(|column| restore(&models, column)).collect::<Result<_>>()?;
            Ok(RecordBatch::try_new(batch.schema(), columns)?)
        });
        Ok(Rows { batches: batches.collect::<Result<_>>()?, schema: rows.schema })
    }

    fn write(&self, schema: SchemaRef, batches: &[RecordBatch]) -> Result<ListingTable> {
        let table = self.tables.fetch_add(1, Ordering::Relaxed).to_string();
        let rows = batches.iter().map(RecordBatch::num_rows).sum::<usize>();
        let count = rows.div_ceil(ROWS).clamp(1, self.parts);
        for part in 0..count {
            let rows = self.without_models(&schema, slice(&schema, batches, rows * part / count, rows * (part + 1) / count)?)?;
            let mut bytes = Vec::new();
            let mut writer = ArrowWriter::try_new(&mut bytes, schema.clone(), None)?;
            writer.write(&rows)?;
            writer.close()?;
            self.put(self.root.clone().join(table.as_str()).join(format!("{part:06}.parquet")), bytes)?;
        }
        let url = ListingTableUrl::parse(format!("{}{table}/", self.url))?;
        let format = ParquetFormat::default().with_skip_metadata(false);
        let options = ListingOptions::new(Arc::new(format)).with_file_extension(".parquet").with_target_partitions(self.parts);
        Ok(ListingTable::try_new(ListingTableConfig::new(url).with_listing_options(options).with_schema(schema))?)
    }
}

impl Drop for Share {
    // What cannot be removed is of no use to anyone, and hurts nobody either.
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
            return;
        }
        let (store, root) = (self.store.clone(), self.root.clone());
        let _ = wait(async move {
            for entry in store.list_with_delimiter(Some(&root)).await?.common_prefixes {
                for object in store.list_with_delimiter(Some(&entry)).await?.objects {
                    store.delete(&object.location).await?;
                }
            }
            Ok(())
        });
    }
}

impl Place for Share {
    /// One file per part. Rows keep their order: parts are read back by name.
    fn table(&self, _: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> DataFusionResult<Arc<dyn TableProvider>> {
        let table = self.write(schema, &batches).map_err(|error| DataFusionError::Execution(format!("{error:#}")))?;
        Ok(Arc::new(table))
    }
}

/// The rows from `start` up to `end` of all batches together.
fn slice(schema: &SchemaRef, batches: &[RecordBatch], start: usize, end: usize) -> Result<RecordBatch> {
    let mut before = 0;
    let mut slices = Vec::new();
    for batch in batches {
        let (from, to) = (start.clamp(before, before + batch.num_rows()), end.clamp(before, before + batch.num_rows()));
        if from < to {
            slices.push(batch.slice(from - before, to - from));
        }
        before += batch.num_rows();
    }
    Ok(concat_batches(schema, &slices)?)
}

fn is_model(field: &Field) -> bool {
    field.metadata().get(ALIAS_KEY).map(String::as_str) == Model::alias()
}

/// Models in the place of references, however deep.
fn restore(models: &HashMap<[u8; 32], Vec<u8>>, column: &ArrayRef) -> Result<ArrayRef> {
    Ok(match column.data_type() {
        DataType::Binary => {
            let rows = column.as_binary::<i32>();
            let model = |bytes| referenced(bytes).and_then(|hash| models.get(&hash)).map_or(bytes, Vec::as_slice);
            Arc::new(rows.iter().map(|bytes| bytes.map(model)).collect::<BinaryArray>())
        }
        DataType::BinaryView | DataType::LargeBinary => cast(&restore(models, &cast(column, &DataType::Binary)?)?, column.data_type())?,
        DataType::Struct(fields) => {
            let rows = column.as_struct();
            let columns = rows.columns().iter().map(|column| restore(models, column)).collect::<Result<_>>()?;
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, rows.nulls().cloned(), rows.len())?)
        }
        DataType::List(item) => {
            let rows = column.as_list::<i32>();
            Arc::new(ListArray::try_new(item.clone(), rows.offsets().clone(), restore(models, rows.values())?, rows.nulls().cloned())?)
        }
        _ => column.clone(),
    })
}
