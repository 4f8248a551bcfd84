//! The same statements on every engine: same rows, same bits, and what happens when a part of a cluster is lost.
#![cfg(feature = "datafusion")]

#[cfg(feature = "s3")]
mod bucket;
mod cohort;
// Shared with the tests of the functions and of the program; each uses a part of it.
#[allow(dead_code)]
#[path = "../functions/desk.rs"]
mod desk;
mod examples;
mod faults;
mod nodes;
mod portable;
mod same_bits;
mod study;
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
