//! What can go wrong, in words that say what to do.

/// Errors of the network, its training and its input.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The weights do not belong to the configuration.
    #[error(
        "the weights do not fit CrossFormer with embed_dim {embed_dim}, {in_channels} channels and {classes} classes: \
         missing {missing:?}, unexpected {unexpected:?}, other shapes {shapes:?}"
    )]
    Weights {
        embed_dim: usize,
        in_channels: usize,
        classes: usize,
        /// Names that the configuration has and the weights do not.
        missing: Vec<String>,
        /// Names that the weights have and the configuration does not.
        unexpected: Vec<String>,
        /// Names whose shape differs: `name: got [..], expected [..]`.
        shapes: Vec<String>,
    },
    /// A configuration that describes no network.
    #[error("not a CrossFormer configuration: {0}")]
    Config(String),
    /// Images of the wrong shape.
    #[error("images must be [batch, {channels}, height, width] with height and width multiples of 32 (for example 224), got {got:?}")]
    Image { channels: usize, got: Vec<usize> },
    /// Survival data that cannot be trained on.
    #[error("{0}")]
    Data(String),
    /// An option out of range.
    #[error("option {name}: {problem}")]
    Option { name: &'static str, problem: String },
    /// A device that is not there.
    #[error("device '{asked}': {problem}; use 'auto' to take the CPU where there is no GPU")]
    Device { asked: &'static str, problem: String },
    /// A checkpoint that cannot be resumed.
    #[error("checkpoint {path}: {problem}")]
    Checkpoint { path: String, problem: String },
    /// The caller asked to stop.
    #[error("training was stopped after epoch {0}")]
    Stopped(usize),
    /// The loss left the numbers.
    #[error("the loss is not finite in epoch {0}: lower `lr`, and look for constant or not finite images")]
    Diverged(usize),
    /// A failure of the tensor library.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

pub type Result<T> = std::result::Result<T, Error>;
