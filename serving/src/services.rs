//! The services of `lagom.v1`: convert, call the engine, convert back.

mod decision;
mod event;
mod experiment;
mod model;
mod privacy;
mod status;
mod stream;

pub(crate) use decision::Decisions;
pub(crate) use event::Events;
pub(crate) use experiment::ExperimentsService;
pub(crate) use model::Models;
pub(crate) use privacy::Privacy;
pub(crate) use status::{Pushback, shed};
