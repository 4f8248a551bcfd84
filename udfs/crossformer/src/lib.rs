//! CrossFormer image embeddings: nothing yet but the dependencies.
//!
//! They are declared ahead of the code because a dependency that changes the features of DuckDB's build recompiles DuckDB.
