//! Which network weights belong to, and whether they fit one.

use std::collections::{BTreeMap, HashMap};

use candle_core::{Device, Tensor};

use super::Weights;
use super::error::{Result, WeightsError};
use crate::config::Config;

const VARIANTS: [fn() -> Config; 4] = [Config::tiny, Config::small, Config::base, Config::large];

impl Weights {
    /// The configuration that weights were made for, from their shapes; the stochastic depth of a published variant is its own.
    pub fn config(&self) -> Result<Config> {
        let size = |name: &str, axis: usize| -> Result<usize> {
            let parameter = self.0.get(name).ok_or_else(|| WeightsError::NotCrossFormer(format!("there is no {name}")))?;
            let wrong = || WeightsError::NotCrossFormer(format!("{name} has shape {:?}", parameter.shape));
            parameter.shape.get(axis).copied().filter(|&size| size > 0).ok_or_else(wrong)
        };
        let embed_dim = size("patch_embed.norm.weight", 0)?;
        if !embed_dim.is_multiple_of(16) || embed_dim > 1 << 16 {
            return Err(WeightsError::NotCrossFormer(format!("an embedding of width {embed_dim}; expected a multiple of 16")));
        }
        let (mut depths, mut heads) = ([0; 4], [0; 4]);
        for stage in 0..4 {
            let there = |block: usize| self.0.contains_key(&format!("layers.{stage}.blocks.{block}.norm1.weight"));
            depths[stage] = (0..).take_while(|&block| there(block)).count();
            heads[stage] = size(&format!("layers.{stage}.blocks.0.attn.pos.pos3.2.weight"), 0)?;
        }
        let in_channels = size("patch_embed.projs.0.weight", 1)?;
        let base = Config { embed_dim, depths, heads, in_channels, classes: size("head.weight", 0)?, dropout: 0.0, drop_path: 0.0 };
        let config = VARIANTS
            .map(|variant| variant())
            .into_iter()
            .find(|known| known.embed_dim == embed_dim && known.depths == depths)
            .map_or(base.clone(), |known| Config { drop_path: known.drop_path, ..base });
        config.check().map_err(|error| WeightsError::NotCrossFormer(error.to_string()))?;
        Ok(config)
    }

    /// Holds names and shapes against a configuration.
    pub fn check(&self, config: &Config) -> Result<()> {
        let expected: BTreeMap<String, Vec<usize>> = config.parameters().into_iter().collect();
        let missing: Vec<String> = expected.keys().filter(|name| !self.0.contains_key(*name)).cloned().collect();
        let unexpected: Vec<String> = self.0.keys().filter(|name| !expected.contains_key(*name)).cloned().collect();
        if !missing.is_empty() || !unexpected.is_empty() {
            return Err(WeightsError::Names { missing, unexpected });
        }
        for (name, parameter) in &self.0 {
            if parameter.shape != expected[name] {
                return Err(WeightsError::Shape { name: name.clone(), found: parameter.shape.clone(), expected: expected[name].clone() });
            }
        }
        Ok(())
    }

    /// The parameters as tensors on a device, by name.
    pub fn tensors(&self, device: &Device) -> candle_core::Result<HashMap<String, Tensor>> {
        let tensor = |parameter: &super::Parameter| Tensor::from_slice(&parameter.values, parameter.shape.as_slice(), device);
        self.0.iter().map(|(name, parameter)| Ok((name.clone(), tensor(parameter)?))).collect()
    }

    /// Weights from tensors by name, as a training leaves them.
    pub fn of_tensors(tensors: &HashMap<String, Tensor>) -> candle_core::Result<Weights> {
        let values = |tensor: &Tensor| tensor.to_device(&Device::Cpu)?.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1();
        let parameter =
            |tensor: &Tensor| candle_core::Result::Ok(super::Parameter { shape: tensor.dims().to_vec(), values: values(tensor)? });
        tensors.iter().map(|(name, tensor)| Ok((name.clone(), parameter(tensor)?))).collect::<candle_core::Result<_>>().map(Weights)
    }
}
