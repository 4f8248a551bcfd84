//! The program as its user sees it: what it prints, what it leaves behind, how it fails.

mod report;
mod run;
#[path = "../support/mod.rs"]
mod support;
