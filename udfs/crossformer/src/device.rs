//! Where the network computes.

use crate::error::{Error, Result};
use candle_core::Device;

/// Takes `auto`, `cpu` or `cuda` and returns the device with its name for the log.
///
/// `auto` is the first GPU where this build has CUDA and a driver answers, and the CPU otherwise.
pub fn choose(asked: &str) -> Result<(Device, String)> {
    let problem = |problem: String| Error::Device { asked: asked.into(), problem };
    match asked {
        "cpu" => Ok((Device::Cpu, "cpu".into())),
        // Opening the device is the only honest question: that CUDA was compiled in says nothing about a driver.
        "cuda" => match Device::new_cuda(0) {
            Ok(device) => Ok((device, "cuda:0".into())),
            Err(e) if cfg!(feature = "cuda") => Err(problem(format!("no GPU answers ({e})"))),
            Err(_) => Err(problem("this build has no CUDA (cargo feature `cuda`)".into())),
        },
        "auto" => Ok(match Device::new_cuda(0) {
            Ok(device) => (device, "cuda:0".into()),
            Err(_) => (Device::Cpu, "cpu".into()),
        }),
        _ => Err(problem("there are 'auto', 'cpu' and 'cuda'".into())),
    }
}
