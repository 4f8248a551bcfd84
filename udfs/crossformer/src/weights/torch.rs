//! PyTorch's `.pth` files: a zip archive (torch 1.6 and later) or a row of pickles (before).

use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Read};
use std::ops::Range;
use std::rc::Rc;

use super::error::{Result, WeightsError, damaged};
use super::pickle::{self, Pickled, Storage, TensorRef, Value};

/// The number that a file of torch's old container begins with.
const LEGACY_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// A file's state dict, its numbers not yet read.
#[derive(Debug)]
pub struct Torch {
    pub tensors: Vec<(String, Rc<TensorRef>)>,
    storages: HashMap<Rc<str>, Vec<u8>>,
}

/// The bytes of one number of a storage; `None` for a type that weights do not have.
fn width(class: &str) -> Option<usize> {
    match class {
        "DoubleStorage" | "LongStorage" => Some(8),
        "FloatStorage" | "IntStorage" => Some(4),
        "HalfStorage" | "BFloat16Storage" | "ShortStorage" => Some(2),
        "CharStorage" | "ByteStorage" | "BoolStorage" => Some(1),
        _ => None,
    }
}

impl Torch {
    /// Opens a file that begins like a zip archive.
    pub fn open_zip(bytes: &[u8]) -> Result<Self> {
        let mut archive =
            zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(format!("its zip archive cannot be read ({error})")))?;
        let names = archive.file_names().map(|name| Ok(name.map_err(damaged)?.into_owned())).collect::<Result<Vec<String>>>()?;
        let main = names.iter().find(|name| name.ends_with("/data.pkl")).ok_or(WeightsError::NoStateDict)?;
        let folder = main.trim_end_matches("data.pkl");
        let mut entry = |name: &str| -> Result<Vec<u8>> {
            let file = archive.by_name(name).map_err(|error| damaged(format!("{name} cannot be read ({error})")))?;
            let size = file.size();
            if size > bytes.len() as u64 {
                return Err(damaged(format!("{name} says that it is larger than the file")));
            }
            let mut content = Vec::with_capacity(size as usize);
            // One byte more than there should be: at the end of its content the archive checks the sum.
            file.take(size + 1).read_to_end(&mut content).map_err(|error| damaged(format!("{name}: {error}")))?;
            if content.len() as u64 == size { Ok(content) } else { Err(damaged(format!("{name} is shorter than it says"))) }
        };
        if names.iter().any(|name| *name == format!("{folder}byteorder")) && entry(&format!("{folder}byteorder"))? != b"little" {
            return Err(WeightsError::Unsupported("the file was written on a big-endian machine".into()));
        }
        let (pickled, _) = pickle::read(&entry(main)?)?;
        let tensors = state_dict(&pickled)?;
        let mut storages = HashMap::new();
        let mut held = 0;
        for (_, tensor) in &tensors {
            if !storages.contains_key(&tensor.storage.key) {
                let content = entry(&format!("{folder}data/{}", tensor.storage.key))?;
                held += content.len();
                // Entries of an archive may overlap, which is a way to make a small file large.
                if held > bytes.len() {
                    return Err(damaged("its storages are larger than the file"));
                }
                storages.insert(tensor.storage.key.clone(), content);
            }
        }
        Ok(Torch { tensors, storages })
    }

    /// Opens a file of torch's old container: magic number, protocol, system, objects, keys; then each storage's length and bytes.
    pub fn open_legacy(bytes: &[u8]) -> Result<Self> {
        let mut at = 0;
        let mut next = || -> Result<Pickled> {
            let (pickled, length) = pickle::read(&bytes[at..])?;
            at += length;
            Ok(pickled)
        };
        if !matches!(next()?.root, Value::Long(magic) if *magic == LEGACY_MAGIC) {
            return Err(WeightsError::UnknownFormat);
        }
        if !matches!(next()?.root, Value::Int(1001)) {
            return Err(WeightsError::Unsupported("the file has another protocol than torch's 1001".into()));
        }
        let system = next()?;
        let little =
            |(key, value): &(Value, Value)| matches!((key, value), (Value::Text(key), Value::Bool(false)) if &**key == "little_endian");
        if system.dict(&system.root).is_some_and(|entries| entries.iter().any(little)) {
            return Err(WeightsError::Unsupported("the file was written on a big-endian machine".into()));
        }
        let objects = next()?;
        let keys = next()?;
        let announced: HashMap<&Rc<str>, &Rc<Storage>> = objects.storages.iter().map(|storage| (&storage.key, storage)).collect();
        let tensors = state_dict(&objects)?;
        let needed: HashSet<&Rc<str>> = tensors.iter().map(|(_, tensor)| &tensor.storage.key).collect();
        let mut storages = HashMap::new();
        for key in keys.sequence(&keys.root).ok_or_else(|| damaged("it has no list of storages"))? {
            let Value::Text(key) = key else { return Err(damaged("a storage has no key")) };
            let Some(storage) = announced.get(key) else { return Err(damaged(format!("storage {key} belongs to nothing"))) };
            let content = legacy_storage(bytes, &mut at, storage)?;
            if needed.contains(key) {
                storages.insert(key.clone(), bytes[content].to_vec());
            }
        }
        Ok(Torch { tensors, storages })
    }

    /// A tensor's numbers as float32, row-major.
    pub fn values(&self, name: &str, tensor: &TensorRef) -> Result<Vec<f32>> {
        let storage = &tensor.storage;
        let bytes = self.storages.get(&storage.key).ok_or_else(|| damaged(format!("{name}'s storage is not there")))?;
        let width = width(&storage.class).ok_or_else(|| odd_class(name, storage))?;
        if storage.length.checked_mul(width) != Some(bytes.len()) {
            return Err(damaged(format!("{name}'s storage has {} bytes, not {} numbers of {width}", bytes.len(), storage.length)));
        }
        let read: fn(&[u8]) -> f32 = match &*storage.class {
            "FloatStorage" => |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            "DoubleStorage" => |b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32,
            "HalfStorage" => |b| half::f16::from_le_bytes([b[0], b[1]]).to_f32(),
            "BFloat16Storage" => |b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32(),
            _ => return Err(odd_class(name, storage)),
        };
        let count: usize = tensor.shape.iter().product();
        let mut values = Vec::with_capacity(count);
        let mut place = vec![0; tensor.shape.len()];
        for _ in 0..count {
            let index = tensor.offset + place.iter().zip(&tensor.stride).map(|(place, stride)| place * stride).sum::<usize>();
            values.push(read(&bytes[index * width..]));
            for axis in (0..place.len()).rev() {
                place[axis] += 1;
                if place[axis] < tensor.shape[axis] {
                    break;
                }
                place[axis] = 0;
            }
        }
        Ok(values)
    }
}

fn odd_class(name: &str, storage: &Storage) -> WeightsError {
    WeightsError::Unsupported(format!("{name} holds numbers of type {}, expected floating point", storage.class))
}

/// Where a storage of the old container lies; `at` is moved behind it.
fn legacy_storage(bytes: &[u8], at: &mut usize, storage: &Storage) -> Result<Range<usize>> {
    let short = || damaged(format!("storage {} is cut off", storage.key));
    let (length, rest) = bytes[*at..].split_first_chunk::<8>().ok_or_else(short)?;
    let length = i64::from_le_bytes(*length);
    if usize::try_from(length) != Ok(storage.length) {
        return Err(damaged(format!("storage {} has {length} numbers, the pickle says {}", storage.key, storage.length)));
    }
    let width = width(&storage.class).ok_or_else(|| odd_class(&format!("storage {}", storage.key), storage))?;
    let size = storage.length.checked_mul(width).filter(|&size| size <= rest.len()).ok_or_else(short)?;
    let start = *at + 8;
    *at = start + size;
    Ok(start..start + size)
}

/// The entries of the first dict of tensors: the root, or what lies under `model`, `state_dict` and the like.
fn state_dict(pickled: &Pickled) -> Result<Vec<(String, Rc<TensorRef>)>> {
    const KEYS: [&str; 4] = ["model", "state_dict", "model_state_dict", "module"];
    const DEPTH: usize = 3;
    let mut dict = pickled.dict(&pickled.root).ok_or(WeightsError::NoStateDict)?;
    for _ in 0..=DEPTH {
        let tensors: Vec<(String, Rc<TensorRef>)> = (dict.iter())
            .filter_map(|(key, value)| match (key, value) {
                (Value::Text(name), Value::Tensor(tensor)) => Some((name.to_string(), tensor.clone())),
                _ => None,
            })
            .collect();
        if !tensors.is_empty() {
            return Ok(tensors);
        }
        let under = |wanted: &str| {
            dict.iter().find(|(key, _)| matches!(key, Value::Text(key) if **key == *wanted)).and_then(|(_, value)| pickled.dict(value))
        };
        dict = KEYS.into_iter().find_map(under).ok_or(WeightsError::NoStateDict)?;
    }
    Err(WeightsError::NoStateDict)
}
