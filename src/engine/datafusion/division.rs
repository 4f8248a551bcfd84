//! DuckDB's division on another engine: `5 / 2` is 2.5. DataFusion alone would divide whole numbers without a fraction, and
//! decimals with few places.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use datafusion::sql::sqlparser::ast::BinaryOperator;

#[derive(Debug)]
pub struct Division;

impl ExprPlanner for Division {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let is_exact = |side: &Expr| side.get_type(schema).is_ok_and(|kind| kind.is_integer() || kind.is_decimal());
        if expr.op != BinaryOperator::Divide || !is_exact(&expr.left) || !is_exact(&expr.right) {
            return Ok(PlannerResult::Original(expr));
        }
        Ok(PlannerResult::Planned(cast(expr.left, DataType::Float64) / cast(expr.right, DataType::Float64)))
    }
}
