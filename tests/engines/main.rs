//! The same statements on every engine: same rows, same bits, and what happens when a part of a cluster is lost.
#![cfg(feature = "datafusion")]

#[cfg(feature = "s3")]
mod bucket;
mod cohort;
mod faults;
mod nodes;
mod portable;
mod same_bits;
