//! Figures of a clinical paper as SVG text: nothing yet but the dependencies.
//!
//! They are declared ahead of the code because a dependency that changes the features of DuckDB's build recompiles DuckDB.
