//! The catalogue: every feature that an extraction gives, with its unit and formula.
//!
//! In the formulas of the texture classes P(i,j) counts and p(i,j) = P(i,j) / N, i being a grey level and j the run
//! length, zone size or dependence (in GLCM the neighbour's level); eps = 2^-52; ux, uy, sx, sy are means and standard
//! deviations of the marginals; s_i is the NGTDM's sum of differences. Units of intensity are those of the image the
//! feature is taken from.

use crate::FeatureClass::{self, FirstOrder, Glcm, Gldm, Glrlm, Glszm, Ngtdm, Shape, Shape2D};
use crate::filters::log;
use crate::ibsi::{code, ibsi_features};
use crate::{ImageType, RadiomicsError, Settings};

/// One feature of an extraction.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureInfo {
    /// Full name: `wavelet-LLH_glcm_Contrast`.
    pub name: String,
    /// Class, or family of the IBSI profile.
    pub class: &'static str,
    /// Image it is taken from: `original`, `wavelet-LLH`, ...
    pub image_type: String,
    /// Unit, empty for a pure number.
    pub unit: &'static str,
    pub formula: &'static str,
    /// The Image Biomarker Standardisation Initiative's tag of the same quantity, empty where it has none. Conventions
    /// differ in places: IBSI's kurtosis is in excess of 3, for example.
    pub ibsi: &'static str,
    /// Code of the definition in IBSI's reference manual, empty where it has none.
    pub code: &'static str,
}

/// Named selections of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FeatureSet {
    /// Everything that PyRadiomics 3.1 computes: 107 features of the original image, 93 of each other.
    #[default]
    All,
    /// 22 GLCM features: without MCC and SumAverage (twice JointAverage in a symmetric matrix), which gives 105
    /// features of the original image and 91 of each other: 833 with the eight sub-bands of a wavelet.
    Escc2026,
}

impl FeatureSet {
    /// Whether the set has this feature.
    pub fn has(self, class: FeatureClass, name: &str) -> bool {
        match self {
            FeatureSet::All => true,
            FeatureSet::Escc2026 => !(class == Glcm && ["MCC", "SumAverage"].contains(&name)),
        }
    }
}

/// Every feature that [`extract`](crate::extract) gives under `settings`, in its order.
///
/// PyRadiomics leaves out a Laplacian of Gaussian whose image is too small, and 2D shape of more than one slice; so
/// does an extraction, but not this list.
///
/// # Errors
/// [`RadiomicsError::Setting`] when the settings cannot be used.
pub fn features(settings: &Settings) -> Result<Vec<FeatureInfo>, RadiomicsError> {
    settings.validate()?;
    if let Some(ibsi) = &settings.ibsi {
        return Ok(ibsi_features(ibsi));
    }
    let mut list = Vec::new();
    let mut add = |image_type: &str, classes: &[FeatureClass]| {
        let wanted = |row: &&Row| classes.contains(&row.class) && settings.has(row.class, row.name);
        list.extend(CATALOGUE.iter().filter(wanted).map(|row| FeatureInfo {
            name: format!("{image_type}_{}_{}", row.class.name(), row.name),
            class: row.class.name(),
            image_type: image_type.to_string(),
            unit: row.unit,
            formula: row.formula,
            ibsi: row.ibsi,
            code: code(row.ibsi),
        }));
    };
    add("original", if settings.force_2d { &[Shape, Shape2D] } else { &[Shape] });
    for image_type in &settings.image_types {
        for name in image_names(*image_type, settings.of_image(*image_type)) {
            add(&name, &[FirstOrder, Glcm, Gldm, Glrlm, Glszm, Ngtdm]);
        }
    }
    Ok(list)
}

/// Names of the images of a type, in the order of the extraction.
pub(crate) fn image_names(image_type: ImageType, settings: &Settings) -> Vec<String> {
    let one = |name: &str| vec![name.to_string()];
    match image_type {
        ImageType::Original => one("original"),
        ImageType::Square => one("square"),
        ImageType::SquareRoot => one("squareroot"),
        ImageType::Logarithm => one("logarithm"),
        ImageType::Exponential => one("exponential"),
        ImageType::Gradient => one("gradient"),
        ImageType::Lbp2D => one("lbp-2D"),
        ImageType::LoG => settings.sigma.iter().map(|s| log::name(*s, settings)).collect(),
        ImageType::Lbp3D => (1..=settings.lbp_3d_levels).map(|l| format!("lbp-3D-m{l}")).chain(one("lbp-3D-k")).collect(),
        ImageType::Wavelet => {
            let letters = if settings.force_2d { 2 } else { 3 };
            let band = |bits: u32| -> String { (0..letters).rev().map(|b| if bits >> b & 1 == 1 { 'H' } else { 'L' }).collect() };
            let prefix = |level: u32| if level == 1 { "wavelet".to_string() } else { format!("wavelet{level}") };
            let details = (1..=settings.level).flat_map(|l| (1..1 << letters).map(move |bits| (l, bits)));
            details.chain([(settings.level, 0)]).map(|(l, bits)| format!("{}-{}", prefix(l), band(bits))).collect()
        }
    }
}

/// Names of the features of a class.
pub(crate) fn feature_names(class: FeatureClass) -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().filter(move |row| row.class == class).map(|row| row.name)
}

struct Row {
    class: FeatureClass,
    name: &'static str,
    unit: &'static str,
    formula: &'static str,
    ibsi: &'static str,
}

const fn row(class: FeatureClass, name: &'static str, unit: &'static str, formula: &'static str, ibsi: &'static str) -> Row {
    Row { class, name, unit, formula, ibsi }
}

#[rustfmt::skip]
const CATALOGUE: [Row; 116] = [
    row(Shape, "Elongation", "", "sqrt(l2 / l1), l1 >= l2 >= l3 the eigenvalues of the covariance of the voxel centres", "morph_pca_elongation"),
    row(Shape, "Flatness", "", "sqrt(l3 / l1)", "morph_pca_flatness"),
    row(Shape, "LeastAxisLength", "mm", "4 sqrt(l3)", "morph_pca_least_axis"),
    row(Shape, "MajorAxisLength", "mm", "4 sqrt(l1)", "morph_pca_maj_axis"),
    row(Shape, "Maximum2DDiameterColumn", "mm", "largest distance between surface points with equal y", ""),
    row(Shape, "Maximum2DDiameterRow", "mm", "largest distance between surface points with equal x", ""),
    row(Shape, "Maximum2DDiameterSlice", "mm", "largest distance between surface points with equal z", ""),
    row(Shape, "Maximum3DDiameter", "mm", "largest distance between surface points", "morph_diam"),
    row(Shape, "MeshVolume", "mm3", "V, the volume inside the marching-cubes surface", "morph_volume"),
    row(Shape, "MinorAxisLength", "mm", "4 sqrt(l2)", "morph_pca_min_axis"),
    row(Shape, "Sphericity", "", "(36 pi V^2)^(1/3) / A", "morph_sphericity"),
    row(Shape, "SurfaceArea", "mm2", "A, the area of the marching-cubes surface", "morph_area_mesh"),
    row(Shape, "SurfaceVolumeRatio", "1/mm", "A / V", "morph_av"),
    row(Shape, "VoxelVolume", "mm3", "number of voxels times the volume of one", "morph_vol_approx"),
    row(Shape2D, "Elongation", "", "sqrt(l2 / l1) within the slice", ""),
    row(Shape2D, "MajorAxisLength", "mm", "4 sqrt(l1) within the slice", ""),
    row(Shape2D, "MaximumDiameter", "mm", "largest distance between outline points", ""),
    row(Shape2D, "MeshSurface", "mm2", "S, the area inside the marching-squares outline", ""),
    row(Shape2D, "MinorAxisLength", "mm", "4 sqrt(l2) within the slice", ""),
    row(Shape2D, "Perimeter", "mm", "P, the length of the marching-squares outline", ""),
    row(Shape2D, "PerimeterSurfaceRatio", "1/mm", "P / S", ""),
    row(Shape2D, "PixelSurface", "mm2", "number of pixels times the area of one", ""),
    row(Shape2D, "Sphericity", "", "2 sqrt(pi S) / P", ""),
    row(FirstOrder, "10Percentile", "intensity", "10th percentile of the intensities", "stat_p10"),
    row(FirstOrder, "90Percentile", "intensity", "90th percentile of the intensities", "stat_p90"),
    row(FirstOrder, "Energy", "intensity^2", "sum (x + c)^2, c = voxel_array_shift", "stat_energy"),
    row(FirstOrder, "Entropy", "", "- sum p log2(p + eps) over the bins", "ih_entropy"),
    row(FirstOrder, "InterquartileRange", "intensity", "75th - 25th percentile", "stat_iqr"),
    row(FirstOrder, "Kurtosis", "", "m4 / m2^2, not in excess of 3", "stat_kurt"),
    row(FirstOrder, "Maximum", "intensity", "largest intensity", "stat_max"),
    row(FirstOrder, "Mean", "intensity", "mean", "stat_mean"),
    row(FirstOrder, "MeanAbsoluteDeviation", "intensity", "mean |x - mean|", "stat_mad"),
    row(FirstOrder, "Median", "intensity", "50th percentile", "stat_median"),
    row(FirstOrder, "Minimum", "intensity", "smallest intensity", "stat_min"),
    row(FirstOrder, "Range", "intensity", "maximum - minimum", "stat_range"),
    row(FirstOrder, "RobustMeanAbsoluteDeviation", "intensity", "mean |x - mean| over the intensities from the 10th to the 90th percentile", "stat_rmad"),
    row(FirstOrder, "RootMeanSquared", "intensity", "sqrt(mean (x + c)^2)", "stat_rms"),
    row(FirstOrder, "Skewness", "", "m3 / m2^(3/2)", "stat_skew"),
    row(FirstOrder, "TotalEnergy", "intensity^2 mm3", "Energy times the volume of one voxel", ""),
    row(FirstOrder, "Uniformity", "", "sum p^2 over the bins", "ih_uniformity"),
    row(FirstOrder, "Variance", "intensity^2", "m2 = mean (x - mean)^2", "stat_var"),
    row(Glcm, "Autocorrelation", "", "sum p(i,j) i j", "cm_auto_corr"),
    row(Glcm, "ClusterProminence", "", "sum p(i,j) (i + j - ux - uy)^4", "cm_clust_prom"),
    row(Glcm, "ClusterShade", "", "sum p(i,j) (i + j - ux - uy)^3", "cm_clust_shade"),
    row(Glcm, "ClusterTendency", "", "sum p(i,j) (i + j - ux - uy)^2", "cm_clust_tend"),
    row(Glcm, "Contrast", "", "sum p(i,j) (i - j)^2", "cm_contrast"),
    row(Glcm, "Correlation", "", "sum p(i,j) (i - ux) (j - uy) / (sx sy + eps), 1 where sx sy = 0", "cm_corr"),
    row(Glcm, "DifferenceAverage", "", "DA = sum k pd(k), pd(k) the probability of |i - j| = k", "cm_diff_avg"),
    row(Glcm, "DifferenceEntropy", "", "- sum pd(k) log2(pd(k) + eps)", "cm_diff_entr"),
    row(Glcm, "DifferenceVariance", "", "sum pd(k) (k - DA)^2", "cm_diff_var"),
    row(Glcm, "Id", "", "sum pd(k) / (1 + k)", "cm_inv_diff"),
    row(Glcm, "Idm", "", "sum pd(k) / (1 + k^2)", "cm_inv_diff_mom"),
    row(Glcm, "Idmn", "", "sum pd(k) / (1 + k^2 / Ng^2)", "cm_inv_diff_mom_norm"),
    row(Glcm, "Idn", "", "sum pd(k) / (1 + k / Ng)", "cm_inv_diff_norm"),
    row(Glcm, "Imc1", "", "(HXY - HXY1) / max(HX, HY)", "cm_info_corr1"),
    row(Glcm, "Imc2", "", "sqrt(1 - exp(-2 (HXY2 - HXY)))", "cm_info_corr2"),
    row(Glcm, "InverseVariance", "", "sum over k > 0 of pd(k) / k^2", "cm_inv_var"),
    row(Glcm, "JointAverage", "", "ux = sum p(i,j) i", "cm_joint_avg"),
    row(Glcm, "JointEnergy", "", "sum p(i,j)^2", "cm_energy"),
    row(Glcm, "JointEntropy", "", "HXY = - sum p(i,j) log2(p(i,j) + eps)", "cm_joint_entr"),
    row(Glcm, "MCC", "", "sqrt of the second largest eigenvalue of Q(i,j) = sum_k p(i,k) p(j,k) / (px(i) py(k) + eps)", ""),
    row(Glcm, "MaximumProbability", "", "max p(i,j)", "cm_joint_max"),
    row(Glcm, "SumAverage", "", "sum k ps(k), ps(k) the probability of i + j = k", "cm_sum_avg"),
    row(Glcm, "SumEntropy", "", "- sum ps(k) log2(ps(k) + eps)", "cm_sum_entr"),
    row(Glcm, "SumSquares", "", "sum p(i,j) (i - ux)^2", "cm_joint_var"),
    row(Gldm, "DependenceEntropy", "", "- sum p(i,j) log2(p(i,j) + eps)", "ngl_dc_entr"),
    row(Gldm, "DependenceNonUniformity", "", "sum_j (sum_i P(i,j))^2 / N", "ngl_dcnu"),
    row(Gldm, "DependenceNonUniformityNormalized", "", "sum_j (sum_i P(i,j))^2 / N^2", "ngl_dcnu_norm"),
    row(Gldm, "DependenceVariance", "", "sum p(i,j) (j - mean j)^2", "ngl_dc_var"),
    row(Gldm, "GrayLevelNonUniformity", "", "sum_i (sum_j P(i,j))^2 / N", "ngl_glnu"),
    row(Gldm, "GrayLevelVariance", "", "sum p(i,j) (i - mean i)^2", "ngl_gl_var"),
    row(Gldm, "HighGrayLevelEmphasis", "", "sum p(i,j) i^2", "ngl_hgce"),
    row(Gldm, "LargeDependenceEmphasis", "", "sum p(i,j) j^2", "ngl_hde"),
    row(Gldm, "LargeDependenceHighGrayLevelEmphasis", "", "sum p(i,j) i^2 j^2", "ngl_hdhge"),
    row(Gldm, "LargeDependenceLowGrayLevelEmphasis", "", "sum p(i,j) j^2 / i^2", "ngl_hdlge"),
    row(Gldm, "LowGrayLevelEmphasis", "", "sum p(i,j) / i^2", "ngl_lgce"),
    row(Gldm, "SmallDependenceEmphasis", "", "sum p(i,j) / j^2", "ngl_lde"),
    row(Gldm, "SmallDependenceHighGrayLevelEmphasis", "", "sum p(i,j) i^2 / j^2", "ngl_ldhge"),
    row(Gldm, "SmallDependenceLowGrayLevelEmphasis", "", "sum p(i,j) / (i^2 j^2)", "ngl_ldlge"),
    row(Glrlm, "GrayLevelNonUniformity", "", "sum_i (sum_j P(i,j))^2 / N", "rlm_glnu"),
    row(Glrlm, "GrayLevelNonUniformityNormalized", "", "sum_i (sum_j P(i,j))^2 / N^2", "rlm_glnu_norm"),
    row(Glrlm, "GrayLevelVariance", "", "sum p(i,j) (i - mean i)^2", "rlm_gl_var"),
    row(Glrlm, "HighGrayLevelRunEmphasis", "", "sum p(i,j) i^2", "rlm_hgre"),
    row(Glrlm, "LongRunEmphasis", "", "sum p(i,j) j^2", "rlm_lre"),
    row(Glrlm, "LongRunHighGrayLevelEmphasis", "", "sum p(i,j) i^2 j^2", "rlm_lrhge"),
    row(Glrlm, "LongRunLowGrayLevelEmphasis", "", "sum p(i,j) j^2 / i^2", "rlm_lrlge"),
    row(Glrlm, "LowGrayLevelRunEmphasis", "", "sum p(i,j) / i^2", "rlm_lgre"),
    row(Glrlm, "RunEntropy", "", "- sum p(i,j) log2(p(i,j) + eps)", "rlm_rl_entr"),
    row(Glrlm, "RunLengthNonUniformity", "", "sum_j (sum_i P(i,j))^2 / N", "rlm_rlnu"),
    row(Glrlm, "RunLengthNonUniformityNormalized", "", "sum_j (sum_i P(i,j))^2 / N^2", "rlm_rlnu_norm"),
    row(Glrlm, "RunPercentage", "", "N / number of voxels", "rlm_r_perc"),
    row(Glrlm, "RunVariance", "", "sum p(i,j) (j - mean j)^2", "rlm_rl_var"),
    row(Glrlm, "ShortRunEmphasis", "", "sum p(i,j) / j^2", "rlm_sre"),
    row(Glrlm, "ShortRunHighGrayLevelEmphasis", "", "sum p(i,j) i^2 / j^2", "rlm_srhge"),
    row(Glrlm, "ShortRunLowGrayLevelEmphasis", "", "sum p(i,j) / (i^2 j^2)", "rlm_srlge"),
    row(Glszm, "GrayLevelNonUniformity", "", "sum_i (sum_j P(i,j))^2 / N", "szm_glnu"),
    row(Glszm, "GrayLevelNonUniformityNormalized", "", "sum_i (sum_j P(i,j))^2 / N^2", "szm_glnu_norm"),
    row(Glszm, "GrayLevelVariance", "", "sum p(i,j) (i - mean i)^2", "szm_gl_var"),
    row(Glszm, "HighGrayLevelZoneEmphasis", "", "sum p(i,j) i^2", "szm_hgze"),
    row(Glszm, "LargeAreaEmphasis", "", "sum p(i,j) j^2", "szm_lze"),
    row(Glszm, "LargeAreaHighGrayLevelEmphasis", "", "sum p(i,j) i^2 j^2", "szm_lzhge"),
    row(Glszm, "LargeAreaLowGrayLevelEmphasis", "", "sum p(i,j) j^2 / i^2", "szm_lzlge"),
    row(Glszm, "LowGrayLevelZoneEmphasis", "", "sum p(i,j) / i^2", "szm_lgze"),
    row(Glszm, "SizeZoneNonUniformity", "", "sum_j (sum_i P(i,j))^2 / N", "szm_zsnu"),
    row(Glszm, "SizeZoneNonUniformityNormalized", "", "sum_j (sum_i P(i,j))^2 / N^2", "szm_zsnu_norm"),
    row(Glszm, "SmallAreaEmphasis", "", "sum p(i,j) / j^2", "szm_sze"),
    row(Glszm, "SmallAreaHighGrayLevelEmphasis", "", "sum p(i,j) i^2 / j^2", "szm_szhge"),
    row(Glszm, "SmallAreaLowGrayLevelEmphasis", "", "sum p(i,j) / (i^2 j^2)", "szm_szlge"),
    row(Glszm, "ZoneEntropy", "", "- sum p(i,j) log2(p(i,j) + eps)", "szm_zs_entr"),
    row(Glszm, "ZonePercentage", "", "N / number of voxels", "szm_z_perc"),
    row(Glszm, "ZoneVariance", "", "sum p(i,j) (j - mean j)^2", "szm_zs_var"),
    row(Ngtdm, "Busyness", "", "sum p_i s_i / sum_i,j |i p_i - j p_j|", "ngt_busyness"),
    row(Ngtdm, "Coarseness", "", "1 / sum p_i s_i, 10^6 where that sum is 0", "ngt_coarseness"),
    row(Ngtdm, "Complexity", "", "sum_i,j |i - j| (p_i s_i + p_j s_j) / (p_i + p_j) / N", "ngt_complexity"),
    row(Ngtdm, "Contrast", "", "sum_i,j p_i p_j (i - j)^2 / (Ng (Ng - 1)) * sum s_i / N", "ngt_contrast"),
    row(Ngtdm, "Strength", "", "sum_i,j (p_i + p_j) (i - j)^2 / sum s_i", "ngt_strength"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn count(settings: &Settings) -> usize {
        features(settings).unwrap().len()
    }

    #[test]
    fn counts_of_the_standard_sets() {
        let original = Settings::default();
        assert_eq!(count(&original), 107);
        let both = Settings { image_types: vec![ImageType::Original, ImageType::Wavelet], ..original };
        assert_eq!(count(&both), 851);
        assert_eq!(count(&Settings { feature_set: FeatureSet::Escc2026, ..both.clone() }), 833);
        assert_eq!(count(&Settings { force_2d: true, ..both }), 107 + 4 * 93);
    }

    #[test]
    fn sub_bands_are_named_in_order() {
        let settings = Settings { level: 2, ..Settings::default() };
        let names = image_names(ImageType::Wavelet, &settings);
        assert_eq!((names.len(), names[0].as_str(), names[6].as_str()), (15, "wavelet-LLH", "wavelet-HHH"));
        assert_eq!((names[7].as_str(), names[14].as_str()), ("wavelet2-LLH", "wavelet2-LLL"));
    }
}
