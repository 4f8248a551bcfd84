//! Where the network computes.

use crate::error::{Error, Result};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// The device that is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// The first GPU where this build has CUDA and a driver answers, the CPU elsewhere.
    #[default]
    Auto,
    Cpu,
    /// The first GPU.
    Cuda,
}

/// The device with its name for the log: `cpu` or `cuda:0`.
pub fn choose(asked: Choice) -> Result<(Device, &'static str)> {
    let problem = |problem: String| Error::Device { asked: "cuda", problem };
    match asked {
        Choice::Cpu => Ok((Device::Cpu, "cpu")),
        Choice::Auto => Ok(gpu().clone().map_or((Device::Cpu, "cpu"), |gpu| (gpu, "cuda:0"))),
        Choice::Cuda => match gpu() {
            Ok(gpu) => Ok((gpu.clone(), "cuda:0")),
            Err(error) if cfg!(feature = "cuda") => Err(problem(format!("no GPU answers ({error})"))),
            Err(_) => Err(problem("this build has no CUDA; build with the cargo feature `cuda`, as docs/cuda.md says".into())),
        },
    }
}

/// The first GPU, opened once. Opening it is the only honest question: that CUDA was compiled in says nothing about a driver.
fn gpu() -> &'static std::result::Result<Device, String> {
    static GPU: OnceLock<std::result::Result<Device, String>> = OnceLock::new();
    GPU.get_or_init(|| Device::new_cuda(0).map_err(|error| error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_cuda_says_so_and_auto_takes_the_cpu() {
        assert_eq!(choose(Choice::Cpu).unwrap().1, "cpu");
        if gpu().is_ok() {
            assert_eq!(choose(Choice::Auto).unwrap().1, "cuda:0");
            return;
        }
        assert_eq!(choose(Choice::Auto).unwrap().1, "cpu");
        let message = choose(Choice::Cuda).unwrap_err().to_string();
        assert!(message.contains(if cfg!(feature = "cuda") { "no GPU answers" } else { "cargo feature `cuda`" }), "{message}");
        assert!(message.contains("'auto'"), "{message}");
    }
}
