//! From image and mask to the region that the features are taken from: PyRadiomics' checks, grid and order.
//!
//! Normalise, resample (or crop), check, resegment. Array axes are z, y, x; geometry is x, y, z.

use esccsql_imaging::{Geometry, Interpolator, Region, Volume, labels, resample_values};
use ndarray::{Array3, s};

use crate::source::{Pixel, Source};
use crate::{RadiomicsError, ResegmentMode, Settings};

/// The image that the filters act on.
pub(crate) enum Frame<'a> {
    /// Resampled or cropped: in memory.
    Array(Array3<f64>),
    /// The stored image, whole: read part by part.
    Stored(Source<'a>),
}

impl Frame<'_> {
    /// Voxels along z, y and x.
    pub(crate) fn dim(&self) -> [usize; 3] {
        let (z, y, x) = match self {
            Frame::Array(a) => a.dim(),
            Frame::Stored(s) => s.geometry().shape(),
        };
        [z, y, x]
    }

    /// Voxels `lower..upper` (z, y, x).
    pub(crate) fn region(&self, lower: [usize; 3], upper: [usize; 3]) -> Array3<f64> {
        match self {
            Frame::Array(a) => a.slice(s![lower[0]..upper[0], lower[1]..upper[1], lower[2]..upper[2]]).to_owned(),
            Frame::Stored(source) => source.region(lower, upper),
        }
    }
}

/// Image and region after normalisation, resampling, checks and resegmentation.
pub(crate) struct Prepared<'a> {
    pub(crate) frame: Frame<'a>,
    /// Type that PyRadiomics' image has at this point.
    pub(crate) pixel: Pixel,
    /// Millimetres between voxel centres along z, y and x.
    pub(crate) spacing: [f64; 3],
    /// Region of every class but shape, within `frame`.
    pub(crate) region: Region,
    /// Region of the shape class, cut to the box of `region`.
    pub(crate) shape_region: Array3<bool>,
}

/// Runs the pipeline up to the filters. `window` limits the intensities before anything else.
pub(crate) fn prepare<'a>(
    image: &'a Volume,
    window: Option<[f64; 2]>,
    mask: &Volume,
    settings: &Settings,
) -> Result<Prepared<'a>, RadiomicsError> {
    settings.validate()?;
    let label = settings.label;
    let roi = Region::of_label(&mask.voxels, label).ok_or_else(|| match labels(mask) {
        none if none.is_empty() => RadiomicsError::EmptyMask,
        present => RadiomicsError::LabelAbsent { label, present },
    })?;
    let source = Source::new(image, window, settings)?;
    let pixel = source.pixel;
    let (frame, geometry, region) = match (settings.resampled_pixel_spacing, settings.interpolator) {
        (Some(spacing), Some(interpolator)) => resampled(source, &mask.geometry, roi, spacing, interpolator, settings)?,
        _ => stored(source, &mask.geometry, roi, settings)?,
    };
    check(&region, settings)?;
    let (region, shape_region) = resegment(&frame, region, settings)?;
    let [x, y, z] = geometry.spacing;
    Ok(Prepared { frame, pixel, spacing: [z, y, x], region, shape_region })
}

/// Image on its own grid: the mask must lie on it too, or `correct_mask` brings it there.
fn stored<'a>(
    source: Source<'a>,
    mask: &Geometry,
    roi: Region,
    settings: &Settings,
) -> Result<(Frame<'a>, Geometry, Region), RadiomicsError> {
    let image = source.geometry().clone();
    let roi = if image.matches(mask, settings.geometry_tolerance) {
        roi
    } else if settings.correct_mask {
        check_inside(&image, mask, &roi)?;
        roi.onto(mask, &image).ok_or(RadiomicsError::LostInResampling { label: settings.label })?
    } else {
        return Err(mismatch(&image, mask, settings.geometry_tolerance));
    };
    if !settings.pre_crop {
        return Ok((Frame::Stored(source), image, roi));
    }
    check(&roi, settings)?;
    Ok(padded(source, roi, settings))
}

/// Image cropped to the region and `pad_distance` voxels around it.
fn padded<'a>(source: Source<'a>, mut roi: Region, settings: &Settings) -> (Frame<'a>, Geometry, Region) {
    let mut geometry = source.geometry().clone();
    let pad = settings.pad_distance as usize;
    let (upper, size) = (roi.upper(), geometry.shape());
    let size = [size.0, size.1, size.2];
    let from: [usize; 3] = std::array::from_fn(|a| roi.lower[a].saturating_sub(pad));
    let to: [usize; 3] = std::array::from_fn(|a| (upper[a] + pad).min(size[a]));
    let values = source.region(from, to);
    geometry.origin = geometry.map().voxel_point([from[2], from[1], from[0]]);
    geometry.size = std::array::from_fn(|a| to[2 - a] - from[2 - a]);
    for (lower, from) in roi.lower.iter_mut().zip(from) {
        *lower -= from;
    }
    (Frame::Array(values), geometry, roi)
}

/// Image and mask on PyRadiomics' grid of `spacing` mm around the region: voxel corners, not centres, stay in place.
fn resampled<'a>(
    source: Source<'a>,
    mask: &Geometry,
    roi: Region,
    spacing: [f64; 3],
    interpolator: Interpolator,
    settings: &Settings,
) -> Result<(Frame<'a>, Geometry, Region), RadiomicsError> {
    let image = source.geometry().clone();
    check_inside(&image, mask, &roi)?;
    let upper = roi.upper();
    // An axis that is one voxel thick keeps its spacing.
    let spacing: [f64; 3] = std::array::from_fn(|a| {
        let thickness = upper[2 - a] - roi.lower[2 - a];
        if spacing[a] == 0.0 || thickness == 1 { mask.spacing[a] } else { spacing[a] }
    });
    let lost = RadiomicsError::LostInResampling { label: settings.label };
    if image.spacing.iter().zip(spacing).all(|(a, b)| (a - b).abs() <= 1e-8 + 1e-5 * b.abs()) {
        let roi = roi.onto(mask, &image).ok_or(lost)?;
        return Ok(padded(source, roi, settings));
    }
    let grid = new_grid(mask, &roi, spacing, settings.pad_distance);
    let region = roi.onto(mask, &grid).ok_or(lost)?;
    let mut values = resample_values(&image, |low, high| source.region(low, high), &grid, interpolator, 0.0);
    values.mapv_inplace(|v| source.pixel.cast(v));
    Ok((Frame::Array(values), grid, region))
}

/// The grid of `spacing` mm that covers the region and `pad` of its voxels around, within the mask's field of view.
///
/// floor and ceil act on floating-point products, so the order of operations is PyRadiomics' own.
fn new_grid(mask: &Geometry, roi: &Region, spacing: [f64; 3], pad: u32) -> Geometry {
    let upper = roi.upper();
    let mut grid = Geometry { spacing, ..mask.clone() };
    let mut origin = [0.0; 3];
    for a in 0..3 {
        let (s, t) = (mask.spacing[a], spacing[a]);
        let ratio = s / t;
        let (first, size) = (roi.lower[2 - a] as f64, (upper[2 - a] - roi.lower[2 - a]) as f64);
        let low = ((first - 0.5) * ratio - pad as f64).floor().max(0.0);
        let last = (mask.size[a] as f64 * ratio).ceil() - 1.0;
        let high = ((first + size - 0.5) * ratio + pad as f64).ceil().min(last);
        grid.size[a] = (high - low + 1.0).max(0.0) as usize;
        origin[a] = 0.5 * (t - s) / s + low / ratio;
    }
    grid.origin = mask.map().point(origin);
    grid
}

/// Refuses a region whose box leaves the image by more than a thousandth of a voxel.
fn check_inside(image: &Geometry, mask: &Geometry, roi: &Region) -> Result<(), RadiomicsError> {
    let upper = roi.upper();
    let (from, to) = (mask.map(), image.map());
    let corner = |edge: [usize; 3]| to.index(from.point(std::array::from_fn(|a| edge[2 - a] as f64 - 0.5)));
    let (one, other) = (corner(roi.lower), corner(upper));
    let lower: [f64; 3] = std::array::from_fn(|a| one[a].min(other[a]));
    let upper: [f64; 3] = std::array::from_fn(|a| one[a].max(other[a]));
    let out = (0..3).any(|a| lower[a] < -0.5 - 1e-3 || upper[a] > image.size[a] as f64 - 0.5 + 1e-3);
    if out { Err(RadiomicsError::OutsideImage { lower, upper, size: image.size }) } else { Ok(()) }
}

/// Says what differs between two grids that do not match.
fn mismatch(image: &Geometry, mask: &Geometry, tolerance: f64) -> RadiomicsError {
    if image.size != mask.size {
        return RadiomicsError::SizeMismatch { image: image.size, mask: mask.size };
    }
    let differs = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).any(|(a, b)| (a - b).abs() > tolerance * image.spacing[0]);
    let (what, a, b) = if differs(&image.origin, &mask.origin) {
        ("the origin", format!("{:?}", image.origin), format!("{:?}", mask.origin))
    } else if differs(&image.spacing, &mask.spacing) {
        ("the spacing", format!("{:?}", image.spacing), format!("{:?}", mask.spacing))
    } else {
        ("the direction", format!("{:?}", image.direction), format!("{:?}", mask.direction))
    };
    RadiomicsError::GeometryMismatch { what, image: a, mask: b, tolerance }
}

/// PyRadiomics' demands on a region: extent and size.
fn check(region: &Region, settings: &Settings) -> Result<(), RadiomicsError> {
    let dims = region.inside.shape().iter().filter(|n| **n > 1).count() as u32;
    if dims == 0 {
        return Err(RadiomicsError::OneVoxel);
    }
    if dims < settings.minimum_roi_dimensions {
        return Err(RadiomicsError::TooFewDimensions { found: dims, required: settings.minimum_roi_dimensions });
    }
    let found = region.voxels() as u64;
    match settings.minimum_roi_size {
        Some(minimum) if found <= minimum => Err(RadiomicsError::TooSmall { minimum, found }),
        _ => Ok(()),
    }
}

/// Limits the region to `resegment_range`. Returns it with the region that the shape class sees: the one before,
/// cut to the new box, unless `resegment_shape`.
fn resegment(frame: &Frame<'_>, region: Region, settings: &Settings) -> Result<(Region, Array3<bool>), RadiomicsError> {
    let values = frame.region(region.lower, region.upper());
    let roi = || values.iter().zip(&region.inside).filter(|(_, inside)| **inside).map(|(v, _)| *v);
    let count = roi().filter(|v| !v.is_finite()).count();
    if count > 0 {
        return Err(RadiomicsError::NotFinite { count });
    }
    let Some(range) = &settings.resegment_range else {
        let shape = region.inside.clone();
        return Ok((region, shape));
    };
    let bounds: Vec<f64> = match settings.resegment_mode {
        ResegmentMode::Absolute => range.clone(),
        ResegmentMode::Relative => {
            let maximum = roi().fold(f64::NEG_INFINITY, f64::max);
            range.iter().map(|t| maximum * t).collect()
        }
        ResegmentMode::Sigma => {
            let n = region.voxels() as f64;
            let mean = roi().sum::<f64>() / n;
            let sd = (roi().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt();
            range.iter().map(|t| mean + sd * t).collect()
        }
    };
    let keep = |v: f64| v >= bounds[0] && bounds.get(1).is_none_or(|upper| v <= *upper);
    let mut inside = region.inside.clone();
    for (inside, v) in inside.iter_mut().zip(&values) {
        *inside &= keep(*v);
    }
    let retained = inside.iter().filter(|v| **v).count();
    let narrowed = Region { lower: region.lower, inside };
    let narrowed = match narrowed.shrink() {
        Some(narrowed) if retained > 1 => narrowed,
        _ => return Err(RadiomicsError::Resegmentation { label: settings.label, retained }),
    };
    check(&narrowed, settings)?;
    let shape = if settings.resegment_shape {
        narrowed.inside.clone()
    } else {
        let from: [usize; 3] = std::array::from_fn(|a| narrowed.lower[a] - region.lower[a]);
        let to: [usize; 3] = std::array::from_fn(|a| narrowed.upper()[a] - region.lower[a]);
        region.inside.slice(s![from[0]..to[0], from[1]..to[1], from[2]..to[2]]).to_owned()
    };
    Ok((narrowed, shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use esccsql_imaging::read_volume;

    /// PyRadiomics' image and mask after resampling, padding included.
    #[test]
    fn resampled_image_and_mask_equal_the_reference() {
        let folder = std::path::PathBuf::from("../../../shared/reference/radiomics");
        if !folder.is_dir() {
            println!("skipped: ../shared is not here");
            return;
        }
        let goldens: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join("goldens/goldens.json")).unwrap()).unwrap();
        let paper = Settings { normalize: true, normalize_scale: 100.0, resampled_pixel_spacing: Some([1.0; 3]), ..Settings::default() };
        let plain = Settings { resampled_pixel_spacing: Some([2.0; 3]), ..Settings::default() };
        for (case, settings) in [("lung1", paper), ("brain1_unit", plain)] {
            let read = |name: String| read_volume(folder.join(name)).unwrap();
            let image = read(format!("cases/{case}_image.nrrd"));
            let mask = read(format!("cases/{case}_label.nrrd"));
            let found = prepare(&image, Some([-125.0, 225.0]), &mask, &settings).unwrap();
            let golden = &goldens[case];
            let expected = read(format!("goldens/{case}_resampled_image.nrrd"));
            let [z, y, x] = found.frame.dim();
            assert_eq!(expected.geometry.shape(), (z, y, x));
            for (a, b) in found.frame.region([0; 3], [z, y, x]).iter().zip(&expected.voxels.to_f64()) {
                assert!((a - b).abs() < 1e-11 * 350.0, "{case}: {a} {b}");
            }
            let region = Region::of_label(&read(format!("goldens/{case}_resampled_mask.nrrd")).voxels, 1).unwrap();
            assert_eq!(found.region, region, "{case}");
            assert_eq!(golden["roi_voxels"], region.voxels());
            let moments = crate::shape::principal_moments(&region.inside, found.spacing);
            for (a, b) in moments.iter().zip(golden["shape_eigenvalues_ascending"].as_array().unwrap()) {
                assert!((a / b.as_f64().unwrap() - 1.0).abs() < 1e-12, "{case}: {moments:?}");
            }
        }
    }
}
