//! From image and mask to the two masks of IBSI-1 (reference manual, section 2): interpolate, round, resegment.

use esccsql_imaging::{Geometry, Interpolator, Region, Volume, labels, resample_values};
use ndarray::{Array3, s};

use super::{Family, IbsiSettings};
use crate::filters::Box3;
use crate::prepare::{Frame, check_inside, stored};
use crate::source::{Pixel, Source};
use crate::{RadiomicsError, Settings};

/// Radius of a sphere of 1 cm3 in mm: how far around the region the local intensities reach.
pub(super) const PEAK_RADIUS: f64 = 6.203_504_908_994;

/// Image and masks on the grid that features are taken on. Arrays are `[z, y, x]`.
pub(super) struct Case {
    /// The image around the region.
    pub(super) frame: Array3<f64>,
    /// Where the region's box starts within `frame`.
    pub(super) lower: [usize; 3],
    /// Intensities in the box of the morphological mask.
    pub(super) values: Array3<f64>,
    /// The morphological mask: the region as interpolated.
    pub(super) morphological: Array3<bool>,
    /// The intensity mask: the voxels of the region whose intensity is in range.
    pub(super) inside: Array3<bool>,
    /// Millimetres between voxel centres, z, y, x.
    pub(super) spacing: [f64; 3],
    /// Lower and upper bound of the resegmentation, where one was asked for.
    pub(super) range: [Option<f64>; 2],
    diagnostics: Vec<(String, f64)>,
}

impl Case {
    /// Intensities of the intensity mask, in array order.
    pub(super) fn intensities(&self) -> Vec<f64> {
        self.values.iter().zip(&self.inside).filter(|(_, inside)| **inside).map(|(v, _)| *v).collect()
    }

    /// The family `diag`: sizes, spacings and intensities before and after interpolation and resegmentation.
    pub(super) fn diagnostics(&self) -> Vec<(String, f64)> {
        self.diagnostics.clone()
    }
}

pub(super) fn prepare(
    image: &Volume,
    window: Option<[f64; 2]>,
    mask: &Volume,
    settings: &Settings,
    ibsi: &IbsiSettings,
) -> Result<Case, RadiomicsError> {
    let label = settings.label;
    let roi = Region::of_label(&mask.voxels, label).ok_or_else(|| match labels(mask) {
        none if none.is_empty() => RadiomicsError::EmptyMask,
        present => RadiomicsError::LabelAbsent { label, present },
    })?;
    let source = Source::new(image, window, settings)?;
    let whole = ibsi.wants(Family::Diagnostics) || ibsi.filter.is_some();
    let mut diagnostics = Vec::new();
    if whole {
        describe_image(&mut diagnostics, "init", &source.region([0; 3], shape(source.geometry())), source.geometry());
        let initial = on_image(&source, mask, &roi, settings)?;
        describe_mask(
            &mut diagnostics,
            "init",
            source.geometry(),
            &source.region(initial.lower, initial.upper()),
            &initial,
            &initial.inside,
        );
    }
    let round = ibsi.round_intensities.unwrap_or(matches!(source.pixel, Pixel::Integer(..)));
    let (grid, region, area, mut frame) = match settings.resampled_pixel_spacing {
        Some(spacing) => {
            check_inside(source.geometry(), &mask.geometry, &roi)?;
            let grid = aligned(source.geometry(), spacing);
            let region = interpolated_mask(&mask.geometry, &roi, &grid).ok_or(RadiomicsError::LostInResampling { label })?;
            let area = around(&region, &grid, whole);
            let part = part_of(&grid, area);
            let interpolator = settings.interpolator.unwrap_or(Interpolator::Linear);
            let mut frame = resample_values(source.geometry(), |low, high| source.region(low, high), &part, interpolator, f64::NAN);
            if round {
                frame.mapv_inplace(f64::round_ties_even);
            }
            (grid, region, area, frame)
        }
        None => {
            let (Frame::Stored(source), grid, region) =
                stored(source, &mask.geometry, roi, &Settings { pre_crop: false, ..settings.clone() })?
            else {
                return Err(RadiomicsError::EmptyMask);
            };
            let area = around(&region, &grid, whole);
            let frame = source.region(area[0], area[1]);
            (grid, region, area, frame)
        }
    };
    // Beyond the image's outermost half voxels the grid has no intensity; 0 stands for none, outside of every mask.
    let missing = frame.mapv(f64::is_nan);
    if settings.resampled_pixel_spacing.is_some() {
        frame.mapv_inplace(|v| if v.is_nan() { 0.0 } else { v });
    }
    if whole {
        describe_image(&mut diagnostics, "interp", &frame, &grid);
    }
    let lower: [usize; 3] = std::array::from_fn(|a| region.lower[a] - area[0][a]);
    let upper: [usize; 3] = std::array::from_fn(|a| region.upper()[a] - area[0][a]);
    let values = frame.slice(s![lower[0]..upper[0], lower[1]..upper[1], lower[2]..upper[2]]).to_owned();
    let count = values.iter().zip(&region.inside).filter(|(v, inside)| **inside && !v.is_finite()).count();
    if count > 0 {
        return Err(RadiomicsError::NotFinite { count });
    }
    let here = missing.slice(s![lower[0]..upper[0], lower[1]..upper[1], lower[2]..upper[2]]);
    let mut inside = region.inside.clone();
    inside.zip_mut_with(&here, |inside, missing| *inside &= !missing);
    if whole {
        describe_mask(&mut diagnostics, "interp", &grid, &values, &region, &inside);
    }
    let range = resegment(&values, &mut inside, settings, ibsi)?;
    if whole {
        describe_mask(&mut diagnostics, "reseg", &grid, &values, &region, &inside);
    }
    let [x, y, z] = grid.spacing;
    let (values, range) = match &ibsi.filter {
        None => (values, range),
        // The mask is made of the image's intensities; bins are those of the response's.
        Some(filter) => (filter.response(&frame, Box3 { lower, upper }, [z, y, x]), [None; 2]),
    };
    Ok(Case { frame, lower, values, morphological: region.inside, inside, spacing: [z, y, x], range, diagnostics })
}

fn shape(grid: &Geometry) -> [usize; 3] {
    [grid.size[2], grid.size[1], grid.size[0]]
}

/// The region on the image's own grid, for its diagnostics.
fn on_image(source: &Source<'_>, mask: &Volume, roi: &Region, settings: &Settings) -> Result<Region, RadiomicsError> {
    if source.geometry().matches(&mask.geometry, settings.geometry_tolerance) {
        return Ok(roi.clone());
    }
    roi.onto(&mask.geometry, source.geometry()).ok_or(RadiomicsError::LostInResampling { label: settings.label })
}

/// The grid of `spacing` mm whose centre is the image's: ceil(n s / t) voxels along each axis. 0 keeps an axis.
fn aligned(image: &Geometry, spacing: [f64; 3]) -> Geometry {
    let mut grid = image.clone();
    let mut first = [0.0; 3];
    for a in 0..3 {
        let (n, s) = (image.size[a], image.spacing[a]);
        let t = if spacing[a] == 0.0 { s } else { spacing[a] };
        // A whole number of voxels stays one though the spacing was stored as a decimal.
        let extent = n as f64 * s / t;
        let whole = extent.round();
        let voxels = if (extent - whole).abs() < 1e-6 { whole } else { extent.ceil() };
        grid.size[a] = voxels.max(1.0) as usize;
        grid.spacing[a] = t;
        first[a] = 0.5 * ((n as f64 - 1.0) - (voxels.max(1.0) - 1.0) * t / s);
    }
    grid.origin = image.map().point(first);
    grid
}

/// The region on another grid: interpolated linearly between 0 and 1, one half or more is inside.
fn interpolated_mask(from: &Geometry, roi: &Region, grid: &Geometry) -> Option<Region> {
    let (source, target) = (from.map(), grid.map());
    let (low, high) = (roi.lower, roi.upper());
    let mut area = [[usize::MAX; 3], [0; 3]];
    for corner in 0..8 {
        let index: [f64; 3] = std::array::from_fn(|a| if corner >> a & 1 == 1 { high[2 - a] as f64 } else { low[2 - a] as f64 - 1.0 });
        let at = target.index(source.point(index));
        for a in 0..3 {
            let last = grid.size[2 - a] - 1;
            area[0][a] = area[0][a].min((at[2 - a].floor().max(0.0) as usize).min(last));
            area[1][a] = area[1][a].max((at[2 - a].ceil().max(0.0) as usize).min(last) + 1);
        }
    }
    let load = |lower: [usize; 3], upper: [usize; 3]| {
        let size: [usize; 3] = std::array::from_fn(|a| upper[a] - lower[a]);
        Array3::from_shape_fn(size, |(z, y, x)| {
            let at = [z + lower[0], y + lower[1], x + lower[2]];
            let within = (0..3).all(|a| at[a] >= low[a] && at[a] < high[a]);
            f64::from(u8::from(within && roi.inside[std::array::from_fn(|a| at[a] - low[a])]))
        })
    };
    let share = resample_values(from, load, &part_of(grid, area), Interpolator::Linear, 0.0);
    Region { lower: area[0], inside: share.mapv(|v| v >= 0.5) }.shrink()
}

/// The box of the region and as much around it as the local intensities need, or the whole grid.
fn around(region: &Region, grid: &Geometry, whole: bool) -> [[usize; 3]; 2] {
    let (upper, size) = (region.upper(), shape(grid));
    if whole {
        return [[0; 3], size];
    }
    let margin: [usize; 3] = std::array::from_fn(|a| (PEAK_RADIUS / grid.spacing[2 - a]).floor() as usize);
    [std::array::from_fn(|a| region.lower[a].saturating_sub(margin[a])), std::array::from_fn(|a| (upper[a] + margin[a]).min(size[a]))]
}

/// Voxels `area[0]..area[1]` (z, y, x) of a grid.
fn part_of(grid: &Geometry, area: [[usize; 3]; 2]) -> Geometry {
    let mut part = grid.clone();
    part.origin = grid.map().voxel_point([area[0][2], area[0][1], area[0][0]]);
    part.size = std::array::from_fn(|a| area[1][2 - a] - area[0][2 - a]);
    part
}

/// Takes intensities out of range out of the mask: first `resegment_range`, then `resegment_outliers`.
fn resegment(
    values: &Array3<f64>,
    inside: &mut Array3<bool>,
    settings: &Settings,
    ibsi: &IbsiSettings,
) -> Result<[Option<f64>; 2], RadiomicsError> {
    let mut limits = [None, None];
    let keep = |inside: &mut Array3<bool>, low: f64, high: f64| {
        inside.zip_mut_with(values, |inside, v| *inside &= *v >= low && *v <= high);
    };
    if let Some(range) = &settings.resegment_range {
        limits = [range.first().copied(), range.get(1).copied()];
        keep(inside, limits[0].unwrap_or(f64::NEG_INFINITY), limits[1].unwrap_or(f64::INFINITY));
    }
    if let Some(k) = ibsi.resegment_outliers {
        let roi: Vec<f64> = values.iter().zip(&*inside).filter(|(_, inside)| **inside).map(|(v, _)| *v).collect();
        let n = roi.len() as f64;
        let mean = roi.iter().sum::<f64>() / n;
        let sd = (roi.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt();
        keep(inside, mean - k * sd, mean + k * sd);
    }
    let retained = inside.iter().filter(|v| **v).count();
    if retained < 2 { Err(RadiomicsError::Resegmentation { label: settings.label, retained }) } else { Ok(limits) }
}

fn describe_image(out: &mut Vec<(String, f64)>, stage: &str, values: &Array3<f64>, grid: &Geometry) {
    for (a, axis) in ["x", "y", "z"].into_iter().enumerate() {
        out.push((format!("img_dim_{axis}_{stage}_img"), grid.size[a] as f64));
        out.push((format!("vox_dim_{axis}_{stage}_img"), grid.spacing[a]));
    }
    push_intensities(out, |name| format!("{name}_int_{stage}_img"), values.iter().copied());
}

/// `morph` is the morphological mask's box, `inside` the intensity mask in that box.
fn describe_mask(out: &mut Vec<(String, f64)>, stage: &str, grid: &Geometry, values: &Array3<f64>, morph: &Region, inside: &Array3<bool>) {
    let intensity = Region { lower: [0; 3], inside: inside.clone() }.shrink();
    let masks = [("int_mask", intensity.as_ref()), ("morph_mask", Some(morph))];
    for (name, mask) in masks {
        let size = mask.map_or([0; 3], |mask| mask.inside.shape().try_into().unwrap_or([0; 3]));
        for (a, axis) in ["x", "y", "z"].into_iter().enumerate() {
            if name == "int_mask" {
                out.push((format!("int_mask_dim_{axis}_{stage}_roi"), grid.size[a] as f64));
            }
            out.push((format!("{name}_bb_dim_{axis}_{stage}_roi"), size[2 - a] as f64));
        }
        out.push((format!("{name}_vox_count_{stage}_roi"), mask.map_or(0.0, |mask| mask.voxels() as f64)));
    }
    let roi = values.iter().zip(inside).filter(|(_, inside)| **inside).map(|(v, _)| *v);
    push_intensities(out, |name| format!("int_mask_{name}_int_{stage}_roi"), roi);
}

fn push_intensities(out: &mut Vec<(String, f64)>, name: impl Fn(&str) -> String, values: impl Iterator<Item = f64>) {
    let (mut n, mut sum, mut low, mut high) = (0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY);
    for v in values {
        n += 1.0;
        sum += v;
        low = low.min(v);
        high = high.max(v);
    }
    out.extend([(name("mean"), sum / n), (name("min"), low), (name("max"), high)]);
}

#[cfg(test)]
impl Case {
    /// A case whose two masks are one, for tests of what follows.
    pub(super) fn of(values: Array3<f64>, inside: Array3<bool>, spacing: [f64; 3]) -> Case {
        let (frame, morphological) = (values.clone(), inside.clone());
        Case { frame, lower: [0; 3], values, morphological, inside, spacing, range: [None; 2], diagnostics: Vec::new() }
    }
}
