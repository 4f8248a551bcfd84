//! Grad-CAM: which tokens raise the risk.
//!
//! Selvaraju et al., "Grad-CAM", ICCV 2017, on tokens: alpha_c is the mean over tokens of d eta / d A_c, the map is
//! ReLU(sum over c of alpha_c A_c) over its maximum, drawn on the image by bilinear interpolation with half-pixel centres.

use crate::error::Result;
use crate::model::CrossFormer;
use candle_core::{DType, Tensor, Var};
use ndarray::{Array2, Array3, Axis};

/// Where the tokens A are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Target {
    /// After the last block, before the final normalisation.
    #[default]
    LastBlock,
    /// After the final normalisation, where every token has the same gradient.
    FinalNorm,
}

/// Maps of a batch, first axis the image.
#[derive(Debug, Clone)]
pub struct GradCam {
    /// The explained output.
    pub eta: Vec<f64>,
    /// Mean gradient of each channel, [B, C].
    pub alpha: Array2<f64>,
    /// sum over c of alpha_c A_c on the token grid, [B, H/32, W/32].
    pub raw: Array3<f64>,
    /// `raw` without its negative part, over its maximum (all 0 where nothing is positive).
    pub map: Array3<f64>,
    /// `map` on the image's grid, [B, H, W], between 0 and 1.
    pub image: Array3<f64>,
}

/// Explains output `class` (0 for a risk) of images [B, channels, H, W].
pub fn gradcam(network: &CrossFormer, images: &Tensor, class: usize, target: Target) -> Result<GradCam> {
    let (_, _, height, width) = images.dims4()?;
    let mut kept = None;
    let name = match target {
        Target::LastBlock => "stage3.blocks",
        Target::FinalNorm => "norm",
    };
    network.trace(images, &mut |layer, t| {
        if layer == name {
            kept = Some(t.detach());
        }
    })?;
    let tokens = Var::from_tensor(&kept.expect("every pass shows its last block and norm"))?;
    // One image's output does not depend on another's tokens, so the sum's gradient is each output's own.
    let tail = match target {
        Target::LastBlock => network.normalise(tokens.as_tensor())?,
        Target::FinalNorm => tokens.as_tensor().clone(),
    };
    let eta = network.outputs(&tail.unsqueeze(1)?)?.logits.narrow(1, class, 1)?;
    let gradients = eta.sum_all()?.backward()?;
    let gradient = gradients.get(tokens.as_tensor()).expect("the outputs depend on the tokens");
    let (b, n, c) = tokens.dims3()?;
    let (rows, columns) = (height / 32, width / 32);
    let wide = |t: &Tensor| -> Result<Vec<f64>> { Ok(t.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?) };
    let (a, g) = (wide(tokens.as_tensor())?, wide(gradient)?);
    let mut alpha = Array2::zeros((b, c));
    let mut raw = Array3::zeros((b, rows, columns));
    for i in 0..b {
        for t in 0..n {
            for k in 0..c {
                alpha[[i, k]] += g[(i * n + t) * c + k] / n as f64;
            }
        }
        for t in 0..n {
            raw[[i, t / columns, t % columns]] = (0..c).map(|k| alpha[[i, k]] * a[(i * n + t) * c + k]).sum();
        }
    }
    let mut map = raw.mapv(|v: f64| v.max(0.0));
    let mut image = Array3::zeros((b, height, width));
    for (mut map, mut image) in map.axis_iter_mut(Axis(0)).zip(image.axis_iter_mut(Axis(0))) {
        let top = map.iter().copied().fold(0.0, f64::max);
        if top > 0.0 {
            map /= top;
        }
        image.assign(&bilinear(&map.to_owned(), height, width));
    }
    Ok(GradCam { eta: wide(&eta)?, alpha, raw, map, image })
}

/// Bilinear interpolation with half-pixel centres; beyond the outer centres the edge holds.
fn bilinear(from: &Array2<f64>, height: usize, width: usize) -> Array2<f64> {
    let axis = |i: usize, out: usize, n: usize| {
        let x = ((i as f64 + 0.5) * n as f64 / out as f64 - 0.5).max(0.0);
        let low = (x as usize).min(n - 1);
        (low, (low + 1).min(n - 1), x - low as f64)
    };
    Array2::from_shape_fn((height, width), |(y, x)| {
        let (y0, y1, fy) = axis(y, height, from.nrows());
        let (x0, x1, fx) = axis(x, width, from.ncols());
        let row = |y: usize| from[[y, x0]] * (1.0 - fx) + from[[y, x1]] * fx;
        row(y0) * (1.0 - fy) + row(y1) * fy
    })
}
