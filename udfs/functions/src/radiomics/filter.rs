//! A filter of IBSI-2 as an option.

use esccsql_radiomics::{Filter, FilterKind, Pooling};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A STRUCT, or the same as JSON text: DuckDB hands table functions no STRUCT within an option.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct FilterOption(pub FilterOptions);

impl TryFrom<Value> for FilterOption {
    type Error = serde_json::Error;

    fn try_from(value: Value) -> Result<FilterOption, serde_json::Error> {
        match value {
            Value::String(text) => serde_json::from_str(&text),
            value => serde_json::from_value(value),
        }
        .map(FilterOption)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum FilterOptions {
    Mean {
        #[serde(default = "five")]
        support: u32,
        #[serde(default)]
        by_slice: bool,
    },
    Log {
        sigma: f64,
        #[serde(default = "four")]
        cutoff: f64,
        #[serde(default)]
        by_slice: bool,
    },
    Laws {
        kernels: String,
        #[serde(default)]
        energy: Option<u32>,
        #[serde(default)]
        by_slice: bool,
        #[serde(default)]
        rotation_invariant: bool,
        #[serde(default)]
        pooling: PoolingOption,
    },
    Gabor {
        sigma: f64,
        lambda: f64,
        #[serde(default = "one")]
        gamma: f64,
        #[serde(default)]
        theta: f64,
        #[serde(default = "step")]
        theta_step: f64,
        #[serde(default)]
        by_slice: bool,
        #[serde(default)]
        rotation_invariant: bool,
        #[serde(default)]
        pooling: PoolingOption,
    },
    Wavelet {
        wavelet: String,
        band: String,
        #[serde(default = "first")]
        level: u32,
        #[serde(default)]
        by_slice: bool,
        #[serde(default)]
        rotation_invariant: bool,
        #[serde(default)]
        pooling: PoolingOption,
    },
    Simoncelli {
        #[serde(default = "first")]
        level: u32,
        #[serde(default)]
        by_slice: bool,
    },
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolingOption {
    #[default]
    Max,
    Mean,
}

fn one() -> f64 {
    1.0
}

fn four() -> f64 {
    4.0
}

fn step() -> f64 {
    22.5
}

fn five() -> u32 {
    5
}

fn first() -> u32 {
    1
}

impl FilterOptions {
    /// The kernel's filter.
    pub fn filter(&self) -> Filter {
        let plain = |kind, by_slice: &bool| Filter { kind, by_slice: *by_slice, rotation_invariant: false, pooling: Pooling::Max };
        let turned = |filter: Filter, rotation_invariant: &bool, pooling: &PoolingOption| Filter {
            rotation_invariant: *rotation_invariant,
            pooling: match pooling {
                PoolingOption::Max => Pooling::Max,
                PoolingOption::Mean => Pooling::Mean,
            },
            ..filter
        };
        match self {
            FilterOptions::Mean { support, by_slice } => plain(FilterKind::Mean { support: *support }, by_slice),
            FilterOptions::Log { sigma, cutoff, by_slice } => plain(FilterKind::Log { sigma: *sigma, cutoff: *cutoff }, by_slice),
            FilterOptions::Laws { kernels, energy, by_slice, rotation_invariant, pooling } => {
                let kind = FilterKind::Laws { kernels: kernels.clone(), energy: *energy };
                turned(plain(kind, by_slice), rotation_invariant, pooling)
            }
            FilterOptions::Gabor { sigma, lambda, gamma, theta, theta_step, by_slice, rotation_invariant, pooling } => {
                let kind = FilterKind::Gabor { sigma: *sigma, lambda: *lambda, gamma: *gamma, theta: *theta, theta_step: *theta_step };
                turned(plain(kind, by_slice), rotation_invariant, pooling)
            }
            FilterOptions::Wavelet { wavelet, band, level, by_slice, rotation_invariant, pooling } => {
                let kind = FilterKind::Wavelet { wavelet: wavelet.clone(), band: band.clone(), level: *level };
                turned(plain(kind, by_slice), rotation_invariant, pooling)
            }
            FilterOptions::Simoncelli { level, by_slice } => plain(FilterKind::Simoncelli { level: *level }, by_slice),
        }
    }
}
