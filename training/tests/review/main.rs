//! The review through its files, and its behaviour where an experiment is broken.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

mod reference;
mod synthetic;
