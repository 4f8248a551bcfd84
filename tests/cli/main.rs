//! The program as its user sees it: what it prints, what it leaves behind, how it fails.

mod fits;
mod guard;
mod killed;
mod report;
mod run;
#[path = "../support/mod.rs"]
mod support;
