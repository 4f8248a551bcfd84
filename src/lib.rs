//! `esccsql`: an embedded analytics database for imaging cohorts. The program, as a library for its tests.

pub mod cli;
pub mod engine;
pub mod interrupt;
pub mod progress;
pub mod render;
pub mod report;
pub mod script;
pub mod synth;
