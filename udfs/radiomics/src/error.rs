//! What can go wrong in an extraction.

use thiserror::Error;

/// Why features cannot be extracted. Each message says what to do next.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum RadiomicsError {
    #[error("{setting} {reason}")]
    Setting {
        setting: &'static str,
        reason: String,
    },
}
