//! Scripts: read, split into steps, run step by step, and skip what is unchanged.

mod catalog;
mod cohort;
mod decide;
mod effects;
mod failure;
mod files;
mod guard;
mod hash;
mod load;
mod manifest;
mod outline;
mod runner;
mod split;
mod step;
pub mod token;
mod variables;

pub use effects::{is_query, sets_variable};
pub use hash::of as hash_of;
pub use load::{beside, command, load};
pub use outline::{Outline, outline};
pub use runner::{Ending, Options, run};
pub use split::{Piece, PieceKind, UNCLOSED, split, split_with_prose};
pub use variables::literal;
