//! What the log adds up to, kept beside it, so that a start reads the end of the log only, and so that
//! not every history need be in memory.
//!
//! ```text
//! log: 1 ─────────────── position ───────── last
//!      └── kept: customers, pending, house ──┘└─ read at the start
//!      └── kept: what was learnt ── upto ─────┤
//!      └── kept: what is watched ── upto ─────┘
//! ```
//! The log stays the truth. What is kept is made of the log alone, record by record in its order, by the
//! same code that reads it at a start; so what is kept and the rest of the log add up to what the whole
//! log adds up to, to the bit. It is kept in the background, from what is on disk already, in
//! transactions: a process that is killed leaves one round or the next, never half of one. Every part has
//! a checksum; what is of another version, another log or another configuration, or is damaged, is left
//! aside and made anew.

mod content;
mod file;
mod head;
mod house;
mod keeper;
mod reader;
mod start;
mod watch;
mod watched;

pub(crate) use house::House;
pub(crate) use keeper::Keeper;
pub(crate) use reader::Reader;
pub(crate) use start::{Begin, Start, remove, start};
