//! MODEL: a fitted model as a value, stored in tables like any other.
//!
//! Layout of the BLOB: `ESCCSQL\0`, format version (u16, little endian), length of the header (u32), the header (JSON: kind,
//! feature names, training summary), the payload (postcard).

use std::any::Any;
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::Problem;
use super::features::Features;

const MAGIC: &[u8; 8] = b"ESCCSQL\0";
const FORMAT: u16 = 1;

/// The bytes of a fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model(pub Vec<u8>);

/// What a model can be: a kernel's fitted struct under the name of its kind.
pub trait Fit: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `cox`, `rsf`, ...: the prefix of the functions that take it.
    const KIND: &'static str;
}

/// How a fit went: what `model_info` shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Rows that the fit used.
    pub n_used: u64,
    /// Rows left out because an argument was NULL.
    pub n_dropped: u64,
    /// Events among the rows used, for survival models.
    pub n_events: Option<u64>,
    /// Did the optimisation converge? NULL where there is none.
    pub converged: Option<bool>,
    /// Labels of the strata, by their codes.
    #[serde(default)]
    pub strata: Vec<String>,
    /// What the reader of the results should know.
    pub warnings: Vec<String>,
    /// The options, defaults included.
    pub options: serde_json::Value,
}

/// The part of a model that is read without its payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub kind: String,
    pub features: Vec<String>,
    pub summary: Summary,
}

/// A model read lately: its bytes and what they hold.
type Recent = (Vec<u8>, Arc<dyn Any + Send + Sync>);

/// A model read back.
#[derive(Debug)]
pub struct Trained<T> {
    pub header: Header,
    pub model: T,
}

impl Model {
    /// Packs a fitted model.
    pub fn encode<T: Fit>(model: &T, features: &[String], summary: Summary) -> Result<Model, Problem> {
        let header = Header { kind: T::KIND.into(), features: features.to_vec(), summary };
        let header = serde_json::to_vec(&header).map_err(Problem::bug)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend((header.len() as u32).to_le_bytes());
        bytes.extend(header);
        bytes.extend(postcard::to_stdvec(model).map_err(Problem::bug)?);
        Ok(Model(bytes))
    }

    /// Reads the header and says where the payload starts.
    pub fn header(bytes: &[u8]) -> Result<(Header, &[u8]), Problem> {
        let damaged = || Problem::user("this model is damaged: it ends too early; fit it again");
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| Problem::user("this BLOB is not a model made by a *_fit function"))?;
        let (format, rest) = rest.split_first_chunk::<2>().ok_or_else(damaged)?;
        let format = u16::from_le_bytes(*format);
        if format > FORMAT {
            return Err(Problem::user(format!(
                "this model has format {format}, this esccsql reads up to {FORMAT}: it was made by a newer version; update esccsql"
            )));
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (header, payload) = rest.split_at_checked(length).ok_or_else(damaged)?;
        Ok((serde_json::from_slice(header).map_err(|_| damaged())?, payload))
    }

    /// Reads a model of kind `T`. The last few models read stay in memory, since every chunk of a query brings them again.
    pub fn decode<T: Fit>(bytes: &[u8]) -> Result<Arc<Trained<T>>, Problem> {
        static RECENT: Mutex<Vec<Recent>> = Mutex::new(Vec::new());
        const KEPT: usize = 16;
        const KEPT_BYTES: usize = 512 << 20;
        {
            let mut recent = RECENT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(found) = recent.iter().position(|(known, _)| known == bytes) {
                let entry = recent.remove(found);
                let model = entry.1.clone();
                recent.push(entry);
                if let Ok(model) = model.downcast() {
                    return Ok(model);
                }
            }
        }
        let (header, payload) = Model::header(bytes)?;
        if header.kind != T::KIND {
            return Err(Problem::user(format!(
                "expected a model of kind '{}', got one of kind '{}'; use the {}_* functions with it",
                T::KIND,
                header.kind,
                header.kind
            )));
        }
        let (model, rest) = postcard::take_from_bytes(payload)
            .map_err(|_| Problem::user("this model is damaged: its content cannot be read; fit it again"))?;
        if !rest.is_empty() {
            return Err(Problem::user("this model is damaged: bytes follow its end; fit it again"));
        }
        let trained = Arc::new(Trained { header, model });
        let mut recent = RECENT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        recent.push((bytes.to_vec(), trained.clone()));
        let size = |recent: &[Recent]| recent.iter().map(|(known, _)| known.len()).sum::<usize>();
        while recent.len() > KEPT || (recent.len() > 1 && size(&recent) > KEPT_BYTES) {
            recent.remove(0);
        }
        Ok(trained)
    }
}

impl<T> Trained<T> {
    /// One row's numbers in the order that the model was fitted on.
    pub fn align(&self, features: &Features, row: usize) -> Result<Vec<f64>, Problem> {
        let (names, values) = (&self.header.features, features.row(row));
        let aligned = if features.named && *features.names == **names {
            values.to_vec()
        } else {
            features.positions(names)?.into_iter().map(|column| values[column]).collect()
        };
        match aligned.iter().position(|value| !value.is_finite()) {
            None => Ok(aligned),
            Some(column) => {
                let (name, value) = (&names[column], aligned[column]);
                Err(Problem::user(format!("feature '{name}' is {value}; remove or impute values that are not finite")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Line {
        slope: f64,
    }
    impl Fit for Line {
        const KIND: &'static str = "line";
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Other;
    impl Fit for Other {
        const KIND: &'static str = "other";
    }

    fn line() -> Vec<u8> {
        Model::encode(&Line { slope: 0.1 + 0.2 }, &["x".into()], Summary::default()).unwrap().0
    }

    #[test]
    fn comes_back_bit_for_bit() {
        let trained = Model::decode::<Line>(&line()).unwrap();
        assert_eq!(trained.model, Line { slope: 0.1 + 0.2 });
        assert_eq!(trained.header.features, ["x"]);
    }

    #[test]
    fn refuses_another_kind_a_newer_format_and_damage() {
        let bytes = line();
        assert!(Model::decode::<Other>(&bytes).unwrap_err().to_string().contains("kind 'other', got one of kind 'line'"));
        let mut newer = bytes.clone();
        newer[8] = 9;
        assert!(Model::decode::<Line>(&newer).unwrap_err().to_string().contains("newer version"));
        for cut in 0..bytes.len() {
            assert!(Model::decode::<Line>(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(Model::decode::<Line>(&longer).unwrap_err().to_string().contains("bytes follow"));
    }
}
