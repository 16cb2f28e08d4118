//! A seeded world of customers with a known truth, to try policies on before people.
//!
//! * [`World`]: a file that says who pays how and what messages do.
//! * [`Life`]: that world, lived day by day; it hears of messages and answers with events.
//! * [`Prospect`]: what would truly follow from one step, in expectation.
//! * [`Tally`]: what truly came of it.
//!
//! The simulator speaks only the domain. It cannot see a policy, so no policy can be favoured.

mod bill;
mod life;
mod noise;
mod parameters;
mod person;
mod tally;

pub use life::{Day, Horizon, Life, Outlook, Prospect, Sent};
pub use parameters::{Change, Effects, Market, Reporting, World, WorldError};
pub use tally::{Expected, Tally};
