//! Deep features: CrossFormer networks and what they see in an image.

mod crossformer_device;
mod crossformer_embed;
mod crossformer_fit;
mod crossformer_forward;
mod crossformer_history;
mod crossformer_init;
mod crossformer_input;
mod crossformer_load;
mod crossformer_risk;
mod gradcam;
mod gradcam_png;
mod network;
mod picture;
#[cfg(test)]
mod tests;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![
        crossformer_device::crossformer_device(),
        crossformer_embed::crossformer_embed(),
        crossformer_fit::crossformer_fit(),
        crossformer_forward::crossformer_forward(),
        crossformer_history::crossformer_history(),
        crossformer_init::crossformer_init(),
        crossformer_input::crossformer_input(),
        crossformer_load::crossformer_load(),
        crossformer_risk::crossformer_risk(),
        gradcam::gradcam(),
        gradcam_png::gradcam_png(),
    ]
}
