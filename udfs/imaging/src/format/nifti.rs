//! NIfTI-1 and NIfTI-2 headers (<https://nifti.nimh.nih.gov>), one file or a .hdr/.img pair.
//!
//! Geometry follows ITK 5.4: spacing is `pixdim`; origin and direction come from the sform when it is orthogonal
//! (1e-4) and either the only one, coded as scanner coordinates, or nearly equal to the qform; else from the qform.
//! Neither: origin 0, axes along LPS. The matrices are f32 as nifti_clib keeps them, x and y change sign (RAS to LPS),
//! metres and microns become millimetres. (ITK's test of "nearly equal" also fails for some oblique matrices that are
//! equal; it then takes the qform where the sform is taken here. The two differ by less than 1e-4 mm.)
//!
//! `scl_slope` and `scl_inter` apply when the slope is finite and not 0, and the two are not 1 and 0. The result is
//! float32 for integers and float32, float64 for float64: what SimpleITK returns, so that features agree with
//! PyRadiomics to the last bit. A file with neither sform nor qform is scaled alike.
//! ITK 5.4 reads no NIfTI-2; here it follows the same rules in f64.

use std::path::{Path, PathBuf};

use super::{Channels, Dtype, Encoding, Format, Header, Layout, Order, Place, Skip, Source, Stored, checked, three_sizes};
use crate::Geometry;
use crate::error::{ImageError, Result};

/// Codes of voxel types.
pub(super) fn dtype_of(code: i64) -> Option<Dtype> {
    Some(match code {
        2 => Dtype::U8,
        4 => Dtype::I16,
        8 => Dtype::I32,
        16 => Dtype::F32,
        64 => Dtype::F64,
        256 => Dtype::I8,
        512 => Dtype::U16,
        768 => Dtype::U32,
        1024 => Dtype::I64,
        1280 => Dtype::U64,
        _ => return None,
    })
}

/// Code of a voxel type.
pub(super) fn code_of(dtype: Dtype) -> i16 {
    match dtype {
        Dtype::U8 => 2,
        Dtype::I16 => 4,
        Dtype::I32 => 8,
        Dtype::F32 => 16,
        Dtype::F64 => 64,
        Dtype::I8 => 256,
        Dtype::U16 => 512,
        Dtype::U32 => 768,
        Dtype::I64 => 1024,
        Dtype::U64 => 1280,
    }
}

/// `sform_code` and `qform_code` of scanner coordinates.
const SCANNER: i64 = 1;

/// Bytes of a header up to where the extensions begin.
const SIZE_1: usize = 348;
const SIZE_2: usize = 540;

/// Whether the first bytes are those of a NIfTI file.
pub(super) fn recognises(head: &[u8]) -> bool {
    version(head).is_some()
}

/// Version (1 or 2), byte order and whether the voxels are in the same file.
fn version(head: &[u8]) -> Option<(u8, Order, bool)> {
    let size = head.get(..4)?;
    for (version, bytes, at) in [(1, SIZE_1 as i32, 344), (2, SIZE_2 as i32, 4)] {
        let order = if size == bytes.to_le_bytes() {
            Order::Little
        } else if size == bytes.to_be_bytes() {
            Order::Big
        } else {
            continue;
        };
        let magic = head.get(at..at + 4)?;
        let digit = b'0' + version;
        return match magic {
            [b'n', b'+', d, 0] if *d == digit => Some((version, order, true)),
            [b'n', b'i', d, 0] if *d == digit => Some((version, order, false)),
            _ => None,
        };
    }
    None
}

/// Header fields of both versions.
struct Fields {
    dim: [i64; 8],
    datatype: i64,
    pixdim: [f64; 8],
    vox_offset: f64,
    slope: f64,
    intercept: f64,
    units: i64,
    qform_code: i64,
    sform_code: i64,
    /// b, c, d.
    quaternion: [f64; 3],
    qoffset: [f64; 3],
    srow: [[f64; 4]; 3],
}

/// Reads numbers from a header in its byte order.
struct Bytes<'a> {
    bytes: &'a [u8],
    order: Order,
}

macro_rules! numbers {
    ($($name:ident: $type:ty),*) => {$(
        fn $name(&self, at: usize) -> $type {
            let mut own = [0; size_of::<$type>()];
            own.copy_from_slice(&self.bytes[at..at + size_of::<$type>()]);
            match self.order {
                Order::Little => <$type>::from_le_bytes(own),
                Order::Big => <$type>::from_be_bytes(own),
            }
        }
    )*};
}

impl Bytes<'_> {
    numbers!(i16: i16, i32: i32, i64: i64, f32: f32, f64: f64);

    /// A NIfTI-1 header of [`SIZE_1`] bytes.
    fn version_1(&self) -> Fields {
        let f = |at| f64::from(self.f32(at));
        Fields {
            dim: std::array::from_fn(|i| self.i16(40 + 2 * i).into()),
            datatype: self.i16(70).into(),
            pixdim: std::array::from_fn(|i| f(76 + 4 * i)),
            vox_offset: f(108),
            slope: f(112),
            intercept: f(116),
            units: self.bytes[123].into(),
            qform_code: self.i16(252).into(),
            sform_code: self.i16(254).into(),
            quaternion: std::array::from_fn(|i| f(256 + 4 * i)),
            qoffset: std::array::from_fn(|i| f(268 + 4 * i)),
            srow: std::array::from_fn(|r| std::array::from_fn(|c| f(280 + 16 * r + 4 * c))),
        }
    }

    /// A NIfTI-2 header of [`SIZE_2`] bytes.
    fn version_2(&self) -> Fields {
        let f = |at| self.f64(at);
        Fields {
            dim: std::array::from_fn(|i| self.i64(16 + 8 * i)),
            datatype: self.i16(12).into(),
            pixdim: std::array::from_fn(|i| f(104 + 8 * i)),
            vox_offset: self.i64(168) as f64,
            slope: f(176),
            intercept: f(184),
            units: self.i32(500).into(),
            qform_code: self.i32(344).into(),
            sform_code: self.i32(348).into(),
            quaternion: std::array::from_fn(|i| f(352 + 8 * i)),
            qoffset: std::array::from_fn(|i| f(376 + 8 * i)),
            srow: std::array::from_fn(|r| std::array::from_fn(|c| f(400 + 32 * r + 8 * c))),
        }
    }
}

/// Reads the header. For the .img of a pair the header is read from the .hdr.
pub(super) fn layout(source: &mut Source) -> Result<Layout> {
    let Some((version, order, one_file)) = version(source.head()) else {
        return Err(source.not_an_image());
    };
    let size = if version == 1 { SIZE_1 } else { SIZE_2 };
    let bytes = source.take(size)?;
    let bytes = Bytes { bytes: &bytes, order };
    let fields = if version == 1 { bytes.version_1() } else { bytes.version_2() };
    let path = source.path.clone();
    let datatype = fields.datatype;
    let dtype = dtype_of(datatype).ok_or_else(|| {
        let name = match datatype {
            1 => " (1-bit)",
            32 | 1792 => " (complex)",
            128 | 2304 => " (colour)",
            1536 | 2048 => " (128-bit)",
            _ => "",
        };
        ImageError::header(&path, "the voxel type", format!("code {datatype}{name}"), "an 8- to 64-bit integer, float32 or float64")
    })?;
    let (size_xyz, channels) = sizes(&path, &fields.dim)?;
    let geometry = checked(&path, geometry(&path, &fields, size_xyz, version)?)?;
    let count = geometry.size.iter().map(|n| *n as u64).product();
    let scale = scale(&fields);
    let offset = fields.vox_offset;
    if !(offset.is_finite() && offset >= 0.0 && offset.fract() == 0.0 && offset < 1e15) {
        return Err(ImageError::header(&path, "vox_offset", offset, "a whole number of bytes"));
    }
    let (place, encoding) = if one_file {
        // nifti_clib reads an offset inside the header as the header's end.
        (Place::Here { skip: (offset as u64).saturating_sub(size as u64) }, Encoding::Raw)
    } else {
        let (path, encoding) = image_file(source)?;
        (Place::Beside { path, skip: Skip { lines: 0, bytes: offset as u64, from_end: false } }, encoding)
    };
    let stored = Stored { dtype, order, encoding, count, channels, scale };
    stored.bytes(&path)?;
    let format = if version == 1 { Format::Nifti1 } else { Format::Nifti2 };
    Ok(Layout { header: Header { format, dtype: stored.result(), geometry }, stored, place })
}

/// The .img or .img.gz beside a .hdr.
fn image_file(source: &Source) -> Result<(PathBuf, Encoding)> {
    let name = source.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = stem.strip_suffix(".hdr").or(stem.strip_suffix(".HDR")).unwrap_or(stem);
    let plain = source.beside(&format!("{stem}.img"))?;
    let packed = source.beside(&format!("{stem}.img.gz"))?;
    if !plain.exists() && packed.exists() { Ok((packed, Encoding::Gzip)) } else { Ok((plain, Encoding::Raw)) }
}

/// Voxels along x, y and z, and numbers per voxel: the fifth axis, where the fourth, time, has one entry.
fn sizes(path: &Path, dim: &[i64; 8]) -> Result<([usize; 3], Channels)> {
    let axes = dim[0];
    if !(1..=7).contains(&axes) {
        return Err(ImageError::header(path, "dim[0], the number of axes", axes, "1 to 7"));
    }
    let mut sizes = Vec::new();
    for (i, &n) in dim.iter().enumerate().take(axes as usize + 1).skip(1) {
        // Axes after the third that are not used may hold 0.
        let n = if i > 3 && n == 0 { 1 } else { n };
        sizes.push(u64::try_from(n).map_err(|_| ImageError::header(path, format!("dim[{i}]"), n, "at least one voxel"))?);
    }
    let mut channels = Channels::ONE;
    if let [_, _, _, 1, count, ..] = &mut sizes[..]
        && *count > 0
    {
        channels = Channels { count: std::mem::replace(count, 1), apart: true };
    }
    Ok((three_sizes(path, &sizes)?, channels))
}

/// Slope and intercept, when they change anything. ITK's rule.
fn scale(fields: &Fields) -> Option<(f64, f64)> {
    let finite = |v: f64| if v.is_finite() { v } else { 0.0 };
    let slope = finite(fields.slope);
    let slope = if slope.abs() < f64::EPSILON { 1.0 } else { slope };
    let intercept = finite(fields.intercept);
    ((slope - 1.0).abs() > f64::EPSILON || intercept.abs() > f64::EPSILON).then_some((slope, intercept))
}

/// A 3x4 matrix from index to RAS coordinates.
type Affine = [[f64; 4]; 3];

fn geometry(path: &Path, fields: &Fields, size: [usize; 3], version: u8) -> Result<Geometry> {
    let unit = match fields.units & 7 {
        1 => 1e3,
        3 => 1e-3,
        _ => 1.0,
    };
    // An axis of one voxel needs no spacing, and 2D files leave it 0.
    let pixdim: [f64; 3] = std::array::from_fn(|a| match fields.pixdim[a + 1] {
        0.0 if size[a] == 1 => 1.0,
        d => d,
    });
    let mut geometry = Geometry { spacing: pixdim.map(|d| d * unit), ..Geometry::identity(size) };
    if fields.qform_code <= 0 && fields.sform_code <= 0 {
        return Ok(geometry);
    }
    let single = |v: f64| if version == 1 { f64::from(v as f32) } else { v };
    let qform = (fields.qform_code > 0).then(|| qform(fields, pixdim).map(|row| row.map(single)));
    let mut sform = (fields.sform_code > 0).then_some(fields.srow);
    if let Some(sform) = &mut sform {
        complete(sform, size[2]);
    }
    let matrix = match (sform, qform) {
        (Some(sform), None) if orthogonal(&sform) => sform,
        (Some(_), None) => {
            let shown = format!("{:?}", fields.srow);
            return Err(ImageError::header(path, "the sform", shown, "axes at right angles (within 1e-4); resample the image first"));
        }
        (Some(sform), Some(qform)) => {
            let same = |limit: f64| sform.iter().flatten().zip(qform.iter().flatten()).all(|(s, q)| (s - q).abs() <= limit);
            let scanner = fields.sform_code == SCANNER;
            if orthogonal(&sform) && (scanner || same(1e-4)) { sform } else { qform }
        }
        (None, Some(qform)) => qform,
        (None, None) => return Ok(geometry),
    };
    for (row, values) in matrix.iter().enumerate() {
        let sign = if row < 2 { -1.0 } else { 1.0 };
        geometry.origin[row] = sign * values[3] * unit;
        geometry.direction[row] = [sign * values[0], sign * values[1], sign * values[2]];
    }
    for axis in 0..3 {
        let norm = (0..3).map(|r| geometry.direction[r][axis].powi(2)).sum::<f64>().sqrt();
        if norm > 0.0 {
            for row in &mut geometry.direction {
                row[axis] /= norm;
            }
        }
    }
    // -0.0 + 0.0 is 0.0: no minus signs on zeros.
    geometry.origin = geometry.origin.map(|v| v + 0.0);
    geometry.direction = geometry.direction.map(|row| row.map(|v| v + 0.0));
    Ok(geometry)
}

/// Gives the sform of a 2D image a third axis.
fn complete(m: &mut Affine, slices: usize) {
    if slices == 1 && m.iter().all(|row| row[2] == 0.0) {
        let column = |c: usize| [m[0][c], m[1][c], m[2][c]];
        let (x, y) = (column(0), column(1));
        let z = crate::volume::cross(x, y);
        m.iter_mut().zip(z).for_each(|(row, v)| row[2] = v);
    }
}

/// Whether the columns of a matrix stand at right angles, within ITK's 1e-4.
fn orthogonal(m: &Affine) -> bool {
    let column = |c: usize| [m[0][c], m[1][c], m[2][c]];
    let dot = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let unit = |c: usize| {
        let v = column(c);
        let norm = dot(v, v).sqrt();
        v.map(|x| x / norm)
    };
    let u: [[f64; 3]; 3] = std::array::from_fn(unit);
    // R R^T as ITK does it: rows of the matrix of unit columns.
    (0..3).all(|i| {
        (0..3).all(|j| {
            let sum: f64 = u.iter().map(|axis| axis[i] * axis[j]).sum();
            (sum - f64::from(u8::from(i == j))).abs() <= 1e-4
        })
    })
}

/// The qform's matrix, nifti_clib's arithmetic.
fn qform(fields: &Fields, pixdim: [f64; 3]) -> Affine {
    let [mut b, mut c, mut d] = fields.quaternion;
    let mut a = 1.0 - (b * b + c * c + d * d);
    if a < 1e-7 {
        let norm = 1.0 / (b * b + c * c + d * d).sqrt();
        b *= norm;
        c *= norm;
        d *= norm;
        a = 0.0;
    } else {
        a = a.sqrt();
    }
    let [x, y, z] = pixdim.map(|d| if d > 0.0 { d } else { 1.0 });
    let z = if fields.pixdim[0] < 0.0 { -z } else { z };
    let [ox, oy, oz] = fields.qoffset;
    [
        [(a * a + b * b - c * c - d * d) * x, 2.0 * (b * c - a * d) * y, 2.0 * (b * d + a * c) * z, ox],
        [2.0 * (b * c + a * d) * x, (a * a + c * c - b * b - d * d) * y, 2.0 * (c * d - a * b) * z, oy],
        [2.0 * (b * d - a * c) * x, 2.0 * (c * d + a * b) * y, (a * a + d * d - c * c - b * b) * z, oz],
    ]
}

/// The quaternion (b, c, d) and the sign of z (`qfac`) of a direction matrix in RAS. Rotation to quaternion after
/// Shepperd, J. Guidance and Control 1978;1:223.
pub(super) fn quaternion(direction: &[[f64; 3]; 3]) -> ([f64; 3], f64) {
    let mut r = *direction;
    let determinant = crate::volume::determinant(&r);
    let qfac = if determinant < 0.0 { -1.0 } else { 1.0 };
    for row in &mut r {
        row[2] *= qfac;
    }
    let trace = r[0][0] + r[1][1] + r[2][2];
    // Twice the largest of |a|, |b|, |c|, |d| is never small.
    if trace > 0.0 {
        let s = 2.0 * (trace + 1.0).sqrt();
        return ([(r[2][1] - r[1][2]) / s, (r[0][2] - r[2][0]) / s, (r[1][0] - r[0][1]) / s], qfac);
    }
    let i = (0..3).max_by(|i, j| r[*i][*i].total_cmp(&r[*j][*j])).unwrap_or(0);
    let (j, k) = ((i + 1) % 3, (i + 2) % 3);
    let s = 2.0 * (1.0 + r[i][i] - r[j][j] - r[k][k]).sqrt();
    let mut q = [0.0; 3];
    q[i] = 0.25 * s;
    q[j] = (r[i][j] + r[j][i]) / s;
    q[k] = (r[i][k] + r[k][i]) / s;
    // b, c, d imply a >= 0.
    if (r[k][j] - r[j][k]) / s < 0.0 {
        q = q.map(|v| -v);
    }
    (q, qfac)
}
