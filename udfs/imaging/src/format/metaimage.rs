//! MetaImage headers, one file (.mha) or two (.mhd): <https://itk.org/Wiki/ITK/MetaIO/Documentation>.
//!
//! As ITK 5.4 reads them: row `a` of `TransformMatrix` is the direction of grid axis `a` in LPS, `Offset` the centre
//! of the first voxel. `AnatomicalOrientation` changes nothing.

use std::path::PathBuf;

use super::{Channels, Dtype, Encoding, Format, Header, Layout, Order, Place, Skip, Source, Stored, checked, three_sizes};
use crate::Geometry;
use crate::error::{ImageError, Result};

/// Whether the first bytes are those of a MetaImage.
pub(super) fn recognises(head: &[u8]) -> bool {
    let starts = head.split(|c| *c == b'\n').next().unwrap_or_default();
    let Some(at) = starts.iter().position(|c| *c == b'=') else { return false };
    let key = starts[..at].trim_ascii();
    let known: [&[u8]; 4] = [b"ObjectType", b"NDims", b"Comment", b"ObjectSubType"];
    known.contains(&key) && head.windows(5).any(|w| w == b"NDims")
}

/// The header's lines up to `ElementDataFile`.
struct Fields {
    path: PathBuf,
    lines: Vec<(String, String)>,
}

impl Fields {
    fn read(source: &mut Source) -> Result<Fields> {
        let mut lines = Vec::new();
        loop {
            let Some(line) = source.line()? else {
                return Err(ImageError::header(&source.path, "the MetaImage field 'ElementDataFile'", "absent", "LOCAL or a file name"));
            };
            if line.trim().is_empty() {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                let shown: String = line.chars().take(60).collect();
                return Err(ImageError::header(&source.path, "a line of the MetaImage header", format!("'{shown}'"), "'Key = value'"));
            };
            let last = key.trim() == "ElementDataFile";
            lines.push((key.trim().to_string(), value.trim().to_string()));
            if last {
                return Ok(Fields { path: source.path.clone(), lines });
            }
            if lines.len() > 1000 {
                return Err(ImageError::header(&source.path, "the MetaImage header", "longer than 1000 fields", "an ElementDataFile"));
            }
        }
    }

    /// The first of several names for the same field.
    fn any(&self, names: &[&str]) -> Option<(&str, &str)> {
        names.iter().find_map(|name| self.lines.iter().find(|(n, _)| n == name)).map(|(n, v)| (n.as_str(), v.as_str()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.any(&[name]).map(|(_, value)| value)
    }

    fn wrong(&self, name: &str, expected: &str) -> ImageError {
        let found = self.get(name).map_or("absent".to_string(), |v| format!("'{v}'"));
        ImageError::header(&self.path, format!("the MetaImage field '{name}'"), found, expected)
    }

    fn numbers<T: std::str::FromStr>(&self, names: &[&str], count: usize) -> Result<Option<Vec<T>>> {
        let Some((name, text)) = self.any(names) else { return Ok(None) };
        let numbers: Option<Vec<T>> = text.split_whitespace().map(|w| w.parse().ok()).collect();
        match numbers {
            Some(numbers) if numbers.len() == count => Ok(Some(numbers)),
            _ => Err(self.wrong(name, &format!("{count} numbers"))),
        }
    }

    fn flag(&self, names: &[&str]) -> Result<bool> {
        match self.any(names) {
            None => Ok(false),
            Some((_, value)) if matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes") => Ok(true),
            Some((_, value)) if matches!(value.to_ascii_lowercase().as_str(), "false" | "0" | "no") => Ok(false),
            Some((name, _)) => Err(self.wrong(name, "True or False")),
        }
    }
}

/// Reads the header.
pub(super) fn layout(source: &mut Source) -> Result<Layout> {
    if !recognises(source.head()) {
        return Err(source.not_an_image());
    }
    let fields = Fields::read(source)?;
    let path = &fields.path;
    let channels = match fields.get("ElementNumberOfChannels") {
        None => Channels::ONE,
        Some(text) => {
            let count = text.parse().ok().filter(|n| *n > 0);
            Channels { count: count.ok_or_else(|| fields.wrong("ElementNumberOfChannels", "1 or more"))?, apart: false }
        }
    };
    let name = fields.get("ElementType").unwrap_or_default();
    let dtype = dtype(name).ok_or_else(|| fields.wrong("ElementType", "MET_UCHAR to MET_ULONG_LONG, MET_FLOAT or MET_DOUBLE"))?;
    let geometry = checked(path, geometry(&fields)?)?;
    let compressed = fields.flag(&["CompressedData"])?;
    let text = fields.get("BinaryData").is_some() && !fields.flag(&["BinaryData"])?;
    let encoding = match (compressed, text) {
        (true, _) => Encoding::Zlib,
        (false, true) => Encoding::Text,
        (false, false) => Encoding::Raw,
    };
    let big = fields.flag(&["ElementByteOrderMSB", "BinaryDataByteOrderMSB"])?;
    let order = if big { Order::Big } else { Order::Little };
    let count = geometry.size.iter().map(|n| *n as u64).product();
    let stored = Stored { dtype, order, encoding, count, channels, scale: None };
    stored.bytes(path)?;
    let place = place(&fields, source, encoding)?;
    Ok(Layout { header: Header { format: Format::MetaImage, dtype, geometry }, stored, place })
}

fn place(fields: &Fields, source: &Source, encoding: Encoding) -> Result<Place> {
    let name = fields.get("ElementDataFile").unwrap_or_default();
    if name == "LOCAL" {
        return Ok(Place::Here { skip: 0 });
    }
    if name.is_empty() || name.starts_with("LIST") || name.contains('%') {
        return Err(fields.wrong("ElementDataFile", "LOCAL or one file; join the slices into a single file first"));
    }
    let bytes = match fields.get("HeaderSize") {
        None => 0,
        Some(text) => text.parse::<i64>().map_err(|_| fields.wrong("HeaderSize", "a number of bytes, or -1"))?,
    };
    if bytes < -1 || (bytes == -1 && encoding != Encoding::Raw) {
        return Err(fields.wrong("HeaderSize", "a number of bytes, or -1 with raw voxels"));
    }
    let skip = Skip { lines: 0, bytes: bytes.max(0) as u64, from_end: bytes == -1 };
    Ok(Place::Beside { path: source.beside(name)?, skip })
}

fn geometry(fields: &Fields) -> Result<Geometry> {
    let axes = fields.get("NDims").and_then(|n| n.parse::<usize>().ok()).filter(|n| (1..=10).contains(n));
    let axes = axes.ok_or_else(|| fields.wrong("NDims", "1 to 10"))?;
    let sizes = fields.numbers::<u64>(&["DimSize"], axes)?.ok_or_else(|| fields.wrong("DimSize", "one number per axis"))?;
    let mut geometry = Geometry::identity(three_sizes(&fields.path, &sizes)?);
    let shown = axes.min(3);
    if let Some(spacing) = fields.numbers::<f64>(&["ElementSpacing", "ElementSize"], axes)? {
        geometry.spacing[..shown].copy_from_slice(&spacing[..shown]);
    }
    if let Some(origin) = fields.numbers::<f64>(&["Offset", "Position", "Origin"], axes)? {
        geometry.origin[..shown].copy_from_slice(&origin[..shown]);
    }
    if let Some(matrix) = fields.numbers::<f64>(&["TransformMatrix", "Rotation", "Orientation"], axes * axes)? {
        for axis in 0..shown {
            for row in 0..shown {
                geometry.direction[row][axis] = matrix[axis * axes + row];
            }
        }
    }
    Ok(geometry)
}

/// Voxel type by its name. `LONG` has 4 bytes in every MetaImage.
fn dtype(name: &str) -> Option<Dtype> {
    Some(match name {
        "MET_CHAR" | "MET_ASCII_CHAR" => Dtype::I8,
        "MET_UCHAR" => Dtype::U8,
        "MET_SHORT" => Dtype::I16,
        "MET_USHORT" => Dtype::U16,
        "MET_INT" | "MET_LONG" => Dtype::I32,
        "MET_UINT" | "MET_ULONG" => Dtype::U32,
        "MET_LONG_LONG" => Dtype::I64,
        "MET_ULONG_LONG" => Dtype::U64,
        "MET_FLOAT" => Dtype::F32,
        "MET_DOUBLE" => Dtype::F64,
        _ => return None,
    })
}

/// Name of a voxel type.
pub(super) fn type_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::U8 => "MET_UCHAR",
        Dtype::I8 => "MET_CHAR",
        Dtype::U16 => "MET_USHORT",
        Dtype::I16 => "MET_SHORT",
        Dtype::U32 => "MET_UINT",
        Dtype::I32 => "MET_INT",
        Dtype::U64 => "MET_ULONG_LONG",
        Dtype::I64 => "MET_LONG_LONG",
        Dtype::F32 => "MET_FLOAT",
        Dtype::F64 => "MET_DOUBLE",
    }
}
