//! How lagom learns.

pub mod contexts;
pub mod flat_table;
pub mod logged_table;
pub mod rounds;
