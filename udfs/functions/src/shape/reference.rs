//! A model by reference: what stands for a large model in tables that many machines read.
//!
//! The bytes lie once in a place that all of them see; a row holds their hash and that place. Layout of the BLOB:
//! `ESCCREF\0`, SHA-256 of the bytes (32), the place (a path or URL, UTF-8). A process reads each model once.

use std::fs;
use std::sync::Mutex;

use arrow::array::{Array, BinaryViewArray, BinaryViewBuilder};
use arrow::buffer::Buffer;
use sha2::{Digest, Sha256};

use super::error::Problem;
use super::files::local;

const MAGIC: &[u8; 8] = b"ESCCREF\0";
const HASH: usize = 32;
/// Models that stay in memory, by number and by bytes.
const KEPT: usize = 16;
const KEPT_BYTES: usize = 1 << 30;

type Hash = [u8; HASH];

/// The hash by which a model is known.
pub fn content_hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// What stands for the model of this hash that lies at `place`.
pub fn reference(hash: &Hash, place: &str) -> Vec<u8> {
    [MAGIC.as_slice(), hash, place.as_bytes()].concat()
}

/// The hash of the model that these bytes stand for.
pub fn referenced(bytes: &[u8]) -> Option<Hash> {
    bytes.strip_prefix(MAGIC)?.first_chunk::<HASH>().copied()
}

/// Models in the place of what stands for them; rows of one model share its bytes.
pub(super) fn resolve(blobs: BinaryViewArray) -> Result<BinaryViewArray, Problem> {
    let stands_for = |row: usize| if blobs.is_valid(row) { referenced(blobs.value(row)) } else { None };
    if !(0..blobs.len()).any(|row| stands_for(row).is_some()) {
        return Ok(blobs);
    }
    let mut resolved = BinaryViewBuilder::new();
    let mut blocks: Vec<(Hash, u32, u32)> = Vec::new();
    for row in 0..blobs.len() {
        let Some(hash) = stands_for(row) else {
            resolved.append_option(blobs.is_valid(row).then(|| blobs.value(row)));
            continue;
        };
        let known = blocks.iter().find(|(known, ..)| *known == hash).copied();
        let (_, block, length) = match known {
            Some(found) => found,
            None => {
                let bytes = read(&hash, blobs.value(row))?;
                let length = bytes.len() as u32;
                let found = (hash, resolved.append_block(bytes), length);
                blocks.push(found);
                found
            }
        };
        resolved.try_append_view(block, 0, length)?;
    }
    Ok(resolved.finish())
}

fn read(hash: &Hash, reference: &[u8]) -> Result<Buffer, Problem> {
    static MODELS: Mutex<Vec<(Hash, Buffer)>> = Mutex::new(Vec::new());
    // Held while reading, so that the tasks that start together do not all read the model.
    let mut models = MODELS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(at) = models.iter().position(|(known, _)| known == hash) {
        let entry = models.remove(at);
        models.push(entry.clone());
        return Ok(entry.1);
    }
    let place = std::str::from_utf8(&reference[MAGIC.len() + HASH..]).map_err(|_| Problem::user("this reference to a model is damaged"))?;
    let bytes = fs::read(local(place)?).map_err(|error| {
        Problem::user(format!("the model at {place}: {error}; executors need the shared folder under the path that the client gives it"))
    })?;
    if content_hash(&bytes) != *hash {
        return Err(Problem::user(format!("the model at {place} is not the one that was put there; run the statement again")));
    }
    let bytes = Buffer::from_vec(bytes);
    models.push((*hash, bytes.clone()));
    let size = |models: &[(Hash, Buffer)]| models.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    while models.len() > KEPT || (models.len() > 1 && size(&models) > KEPT_BYTES) {
        models.remove(0);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_stand_where_their_references_stood() {
        let path = std::env::temp_dir().join(format!("esccsql-reference-{}", std::process::id()));
        let place = path.to_str().unwrap();
        let model = vec![7u8; 1000];
        fs::write(&path, &model).unwrap();
        let reference = reference(&content_hash(&model), place);
        assert_eq!(referenced(&reference), Some(content_hash(&model)));
        let rows = BinaryViewArray::from_iter([Some(reference.as_slice()), None, Some(b"another"), Some(&reference)]);
        let expected = BinaryViewArray::from_iter([Some(model.as_slice()), None, Some(b"another"), Some(&model)]);
        assert_eq!(resolve(rows.clone()).unwrap(), expected);
        fs::remove_file(&path).unwrap();
        assert_eq!(resolve(rows).unwrap(), expected, "a second look needs no file");
    }

    #[test]
    fn a_model_that_changed_or_is_gone_is_refused() {
        let path = std::env::temp_dir().join(format!("esccsql-changed-{}", std::process::id()));
        let place = path.to_str().unwrap();
        fs::write(&path, b"other bytes").unwrap();
        let row = |place: &str| BinaryViewArray::from_iter([Some(reference(&content_hash(b"bytes"), place))]);
        assert!(resolve(row(place)).unwrap_err().to_string().contains("is not the one"));
        fs::remove_file(&path).unwrap();
        assert!(resolve(row(place)).unwrap_err().to_string().contains("shared folder"));
    }
}
