//! Python's pickle, read as data: no class is looked up, nothing is called.
//!
//! A pickle is a program for a stack machine that can call any Python function. Here the few calls that torch.save writes
//! (rebuild a tensor from a storage, make an OrderedDict) are recognised and carried out in Rust, objects of unknown classes
//! become [`Value::Opaque`], and every other call ends the reading with the name of what it would have called.
//!
//! Values are small: containers lie in an arena and refer to each other by index, so that neither cycles nor deep nesting
//! hurt. Memory grows with the length of the pickle alone.
//!
//! Format: Python's `pickletools`, protocols 2 to 5.

use std::rc::Rc;

mod calls;
mod machine;

use super::error::Result;

/// A value on the stack.
#[derive(Debug, Clone)]
pub enum Value {
    /// None, floats, bytes: nothing that a state dict needs.
    Other,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits, little endian.
    Long(Rc<[u8]>),
    Text(Rc<str>),
    /// A class or function, by name.
    Global(Rc<str>),
    /// An object of a class that is not read.
    Opaque,
    Sequence(usize),
    Dict(usize),
    Storage(Rc<Storage>),
    Tensor(Rc<TensorRef>),
}

/// Numbers in the file, not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// `FloatStorage`, `HalfStorage`, ...
    pub class: Rc<str>,
    pub key: Rc<str>,
    pub length: usize,
}

/// A view of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorRef {
    pub storage: Rc<Storage>,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub stride: Vec<usize>,
}

/// What a pickle holds.
#[derive(Debug)]
pub struct Pickled {
    pub root: Value,
    /// Every storage that the pickle names, in its order.
    pub storages: Vec<Rc<Storage>>,
    sequences: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
}

impl Pickled {
    /// The entries of a dict; `None` for anything else.
    pub fn dict(&self, value: &Value) -> Option<&[(Value, Value)]> {
        match value {
            Value::Dict(index) => Some(&self.dicts[*index]),
            _ => None,
        }
    }

    /// The items of a list or tuple; `None` for anything else.
    pub fn sequence(&self, value: &Value) -> Option<&[Value]> {
        match value {
            Value::Sequence(index) => Some(&self.sequences[*index]),
            _ => None,
        }
    }
}

/// Reads one pickle and says how many bytes it took.
pub fn read(bytes: &[u8]) -> Result<(Pickled, usize)> {
    machine::Machine::new(bytes).run()
}
