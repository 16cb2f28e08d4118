//! What lagom believes and would choose, as plain numbers.

pub mod ope;
pub mod statistics;
