//! A network on a tensor of one's own.

use super::network::{Network, Where, values};
use crate::shape::{Function, Kind, Problem, each, record};

record! {
    /// What the network says.
    struct Forward {
        /// Average over the last tokens; of a batch, image after image.
        pooled: Vec<f32>,
        /// Outputs of the head; of a batch, image after image.
        logits: Vec<f32>,
    }
}

pub fn crossformer_forward() -> Function {
    each("crossformer_forward", "Pooled features and outputs of a network for a tensor, in float32. Of a batch the images' values follow each other.")
        .arg("model", Kind::Model, "made by crossformer_load, crossformer_init or crossformer_fit")
        .arg("tensor", Kind::Numbers, "the numbers, row-major")
        .arg("shape", Kind::Numbers, "[channels, height, width] or [batch, channels, height, width]; height and width multiples of 32")
        .options::<Where>()
        .heavy()
        .example("SELECT crossformer_forward(crossformer_init({'variant': 'micro', 'channels': 1}), [i / 1024 FOR i IN range(1024)], [1, 32, 32]).logits")
        .returns(|row, options| {
            let (tensor, sizes) = (row.list(1), row.list(2));
            let whole = |&size: &f64| if size >= 1.0 && size.fract() == 0.0 && size < 1e9 { Some(size as usize) } else { None };
            let shape = match sizes.iter().map(whole).collect::<Option<Vec<_>>>().unwrap_or_default()[..] {
                [channels, height, width] => [1, channels, height, width],
                [batch, channels, height, width] => [batch, channels, height, width],
                _ => return Err(Problem::user(format!("shape is {sizes:?}; expected [channels, height, width] or [batch, channels, height, width]"))),
            };
            if shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size)) != Some(tensor.len()) {
                return Err(Problem::user(format!("the tensor has {} numbers, its shape says {sizes:?}", tensor.len())));
            }
            if let Some(index) = tensor.iter().position(|&value| !(value as f32).is_finite()) {
                return Err(Problem::user(format!("the tensor's number {index} is {}; expected finite numbers", tensor[index])));
            }
            let network = row.model::<Network>(0)?;
            let output = network.model.forward(tensor.iter().map(|&value| value as f32).collect(), shape, options.device)?;
            Ok(Forward { pooled: values(&output.pooled)?, logits: values(&output.logits)? })
        })
}
