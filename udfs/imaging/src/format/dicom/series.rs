//! Series: slices of one scan in separate files, or in the frames of one, as a volume.
//!
//! Slices are sorted by their place along the normal of their plane; x runs along the rows, y along the columns, z
//! along the normal. The spacing of z is the distance of the first and the last slice by the number of gaps, which is
//! ITK's rule. Values are `stored * slope + intercept`, with each slice's own slope: whole numbers keep the smallest
//! integer type that holds the series' possible values, as GDCM chooses it; others are float64.

use std::path::{Path, PathBuf};

use ndarray::Array3;
use rayon::prelude::*;

use super::file::DicomFile;
use super::header::{ImageFile, PixelFormat, Slice};
use super::pixels;
use crate::error::{ImageError, Result};
use crate::format::{Dtype, checked};
use crate::{Geometry, Volume, Voxels};

/// A gap between slices may differ from the usual one by this part of it: positions are rounded.
const UNEVEN: f64 = 0.05;
/// Slices may be shifted within their plane by this part of a pixel.
const SHIFTED: f64 = 0.1;
/// Largest difference of direction cosines within a series.
const TURNED: f64 = 1e-3;

/// Image files that make one volume.
#[derive(Debug)]
pub(super) struct Series {
    /// What messages are about: the folder, or the only file.
    pub place: PathBuf,
    pub uid: String,
    pub modality: Option<String>,
    pub frame_of_reference: Option<String>,
    pub geometry: Geometry,
    pub dtype: Dtype,
    files: Vec<ImageFile>,
    /// In order along z: which file, which of its slices.
    order: Vec<(usize, usize)>,
}

impl Series {
    /// Sorts the slices of image files of one series and checks that they are a volume.
    pub fn new(place: &Path, files: Vec<ImageFile>) -> Result<Series> {
        let fail = |problem: String| ImageError::dicom(place, problem);
        let first = files.first().ok_or_else(|| fail("esccsql bug: a series without files".into()))?;
        let template = first.slices.first().ok_or_else(|| fail("esccsql bug: a file without slices".into()))?;
        let normal = template.normal();
        let mut order: Vec<(usize, usize)> =
            files.iter().enumerate().flat_map(|(f, file)| (0..file.slices.len()).map(move |s| (f, s))).collect();
        let slice = |(f, s): (usize, usize)| &files[f].slices[s];
        let height = |at: (usize, usize)| along(normal, slice(at).position);
        let name = |(f, s): (usize, usize)| match files[f].slices.len() {
            1 => files[f].path.file_name().map_or_else(|| files[f].path.display().to_string(), |n| n.to_string_lossy().into_owned()),
            _ => format!("frame {}", s + 1),
        };
        for &at in &order {
            same_plane(template, slice(at)).map_err(|what| {
                fail(format!("{what} in {} and in {} of one series; a scout or another reconstruction lies among the slices, keep one stack a folder", name(order[0]), name(at)))
            })?;
            same_pixels(&first.pixels, &files[at.0].pixels)
                .map_err(|what| fail(format!("{what} in {} and in {} of one series", name(order[0]), name(at))))?;
        }
        order.sort_by(|a, b| height(*a).total_cmp(&height(*b)).then_with(|| files[a.0].path.cmp(&files[b.0].path)).then(a.cmp(b)));
        let (low, high) = (order[0], order[order.len() - 1]);
        let step = match order.len() {
            1 => slice(low).step.unwrap_or(1.0),
            n => (height(high) - height(low)) / (n - 1) as f64,
        };
        let gaps: Vec<f64> = order.windows(2).map(|w| height(w[1]) - height(w[0])).collect();
        even(&gaps, |i| (name(order[i]), name(order[i + 1])), |i| height(order[i])).map_err(fail)?;
        let start = slice(low).position;
        for (i, &at) in order.iter().enumerate() {
            let shift: [f64; 3] = std::array::from_fn(|a| slice(at).position[a] - start[a]);
            let inside = template.along.map(|axis| along(axis, shift));
            if inside.iter().zip(template.spacing).any(|(off, spacing)| off.abs() > SHIFTED * spacing) {
                return Err(fail(format!(
                    "slice {} of {} ({}) is shifted by {:.2}, {:.2} mm within its plane: the gantry was tilted, or two stacks are mixed; make the slices upright first, for instance with dcm2niix",
                    i + 1,
                    order.len(),
                    name(at),
                    inside[0],
                    inside[1]
                )));
            }
        }
        let axes = [template.along[0], template.along[1], normal];
        let geometry = Geometry {
            size: [first.pixels.columns, first.pixels.rows, order.len()],
            spacing: [template.spacing[0], template.spacing[1], step],
            origin: start.map(|v| v + 0.0),
            direction: std::array::from_fn(|row| std::array::from_fn(|axis| axes[axis][row])),
        };
        Ok(Series {
            place: place.into(),
            uid: first.series.clone(),
            modality: first.modality.clone(),
            frame_of_reference: first.frame_of_reference.clone(),
            geometry: checked(place, geometry)?,
            dtype: dtype(&files),
            files,
            order,
        })
    }

    /// The files in the order of their first slice along z.
    pub fn paths(&self) -> Vec<&Path> {
        let mut seen = vec![false; self.files.len()];
        let first = self.order.iter().filter(|(f, _)| !std::mem::replace(&mut seen[*f], true));
        first.map(|(f, _)| self.files[*f].path.as_path()).collect()
    }

    /// Reads the voxels; each file is opened once, several at a time.
    pub fn load(self) -> Result<Volume> {
        self.load_from(|path| DicomFile::open(path, true))
    }

    /// The same with files from elsewhere than the disk.
    pub fn load_from(self, open: impl Fn(&Path) -> Result<DicomFile> + Sync) -> Result<Volume> {
        macro_rules! typed {
            ($variant:ident, $type:ty) => {
                self.fill(open, |value| value as $type).map(Voxels::$variant)?
            };
        }
        let voxels = match self.dtype {
            Dtype::U8 => typed!(U8, u8),
            Dtype::I8 => typed!(I8, i8),
            Dtype::U16 => typed!(U16, u16),
            Dtype::I16 => typed!(I16, i16),
            Dtype::U32 => typed!(U32, u32),
            Dtype::I32 => typed!(I32, i32),
            _ => typed!(F64, f64),
        };
        Ok(Volume { geometry: self.geometry, voxels })
    }

    /// Every file's slices are decoded into their places. Each file has shown to hold as many bytes as its slices need.
    fn fill<T: Copy + Default + Send>(
        &self,
        open: impl Fn(&Path) -> Result<DicomFile> + Sync,
        convert: impl Fn(f64) -> T + Sync,
    ) -> Result<Array3<T>> {
        let shape = self.geometry.shape();
        let pixels = shape.1 * shape.2;
        let mut voxels = vec![T::default(); shape.0 * pixels];
        let mut targets: Vec<Vec<(usize, &mut [T])>> = self.files.iter().map(|_| Vec::new()).collect();
        for (chunk, (file, slice)) in voxels.chunks_mut(pixels).zip(&self.order) {
            targets[*file].push((*slice, chunk));
        }
        let work = self.files.par_iter().zip(targets).map(|(header, slices)| {
            let file = open(&header.path)?;
            for (index, target) in slices {
                let Slice { frame, rescale: (slope, intercept), .. } = header.slices[index];
                pixels::stored_values(&file, &header.pixels, frame, header.slices.len(), |i, stored| {
                    target[i] = convert(stored as f64 * slope + intercept);
                })?;
            }
            Ok(())
        });
        // In the files' order, so that the same error is told on any number of threads.
        work.collect::<Vec<Result<()>>>().into_iter().collect::<Result<()>>()?;
        Array3::from_shape_vec(shape, voxels).map_err(|e| ImageError::Operation(format!("esccsql bug: {e}")))
    }
}

fn along(axis: [f64; 3], v: [f64; 3]) -> f64 {
    axis[0] * v[0] + axis[1] * v[1] + axis[2] * v[2]
}

fn same_plane(a: &Slice, b: &Slice) -> Result<(), String> {
    let turned = a.along.iter().flatten().zip(b.along.iter().flatten()).any(|(a, b)| (a - b).abs() > TURNED);
    if turned {
        return Err(format!("ImageOrientationPatient differs ({:?} and {:?})", a.along.as_flattened(), b.along.as_flattened()));
    }
    if a.spacing.iter().zip(b.spacing).any(|(a, b)| (a - b).abs() > 1e-5 * a) {
        return Err(format!("PixelSpacing differs ({:?} and {:?} mm)", a.spacing, b.spacing));
    }
    Ok(())
}

fn same_pixels(a: &PixelFormat, b: &PixelFormat) -> Result<(), String> {
    if (a.rows, a.columns) != (b.rows, b.columns) {
        return Err(format!("the size differs ({} x {} and {} x {} pixels)", a.columns, a.rows, b.columns, b.rows));
    }
    Ok(())
}

/// Refuses stacks with slices twice or missing.
fn even(gaps: &[f64], names: impl Fn(usize) -> (String, String), height: impl Fn(usize) -> f64) -> Result<(), String> {
    let mut sorted = gaps.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(&usual) = sorted.get(sorted.len() / 2) else { return Ok(()) };
    let twice: Vec<usize> = (0..gaps.len()).filter(|&i| gaps[i] <= UNEVEN * usual.max(1e-3)).collect();
    if let Some(&i) = twice.first() {
        let (a, b) = names(i);
        return Err(format!(
            "{} places hold more than one slice, the first at {:.2} mm ({a}, {b}): files are there twice, or the series holds several echoes, phases or times; keep one slice a place",
            twice.len(),
            height(i)
        ));
    }
    if let Some(i) = gaps.iter().position(|gap| (gap - usual).abs() > UNEVEN * usual) {
        let (a, b) = names(i);
        let missing = (gaps[i] / usual).round() - 1.0;
        let what = if missing >= 1.0 { format!("{missing} slices are missing") } else { "the slices are unevenly spaced".into() };
        return Err(format!(
            "{what} between {a} and {b}: {:.3} mm lie between them, {usual:.3} mm between others; export the whole series again",
            gaps[i]
        ));
    }
    Ok(())
}

/// The smallest type for all values that the stored bits and the slopes allow.
fn dtype(files: &[ImageFile]) -> Dtype {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for file in files {
        let PixelFormat { stored, signed, .. } = file.pixels;
        let half = (1u64 << (stored - 1)) as f64;
        let (least, most) = if signed { (-half, half - 1.0) } else { (0.0, 2.0 * half - 1.0) };
        for &Slice { rescale: (slope, intercept), .. } in &file.slices {
            if slope.fract() != 0.0 || intercept.fract() != 0.0 {
                return Dtype::F64;
            }
            for end in [least * slope + intercept, most * slope + intercept] {
                low = low.min(end);
                high = high.max(end);
            }
        }
    }
    let holds = |least: f64, most: f64| low >= least && high <= most;
    match () {
        _ if holds(0.0, f64::from(u8::MAX)) => Dtype::U8,
        _ if holds(f64::from(i8::MIN), f64::from(i8::MAX)) => Dtype::I8,
        _ if holds(0.0, f64::from(u16::MAX)) => Dtype::U16,
        _ if holds(f64::from(i16::MIN), f64::from(i16::MAX)) => Dtype::I16,
        _ if holds(0.0, f64::from(u32::MAX)) => Dtype::U32,
        _ if holds(f64::from(i32::MIN), f64::from(i32::MAX)) => Dtype::I32,
        _ => Dtype::F64,
    }
}
