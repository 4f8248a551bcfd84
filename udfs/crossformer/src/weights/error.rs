//! What can be wrong with a file of weights.

/// Why weights cannot be read or do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    #[error("not a file of weights: expected a .pth made by torch.save or a .safetensors file")]
    UnknownFormat,
    #[error("the file ends too early or is damaged: {0}; copy or download it again")]
    Damaged(String),
    #[error(
        "the pickle calls {0}, which reading weights never needs; nothing was executed. Do not open this file with torch.load, and get the weights from their authors"
    )]
    Calls(String),
    #[error("{0}; save the state dict again with a current torch.save, or as .safetensors")]
    Unsupported(String),
    #[error("no state dict in the file: expected names such as 'patch_embed.norm.weight', at the top or under 'model' or 'state_dict'")]
    NoStateDict,
    #[error("these are not the weights of a CrossFormer: {0}")]
    NotCrossFormer(String),
    #[error("the names in the file do not fit the model; {}{}", listed("missing", .missing), listed("unexpected", .unexpected))]
    Names { missing: Vec<String>, unexpected: Vec<String> },
    #[error("{name} has shape {found:?} in the file, the model needs {expected:?}")]
    Shape { name: String, found: Vec<usize>, expected: Vec<usize> },
    #[error(
        "the weights are for {found} input channels, the model takes {expected}; allow adapting them with {{'adapt': 'mean'}} or {{'adapt': 'repeat'}}"
    )]
    Channels { found: usize, expected: usize },
    #[error("{name} holds a value that is not finite; the weights cannot be used")]
    NotFinite { name: String },
}

pub type Result<T> = std::result::Result<T, WeightsError>;

/// The file ends before what it announces.
pub(super) fn damaged(what: impl std::fmt::Display) -> WeightsError {
    WeightsError::Damaged(what.to_string())
}

/// `missing (2): a, b; `
fn listed(what: &str, names: &[String]) -> String {
    const SHOWN: usize = 40;
    if names.is_empty() {
        return String::new();
    }
    let rest = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    format!("{what} ({}): {}{rest}; ", names.len(), names[..names.len().min(SHOWN)].join(", "))
}
