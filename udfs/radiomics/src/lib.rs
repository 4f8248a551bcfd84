//! PyRadiomics-compatible radiomics features of a region of interest. Knows no engine.

mod error;
mod roi;
mod settings;

pub use error::RadiomicsError;
pub use roi::Binned;
pub use settings::{
    FeatureClass, ImageType, Interpolator, Lbp2DMethod, ResegmentMode, Settings, WeightingNorm,
};
