//! Writing volumes. Each file appears whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::{metaimage, nifti, nrrd};
use crate::error::{ImageError, Result};
use crate::volume::with_voxels;
use crate::{Geometry, Volume, Voxels};

/// Compression of what is written: the fastest that still removes most of a scan's slack.
fn gzip_level() -> Compression {
    Compression::new(4)
}

/// Writes a volume as `.nii`, `.nii.gz`, `.nrrd` (gzip) or `.mha` (zlib), by the path's ending. The voxel type is kept.
///
/// NRRD and MetaImage keep the geometry to the last bit where a direction lies along an axis, else to 1e-15;
/// NIfTI to float32. NIfTI cannot keep axes that are not at right angles: refused.
/// The file is written beside its final place and renamed, so that readers never see half of it.
pub fn write_volume(path: impl AsRef<Path>, volume: &Volume) -> Result<()> {
    let path = path.as_ref();
    let (z, y, x) = volume.voxels.dim();
    let geometry = &volume.geometry;
    geometry.check().map_err(|geometry| ImageError::BadGeometry { path: path.into(), geometry })?;
    if geometry.size != [x, y, z] {
        let why = format!("its grid has {:?} voxels along x, y, z, its array {:?}", geometry.size, [x, y, z]);
        return Err(ImageError::CannotWrite { path: path.into(), why });
    }
    let name = path.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    type Writer = fn(&mut dyn Write, &Path, &Volume) -> Result<()>;
    let write: Writer = if name.ends_with(".nii.gz") {
        |out, path, volume| gzipped(out, path, |out| nifti_file(out, path, volume))
    } else if name.ends_with(".nii") {
        nifti_file
    } else if name.ends_with(".nrrd") {
        nrrd_file
    } else if name.ends_with(".mha") {
        metaimage_file
    } else {
        let why = "its name should end in .nii, .nii.gz, .nrrd or .mha".into();
        return Err(ImageError::CannotWrite { path: path.into(), why });
    };
    atomically(path, |out| write(out, path, volume))
}

/// Writes a file beside `path` and moves it there when it is whole.
pub(crate) fn atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let own = format!(".{name}.{}-{}.part", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let part: PathBuf = path.with_file_name(own);
    let fail = |e: std::io::Error| ImageError::CannotWrite { path: path.into(), why: e.to_string() };
    let done = || -> Result<()> {
        let mut out = BufWriter::with_capacity(1 << 18, File::create_new(&part).map_err(fail)?);
        write(&mut out)?;
        let file = out.into_inner().map_err(|e| fail(e.into_error()))?;
        file.sync_all().map_err(fail)?;
        std::fs::rename(&part, path).map_err(fail)
    }();
    if done.is_err() {
        // What is left is only a part file; the first error says more than this one would.
        let _ = std::fs::remove_file(&part);
    }
    done
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> ImageError + '_ {
    move |e| ImageError::CannotWrite { path: path.into(), why: e.to_string() }
}

fn gzipped(out: &mut dyn Write, path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut encoder = GzEncoder::new(out, gzip_level());
    write(&mut encoder)?;
    encoder.finish().map_err(failed(path))?;
    Ok(())
}

/// Voxels in C order, little endian.
fn samples(out: &mut dyn Write, voxels: &Voxels) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(1 << 18);
    with_voxels!(voxels, a => {
        for value in a.iter() {
            buffer.extend_from_slice(&value.to_le_bytes());
            if buffer.len() >= (1 << 18) - 8 {
                out.write_all(&buffer)?;
                buffer.clear();
            }
        }
    });
    out.write_all(&buffer)
}

fn nifti_file(out: &mut dyn Write, path: &Path, volume: &Volume) -> Result<()> {
    let header = nifti_header(path, volume)?;
    out.write_all(&header).and_then(|()| samples(out, &volume.voxels)).map_err(failed(path))
}

/// A NIfTI-1 header and the four bytes that say that no extension follows; NIfTI-2 when an axis has more than 32767 voxels.
fn nifti_header(path: &Path, volume: &Volume) -> Result<Vec<u8>> {
    let Geometry { size, spacing, origin, direction } = &volume.geometry;
    // LPS to RAS.
    let sign = [-1.0, -1.0, 1.0];
    let ras: [[f64; 3]; 3] = std::array::from_fn(|r| direction[r].map(|v| sign[r] * v + 0.0));
    let offset: [f64; 3] = std::array::from_fn(|r| sign[r] * origin[r] + 0.0);
    let skewed = (0..3).any(|i| {
        (0..3).any(|j| {
            let dot: f64 = (0..3).map(|c| ras[i][c] * ras[j][c]).sum();
            (dot - f64::from(u8::from(i == j))).abs() > 1e-4
        })
    });
    if skewed {
        let why = "its axes are not at right angles, which NIfTI does not keep; write .nrrd or .mha";
        return Err(ImageError::CannotWrite { path: path.into(), why: why.into() });
    }
    let (quaternion, qfac) = nifti::quaternion(&ras);
    let srow: [[f64; 4]; 3] = std::array::from_fn(|r| std::array::from_fn(|c| if c == 3 { offset[r] } else { ras[r][c] * spacing[c] }));
    let dtype = volume.dtype();
    let bits = (8 * dtype.bytes()) as i16;
    let pixdim = [qfac, spacing[0], spacing[1], spacing[2], 1.0, 1.0, 1.0, 1.0];
    let dim = [3, size[0] as i64, size[1] as i64, size[2] as i64, 1, 1, 1, 1];
    // Millimetres and seconds.
    let units = 2 | 8;
    if size.iter().any(|n| *n > i16::MAX as usize) {
        let mut h = vec![0u8; 544];
        let mut put = |at: usize, bytes: &[u8]| h[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &540i32.to_le_bytes());
        put(4, b"n+2\0\r\n\x1a\n");
        put(12, &nifti::code_of(dtype).to_le_bytes());
        put(14, &bits.to_le_bytes());
        (0..8).for_each(|i| put(16 + 8 * i, &dim[i].to_le_bytes()));
        (0..8).for_each(|i| put(104 + 8 * i, &pixdim[i].to_le_bytes()));
        put(168, &544i64.to_le_bytes());
        put(176, &1f64.to_le_bytes());
        put(344, &1i32.to_le_bytes());
        put(348, &1i32.to_le_bytes());
        (0..3).for_each(|i| put(352 + 8 * i, &quaternion[i].to_le_bytes()));
        (0..3).for_each(|i| put(376 + 8 * i, &offset[i].to_le_bytes()));
        (0..12).for_each(|i| put(400 + 8 * i, &srow[i / 4][i % 4].to_le_bytes()));
        put(500, &i32::to_le_bytes(units));
        return Ok(h);
    }
    let mut h = vec![0u8; 352];
    let mut put = |at: usize, bytes: &[u8]| h[at..at + bytes.len()].copy_from_slice(bytes);
    let single = |v: f64| (v as f32).to_le_bytes();
    put(0, &348i32.to_le_bytes());
    put(38, b"r");
    (0..8).for_each(|i| put(40 + 2 * i, &(dim[i] as i16).to_le_bytes()));
    put(70, &nifti::code_of(dtype).to_le_bytes());
    put(72, &bits.to_le_bytes());
    (0..8).for_each(|i| put(76 + 4 * i, &single(pixdim[i])));
    put(108, &single(352.0));
    put(112, &single(1.0));
    put(123, &[units as u8]);
    put(252, &1i16.to_le_bytes());
    put(254, &1i16.to_le_bytes());
    (0..3).for_each(|i| put(256 + 4 * i, &single(quaternion[i])));
    (0..3).for_each(|i| put(268 + 4 * i, &single(offset[i])));
    (0..12).for_each(|i| put(280 + 4 * i, &single(srow[i / 4][i % 4])));
    put(344, b"n+1\0");
    Ok(h)
}

fn nrrd_file(out: &mut dyn Write, path: &Path, volume: &Volume) -> Result<()> {
    let Geometry { size, spacing, origin, direction } = &volume.geometry;
    let axis = |a: usize| {
        let [x, y, z] = [0, 1, 2].map(|r| direction[r][a] * spacing[a] + 0.0);
        format!("({x},{y},{z})")
    };
    let [ox, oy, oz] = origin;
    let header = format!(
        "NRRD0004\n# Complete NRRD file format specification at:\n# http://teem.sourceforge.net/nrrd/format.html\n\
         type: {}\ndimension: 3\nspace: left-posterior-superior\nsizes: {} {} {}\nspace directions: {} {} {}\n\
         kinds: domain domain domain\nendian: little\nencoding: gzip\nspace origin: ({ox},{oy},{oz})\n\n",
        nrrd::type_name(volume.dtype()),
        size[0],
        size[1],
        size[2],
        axis(0),
        axis(1),
        axis(2)
    );
    out.write_all(header.as_bytes()).map_err(failed(path))?;
    gzipped(out, path, |out| samples(out, &volume.voxels).map_err(failed(path)))
}

fn metaimage_file(out: &mut dyn Write, path: &Path, volume: &Volume) -> Result<()> {
    let Geometry { size, spacing, origin, direction } = &volume.geometry;
    let words = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
    let matrix: Vec<f64> = (0..9).map(|i| direction[i % 3][i / 3]).collect();
    let mut encoder = ZlibEncoder::new(Vec::new(), gzip_level());
    samples(&mut encoder, &volume.voxels).map_err(failed(path))?;
    let packed = encoder.finish().map_err(failed(path))?;
    let header = format!(
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = True\n\
         CompressedDataSize = {}\nTransformMatrix = {}\nOffset = {}\nCenterOfRotation = 0 0 0\n\
         AnatomicalOrientation = RAI\nElementSpacing = {}\nDimSize = {} {} {}\nElementType = {}\nElementDataFile = LOCAL\n",
        packed.len(),
        words(&matrix),
        words(origin),
        words(spacing),
        size[0],
        size[1],
        size[2],
        metaimage::type_name(volume.dtype())
    );
    out.write_all(header.as_bytes()).and_then(|()| out.write_all(&packed)).map_err(failed(path))
}
