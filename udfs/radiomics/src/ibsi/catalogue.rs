//! The features of the IBSI profile: tag, unit, formula and the code of their definition in the reference manual.
//!
//! In the formulas P(i,j) counts and p(i,j) = P(i,j) / N, i being a grey level and j the run length, zone size, distance
//! or dependence (in the co-occurrence matrix the neighbour's level).

use Family::*;

use super::IbsiSettings;
use crate::features::FeatureInfo;

/// IBSI's families of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    Morphology,
    /// Local intensity peaks.
    Local,
    Statistics,
    /// The histogram of discretised intensities.
    Histogram,
    /// The intensity-volume histogram.
    VolumeHistogram,
    CoOccurrence,
    RunLength,
    SizeZone,
    DistanceZone,
    /// The neighbourhood grey tone difference matrix.
    ToneDifference,
    /// The neighbouring grey level dependence matrix.
    Dependence,
    /// Sizes and intensities before and after interpolation and resegmentation.
    Diagnostics,
}

/// Each family with the beginning of its tags.
pub const FAMILIES: [(&str, Family); 12] = [
    ("morph", Morphology),
    ("loc", Local),
    ("stat", Statistics),
    ("ih", Histogram),
    ("ivh", VolumeHistogram),
    ("cm", CoOccurrence),
    ("rlm", RunLength),
    ("szm", SizeZone),
    ("dzm", DistanceZone),
    ("ngt", ToneDifference),
    ("ngl", Dependence),
    ("diag", Diagnostics),
];

impl Family {
    /// Families that are not of intensities alone: of the image, not of a filter's response.
    pub(crate) const OF_IMAGE: [Family; 3] = [Morphology, Local, Diagnostics];

    /// The beginning of its tags.
    pub fn name(self) -> &'static str {
        FAMILIES.iter().find(|(_, family)| *family == self).map_or("", |(name, _)| name)
    }
}

/// Every feature that the profile gives, in its order.
pub(crate) fn ibsi_features(ibsi: &IbsiSettings) -> Vec<FeatureInfo> {
    let mut list = Vec::new();
    let mut add = |family: Family, tag: &str, ending: &str, row: &Row| {
        list.push(FeatureInfo {
            name: format!("{}_{tag}{ending}", ibsi.image_name()),
            class: family.name(),
            image_type: ibsi.image_name().into(),
            unit: row.unit,
            formula: row.formula,
            ibsi: row.tag,
            code: row.code,
        });
    };
    let rows = |family: Family| CATALOGUE.iter().filter(move |row| row.family == family);
    if ibsi.wants(Diagnostics) {
        for (tag, unit, formula) in diagnostics() {
            add(Diagnostics, &tag, "", &row(Diagnostics, "", unit, formula, ""));
        }
    }
    for family in [Morphology, Local, Statistics, Histogram, VolumeHistogram].into_iter().filter(|family| ibsi.wants(*family)) {
        rows(family).for_each(|row| add(family, row.tag, "", row));
    }
    for family in TEXTURES.into_iter().filter(|family| ibsi.wants(*family)) {
        let ways: &[&str] = if [CoOccurrence, RunLength].contains(&family) { &["_avg", "_comb"] } else { &[""] };
        for aggregation in &ibsi.aggregations {
            for way in ways {
                let ending = format!("_{}{way}", aggregation.suffix());
                rows(family).for_each(|row| add(family, row.tag, &ending, row));
            }
        }
    }
    list
}

/// Code of the definition that a tag stands for; empty where IBSI has none.
pub(crate) fn code(tag: &str) -> &'static str {
    CATALOGUE.iter().find(|row| row.tag == tag).map_or("", |row| row.code)
}

/// Tag, unit and formula of the diagnostics, in their order.
fn diagnostics() -> Vec<(String, &'static str, &'static str)> {
    let mut list: Vec<(String, &'static str, &'static str)> = Vec::new();
    let image = |list: &mut Vec<_>, stage: &str| {
        for axis in ["x", "y", "z"] {
            list.push((format!("img_dim_{axis}_{stage}_img"), "", "voxels of the image along the axis"));
            list.push((format!("vox_dim_{axis}_{stage}_img"), "mm", "spacing of the image along the axis"));
        }
        for what in ["mean", "min", "max"] {
            list.push((format!("{what}_int_{stage}_img"), "intensity", "over all voxels of the image"));
        }
    };
    let mask = |list: &mut Vec<_>, stage: &str| {
        for mask in ["int_mask", "morph_mask"] {
            for axis in ["x", "y", "z"] {
                if mask == "int_mask" {
                    list.push((format!("int_mask_dim_{axis}_{stage}_roi"), "", "voxels of the mask's image along the axis"));
                }
                list.push((format!("{mask}_bb_dim_{axis}_{stage}_roi"), "", "voxels of the mask's box along the axis"));
            }
            list.push((format!("{mask}_vox_count_{stage}_roi"), "", "voxels in the mask"));
        }
        for what in ["mean", "min", "max"] {
            list.push((format!("int_mask_{what}_int_{stage}_roi"), "intensity", "over the intensity mask"));
        }
    };
    image(&mut list, "init");
    mask(&mut list, "init");
    image(&mut list, "interp");
    mask(&mut list, "interp");
    mask(&mut list, "reseg");
    list
}

/// The families of matrices, in their order.
pub(super) const TEXTURES: [Family; 6] = [CoOccurrence, RunLength, SizeZone, DistanceZone, ToneDifference, Dependence];

/// Tags of the co-occurrence features, with PyRadiomics' name of the same quantity.
pub(super) const CO_OCCURRENCE: [(&str, &str); 25] = [
    ("joint_max", "MaximumProbability"),
    ("joint_avg", "JointAverage"),
    ("joint_var", "SumSquares"),
    ("joint_entr", "JointEntropy"),
    ("diff_avg", "DifferenceAverage"),
    ("diff_var", "DifferenceVariance"),
    ("diff_entr", "DifferenceEntropy"),
    ("sum_avg", "SumAverage"),
    ("sum_var", "ClusterTendency"),
    ("sum_entr", "SumEntropy"),
    ("energy", "JointEnergy"),
    ("contrast", "Contrast"),
    ("dissimilarity", "DifferenceAverage"),
    ("inv_diff", "Id"),
    ("inv_diff_norm", "Idn"),
    ("inv_diff_mom", "Idm"),
    ("inv_diff_mom_norm", "Idmn"),
    ("inv_var", "InverseVariance"),
    ("corr", "Correlation"),
    ("auto_corr", "Autocorrelation"),
    ("clust_tend", "ClusterTendency"),
    ("clust_shade", "ClusterShade"),
    ("clust_prom", "ClusterProminence"),
    ("info_corr1", "Imc1"),
    ("info_corr2", "Imc2"),
];

pub(super) const SIZE_ZONE: [&str; 16] = [
    "sze",
    "lze",
    "lgze",
    "hgze",
    "szlge",
    "szhge",
    "lzlge",
    "lzhge",
    "glnu",
    "glnu_norm",
    "zsnu",
    "zsnu_norm",
    "z_perc",
    "gl_var",
    "zs_var",
    "zs_entr",
];

pub(super) const DISTANCE_ZONE: [&str; 16] = [
    "sde",
    "lde",
    "lgze",
    "hgze",
    "sdlge",
    "sdhge",
    "ldlge",
    "ldhge",
    "glnu",
    "glnu_norm",
    "zdnu",
    "zdnu_norm",
    "z_perc",
    "gl_var",
    "zd_var",
    "zd_entr",
];

struct Row {
    family: Family,
    tag: &'static str,
    unit: &'static str,
    formula: &'static str,
    code: &'static str,
}

const fn row(family: Family, tag: &'static str, unit: &'static str, formula: &'static str, code: &'static str) -> Row {
    Row { family, tag, unit, formula, code }
}

#[rustfmt::skip]
const CATALOGUE: [Row; 169] = [
    row(Morphology, "morph_volume", "mm3", "V, volume of the mesh", "RNU0"),
    row(Morphology, "morph_vol_approx", "mm3", "voxels times the volume of one", "YEKZ"),
    row(Morphology, "morph_area_mesh", "mm2", "A, area of the mesh", "C0JK"),
    row(Morphology, "morph_av", "1/mm", "A / V", "2PR5"),
    row(Morphology, "morph_comp_1", "", "V / (sqrt(pi) A^(3/2))", "SKGS"),
    row(Morphology, "morph_comp_2", "", "36 pi V^2 / A^3", "BQWJ"),
    row(Morphology, "morph_sph_dispr", "", "A / (36 pi V^2)^(1/3)", "KRCK"),
    row(Morphology, "morph_sphericity", "", "(36 pi V^2)^(1/3) / A", "QCFX"),
    row(Morphology, "morph_asphericity", "", "(A^3 / (36 pi V^2))^(1/3) - 1", "25C7"),
    row(Morphology, "morph_com", "mm", "distance between the centres of form and of intensity", "KLMA"),
    row(Morphology, "morph_diam", "mm", "largest distance between vertices of the mesh", "L0JK"),
    row(Morphology, "morph_pca_maj_axis", "mm", "4 sqrt(l1), l1 >= l2 >= l3 the eigenvalues of the covariance (n - 1) of the voxel centres", "TDIC"),
    row(Morphology, "morph_pca_min_axis", "mm", "4 sqrt(l2)", "P9VJ"),
    row(Morphology, "morph_pca_least_axis", "mm", "4 sqrt(l3)", "7J51"),
    row(Morphology, "morph_pca_elongation", "", "sqrt(l2 / l1)", "Q3CK"),
    row(Morphology, "morph_pca_flatness", "", "sqrt(l3 / l1)", "N17B"),
    row(Morphology, "morph_vol_dens_aabb", "", "V / volume of the axis-aligned box", "PBX1"),
    row(Morphology, "morph_area_dens_aabb", "", "A / surface of the axis-aligned box", "R59B"),
    row(Morphology, "morph_vol_dens_aee", "", "V / volume of the ellipsoid with semi-axes 2 sqrt(l)", "6BDE"),
    row(Morphology, "morph_area_dens_aee", "", "A / surface of that ellipsoid", "RDD2"),
    row(Morphology, "morph_vol_dens_conv_hull", "", "V / volume of the convex hull of the mesh", "R3ER"),
    row(Morphology, "morph_area_dens_conv_hull", "", "A / surface of that hull", "7T7F"),
    row(Morphology, "morph_integ_int", "intensity mm3", "V times the mean intensity", "99N0"),
    row(Morphology, "morph_moran_i", "", "Moran's I, weights 1 / distance", "N365"),
    row(Morphology, "morph_geary_c", "", "Geary's C, weights 1 / distance", "NPT7"),
    row(Local, "loc_peak_loc", "intensity", "mean in a sphere of 1 cm3 around the brightest voxel", "VJGA"),
    row(Local, "loc_peak_glob", "intensity", "greatest mean in a sphere of 1 cm3", "0F91"),
    row(Statistics, "stat_mean", "intensity", "mean", "Q4LE"),
    row(Statistics, "stat_var", "intensity^2", "m2 = mean (x - mean)^2", "ECT3"),
    row(Statistics, "stat_skew", "", "m3 / m2^(3/2)", "KE2A"),
    row(Statistics, "stat_kurt", "", "m4 / m2^2 - 3", "IPH6"),
    row(Statistics, "stat_median", "intensity", "50th percentile", "Y12H"),
    row(Statistics, "stat_min", "intensity", "least", "1GSF"),
    row(Statistics, "stat_p10", "intensity", "10th percentile", "QG58"),
    row(Statistics, "stat_p90", "intensity", "90th percentile", "8DWT"),
    row(Statistics, "stat_max", "intensity", "greatest", "84IY"),
    row(Statistics, "stat_iqr", "intensity", "75th - 25th percentile", "SALO"),
    row(Statistics, "stat_range", "intensity", "max - min", "2OJQ"),
    row(Statistics, "stat_mad", "intensity", "mean |x - mean|", "4FUA"),
    row(Statistics, "stat_rmad", "intensity", "mean |x - mean| from the 10th to the 90th percentile", "1128"),
    row(Statistics, "stat_medad", "intensity", "mean |x - median|", "N72L"),
    row(Statistics, "stat_cov", "", "sqrt(m2) / mean", "7TET"),
    row(Statistics, "stat_qcod", "", "(p75 - p25) / (p75 + p25)", "9S40"),
    row(Statistics, "stat_energy", "intensity^2", "sum x^2", "N8CA"),
    row(Statistics, "stat_rms", "intensity", "sqrt(mean x^2)", "5ZWQ"),
    row(Histogram, "ih_mean", "", "mean", "X6K6"),
    row(Histogram, "ih_var", "", "m2 = mean (x - mean)^2", "CH89"),
    row(Histogram, "ih_skew", "", "m3 / m2^(3/2)", "88K1"),
    row(Histogram, "ih_kurt", "", "m4 / m2^2 - 3", "C3I7"),
    row(Histogram, "ih_median", "", "50th percentile", "WIFQ"),
    row(Histogram, "ih_min", "", "least", "1PR8"),
    row(Histogram, "ih_p10", "", "10th percentile", "GPMT"),
    row(Histogram, "ih_p90", "", "90th percentile", "OZ0C"),
    row(Histogram, "ih_max", "", "greatest", "3NCY"),
    row(Histogram, "ih_iqr", "", "75th - 25th percentile", "WR0O"),
    row(Histogram, "ih_range", "", "max - min", "5Z3W"),
    row(Histogram, "ih_mad", "", "mean |x - mean|", "D2ZX"),
    row(Histogram, "ih_rmad", "", "mean |x - mean| from the 10th to the 90th percentile", "WRZB"),
    row(Histogram, "ih_medad", "", "mean |x - median|", "4RNL"),
    row(Histogram, "ih_cov", "", "sqrt(m2) / mean", "CWYJ"),
    row(Histogram, "ih_qcod", "", "(p75 - p25) / (p75 + p25)", "SLWD"),
    row(Histogram, "ih_mode", "", "most frequent level", "AMMC"),
    row(Histogram, "ih_entropy", "", "- sum p log2 p", "TLU2"),
    row(Histogram, "ih_uniformity", "", "sum p^2", "BJ5W"),
    row(Histogram, "ih_max_grad", "", "greatest slope of the histogram", "12CE"),
    row(Histogram, "ih_max_grad_g", "", "level of the greatest slope", "8E6O"),
    row(Histogram, "ih_min_grad", "", "least slope of the histogram", "VQB3"),
    row(Histogram, "ih_min_grad_g", "", "level of the least slope", "RHQZ"),
    row(VolumeHistogram, "ivh_v10", "", "share of the volume at 10 % of the intensity range or above", "NK6P"),
    row(VolumeHistogram, "ivh_v90", "", "share of the volume at 90 % of the intensity range or above", "4279"),
    row(VolumeHistogram, "ivh_i10", "intensity", "lowest intensity that at most 10 % of the volume reaches", "PWN1"),
    row(VolumeHistogram, "ivh_i90", "intensity", "lowest intensity that at most 90 % of the volume reaches", "BOHI"),
    row(VolumeHistogram, "ivh_diff_v10_v90", "", "v10 - v90", "WITY"),
    row(VolumeHistogram, "ivh_diff_i10_i90", "intensity", "i10 - i90", "JXJA"),
    row(CoOccurrence, "cm_joint_max", "", "max p(i,j)", "GYBY"),
    row(CoOccurrence, "cm_joint_avg", "", "u = sum p(i,j) i", "60VM"),
    row(CoOccurrence, "cm_joint_var", "", "sum p(i,j) (i - u)^2", "UR99"),
    row(CoOccurrence, "cm_joint_entr", "", "HXY = - sum p(i,j) log2 p(i,j)", "TU9B"),
    row(CoOccurrence, "cm_diff_avg", "", "DA = sum k pd(k), pd(k) the probability of |i - j| = k", "TF7R"),
    row(CoOccurrence, "cm_diff_var", "", "sum pd(k) (k - DA)^2", "D3YU"),
    row(CoOccurrence, "cm_diff_entr", "", "- sum pd(k) log2 pd(k)", "NTRS"),
    row(CoOccurrence, "cm_sum_avg", "", "SA = sum k ps(k), ps(k) the probability of i + j = k", "ZGXS"),
    row(CoOccurrence, "cm_sum_var", "", "sum ps(k) (k - SA)^2", "OEEB"),
    row(CoOccurrence, "cm_sum_entr", "", "- sum ps(k) log2 ps(k)", "P6QZ"),
    row(CoOccurrence, "cm_energy", "", "sum p(i,j)^2", "8ZQL"),
    row(CoOccurrence, "cm_contrast", "", "sum p(i,j) (i - j)^2", "ACUI"),
    row(CoOccurrence, "cm_dissimilarity", "", "sum p(i,j) |i - j|", "8S9J"),
    row(CoOccurrence, "cm_inv_diff", "", "sum pd(k) / (1 + k)", "IB1Z"),
    row(CoOccurrence, "cm_inv_diff_norm", "", "sum pd(k) / (1 + k / Ng)", "NDRX"),
    row(CoOccurrence, "cm_inv_diff_mom", "", "sum pd(k) / (1 + k^2)", "WF0Z"),
    row(CoOccurrence, "cm_inv_diff_mom_norm", "", "sum pd(k) / (1 + k^2 / Ng^2)", "1QCO"),
    row(CoOccurrence, "cm_inv_var", "", "sum over k > 0 of pd(k) / k^2", "E8JP"),
    row(CoOccurrence, "cm_corr", "", "sum p(i,j) (i - u) (j - u) / s^2", "NI2N"),
    row(CoOccurrence, "cm_auto_corr", "", "sum p(i,j) i j", "QWB0"),
    row(CoOccurrence, "cm_clust_tend", "", "sum p(i,j) (i + j - 2 u)^2", "DG8W"),
    row(CoOccurrence, "cm_clust_shade", "", "sum p(i,j) (i + j - 2 u)^3", "7NFM"),
    row(CoOccurrence, "cm_clust_prom", "", "sum p(i,j) (i + j - 2 u)^4", "AE86"),
    row(CoOccurrence, "cm_info_corr1", "", "(HXY - HXY1) / HX", "R8DG"),
    row(CoOccurrence, "cm_info_corr2", "", "sqrt(1 - exp(-2 (HXY2 - HXY)))", "JN9H"),
    row(RunLength, "rlm_sre", "", "sum p(i,j) / j^2", "22OV"),
    row(RunLength, "rlm_lre", "", "sum p(i,j) j^2", "W4KF"),
    row(RunLength, "rlm_lgre", "", "sum p(i,j) / i^2", "V3SW"),
    row(RunLength, "rlm_hgre", "", "sum p(i,j) i^2", "G3QZ"),
    row(RunLength, "rlm_srlge", "", "sum p(i,j) / (i^2 j^2)", "HTZT"),
    row(RunLength, "rlm_srhge", "", "sum p(i,j) i^2 / j^2", "GD3A"),
    row(RunLength, "rlm_lrlge", "", "sum p(i,j) j^2 / i^2", "IVPO"),
    row(RunLength, "rlm_lrhge", "", "sum p(i,j) i^2 j^2", "3KUM"),
    row(RunLength, "rlm_glnu", "", "sum_i (sum_j P(i,j))^2 / N", "R5YN"),
    row(RunLength, "rlm_glnu_norm", "", "sum_i (sum_j P(i,j))^2 / N^2", "OVBL"),
    row(RunLength, "rlm_rlnu", "", "sum_j (sum_i P(i,j))^2 / N", "W92Y"),
    row(RunLength, "rlm_rlnu_norm", "", "sum_j (sum_i P(i,j))^2 / N^2", "IC23"),
    row(RunLength, "rlm_r_perc", "", "N / number of voxels", "9ZK5"),
    row(RunLength, "rlm_gl_var", "", "sum p(i,j) (i - mean i)^2", "8CE5"),
    row(RunLength, "rlm_rl_var", "", "sum p(i,j) (j - mean j)^2", "SXLW"),
    row(RunLength, "rlm_rl_entr", "", "- sum p(i,j) log2 p(i,j)", "HJ9O"),
    row(SizeZone, "szm_sze", "", "sum p(i,j) / j^2", "5QRC"),
    row(SizeZone, "szm_lze", "", "sum p(i,j) j^2", "48P8"),
    row(SizeZone, "szm_lgze", "", "sum p(i,j) / i^2", "XMSY"),
    row(SizeZone, "szm_hgze", "", "sum p(i,j) i^2", "5GN9"),
    row(SizeZone, "szm_szlge", "", "sum p(i,j) / (i^2 j^2)", "5RAI"),
    row(SizeZone, "szm_szhge", "", "sum p(i,j) i^2 / j^2", "HW1V"),
    row(SizeZone, "szm_lzlge", "", "sum p(i,j) j^2 / i^2", "YH51"),
    row(SizeZone, "szm_lzhge", "", "sum p(i,j) i^2 j^2", "J17V"),
    row(SizeZone, "szm_glnu", "", "sum_i (sum_j P(i,j))^2 / N", "JNSA"),
    row(SizeZone, "szm_glnu_norm", "", "sum_i (sum_j P(i,j))^2 / N^2", "Y1RO"),
    row(SizeZone, "szm_zsnu", "", "sum_j (sum_i P(i,j))^2 / N", "4JP3"),
    row(SizeZone, "szm_zsnu_norm", "", "sum_j (sum_i P(i,j))^2 / N^2", "VB3A"),
    row(SizeZone, "szm_z_perc", "", "N / number of voxels", "P30P"),
    row(SizeZone, "szm_gl_var", "", "sum p(i,j) (i - mean i)^2", "BYLV"),
    row(SizeZone, "szm_zs_var", "", "sum p(i,j) (j - mean j)^2", "3NSA"),
    row(SizeZone, "szm_zs_entr", "", "- sum p(i,j) log2 p(i,j)", "GU8N"),
    row(DistanceZone, "dzm_sde", "", "sum p(i,j) / j^2", "0GBI"),
    row(DistanceZone, "dzm_lde", "", "sum p(i,j) j^2", "MB4I"),
    row(DistanceZone, "dzm_lgze", "", "sum p(i,j) / i^2", "S1RA"),
    row(DistanceZone, "dzm_hgze", "", "sum p(i,j) i^2", "K26C"),
    row(DistanceZone, "dzm_sdlge", "", "sum p(i,j) / (i^2 j^2)", "RUVG"),
    row(DistanceZone, "dzm_sdhge", "", "sum p(i,j) i^2 / j^2", "DKNJ"),
    row(DistanceZone, "dzm_ldlge", "", "sum p(i,j) j^2 / i^2", "A7WM"),
    row(DistanceZone, "dzm_ldhge", "", "sum p(i,j) i^2 j^2", "KLTH"),
    row(DistanceZone, "dzm_glnu", "", "sum_i (sum_j P(i,j))^2 / N", "VFT7"),
    row(DistanceZone, "dzm_glnu_norm", "", "sum_i (sum_j P(i,j))^2 / N^2", "7HP3"),
    row(DistanceZone, "dzm_zdnu", "", "sum_j (sum_i P(i,j))^2 / N", "V294"),
    row(DistanceZone, "dzm_zdnu_norm", "", "sum_j (sum_i P(i,j))^2 / N^2", "IATH"),
    row(DistanceZone, "dzm_z_perc", "", "N / number of voxels", "VIWW"),
    row(DistanceZone, "dzm_gl_var", "", "sum p(i,j) (i - mean i)^2", "QK93"),
    row(DistanceZone, "dzm_zd_var", "", "sum p(i,j) (j - mean j)^2", "7WT1"),
    row(DistanceZone, "dzm_zd_entr", "", "- sum p(i,j) log2 p(i,j)", "GBDU"),
    row(ToneDifference, "ngt_coarseness", "", "1 / sum p_i s_i, 10^6 where that sum is 0", "QCDE"),
    row(ToneDifference, "ngt_contrast", "", "sum_i,j p_i p_j (i - j)^2 / (Ng (Ng - 1)) * sum s_i / N", "65HE"),
    row(ToneDifference, "ngt_busyness", "", "sum p_i s_i / sum_i,j |i p_i - j p_j|", "NQ30"),
    row(ToneDifference, "ngt_complexity", "", "sum_i,j |i - j| (p_i s_i + p_j s_j) / (p_i + p_j) / N", "HDEZ"),
    row(ToneDifference, "ngt_strength", "", "sum_i,j (p_i + p_j) (i - j)^2 / sum s_i", "1X9X"),
    row(Dependence, "ngl_lde", "", "sum p(i,j) / j^2", "SODN"),
    row(Dependence, "ngl_hde", "", "sum p(i,j) j^2", "IMOQ"),
    row(Dependence, "ngl_lgce", "", "sum p(i,j) / i^2", "TL9H"),
    row(Dependence, "ngl_hgce", "", "sum p(i,j) i^2", "OAE7"),
    row(Dependence, "ngl_ldlge", "", "sum p(i,j) / (i^2 j^2)", "EQ3F"),
    row(Dependence, "ngl_ldhge", "", "sum p(i,j) i^2 / j^2", "JA6D"),
    row(Dependence, "ngl_hdlge", "", "sum p(i,j) j^2 / i^2", "NBZI"),
    row(Dependence, "ngl_hdhge", "", "sum p(i,j) i^2 j^2", "9QMG"),
    row(Dependence, "ngl_glnu", "", "sum_i (sum_j P(i,j))^2 / N", "FP8K"),
    row(Dependence, "ngl_glnu_norm", "", "sum_i (sum_j P(i,j))^2 / N^2", "5SPA"),
    row(Dependence, "ngl_dcnu", "", "sum_j (sum_i P(i,j))^2 / N", "Z87G"),
    row(Dependence, "ngl_dcnu_norm", "", "sum_j (sum_i P(i,j))^2 / N^2", "OKJI"),
    row(Dependence, "ngl_dc_perc", "", "N / number of voxels", "6XV8"),
    row(Dependence, "ngl_gl_var", "", "sum p(i,j) (i - mean i)^2", "1PFV"),
    row(Dependence, "ngl_dc_var", "", "sum p(i,j) (j - mean j)^2", "DNX2"),
    row(Dependence, "ngl_dc_entr", "", "- sum p(i,j) log2 p(i,j)", "FCBV"),
    row(Dependence, "ngl_dc_energy", "", "sum p(i,j)^2", "CAS9"),
];
