//! DataFusion in this process: the same functions, on tables that DuckDB hands over as Arrow.

mod division;
mod functions;
mod lengths;
mod tables;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::config::Dialect;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use esccsql_duckdb::Rows;
use tokio::runtime::{Builder, Runtime};

pub use self::functions::{register, state};
pub use self::tables::{Place, hand_over};
use super::duckdb::Session;
use crate::interrupt;

/// How often a running statement looks whether Ctrl-C was pressed.
const GLANCE: Duration = Duration::from_millis(50);

/// Tables stay in this process's memory.
#[derive(Debug)]
struct Memory;

impl Place for Memory {
    fn table(&self, _: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> datafusion::common::Result<Arc<dyn TableProvider>> {
        // Views share a long value, such as a model, between the rows that a join repeats it in.
        let (schema, batches) = recast(&schema, batches, &DataType::Binary, &DataType::BinaryView)?;
        // One part: rows keep their order. A heavy function spreads the rows of a batch over the threads itself.
        Ok(Arc::new(MemTable::try_new(schema, vec![batches])?))
    }
}

/// The rows of a query on the tables of `session`.
///
/// # Errors
/// What DataFusion cannot parse or plan, a failing function, or Ctrl-C.
pub fn evaluate(session: &Session, query: &str) -> Result<Rows> {
    let environment = session.environment();
    let mut config = config().with_target_partitions(environment.threads).with_round_robin_repartition(false);
    config.options_mut().optimizer.repartition_file_scans = false;
    let context = SessionContext::new_with_state(state(SessionStateBuilder::new().with_config(config), &Arc::new(Memory))?);
    let adopted = environment.clone();
    let runtime = runtime(Builder::new_multi_thread().worker_threads(environment.threads).on_thread_start(move || adopted.adopt()))?;
    hand_over(session, &context, query, &Memory)?;
    let query = query.to_string();
    environment.enter(|| wait(runtime, async move { run(&context, &query).await }))
}

/// The settings that all sessions share.
pub fn config() -> SessionConfig {
    let mut config = SessionConfig::new();
    let options = config.options_mut();
    options.sql_parser.dialect = Dialect::DuckDB;
    // Columns keep the case that the table gives them.
    options.sql_parser.enable_ident_normalization = false;
    config
}

/// Plans and runs a query.
pub async fn run(context: &SessionContext, query: &str) -> Result<Rows> {
    let state = context.state();
    let statement = state.sql_to_statement(query, &Dialect::DuckDB).map_err(explain)?;
    let plan = state.statement_to_plan(statement).await.map_err(explain)?;
    let frame = context.execute_logical_plan(plan).await.map_err(explain)?;
    let fields: Vec<Field> = frame.schema().as_arrow().fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batches = frame.collect().await.map_err(explain)?.into_iter().filter(|batch| batch.num_rows() > 0).map(|batch| {
        let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
        Ok(RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, ArrowError>>()?)?)
    });
    Ok(Rows { batches: batches.collect::<Result<_>>()?, schema })
}

/// A runtime with clock and network, as far as they are built in.
pub fn runtime(builder: &mut Builder) -> Result<Runtime> {
    builder.enable_all().thread_name("esccsql-engine").build().context("no threads for the engine")
}

/// Waits for `work`, and stops waiting at Ctrl-C.
pub fn wait<T: Send + 'static>(runtime: Runtime, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let mut task = runtime.spawn(work);
    let result = runtime.block_on(async {
        loop {
            match tokio::time::timeout(GLANCE, &mut task).await {
                Ok(done) => return done.unwrap_or_else(|error| Err(anyhow!("esccsql bug: the engine's task ended early: {error}"))),
                Err(_) if interrupt::requested() => {
                    task.abort();
                    bail!("interrupted");
                }
                Err(_) => {}
            }
        }
    });
    runtime.shutdown_background();
    result
}

/// DataFusion's error in its own words, without the layers around them.
pub fn explain(error: DataFusionError) -> anyhow::Error {
    let root = error.find_root();
    match root {
        DataFusionError::SQL(..) => {
            anyhow!(
                "{}; this is no SQL that DataFusion knows: -- @engine duckdb before the statement runs it in DuckDB",
                root.strip_backtrace()
            )
        }
        DataFusionError::External(inner) => anyhow!("{inner}"),
        _ => anyhow!("{}", root.message()),
    }
}

/// Columns of one type as another.
fn recast(
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
    from: &DataType,
    to: &DataType,
) -> datafusion::common::Result<(SchemaRef, Vec<RecordBatch>)> {
    let field = |field: &Field| if field.data_type() == from { field.clone().with_data_type(to.clone()) } else { field.clone() };
    let schema: SchemaRef = Arc::new(Schema::new(schema.fields().iter().map(|old| field(old)).collect::<Vec<_>>()));
    let batches = batches.into_iter().map(|batch| {
        let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
        Ok(RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, ArrowError>>()?)?)
    });
    let batches = batches.collect::<datafusion::common::Result<_>>()?;
    Ok((schema, batches))
}
