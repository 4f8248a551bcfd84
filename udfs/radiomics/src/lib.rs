//! PyRadiomics-compatible radiomics features of a region of interest. Knows no engine.

mod binning;
mod diagnostics;
mod diameter;
mod error;
mod extract;
mod features;
mod filters;
mod firstorder;
mod ibsi;
mod map;
mod mesh;
mod parameters;
mod prepare;
mod roi;
mod settings;
mod shape;
mod shape2d;
mod source;
mod texture;

pub use diagnostics::{Diagnostics, ImageInfo, MaskInfo, diagnostics};
pub use error::RadiomicsError;
pub use extract::{Features, extract, extract_windowed};
pub use features::{FeatureInfo, FeatureSet, features};
pub use ibsi::{Aggregation, FAMILIES, Family, Filter, FilterKind, IbsiSettings, Pooling};
pub use map::{VoxelSettings, check_map, feature_map};
pub use parameters::{Parameters, ParametersError};
pub use roi::Binned;
pub use settings::{FeatureClass, ImageType, Lbp2DMethod, ResegmentMode, Settings, WeightingNorm};
