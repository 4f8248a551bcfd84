//! All functions in a DataFusion session. Scalars and aggregates are DataFusion's already; table functions are adapted here.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DFSchema, Result as DataFusionResult, plan_err};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use esccsql_functions::shape::{Implementation, TableFunction};

use super::division::Division;
use super::explain;
use super::lengths::lengths;
use super::tables::Place;

/// A session with every function; the rows of table functions go to `place`.
pub fn state<P: Place>(builder: SessionStateBuilder, place: &Arc<P>) -> Result<SessionState> {
    let mut state = builder.with_default_features().build();
    register(&mut state).map_err(explain)?;
    for (_, functions) in esccsql_functions::all() {
        for function in functions {
            if let Implementation::Table(table) = function.implementation {
                let adapted = Adapted { function: table, place: place.clone() };
                state.register_udtf(&adapted.function.doc.name.clone(), Arc::new(adapted));
            }
        }
    }
    Ok(state)
}

/// Puts every scalar and aggregate into a registry, and what DuckDB's own division and lengths are.
pub fn register(registry: &mut dyn FunctionRegistry) -> DataFusionResult<()> {
    registry.register_expr_planner(Arc::new(Division))?;
    for length in lengths() {
        registry.register_udf(Arc::new(length))?;
    }
    for (_, functions) in esccsql_functions::all() {
        for function in functions {
            match function.implementation {
                Implementation::Scalar(scalar) => drop(registry.register_udf(scalar)?),
                Implementation::Aggregate(aggregate) => drop(registry.register_udaf(aggregate)?),
                Implementation::Table(_) => {}
            }
        }
    }
    Ok(())
}

/// A table function whose rows are computed when the query is planned.
struct Adapted<P> {
    function: Arc<TableFunction>,
    place: Arc<P>,
}

impl<P> fmt::Debug for Adapted<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.function.fmt(f)
    }
}

impl<P: Place> TableFunctionImpl for Adapted<P> {
    fn call_with_args(&self, args: TableFunctionArgs) -> DataFusionResult<Arc<dyn TableProvider>> {
        let (given, required) = (args.exprs().len(), self.function.required);
        let name = &self.function.doc.name;
        let most = self.function.doc.arguments.len() + usize::from(!self.function.doc.options.is_empty());
        if given < required || given > most {
            return plan_err!("{name} takes {required} to {most} arguments, got {given}; options are a STRUCT behind the others");
        }
        let one_row = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &one_row)?;
        let value = |expression: &datafusion::logical_expr::Expr| -> DataFusionResult<ArrayRef> {
            let physical = args.session().create_physical_expr(expression.clone(), &DFSchema::empty())?;
            physical.evaluate(&row)?.into_array(1)
        };
        let arguments = args.exprs().iter().map(value).collect::<DataFusionResult<Vec<_>>>()?;
        let rows = self.function.scan(&arguments)?;
        self.place.table(name, rows.schema(), vec![rows])
    }
}
