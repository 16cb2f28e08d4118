//! How lagom learns.

pub mod flat_table;

pub mod fit;
pub mod fit_table;
