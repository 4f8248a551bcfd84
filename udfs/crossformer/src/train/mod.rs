//! Training on survival data.

mod adam;
mod checkpoint;
mod fit;
mod options;

pub use adam::{Adam, Moments};
pub use fit::{Epoch, Told, Trained, fit};
pub use options::FitOptions;
