//! NRRD headers, attached (.nrrd) or detached (.nhdr): <https://teem.sourceforge.net/nrrd/format.html>.
//!
//! As ITK 5.4 reads them: spacing is the length of a space direction; RAS and LAS become LPS; other 3D spaces are
//! taken as they are; without a space the axes lie along LPS and missing spacings are 1.

use std::path::PathBuf;

use super::{Channels, Dtype, Encoding, Format, Header, Layout, Order, Place, Skip, Source, Stored, checked, three_sizes};
use crate::Geometry;
use crate::error::{ImageError, Result};

/// Whether the first bytes are those of a NRRD.
pub(super) fn recognises(head: &[u8]) -> bool {
    head.starts_with(b"NRRD000")
}

/// The header's lines, by field name in lower case.
struct Fields {
    path: PathBuf,
    lines: Vec<(String, String)>,
}

impl Fields {
    fn read(source: &mut Source) -> Result<Fields> {
        let mut lines = Vec::new();
        source.line()?;
        while let Some(line) = source.line()? {
            if line.is_empty() {
                break;
            }
            // Comments, and the user's own key:=value pairs.
            if line.starts_with('#') || line.split_once(":=").is_some_and(|(key, _)| !key.contains(": ")) {
                continue;
            }
            let Some((name, value)) = line.split_once(':') else {
                let shown: String = line.chars().take(60).collect();
                return Err(ImageError::header(&source.path, "a line of the NRRD header", format!("'{shown}'"), "'field: value'"));
            };
            lines.push((name.trim().to_ascii_lowercase(), value.trim().to_string()));
            if lines.len() > 1000 {
                return Err(ImageError::header(
                    &source.path,
                    "the NRRD header",
                    "longer than 1000 fields",
                    "a blank line before the voxels",
                ));
            }
        }
        Ok(Fields { path: source.path.clone(), lines })
    }

    fn get(&self, name: &str) -> Option<&str> {
        let squeezed = name.replace(' ', "");
        self.lines.iter().find(|(n, _)| n == name || *n == squeezed).map(|(_, value)| value.as_str())
    }

    fn need(&self, name: &str) -> Result<&str> {
        self.get(name).ok_or_else(|| ImageError::header(&self.path, format!("the NRRD field '{name}'"), "absent", "a value"))
    }

    fn wrong(&self, name: &str, expected: &str) -> ImageError {
        let found = self.get(name).map_or("absent".to_string(), |v| format!("'{v}'"));
        ImageError::header(&self.path, format!("the NRRD field '{name}'"), found, expected)
    }

    /// Numbers between white space.
    fn numbers<T: std::str::FromStr>(&self, name: &str, count: usize) -> Result<Option<Vec<T>>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let numbers: Option<Vec<T>> = text.split_whitespace().map(|w| w.parse().ok()).collect();
        match numbers {
            Some(numbers) if numbers.len() == count => Ok(Some(numbers)),
            _ => Err(self.wrong(name, &format!("{count} numbers, one per axis"))),
        }
    }

    /// Vectors `(x,y,z)`; `none` gives `None`.
    fn vectors(&self, name: &str) -> Result<Option<Vec<Option<Vec<f64>>>>> {
        let Some(mut rest) = self.get(name) else { return Ok(None) };
        let mut vectors = Vec::new();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                return Ok(Some(vectors));
            }
            if let Some(after) = rest.strip_prefix("none") {
                vectors.push(None);
                rest = after;
                continue;
            }
            let inner = rest.strip_prefix('(').and_then(|r| r.split_once(')'));
            let Some((inner, after)) = inner else { return Err(self.wrong(name, "vectors such as (1,0,0)")) };
            let numbers: Option<Vec<f64>> = inner.split(',').map(|w| w.trim().parse().ok()).collect();
            vectors.push(Some(numbers.ok_or_else(|| self.wrong(name, "vectors such as (1,0,0)"))?));
            rest = after;
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
    let dtype = dtype(fields.need("type")?).ok_or_else(|| fields.wrong("type", "an 8- to 64-bit integer, float or double"))?;
    let (geometry, channels) = geometry(&fields)?;
    let geometry = checked(path, geometry)?;
    let encoding = match fields.need("encoding")?.to_ascii_lowercase().as_str() {
        "raw" => Encoding::Raw,
        "gzip" | "gz" => Encoding::Gzip,
        "ascii" | "text" | "txt" => Encoding::Text,
        "hex" => Encoding::Hex,
        _ => return Err(fields.wrong("encoding", "raw, gzip, ascii or hex")),
    };
    let order = match fields.get("endian").map(str::to_ascii_lowercase).as_deref() {
        Some("little") => Order::Little,
        Some("big") => Order::Big,
        None if dtype.bytes() == 1 || encoding == Encoding::Text => Order::Little,
        _ => return Err(fields.wrong("endian", "little or big")),
    };
    let count = geometry.size.iter().map(|n| *n as u64).product();
    let stored = Stored { dtype, order, encoding, count, channels, scale: None };
    stored.bytes(path)?;
    let place = place(&fields, source, encoding)?;
    Ok(Layout { header: Header { format: Format::Nrrd, dtype, geometry }, stored, place })
}

/// Where the voxels are.
fn place(fields: &Fields, source: &Source, encoding: Encoding) -> Result<Place> {
    let lines = match fields.get("line skip") {
        None => 0,
        Some(text) => text.parse::<usize>().map_err(|_| fields.wrong("line skip", "a number of lines"))?,
    };
    let bytes = match fields.get("byte skip") {
        None => 0,
        Some(text) => text.parse::<i64>().map_err(|_| fields.wrong("byte skip", "a number of bytes, or -1"))?,
    };
    let from_end = bytes == -1;
    if bytes < -1 || (from_end && encoding != Encoding::Raw) {
        return Err(fields.wrong("byte skip", "a number of bytes, or -1 with raw voxels"));
    }
    let skip = Skip { lines, bytes: bytes.max(0) as u64, from_end };
    match fields.get("data file") {
        Some(name) if name.starts_with("LIST") || name.contains('%') => {
            Err(fields.wrong("data file", "one file; join the slices into a single file first"))
        }
        Some(name) => {
            // Compressed voxels after a skip of decompressed bytes are rare enough to refuse.
            if encoding != Encoding::Raw && skip.bytes > 0 {
                return Err(fields.wrong("byte skip", "0 with compressed or text voxels"));
            }
            Ok(Place::Beside { path: source.beside(name)?, skip })
        }
        None if lines > 0 || bytes != 0 => Err(fields.wrong(if lines > 0 { "line skip" } else { "byte skip" }, "0 with attached voxels")),
        None => Ok(Place::Here { skip: 0 }),
    }
}

fn geometry(fields: &Fields) -> Result<(Geometry, Channels)> {
    let path = &fields.path;
    let axes: usize = fields.need("dimension")?.parse().map_err(|_| fields.wrong("dimension", "a number of axes"))?;
    if !(1..=16).contains(&axes) {
        return Err(fields.wrong("dimension", "1 to 16"));
    }
    let sizes = fields.numbers::<u64>("sizes", axes)?.ok_or_else(|| fields.wrong("sizes", "one number per axis"))?;
    let directions = fields.vectors("space directions")?;
    let spacings = fields.numbers::<f64>("spacings", axes)?;
    if directions.as_ref().is_some_and(|directions| directions.len() != axes) {
        return Err(fields.wrong("space directions", &format!("{axes} vectors, one per axis")));
    }
    // Axes of the image: those with a direction. One of the others, the fastest or the slowest, may hold channels.
    let kinds: Vec<&str> = fields.get("kinds").unwrap_or("").split_whitespace().collect();
    let (range, mut kept): (Vec<usize>, Vec<usize>) = (0..axes).partition(|a| match &directions {
        Some(directions) => directions[*a].is_none(),
        None => kinds.get(*a).is_some_and(|kind| !DOMAIN_KINDS.contains(&kind.to_ascii_lowercase().as_str())),
    });
    let mut range = range.into_iter().filter(|a| sizes[*a] != 1);
    let channels = match (range.next(), range.next()) {
        (None, _) => Channels::ONE,
        (Some(axis), None) if sizes[axis] > 0 && (axis == 0 || axis + 1 == axes) => Channels { count: sizes[axis], apart: axis != 0 },
        _ => return Err(fields.wrong("sizes", "values per voxel along one axis, the first or the last")),
    };
    let size = three_sizes(path, &kept.iter().map(|a| sizes[*a]).collect::<Vec<_>>())?;
    kept.truncate(3);
    let mut geometry = Geometry::identity(size);
    let signs = signs(fields, &kept)?;
    if let Some(directions) = directions {
        for (axis, at) in kept.iter().enumerate() {
            let vector = directions[*at].as_deref().unwrap_or_default();
            if vector.len() < kept.len() || vector.len() > 3 {
                return Err(fields.wrong("space directions", "vectors of three numbers"));
            }
            let norm = vector.iter().fold(0.0, |sum, v| sum + v * v).sqrt();
            geometry.spacing[axis] = norm;
            for (row, value) in vector.iter().enumerate() {
                geometry.direction[row][axis] = signs[row] * (value * (1.0 / norm)) + 0.0;
            }
        }
        complete(&mut geometry, kept.len());
    } else if let Some(spacings) = spacings {
        for (axis, at) in kept.iter().enumerate() {
            geometry.spacing[axis] = spacings[*at];
        }
    }
    if let Some(origins) = fields.vectors("space origin")? {
        let [Some(origin)] = origins.as_slice() else { return Err(fields.wrong("space origin", "one vector such as (0,0,0)")) };
        if origin.len() > 3 {
            return Err(fields.wrong("space origin", "a vector of three numbers"));
        }
        for (row, value) in origin.iter().enumerate() {
            geometry.origin[row] = signs[row] * value + 0.0;
        }
    } else if let Some(minima) = fields.numbers::<f64>("axis mins", axes)? {
        // Without a space, an axis' minimum is the centre of its first voxel when it says so, else its lower face.
        let centres: Vec<&str> = fields.get("centerings").or(fields.get("centers")).unwrap_or("").split_whitespace().collect();
        for (axis, at) in kept.iter().enumerate().filter(|(_, at)| minima[**at].is_finite()) {
            let half = if centres.get(*at) == Some(&"node") { 0.0 } else { 0.5 };
            geometry.origin[axis] = minima[*at] + half * geometry.spacing[axis];
        }
    }
    Ok((geometry, channels))
}

/// Kinds of axes that are places or times, or that say nothing; every other kind is numbers of one voxel.
const DOMAIN_KINDS: [&str; 5] = ["domain", "space", "time", "???", "none"];

/// A 2D image in 3D space stands at right angles to its third axis.
fn complete(geometry: &mut Geometry, axes: usize) {
    let d = &mut geometry.direction;
    if axes == 2 {
        let z = crate::volume::cross(d.map(|row| row[0]), d.map(|row| row[1]));
        d.iter_mut().zip(z).for_each(|(row, v)| row[2] = v);
    }
}

/// Factors that turn the file's space into LPS.
fn signs(fields: &Fields, kept: &[usize]) -> Result<[f64; 3]> {
    if let Some(dimension) = fields.get("space dimension") {
        return match dimension {
            "3" => Ok([1.0; 3]),
            "2" if kept.len() == 2 => Ok([1.0; 3]),
            _ => Err(fields.wrong("space dimension", "3")),
        };
    }
    let Some(space) = fields.get("space") else { return Ok([1.0; 3]) };
    match space.to_ascii_lowercase().as_str() {
        "left-posterior-superior" | "lps" | "scanner-xyz" | "3d-right-handed" | "3d-left-handed" => Ok([1.0; 3]),
        "right-anterior-superior" | "ras" => Ok([-1.0, -1.0, 1.0]),
        "left-anterior-superior" | "las" => Ok([1.0, -1.0, 1.0]),
        _ => Err(fields.wrong("space", "left-posterior-superior, right-anterior-superior, left-anterior-superior or scanner-xyz")),
    }
}

/// Voxel type by any of its names.
fn dtype(name: &str) -> Option<Dtype> {
    Some(match name.to_ascii_lowercase().as_str() {
        "signed char" | "int8" | "int8_t" => Dtype::I8,
        "uchar" | "unsigned char" | "uint8" | "uint8_t" => Dtype::U8,
        "short" | "short int" | "signed short" | "signed short int" | "int16" | "int16_t" => Dtype::I16,
        "ushort" | "unsigned short" | "unsigned short int" | "uint16" | "uint16_t" => Dtype::U16,
        "int" | "signed int" | "int32" | "int32_t" => Dtype::I32,
        "uint" | "unsigned int" | "uint32" | "uint32_t" => Dtype::U32,
        "longlong" | "long long" | "long long int" | "signed long long" | "signed long long int" | "int64" | "int64_t" => Dtype::I64,
        "ulonglong" | "unsigned long long" | "unsigned long long int" | "uint64" | "uint64_t" => Dtype::U64,
        "float" => Dtype::F32,
        "double" => Dtype::F64,
        _ => return None,
    })
}

/// Name of a voxel type as ITK writes it.
pub(super) fn type_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::U8 => "unsigned char",
        Dtype::I8 => "signed char",
        Dtype::U16 => "unsigned short",
        Dtype::I16 => "short",
        Dtype::U32 => "unsigned int",
        Dtype::I32 => "int",
        Dtype::U64 => "unsigned long long int",
        Dtype::I64 => "long long int",
        Dtype::F32 => "float",
        Dtype::F64 => "double",
    }
}
