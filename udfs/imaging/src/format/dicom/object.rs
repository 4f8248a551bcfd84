//! DICOM data sets in memory: elements by tag, as text, numbers and sequences.

use std::collections::BTreeMap;

use dicom_core::{Tag, VR};
use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

use crate::format::samples::Order;

/// A data set.
#[derive(Debug, Clone)]
pub(super) struct Object {
    values: BTreeMap<Tag, Value>,
    order: Order,
    charset: SpecificCharacterSet,
}

/// An element's value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Bytes(VR, Vec<u8>),
    Items(Vec<Object>),
}

impl Object {
    pub fn new(order: Order, charset: SpecificCharacterSet) -> Object {
        Object { values: BTreeMap::new(), order, charset }
    }

    pub fn insert(&mut self, tag: Tag, value: Value) {
        self.values.insert(tag, value);
    }

    /// How text is written.
    pub fn charset(&self) -> SpecificCharacterSet {
        self.charset.clone()
    }

    pub fn set_charset(&mut self, charset: SpecificCharacterSet) {
        self.charset = charset;
    }

    /// Byte order of binary values, pixels included.
    pub fn order(&self) -> Order {
        self.order
    }

    /// A value's bytes.
    pub fn bytes(&self, tag: Tag) -> Option<&[u8]> {
        match self.values.get(&tag) {
            Some(Value::Bytes(_, bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Text without the padding.
    pub fn text(&self, tag: Tag) -> Option<String> {
        let bytes = self.bytes(tag)?;
        let text = self.charset.decode(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned());
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        (!text.is_empty()).then(|| text.to_string())
    }

    /// A UID without the padding.
    pub fn uid(&self, tag: Tag) -> Option<String> {
        self.text(tag)
    }

    /// Numbers, written as text or in binary. `None` when the element is absent, empty or not of finite numbers.
    pub fn numbers(&self, tag: Tag) -> Option<Vec<f64>> {
        let Some(Value::Bytes(vr, bytes)) = self.values.get(&tag) else { return None };
        macro_rules! binary {
            ($type:ty) => {{
                let chunks = bytes.chunks_exact(size_of::<$type>()).map(|chunk| {
                    let mut own = [0; size_of::<$type>()];
                    own.copy_from_slice(chunk);
                    match self.order {
                        Order::Little => <$type>::from_le_bytes(own),
                        Order::Big => <$type>::from_be_bytes(own),
                    }
                });
                chunks.map(|v| v as f64).collect::<Vec<f64>>()
            }};
        }
        let values = match vr {
            VR::US => binary!(u16),
            VR::SS => binary!(i16),
            VR::UL => binary!(u32),
            VR::SL => binary!(i32),
            VR::FL => binary!(f32),
            VR::FD => binary!(f64),
            _ => decimals(bytes)?,
        };
        (!values.is_empty() && values.iter().all(|v| v.is_finite())).then_some(values)
    }

    /// The first of an element's numbers.
    pub fn number(&self, tag: Tag) -> Option<f64> {
        self.numbers(tag).map(|v| v[0])
    }

    /// Exactly `N` numbers.
    pub fn vector<const N: usize>(&self, tag: Tag) -> Option<[f64; N]> {
        self.numbers(tag)?.try_into().ok()
    }

    /// A count.
    pub fn whole(&self, tag: Tag) -> Option<u32> {
        self.number(tag).filter(|v| *v >= 0.0 && v.fract() == 0.0 && *v <= f64::from(u32::MAX)).map(|v| v as u32)
    }

    /// A sequence's items; none when it is absent.
    pub fn items(&self, tag: Tag) -> &[Object] {
        match self.values.get(&tag) {
            Some(Value::Items(items)) => items,
            _ => &[],
        }
    }
}

/// Decimal numbers between backslashes (DS, IS).
fn decimals(bytes: &[u8]) -> Option<Vec<f64>> {
    let part = |part: &[u8]| std::str::from_utf8(part).ok()?.trim_matches(|c: char| c == '\0' || c.is_whitespace()).parse().ok();
    bytes.split(|b| *b == b'\\').map(part).collect()
}
