//! The calls that a checkpoint's pickle may make, carried out in Rust; every other is refused.

use std::rc::Rc;

use super::super::error::{Result, WeightsError, damaged};
use super::{Pickled, Storage, TensorRef, Value};

/// Calls that make objects without effect, which stand beside a state dict (an epoch as a numpy scalar, a configuration).
/// They are not carried out either.
const INERT: [&str; 14] = [
    "torch.Size",
    "torch.device",
    "numpy.dtype",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "_codecs.encode",
    "copy_reg._reconstructor",
    "copyreg._reconstructor",
    "builtins.set",
    "__builtin__.set",
    "collections.defaultdict",
    "argparse.Namespace",
];

/// The name of what would be called.
pub fn name(callable: &Value) -> &str {
    match callable {
        Value::Global(name) => name,
        _ => "an object that the pickle made",
    }
}

/// The result of a call.
pub fn call(pickled: &mut Pickled, callable: &Value, arguments: &Value) -> Result<Value> {
    let Value::Global(function) = callable else { return Err(WeightsError::Calls(name(callable).into())) };
    let arguments = pickled.sequence(arguments).ok_or_else(|| damaged("a call in the pickle has no arguments"))?.to_vec();
    match &**function {
        "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => Ok(Value::Tensor(tensor(pickled, &arguments)?.into())),
        // A parameter is a tensor that takes a gradient.
        "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" => {
            arguments.into_iter().next().ok_or_else(|| damaged("a parameter in the pickle has no tensor"))
        }
        "collections.OrderedDict" => ordered_dict(pickled, arguments.first()),
        inert if INERT.contains(&inert) => Ok(Value::Opaque),
        _ => Err(WeightsError::Calls(function.to_string())),
    }
}

/// `cls.__new__(cls)`: an empty dict, or an object that is not read.
pub fn new_object(pickled: &mut Pickled, class: &Value) -> Value {
    match class {
        Value::Global(class) if &**class == "collections.OrderedDict" => empty_dict(pickled),
        _ => Value::Opaque,
    }
}

fn empty_dict(pickled: &mut Pickled) -> Value {
    pickled.dicts.push(Vec::new());
    Value::Dict(pickled.dicts.len() - 1)
}

/// `OrderedDict()` or, as Python 2 writes it, `OrderedDict([[key, value], ...])`.
fn ordered_dict(pickled: &mut Pickled, pairs: Option<&Value>) -> Result<Value> {
    let odd = || damaged("an OrderedDict in the pickle is not made of pairs");
    let mut entries = Vec::new();
    for pair in pairs.map_or(Some(&[][..]), |pairs| pickled.sequence(pairs)).ok_or_else(odd)? {
        let [key, value] = pickled.sequence(pair).ok_or_else(odd)? else { return Err(odd()) };
        entries.push((key.clone(), value.clone()));
    }
    pickled.dicts.push(entries);
    Ok(Value::Dict(pickled.dicts.len() - 1))
}

/// A storage by its persistent id: ('storage', class, key, device, length[, view]).
pub fn storage(pickled: &Pickled, id: &Value) -> Result<Storage> {
    let odd = || damaged("a storage in the pickle has no such id as torch.save writes");
    match pickled.sequence(id).ok_or_else(odd)? {
        [Value::Text(kind), Value::Global(class), Value::Text(key), _, Value::Int(length), view @ ..] if &**kind == "storage" => {
            if !matches!(view, [] | [Value::Other]) {
                return Err(WeightsError::Unsupported("the file has storages that are parts of others".into()));
            }
            let class = class.rsplit('.').next().unwrap_or(class).into();
            Ok(Storage { class, key: key.clone(), length: usize::try_from(*length).map_err(|_| odd())? })
        }
        _ => Err(odd()),
    }
}

/// A tensor by the arguments (storage, offset, shape, stride, ...). That it lies inside its storage is checked here.
fn tensor(pickled: &Pickled, arguments: &[Value]) -> Result<TensorRef> {
    let odd = || damaged("a tensor in the pickle has no such arguments as torch.save writes");
    let [Value::Storage(storage), Value::Int(offset), shape, stride, ..] = arguments else { return Err(odd()) };
    let whole = |value: &Value| match value {
        Value::Int(number) => usize::try_from(*number).map_err(|_| odd()),
        _ => Err(odd()),
    };
    let list = |value: &Value| pickled.sequence(value).ok_or_else(odd)?.iter().map(whole).collect::<Result<Vec<_>>>();
    let (offset, shape, stride) = (whole(&Value::Int(*offset))?, list(shape)?, list(stride)?);
    if shape.len() != stride.len() {
        return Err(odd());
    }
    let outside = || damaged(format!("a tensor of shape {shape:?} does not fit its storage of {} numbers", storage.length));
    if !shape.contains(&0) {
        let reach = |last: usize, (&size, &stride): (&usize, &usize)| (size - 1).checked_mul(stride)?.checked_add(last);
        let last = shape.iter().zip(&stride).try_fold(offset, reach).ok_or_else(outside)?;
        if last >= storage.length {
            return Err(outside());
        }
    }
    Ok(TensorRef { storage: Rc::clone(storage), offset, shape, stride })
}
