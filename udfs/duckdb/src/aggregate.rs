//! Aggregate functions. A state is a pointer to a boxed accumulator.

use std::collections::HashMap;
use std::ptr;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion_common::ScalarValue;
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{Accumulator, AggregateUDF};
use libduckdb_sys::*;
use rayon::prelude::*;

use crate::bridge::{Bridge, ResultType, parameter_type};
use crate::error::AdapterError;
use crate::guard::guard;
use crate::handle::{boxed, c_name, drop_box};
use crate::scalar::{fields, message};
use crate::signature::overloads;
use crate::states;

/// What the callbacks of one overload need.
struct Entry {
    bridge: Arc<Bridge>,
    function: Arc<AggregateUDF>,
    result: ResultType,
    /// The declared types, for a group that never sees a row.
    parameters: Vec<DataType>,
}

/// One group's state. The accumulator is made when the first rows tell the arguments' types.
#[derive(Default)]
struct Group {
    accumulator: Option<Box<dyn Accumulator>>,
    arguments: Vec<FieldRef>,
}

/// What lies in DuckDB's state memory.
type Slot = *mut Group;

/// Registers every overload of `function`.
pub fn register(bridge: &Arc<Bridge>, function: &Arc<AggregateUDF>) -> Result<(), AdapterError> {
    let name = c_name(function.name())?;
    let fail = |message: String| AdapterError::ResultType { function: function.name().into(), message };
    // SAFETY: each object is live until its destroy below; what the callbacks need is boxed and owned by DuckDB.
    unsafe {
        let mut set = duckdb_create_aggregate_function_set(name.as_ptr());
        for overload in overloads(function.name(), function.signature())? {
            if overload.varargs.is_some() {
                let signature = format!("{:?}", function.signature().type_signature);
                return Err(AdapterError::Signature { function: function.name().into(), signature });
            }
            let field = function.return_field(&fields(overload.parameters.iter())).map_err(|error| fail(message(error)))?;
            let result = bridge.result_type(&field).map_err(fail)?;
            let mut aggregate = duckdb_create_aggregate_function();
            duckdb_aggregate_function_set_name(aggregate, name.as_ptr());
            for parameter in &overload.parameters {
                duckdb_aggregate_function_add_parameter(aggregate, parameter_type(bridge, parameter).map_err(fail)?.raw());
            }
            // NULL reaches the function, which decides what it means.
            duckdb_aggregate_function_set_special_handling(aggregate);
            duckdb_aggregate_function_set_return_type(aggregate, result.logical.raw());
            let entry = Entry { bridge: bridge.clone(), function: function.clone(), result, parameters: overload.parameters };
            duckdb_aggregate_function_set_extra_info(aggregate, boxed(entry), Some(drop_box::<Entry>));
            duckdb_aggregate_function_set_functions(aggregate, Some(size), Some(init), Some(update), Some(combine), Some(finalize));
            duckdb_aggregate_function_set_destructor(aggregate, Some(destroy));
            duckdb_add_aggregate_function_to_set(set, aggregate);
            duckdb_destroy_aggregate_function(&mut aggregate);
        }
        let state = bridge.with_connection(|connection| duckdb_register_aggregate_function_set(connection, set));
        duckdb_destroy_aggregate_function_set(&mut set);
        match state? {
            state if state == duckdb_state_DuckDBSuccess => Ok(()),
            _ => Err(AdapterError::Register(function.name().into())),
        }
    }
}

/// # Safety
/// `info` is live and belongs to a function that `register` made.
unsafe fn entry<'a>(info: duckdb_function_info) -> &'a Entry {
    // SAFETY: by the caller's promise; DuckDB keeps the entry as long as the function.
    unsafe { &*duckdb_aggregate_function_get_extra_info(info).cast::<Entry>() }
}

/// The groups behind DuckDB's states.
///
/// # Safety
/// `states` holds `count` live states.
unsafe fn slots(states: *mut duckdb_aggregate_state, count: usize) -> Vec<Slot> {
    // SAFETY: by the caller's promise; `init` put a slot into each.
    (0..count).map(|i| unsafe { *(*states.add(i)).cast::<Slot>() }).collect()
}

unsafe extern "C" fn size(_: duckdb_function_info) -> idx_t {
    size_of::<Slot>() as idx_t
}

unsafe extern "C" fn init(_: duckdb_function_info, state: duckdb_aggregate_state) {
    let slot: Slot = Box::into_raw(Box::default());
    states::begin(slot as usize);
    // SAFETY: the state has room for a slot, as `size` asked.
    unsafe { state.cast::<Slot>().write(slot) };
}

unsafe extern "C" fn update(info: duckdb_function_info, chunk: duckdb_data_chunk, states: *mut duckdb_aggregate_state) {
    // SAFETY: DuckDB passes a live chunk and a live first state; `groups` vouches for the others. No other thread has these
    // groups now.
    let outcome = guard(|| unsafe {
        let entry = entry(info);
        let rows = duckdb_data_chunk_get_size(chunk) as usize;
        if rows == 0 {
            return Ok(());
        }
        let columns = entry.bridge.import(chunk)?;
        let slots: Vec<Slot> = states::groups(states, rows).into_iter().map(|group| group as Slot).collect();
        entry.bridge.environment().enter(|| {
            each_group(&slots, &columns, |slot, columns| {
                let group = &mut *slot;
                entry.live(group, &columns)?.update_batch(&columns).map_err(message)
            })
        })
    });
    fail(info, outcome);
}

/// Calls `work` once per group with all rows of that group; one slot alone stands for all rows.
fn each_group(slots: &[Slot], columns: &[ArrayRef], mut work: impl FnMut(Slot, Vec<ArrayRef>) -> Result<(), String>) -> Result<(), String> {
    let Some(&first) = slots.first() else { return Ok(()) };
    if slots.iter().all(|&slot| slot == first) {
        return work(first, columns.to_vec());
    }
    // Gather the rows of each group side by side, groups in the order of their first row.
    let mut places: HashMap<Slot, usize> = HashMap::new();
    let mut groups: Vec<(Slot, Vec<u32>)> = Vec::new();
    for (row, &slot) in slots.iter().enumerate() {
        let place = *places.entry(slot).or_insert_with(|| {
            groups.push((slot, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(row as u32);
    }
    let order = UInt32Array::from_iter_values(groups.iter().flat_map(|(_, rows)| rows.iter().copied()));
    let gathered =
        columns.iter().map(|column| take(column, &order, None)).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let mut start = 0;
    for (slot, rows) in groups {
        work(slot, gathered.iter().map(|column| column.slice(start, rows.len())).collect())?;
        start += rows.len();
    }
    Ok(())
}

unsafe extern "C" fn combine(
    info: duckdb_function_info,
    source: *mut duckdb_aggregate_state,
    target: *mut duckdb_aggregate_state,
    count: idx_t,
) {
    // SAFETY: DuckDB passes `count` live states on each side, which no other thread has now. A source may be read again
    // (window frames share their partial results), so it is copied, not moved.
    let outcome = guard(|| unsafe {
        let entry = entry(info);
        for (source, target) in slots(source, count as usize).into_iter().zip(slots(target, count as usize)) {
            if ptr::eq(source, target) {
                continue;
            }
            let (source, target) = (&mut *source, &mut *target);
            let Some(accumulator) = &mut source.accumulator else { continue };
            let state = accumulator.state().map_err(message)?;
            let arrays = state.iter().map(|value| value.to_array()).collect::<Result<Vec<_>, _>>().map_err(message)?;
            if target.accumulator.is_none() {
                target.accumulator = Some(entry.accumulator(&source.arguments)?);
                target.arguments = source.arguments.clone();
            }
            if let Some(accumulator) = &mut target.accumulator {
                accumulator.merge_batch(&arrays).map_err(message)?;
            }
        }
        Ok(())
    });
    fail(info, outcome);
}

unsafe extern "C" fn finalize(
    info: duckdb_function_info,
    states: *mut duckdb_aggregate_state,
    result: duckdb_vector,
    count: idx_t,
    offset: idx_t,
) {
    /// Lets a group cross to a worker thread.
    struct Task<'a>(&'a mut Group);
    // SAFETY: an accumulator is Send; each group is in one task only.
    unsafe impl Send for Task<'_> {}

    // SAFETY: DuckDB passes `count` live states and a result with room for them from `offset` on.
    let outcome = guard(|| unsafe {
        let entry = entry(info);
        let slots = slots(states, count as usize);
        slots.iter().for_each(|&slot| states::finish(slot as usize));
        // A window may ask for one state in several rows: compute each once.
        let mut places: HashMap<Slot, usize> = HashMap::new();
        let mut tasks: Vec<Task> = Vec::new();
        let rows: Vec<u32> = slots
            .iter()
            .map(|&slot| {
                *places.entry(slot).or_insert_with(|| {
                    tasks.push(Task(&mut *slot));
                    tasks.len() - 1
                }) as u32
            })
            .collect();
        let environment = entry.bridge.environment();
        let evaluate = |task: Task| environment.enter(|| entry.evaluate(task.0));
        let values: Vec<Result<ScalarValue, String>> = if tasks.len() < 2 {
            tasks.into_iter().map(evaluate).collect()
        } else {
            let pool = environment.pool().map_err(|problem| problem.to_string())?;
            pool.install(|| tasks.into_par_iter().map(evaluate).collect())
        };
        let arrays = values.into_iter().map(|value| value?.to_array().map_err(message)).collect::<Result<Vec<_>, _>>()?;
        if arrays.is_empty() {
            return Ok(());
        }
        let distinct = concat(&arrays.iter().map(|array| array.as_ref()).collect::<Vec<_>>()).map_err(|error| error.to_string())?;
        let array = match distinct.len() == rows.len() {
            true => distinct,
            false => take(&distinct, &UInt32Array::from(rows), None).map_err(|error| error.to_string())?,
        };
        entry.bridge.export(array, result, offset, &entry.result)
    });
    fail(info, outcome);
}

unsafe extern "C" fn destroy(states: *mut duckdb_aggregate_state, count: idx_t) {
    // SAFETY: DuckDB destroys each state once. Each drop has its own guard: one that panics must not leak the others.
    for slot in unsafe { slots(states, count as usize) } {
        states::finish(slot as usize);
        let _ = guard(|| {
            drop(unsafe { Box::from_raw(slot) });
            Ok(())
        });
    }
}

fn fail(info: duckdb_function_info, outcome: Result<(), std::ffi::CString>) {
    if let Err(message) = outcome {
        // SAFETY: the info is live during the callback; DuckDB copies the text.
        unsafe { duckdb_aggregate_function_set_error(info, message.as_ptr()) };
    }
}

impl Entry {
    /// The group's accumulator, made now if these are its first rows.
    fn live<'a>(&self, group: &'a mut Group, columns: &[ArrayRef]) -> Result<&'a mut Box<dyn Accumulator>, String> {
        if group.accumulator.is_none() {
            group.arguments = fields(columns.iter().map(|column| column.data_type()));
            group.accumulator = Some(self.accumulator(&group.arguments)?);
        }
        group.accumulator.as_mut().ok_or_else(|| "esccsql bug: a group has no accumulator".into())
    }

    fn accumulator(&self, arguments: &[FieldRef]) -> Result<Box<dyn Accumulator>, String> {
        let schema = Schema::empty();
        let arguments = AccumulatorArgs {
            return_field: self.result.field.clone(),
            schema: &schema,
            ignore_nulls: false,
            order_bys: &[],
            is_reversed: false,
            name: self.function.name(),
            is_distinct: false,
            exprs: &[],
            expr_fields: arguments,
        };
        self.function.accumulator(arguments).map_err(message)
    }

    fn evaluate(&self, group: &mut Group) -> Result<ScalarValue, String> {
        match &mut group.accumulator {
            Some(accumulator) => accumulator.evaluate().map_err(message),
            None => self.accumulator(&fields(self.parameters.iter()))?.evaluate().map_err(message),
        }
    }
}
