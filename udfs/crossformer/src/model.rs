//! CrossFormer, whole.
//!
//! Paper: Wang et al., "CrossFormer: A Versatile Vision Transformer Hinging on Cross-scale Attention", ICLR 2022,
//! <https://arxiv.org/abs/2108.00154>. Code of its authors: <https://github.com/cheerss/CrossFormer>, `models/crossformer.py`;
//! the names of the parameters are those of its state dict.
//!
//! An image [B, channels, H, W] becomes tokens on an H/4 x W/4 grid by convolutions of four kernel sizes. Four stages follow;
//! between two of them 2 x 2 tokens merge into one of twice the width. A block is x + attention(norm(x)), then x + mlp(norm(x));
//! attention alternates between groups of neighbours and groups of tokens a fixed interval apart. The mean over the last stage's
//! normalised tokens is the embedding, and one linear layer on it gives the outputs.

use crate::config::{Config, GROUP, INTERVALS, MERGES, PATCHES};
use crate::error::{Error, Result};
use crate::noise::Noise;
use crate::ops::{Convolutions, Grouping, Kernels, Layers, Left, Pair, Pool};
use candle_core::{Device, Result as TensorResult, Tensor};
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

/// What the network says about a batch.
#[derive(Debug, Clone)]
pub struct Output {
    /// Mean of the last tokens, [B, 8 embed_dim].
    pub pooled: Tensor,
    /// [B, classes].
    pub logits: Tensor,
}

struct Block {
    layers: Layers,
    position: PositionBias,
    heads: usize,
    grouping: Grouping,
    drop_path: f64,
}

struct Merge {
    norm: Pair,
    convolutions: Convolutions,
}

struct Stage {
    blocks: Vec<Block>,
    merge: Option<Merge>,
}

/// The network with its weights. Cheap to share between threads; forward passes do not disturb each other, of
/// [`gradients`](Self::gradients) there is one at a time.
pub struct CrossFormer {
    config: Config,
    device: Device,
    kernels: Kernels,
    patches: Convolutions,
    patch_norm: Pair,
    stages: Vec<Stage>,
    norm: Pair,
    head: Pair,
    named: Vec<(String, Tensor)>,
    pool: Pool,
    left: Left,
}

/// Hands out the named weights and notes what does not fit.
struct Weights<'a> {
    named: &'a HashMap<String, Tensor>,
}

impl Weights<'_> {
    fn pair(&self, name: &str) -> Pair {
        // `check` has found every name before.
        let get = |part: &str| self.named[&format!("{name}.{part}")].clone();
        Pair { weight: get("weight"), bias: get("bias") }
    }

    /// `n` convolutions, numbered.
    fn convolutions(&self, name: &str, n: usize, stride: usize) -> Convolutions {
        Convolutions { layers: (0..n).map(|i| self.pair(&format!("{name}.{i}"))).collect(), stride, arranged: OnceLock::new() }
    }

    fn check(&self, config: &Config) -> Result<()> {
        let expected = config.parameters();
        let (mut missing, mut shapes) = (Vec::new(), Vec::new());
        for (name, shape) in &expected {
            match self.named.get(name) {
                None => missing.push(name.clone()),
                Some(t) if t.dims() != shape => shapes.push(format!("{name}: got {:?}, expected {shape:?}", t.dims())),
                Some(_) => {}
            }
        }
        let known: std::collections::HashSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
        let mut unexpected: Vec<String> = self.named.keys().filter(|n| !known.contains(n.as_str())).cloned().collect();
        unexpected.sort();
        if missing.is_empty() && unexpected.is_empty() && shapes.is_empty() {
            return Ok(());
        }
        let Config { embed_dim, in_channels, classes, .. } = *config;
        Err(Error::Weights { embed_dim, in_channels, classes, missing, unexpected, shapes })
    }
}

impl CrossFormer {
    /// A network from weights named as in the official state dict, on the device of the weights.
    ///
    /// Weights that are variables ([`candle_core::Var`]) are followed by the gradient; others make a network for inference.
    pub fn new(config: &Config, weights: &HashMap<String, Tensor>) -> Result<Self> {
        config.check()?;
        let weights = Weights { named: weights };
        weights.check(config)?;
        let total = config.depths.iter().sum::<usize>();
        let mut seen = 0;
        let mut stages = Vec::new();
        for (stage, depth) in config.depths.into_iter().enumerate() {
            let mut blocks = Vec::new();
            for block in 0..depth {
                let at = format!("layers.{stage}.blocks.{block}");
                let part = |name: &str| weights.pair(&format!("{at}.{name}"));
                blocks.push(Block {
                    layers: Layers {
                        norm1: part("norm1"),
                        qkv: part("attn.qkv"),
                        proj: part("attn.proj"),
                        norm2: part("norm2"),
                        fc1: part("mlp.fc1"),
                        fc2: part("mlp.fc2"),
                        arranged: OnceLock::new(),
                    },
                    position: PositionBias::new(&weights, &at),
                    heads: config.heads[stage],
                    grouping: Grouping { side: GROUP, interval: if block % 2 == 0 { 1 } else { INTERVALS[stage] } },
                    drop_path: if total > 1 { config.drop_path * seen as f64 / (total - 1) as f64 } else { 0.0 },
                });
                seen += 1;
            }
            let merge = if stage < 3 {
                let at = format!("layers.{stage}.downsample");
                let convolutions = weights.convolutions(&format!("{at}.reductions"), MERGES.len(), 2);
                Some(Merge { norm: weights.pair(&format!("{at}.norm")), convolutions })
            } else {
                None
            };
            stages.push(Stage { blocks, merge });
        }
        let head = weights.pair("head");
        let named = config.parameters().into_iter().map(|(name, _)| (name.clone(), weights.named[&name].clone())).collect();
        Ok(Self {
            config: config.clone(),
            device: head.weight.device().clone(),
            kernels: Kernels::default(),
            patches: weights.convolutions("patch_embed.projs", PATCHES.len(), 4),
            patch_norm: weights.pair("patch_embed.norm"),
            stages,
            norm: weights.pair("norm"),
            head,
            named,
            pool: Pool::new(),
            left: Left::default(),
        })
    }

    /// The same network computed by other kernels.
    pub fn with_kernels(self, kernels: Kernels) -> Self {
        Self { kernels, ..self }
    }

    /// What the network was built from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Every parameter with its name, in the order of [`Config::parameters`].
    pub fn parameters(&self) -> &[(String, Tensor)] {
        &self.named
    }

    /// The gradient of `loss`, one number made of this network's outputs, for every parameter that is a variable and that it
    /// depends on, by name. The tensor library's own `backward` knows only some of them. One loss at a time.
    pub fn gradients(&self, loss: &Tensor) -> Result<HashMap<String, Tensor>> {
        self.left.take();
        let store = loss.backward()?;
        let mut left = self.left.take();
        let variables = self.named.iter().filter(|(_, parameter)| parameter.is_variable());
        let found = variables.filter_map(|(name, parameter)| {
            let gradient = store.get(parameter).map(Tensor::detach).or_else(|| left.remove(&parameter.id()))?;
            Some((name.clone(), gradient))
        });
        Ok(found.collect())
    }

    /// Where the weights are.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Images [B, channels, H, W] -> embedding and outputs, as in evaluation: nothing is dropped.
    ///
    /// H and W are multiples of 32; each image's result does not depend on the others in the batch.
    pub fn forward(&self, images: &Tensor) -> Result<Output> {
        self.run(images, None, &mut |_, _| {})
    }

    /// The same with dropout and stochastic depth at the configuration's rates.
    pub fn forward_train(&self, images: &Tensor, noise: &mut Noise) -> Result<Output> {
        self.run(images, Some(noise), &mut |_, _| {})
    }

    /// As [`forward`](Self::forward), showing every part's output: `patch_embed`, `stage0.blocks`, `stage0.downsample`, .., `norm`,
    /// `pooled`, `logits`. Tokens are [B, tokens, width].
    pub fn trace(&self, images: &Tensor, see: &mut dyn FnMut(&str, &Tensor)) -> Result<Output> {
        self.run(images, None, see)
    }

    fn run(&self, images: &Tensor, mut noise: Option<&mut Noise>, see: &mut dyn FnMut(&str, &Tensor)) -> Result<Output> {
        let wrong = || Error::Image { channels: self.config.in_channels, got: images.dims().to_vec() };
        let (_, c, h, w) = images.dims4().map_err(|_| wrong())?;
        if c != self.config.in_channels || h == 0 || w == 0 || h % 32 != 0 || w % 32 != 0 {
            return Err(wrong());
        }
        let images = images.to_device(&self.device)?.to_dtype(self.head.weight.dtype())?;
        let mut show = |name: &str, x: &Tensor| -> TensorResult<()> {
            see(name, &x.flatten(1, 2)?);
            Ok(())
        };
        let mut x = self.embed_patches(&images, noise.as_deref_mut())?;
        show("patch_embed", &x)?;
        for (i, stage) in self.stages.iter().enumerate() {
            for block in &stage.blocks {
                x = self.block(block, &x, noise.as_deref_mut())?;
            }
            show(&format!("stage{i}.blocks"), &x)?;
            if let Some(merge) = &stage.merge {
                x = self.merge(merge, &x)?;
                show(&format!("stage{i}.downsample"), &x)?;
            }
        }
        let x = self.normalise(&x)?;
        show("norm", &x)?;
        let output = self.outputs(&x)?;
        see("pooled", &output.pooled);
        see("logits", &output.logits);
        Ok(output)
    }

    /// The final normalisation of the last block's tokens.
    pub(crate) fn normalise(&self, x: &Tensor) -> TensorResult<Tensor> {
        self.kernels.layer_norm(x, &self.norm.weight, &self.norm.bias)
    }

    /// Pooling and head on normalised tokens [B, H, W, C].
    pub(crate) fn outputs(&self, x: &Tensor) -> TensorResult<Output> {
        let pooled = x.flatten(1, 2)?.mean(1)?;
        let logits = self.kernels.linear(&pooled, &self.head.weight, &self.head.bias)?;
        Ok(Output { pooled, logits })
    }

    /// [B, channels, H, W] -> [B, H/4, W/4, embed_dim].
    fn embed_patches(&self, images: &Tensor, noise: Option<&mut Noise>) -> TensorResult<Tensor> {
        let pixels = images.permute((0, 2, 3, 1))?.contiguous()?;
        let x = self.kernels.convolve(&pixels, &self.patches, &self.pool)?;
        let x = self.kernels.layer_norm(&x, &self.patch_norm.weight, &self.patch_norm.bias)?;
        self.drop(x, noise)
    }

    /// [B, H, W, C] -> [B, H/2, W/2, 2C].
    fn merge(&self, merge: &Merge, x: &Tensor) -> TensorResult<Tensor> {
        let x = self.kernels.layer_norm(x, &merge.norm.weight, &merge.norm.bias)?;
        self.kernels.convolve(&x, &merge.convolutions, &self.pool)
    }

    fn block(&self, block: &Block, x: &Tensor, mut noise: Option<&mut Noise>) -> TensorResult<Tensor> {
        let k = self.kernels;
        let linear = |x: &Tensor, p: &Pair| k.linear(x, &p.weight, &p.bias);
        let (b, h, w, _) = x.dims4()?;
        // A grid no larger than a group is one group, whatever the block's kind.
        let grouping = if h.min(w) <= GROUP { Grouping { side: h.min(w), interval: 1 } } else { block.grouping };

        let bias = block.position.table(k, grouping.side)?;
        let still = noise.is_none() || self.config.dropout == 0.0;
        if still && k.fuses(x, block.heads, grouping)? {
            let mut paths = || noise.as_deref_mut().map_or_else(Vec::new, |n| n.paths(b, block.drop_path));
            return k.block(x, &block.layers, &bias, grouping, [paths(), paths()], (&self.pool, &self.left));
        }
        let Layers { norm1, qkv, proj, norm2, fc1, fc2, .. } = &block.layers;
        let y = k.layer_norm(x, &norm1.weight, &norm1.bias)?;
        let y = k.attention(&linear(&y, qkv)?, &bias, grouping)?;
        let y = self.drop(linear(&y, proj)?, noise.as_deref_mut())?;
        let x = (x + drop_path(y, block, noise.as_deref_mut())?)?;

        let y = k.layer_norm(&x, &norm2.weight, &norm2.bias)?;
        let y = self.drop(k.gelu(&linear(&y, fc1)?)?, noise.as_deref_mut())?;
        let y = self.drop(linear(&y, fc2)?, noise.as_deref_mut())?;
        &x + drop_path(y, block, noise)?
    }

    fn drop(&self, x: Tensor, noise: Option<&mut Noise>) -> TensorResult<Tensor> {
        match noise {
            Some(noise) => noise.dropout(&x, self.config.dropout),
            None => Ok(x),
        }
    }
}

fn drop_path(x: Tensor, block: &Block, noise: Option<&mut Noise>) -> TensorResult<Tensor> {
    match noise {
        Some(noise) => noise.drop_path(&x, block.drop_path),
        None => Ok(x),
    }
}

/// Dynamic position bias: a small network from the offset between two tokens to a bias for each head.
struct PositionBias {
    first: Pair,
    rest: [(Pair, Pair); 3],
    /// The finished tables by group side, kept when the weights cannot change.
    kept: Option<Mutex<HashMap<usize, Tensor>>>,
}

impl PositionBias {
    fn new(weights: &Weights, at: &str) -> Self {
        let first = weights.pair(&format!("{at}.attn.pos.pos_proj"));
        let layer = |i: usize| {
            let part = |j: usize| weights.pair(&format!("{at}.attn.pos.pos{i}.{j}"));
            (part(0), part(2))
        };
        let kept = (!first.weight.is_variable()).then(Mutex::default);
        Self { first, rest: [layer(1), layer(2), layer(3)], kept }
    }

    /// [heads, side², side²], the query first.
    fn table(&self, kernels: Kernels, side: usize) -> TensorResult<Tensor> {
        let Some(kept) = &self.kept else { return self.compute(kernels, side) };
        if let Some(table) = kept.lock().unwrap_or_else(|e| e.into_inner()).get(&side) {
            return Ok(table.clone());
        }
        let table = self.compute(kernels, side)?;
        kept.lock().unwrap_or_else(|e| e.into_inner()).insert(side, table.clone());
        Ok(table)
    }

    fn compute(&self, kernels: Kernels, side: usize) -> TensorResult<Tensor> {
        let device = self.first.weight.device();
        let span = 2 * side - 1;
        let offsets: Vec<f32> = (0..span * span).flat_map(|i| [i / span, i % span]).map(|i| i as f32 - (side - 1) as f32).collect();
        let offsets = Tensor::from_vec(offsets, (span * span, 2), device)?.to_dtype(self.first.weight.dtype())?;
        let mut x = kernels.linear(&offsets, &self.first.weight, &self.first.bias)?;
        for (norm, linear) in &self.rest {
            let y = kernels.layer_norm(&x, &norm.weight, &norm.bias)?.relu()?;
            x = kernels.linear(&y, &linear.weight, &linear.bias)?;
        }
        let n = side * side;
        let pairs: Vec<u32> = (0..n * n)
            .map(|i| {
                let (a, b) = (i / n, i % n);
                let row = (a / side + side - 1 - b / side) * span + a % side + side - 1 - b % side;
                row as u32
            })
            .collect();
        let pairs = Tensor::from_vec(pairs, n * n, device)?;
        x.index_select(&pairs, 0)?.t()?.contiguous()?.reshape(((), n, n))
    }
}
