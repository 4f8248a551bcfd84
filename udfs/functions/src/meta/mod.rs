//! Functions about functions, models and failures.

mod esccsql_errors;
mod esccsql_functions;
mod model_info;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![esccsql_errors::esccsql_errors(), esccsql_functions::esccsql_functions(), model_info::model_info()]
}
