//! Weights of one model made to fit another: other input channels, other outputs.

use serde::{Deserialize, Serialize};

use super::error::{Result, WeightsError};
use super::{Parameter, Weights, initial};
use crate::config::Config;

/// How the patch embedding's kernels of `m` channels become kernels of `n`. Both keep the response to channels that are all
/// alike: the sum over channels stays what it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Adapt {
    /// Each new channel gets the mean over the old ones, times m / n.
    #[default]
    Mean,
    /// New channel c gets old channel c mod m, times m / n; exact where m divides n.
    Repeat,
    /// Another number of channels is an error.
    None,
}

/// What was changed to make weights fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Channels before, if they were adapted.
    pub channels: Option<usize>,
    /// Outputs before, if the head was made anew.
    pub classes: Option<usize>,
}

impl Weights {
    /// Adapts to `channels` inputs and `classes` outputs and holds the result against the configuration. A head of another number of
    /// outputs is drawn anew by `seed`.
    pub fn fit(mut self, channels: usize, classes: usize, adapt: Adapt, seed: u64) -> Result<(Weights, Config, Changes)> {
        let own = self.config()?;
        self.check(&own)?;
        let wanted = own.clone().channels(channels).classes(classes);
        let mut changes = Changes::default();
        if own.in_channels != channels {
            if adapt == Adapt::None {
                return Err(WeightsError::Channels { found: own.in_channels, expected: channels });
            }
            let kernels = self.0.iter_mut().filter(|(name, _)| name.starts_with("patch_embed.projs.") && name.ends_with(".weight"));
            kernels.for_each(|(_, kernel)| *kernel = with_channels(kernel, channels, adapt));
            changes.channels = Some(own.in_channels);
        }
        if own.classes != classes {
            let fresh = initial(&wanted, seed);
            self.0.extend(fresh.0.into_iter().filter(|(name, _)| name.starts_with("head.")));
            changes.classes = Some(own.classes);
        }
        self.check(&wanted)?;
        Ok((self, wanted, changes))
    }
}

/// A kernel [out, m, k, k] as [out, channels, k, k].
fn with_channels(kernel: &Parameter, channels: usize, adapt: Adapt) -> Parameter {
    let (outputs, before, area) = (kernel.shape[0], kernel.shape[1], kernel.shape[2] * kernel.shape[3]);
    let scale = before as f64 / channels as f64;
    let mut values = Vec::with_capacity(outputs * channels * area);
    for filter in kernel.values.chunks_exact(before * area) {
        for channel in 0..channels {
            for place in 0..area {
                let old = |channel: usize| f64::from(filter[channel * area + place]);
                let value = match adapt {
                    Adapt::Repeat => old(channel % before),
                    _ => (0..before).map(old).sum::<f64>() / before as f64,
                };
                values.push((value * scale) as f32);
            }
        }
    }
    Parameter { shape: vec![outputs, channels, kernel.shape[2], kernel.shape[3]], values }
}
