//! The stack machine that a pickle is a program for.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::error::{Result, WeightsError, damaged};
use super::calls;
use super::{Pickled, Value};

/// The machine's state while it reads.
pub struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    pickled: Pickled,
}

impl<'a> Machine<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let pickled = Pickled { root: Value::Other, storages: Vec::new(), sequences: Vec::new(), dicts: Vec::new() };
        Machine { bytes, at: 0, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new(), pickled }
    }

    /// Reads up to the pickle's end and says where that is.
    pub fn run(mut self) -> Result<(Pickled, usize)> {
        while !self.step()? {}
        Ok((self.pickled, self.at))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..length).ok_or_else(|| damaged("the pickle has no end"))?;
        self.at += length;
        Ok(taken)
    }

    /// An unsigned number of `width` bytes, little endian.
    fn unsigned(&mut self, width: usize) -> Result<usize> {
        let bytes = self.take(width)?;
        let number = bytes.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
        usize::try_from(number).map_err(|_| damaged("a length in the pickle is not possible"))
    }

    fn line(&mut self) -> Result<&'a str> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| damaged("the pickle has no end"))?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| damaged("a name in the pickle is not text"))
    }

    fn text(&mut self, length: usize) -> Result<Value> {
        let bytes = self.take(length)?;
        Ok(Value::Text(String::from_utf8_lossy(bytes).into()))
    }

    /// The topmost value, not reaching below the innermost mark.
    fn pop(&mut self) -> Result<Value> {
        if self.stack.len() <= self.marks.last().copied().unwrap_or(0) {
            return Err(damaged("the pickle takes more values than it has"));
        }
        self.stack.pop().ok_or_else(|| damaged("the pickle takes more values than it has"))
    }

    fn top(&mut self) -> Result<Value> {
        let value = self.pop()?;
        self.stack.push(value.clone());
        Ok(value)
    }

    /// What lies above the innermost mark, which is taken away.
    fn marked(&mut self) -> Result<Vec<Value>> {
        let mark = self.marks.pop().ok_or_else(|| damaged("the pickle closes a mark that it did not set"))?;
        Ok(self.stack.split_off(mark))
    }

    fn several(&mut self, count: usize) -> Result<Vec<Value>> {
        let mut values = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        values.reverse();
        Ok(values)
    }

    fn push_sequence(&mut self, values: Vec<Value>) {
        self.pickled.sequences.push(values);
        self.stack.push(Value::Sequence(self.pickled.sequences.len() - 1));
    }

    fn push_dict(&mut self, flat: Vec<Value>) -> Result<()> {
        self.pickled.dicts.push(Vec::new());
        self.stack.push(Value::Dict(self.pickled.dicts.len() - 1));
        self.set_items(flat)
    }

    /// Keys and values by turns into the dict on top of the stack.
    fn set_items(&mut self, flat: Vec<Value>) -> Result<()> {
        if !flat.len().is_multiple_of(2) {
            return Err(damaged("the pickle sets a key without a value"));
        }
        if let Value::Dict(index) = self.top()? {
            let mut flat = flat.into_iter();
            while let (Some(key), Some(value)) = (flat.next(), flat.next()) {
                self.pickled.dicts[index].push((key, value));
            }
        }
        Ok(())
    }

    fn append(&mut self, values: Vec<Value>) -> Result<()> {
        if let Value::Sequence(index) = self.top()? {
            self.pickled.sequences[index].extend(values);
        }
        Ok(())
    }

    fn remember(&mut self, key: usize) -> Result<()> {
        let value = self.top()?;
        self.memo.insert(u32::try_from(key).map_err(|_| damaged("a memo in the pickle is not possible"))?, value);
        Ok(())
    }

    fn recall(&mut self, key: usize) -> Result<()> {
        let value = u32::try_from(key).ok().and_then(|key| self.memo.get(&key)).cloned();
        self.stack.push(value.ok_or_else(|| damaged("the pickle recalls what it did not store"))?);
        Ok(())
    }

    /// One instruction; true at the end of the pickle.
    fn step(&mut self) -> Result<bool> {
        let at = self.at;
        let code = self.take(1)?[0];
        match code {
            // Protocol and frame.
            0x80 => _ = self.take(1)?,
            0x95 => _ = self.take(8)?,
            b'.' => {
                self.pickled.root = self.pop()?;
                return Ok(true);
            }
            // The stack.
            b'(' => self.marks.push(self.stack.len()),
            b'0' => _ = self.pop()?,
            b'1' => _ = self.marked()?,
            b'2' => {
                let value = self.top()?;
                self.stack.push(value);
            }
            b'q' => self.unsigned(1).and_then(|key| self.remember(key))?,
            b'r' => self.unsigned(4).and_then(|key| self.remember(key))?,
            0x94 => self.remember(self.memo.len())?,
            b'h' => self.unsigned(1).and_then(|key| self.recall(key))?,
            b'j' => self.unsigned(4).and_then(|key| self.recall(key))?,
            // Plain values.
            b'N' => self.stack.push(Value::Other),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'K' => self.push_int(1)?,
            b'M' => self.push_int(2)?,
            b'J' => {
                let number = self.unsigned(4)? as u32 as i32;
                self.stack.push(Value::Int(number.into()));
            }
            0x8a => {
                let length = self.unsigned(1)?;
                self.push_long(length)?;
            }
            b'G' => self.push_skipped(8)?,
            b'X' => self.push_text(4)?,
            0x8c | b'U' => self.push_text(1)?,
            0x8d => self.push_text(8)?,
            b'T' => self.push_text(4)?,
            b'C' => {
                let length = self.unsigned(1)?;
                self.push_skipped(length)?;
            }
            b'B' => {
                let length = self.unsigned(4)?;
                self.push_skipped(length)?;
            }
            0x8e | 0x96 => {
                let length = self.unsigned(8)?;
                self.push_skipped(length)?;
            }
            // Containers.
            b')' | b']' | 0x8f => self.push_sequence(Vec::new()),
            b't' | b'l' | 0x91 => {
                let values = self.marked()?;
                self.push_sequence(values);
            }
            0x85..=0x87 => {
                let values = self.several(usize::from(code - 0x84))?;
                self.push_sequence(values);
            }
            b'a' => {
                let values = self.several(1)?;
                self.append(values)?;
            }
            b'e' | 0x90 => {
                let values = self.marked()?;
                self.append(values)?;
            }
            b'}' => self.push_dict(Vec::new())?,
            b'd' => {
                let flat = self.marked()?;
                self.push_dict(flat)?;
            }
            b's' => {
                let flat = self.several(2)?;
                self.set_items(flat)?;
            }
            b'u' => {
                let flat = self.marked()?;
                self.set_items(flat)?;
            }
            // Classes, objects, calls.
            b'c' => {
                let name = format!("{}.{}", self.line()?, self.line()?);
                self.stack.push(Value::Global(name.into()));
            }
            0x93 => {
                let names = self.several(2)?;
                let [Value::Text(module), Value::Text(name)] = &names[..] else { return Err(damaged("a class in the pickle has no name")) };
                self.stack.push(Value::Global(format!("{module}.{name}").into()));
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = Rc::new(calls::storage(&self.pickled, &id)?);
                self.pickled.storages.push(storage.clone());
                self.stack.push(Value::Storage(storage));
            }
            b'R' => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                let result = calls::call(&mut self.pickled, &callable, &arguments)?;
                self.stack.push(result);
            }
            // cls.__new__(cls, ...) and an object's state: of a dict its items count, of all else nothing is kept.
            0x81 | 0x92 => {
                let class = self.several(if code == 0x81 { 2 } else { 3 })?.swap_remove(0);
                let object = calls::new_object(&mut self.pickled, &class);
                self.stack.push(object);
            }
            b'b' => _ = self.pop()?,
            b'i' => {
                let name = format!("{}.{}", self.line()?, self.line()?);
                return Err(WeightsError::Calls(name));
            }
            b'o' => {
                let values = self.marked()?;
                return Err(WeightsError::Calls(values.first().map_or("nothing", calls::name).to_string()));
            }
            other => {
                return Err(WeightsError::Unsupported(format!(
                    "the pickle has instruction {other:#04x} at byte {at}, which is not read here"
                )));
            }
        }
        Ok(false)
    }

    fn push_int(&mut self, width: usize) -> Result<()> {
        let number = self.unsigned(width)?;
        self.stack.push(Value::Int(number as i64));
        Ok(())
    }

    fn push_long(&mut self, length: usize) -> Result<()> {
        let bytes = self.take(length)?;
        self.stack.push(if length <= 8 {
            let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1i64 } else { 0 };
            Value::Int(bytes.iter().rev().fold(start, |number, &byte| number << 8 | i64::from(byte)))
        } else {
            Value::Long(bytes.into())
        });
        Ok(())
    }

    fn push_text(&mut self, width: usize) -> Result<()> {
        let length = self.unsigned(width)?;
        let text = self.text(length)?;
        self.stack.push(text);
        Ok(())
    }

    fn push_skipped(&mut self, length: usize) -> Result<()> {
        self.take(length)?;
        self.stack.push(Value::Other);
        Ok(())
    }
}
