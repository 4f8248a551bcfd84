//! LASSO and elastic-net Cox models.
