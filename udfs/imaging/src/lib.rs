//! Medical volumes: files, geometry, resampling, masks and pictures. Knows no engine.

mod volume;

pub use volume::{Geometry, Volume, Voxels};
