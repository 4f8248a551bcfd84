//! Each of PyRadiomics' settings by its name, and what it sets.

use esccsql_imaging::Interpolator;

use super::node::Node;
use super::{Entry, Result, unknown};
use crate::{Lbp2DMethod, ResegmentMode, Settings, VoxelSettings, WeightingNorm};

/// A name, and how its value is taken over.
pub(super) type Setting<S> = (&'static str, fn(&mut S, &Entry) -> Result<()>);

/// Takes over the value of a name.
pub(super) fn set<S>(known: &[Setting<S>], settings: &mut S, name: &str, value: &Entry) -> Result<()> {
    let Some((_, take)) = known.iter().find(|(known, _)| *known == name) else {
        let place = value.place.rsplit_once(", ").map_or("", |(place, _)| place);
        return Err(unknown(name, place, known.iter().map(|(name, _)| *name)));
    };
    take(settings, value)
}

/// A setting whose value is read by one of [`Entry`]'s methods.
macro_rules! field {
    ($field:ident = $($read:tt)+) => {
        |settings, value| {
            settings.$field = value.$($read)+?;
            Ok(())
        }
    };
}

/// `setting`, and under an image type.
pub(super) const SETTINGS: [Setting<Settings>; 39] = [
    ("minimumROIDimensions", field!(minimum_roi_dimensions = whole())),
    ("minimumROISize", field!(minimum_roi_size = optional(|v| v.whole().map(u64::from)))),
    ("geometryTolerance", |s, v| {
        s.geometry_tolerance = v.optional(Entry::number)?.unwrap_or(Settings::default().geometry_tolerance);
        Ok(())
    }),
    ("correctMask", field!(correct_mask = flag())),
    ("label", field!(label = whole())),
    ("label_channel", field!(label_channel = optional(Entry::whole))),
    ("binWidth", field!(bin_width = number())),
    ("binCount", field!(bin_count = optional(Entry::whole))),
    ("normalize", field!(normalize = flag())),
    ("normalizeScale", field!(normalize_scale = number())),
    ("removeOutliers", field!(remove_outliers = optional(Entry::number))),
    ("resampledPixelSpacing", field!(resampled_pixel_spacing = optional(spacing))),
    ("interpolator", field!(interpolator = optional(interpolator))),
    ("padDistance", field!(pad_distance = whole())),
    ("distances", |s, v| {
        s.distances = v.list()?.iter().map(Entry::whole).collect::<Result<_>>()?;
        Ok(())
    }),
    ("force2D", field!(force_2d = flag())),
    ("force2Ddimension", |s, v| {
        s.force_2d_dimension = v.whole()? as usize;
        Ok(())
    }),
    ("resegmentRange", field!(resegment_range = optional(Entry::numbers))),
    ("resegmentMode", field!(resegment_mode = named(&MODES))),
    ("resegmentShape", field!(resegment_shape = flag())),
    ("preCrop", field!(pre_crop = flag())),
    ("sigma", |s, v| {
        s.sigma = v.numbers()?;
        let without_point = v.list()?.into_iter().filter(|item| matches!(item.node, Node::Whole(_)));
        s.sigma_without_point = without_point.map(|item| item.number()).collect::<Result<_>>()?;
        Ok(())
    }),
    ("start_level", field!(start_level = whole())),
    ("level", field!(level = whole())),
    ("wavelet", |s, v| {
        s.wavelet = v.text()?.to_string();
        Ok(())
    }),
    ("gradientUseSpacing", field!(gradient_use_spacing = flag())),
    ("lbp2DRadius", field!(lbp_2d_radius = number())),
    ("lbp2DSamples", field!(lbp_2d_samples = whole())),
    ("lbp2DMethod", field!(lbp_2d_method = named(&LBP_METHODS))),
    ("lbp3DLevels", field!(lbp_3d_levels = whole())),
    ("lbp3DIcosphereRadius", field!(lbp_3d_icosphere_radius = number())),
    ("lbp3DIcosphereSubdivision", field!(lbp_3d_icosphere_subdivision = whole())),
    ("voxelArrayShift", field!(voxel_array_shift = number())),
    ("symmetricalGLCM", field!(symmetrical_glcm = flag())),
    ("weightingNorm", |s, v| {
        s.weighting_norm = v.optional(|v| v.named(&NORMS))?;
        Ok(())
    }),
    ("gldm_a", field!(gldm_a = number())),
    // What follows changes no feature.
    ("additionalInfo", |_, v| v.flag().map(|_| ())),
    ("enableCExtensions", |_, v| v.flag().map(|_| ())),
    ("verbose", |_, v| v.flag().map(|_| ())),
];

/// `voxelSetting`.
pub(super) const VOXEL_SETTINGS: [Setting<VoxelSettings>; 4] = [
    ("kernelRadius", field!(kernel_radius = whole())),
    ("maskedKernel", field!(masked_kernel = flag())),
    ("initValue", |s, v| {
        s.init_value = match v.node {
            Node::Text(text) if text.eq_ignore_ascii_case("nan") => f64::NAN,
            _ => v.number()?,
        };
        Ok(())
    }),
    // Maps are made voxel by voxel: any batch gives the same map.
    ("voxelBatch", |_, v| v.number().map(|_| ())),
];

fn spacing(v: &Entry) -> Result<[f64; 3]> {
    v.numbers()?.try_into().map_err(|_| v.wrong("three spacings in mm: x, y, z"))
}

/// SimpleITK's interpolators by name or number. None leaves the image on its grid.
fn interpolator(v: &Entry) -> Result<Interpolator> {
    match v.node {
        Node::Text(name) if name == "sitkBSpline" => Ok(Interpolator::BSpline),
        Node::Text(name) if name == "sitkLinear" => Ok(Interpolator::Linear),
        Node::Text(name) if name == "sitkNearestNeighbor" => Ok(Interpolator::Nearest),
        Node::Whole(3) => Ok(Interpolator::BSpline),
        Node::Whole(2) => Ok(Interpolator::Linear),
        Node::Whole(1) => Ok(Interpolator::Nearest),
        _ => Err(v.wrong("sitkBSpline, sitkLinear or sitkNearestNeighbor (or their numbers 3, 2 and 1)")),
    }
}

const MODES: [(&str, ResegmentMode); 3] =
    [("absolute", ResegmentMode::Absolute), ("relative", ResegmentMode::Relative), ("sigma", ResegmentMode::Sigma)];

const NORMS: [(&str, WeightingNorm); 4] = [
    ("infinity", WeightingNorm::Infinity),
    ("euclidean", WeightingNorm::Euclidean),
    ("manhattan", WeightingNorm::Manhattan),
    ("no_weighting", WeightingNorm::NoWeighting),
];

const LBP_METHODS: [(&str, Lbp2DMethod); 4] =
    [("default", Lbp2DMethod::Default), ("ror", Lbp2DMethod::Ror), ("uniform", Lbp2DMethod::Uniform), ("var", Lbp2DMethod::Var)];
