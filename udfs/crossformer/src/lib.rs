//! CrossFormer: image embeddings, risks and where they come from.
//!
//! The network of Wang et al., "CrossFormer: A Versatile Vision Transformer Hinging on Cross-scale Attention" (ICLR 2022).
//! [`CrossFormer`] computes it from a [`Config`] and named weights, [`train::fit`] trains it on survival data, and
//! [`gradcam::gradcam`] shows which part of an image raised the risk.

mod config;
mod device;
mod error;
pub mod gradcam;
pub mod input;
pub mod loss;
mod model;
mod noise;
mod ops;
pub mod train;
pub mod weights;

pub use config::{Config, GROUP, INTERVALS, MERGES, MLP, PATCHES};
pub use device::{Choice, choose as device};
pub use error::{Error, Result};
pub use model::{CrossFormer, Output};
pub use noise::Noise;
pub use ops::Kernels;
