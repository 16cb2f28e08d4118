//! How lagom learns.

pub mod flat_table;
