//! Tables on their way from DuckDB to DataFusion.

use std::fmt::Debug;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{MemoryCatalogProvider, MemorySchemaProvider, TableProvider};
use datafusion::common::TableReference;
use datafusion::common::config::Dialect;
use datafusion::execution::context::SessionContext;
use duckdb::Connection;
use esccsql_functions::shape::ALIAS_KEY;

use super::explain;

/// Where tables lie for the engine to read.
pub trait Place: Debug + Send + Sync + 'static {
    /// Puts a table there.
    fn table(&self, name: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> datafusion::common::Result<Arc<dyn TableProvider>>;
}

/// Puts every table, view or file that the query reads and DuckDB knows at `place`, under its name in `context`.
pub fn hand_over(connection: &Connection, context: &SessionContext, query: &str, place: &impl Place) -> Result<()> {
    let state = context.state();
    let statement = state.sql_to_statement(query, &Dialect::DuckDB).map_err(explain)?;
    for reference in state.resolve_table_references(&statement).map_err(explain)? {
        // What DuckDB does not know is a function, or for DataFusion to complain about.
        if state.table_functions().contains_key(reference.table()) {
            continue;
        }
        let name = sql_name(&reference);
        if connection.prepare(&format!("FROM {name} LIMIT 0")).is_err() {
            continue;
        }
        let (schema, batches) = read(connection, &name).with_context(|| format!("reading {name}"))?;
        let table = place.table(reference.table(), schema, batches).map_err(explain)?;
        make_room(context, &reference).map_err(explain)?;
        context.register_table(reference, table).map_err(explain)?;
    }
    Ok(())
}

/// The reference as DuckDB reads it.
fn sql_name(reference: &TableReference) -> String {
    let parts = [reference.catalog(), reference.schema(), Some(reference.table())];
    parts.into_iter().flatten().map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect::<Vec<_>>().join(".")
}

/// The catalog and schema that the reference names.
fn make_room(context: &SessionContext, reference: &TableReference) -> datafusion::common::Result<()> {
    let Some(schema) = reference.schema() else { return Ok(()) };
    let options = context.copied_config();
    let catalog = reference.catalog().unwrap_or(&options.options().catalog.default_catalog);
    if context.catalog(catalog).is_none() {
        context.register_catalog(catalog, Arc::new(MemoryCatalogProvider::new()));
    }
    if let Some(catalog) = context.catalog(catalog)
        && catalog.schema(schema).is_none()
    {
        catalog.register_schema(schema, Arc::new(MemorySchemaProvider::new()))?;
    }
    Ok(())
}

/// A whole table. IMAGE and MODEL keep their names; an ENUM comes as its text.
fn read(connection: &Connection, name: &str) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let mut statement = connection.prepare(&format!("FROM {name}"))?;
    let arrow = statement.query_arrow([])?;
    let given = arrow.get_schema();
    let batches: Vec<RecordBatch> = arrow.collect();
    let known = esccsql_functions::types();
    let fields = given.fields().iter().enumerate().map(|(at, field)| {
        let data_type = match field.data_type() {
            DataType::Dictionary(_, value) => value.as_ref().clone(),
            other => other.clone(),
        };
        let alias = statement.column_logical_type(at).get_alias().filter(|alias| known.iter().any(|(name, _)| name == alias));
        Field::new(field.name(), data_type, true).with_metadata(alias.map(|alias| (ALIAS_KEY.to_string(), alias)).into_iter().collect())
    });
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batches = batches.into_iter().map(|batch| {
        let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
        Ok(RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)?)
    });
    let batches = batches.collect::<Result<_>>()?;
    Ok((schema, batches))
}
