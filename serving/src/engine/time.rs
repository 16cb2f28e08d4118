//! Which instants are accepted, by each clock.

use super::Engine;
use crate::clock::Source;
use crate::convert::FieldFault;
use crate::recording::Recording;
use lagom_features::domain::{Days, Timestamp};

/// How far another machine's clock may run ahead of ours, in microseconds.
const AHEAD: i64 = 5_000_000;
/// How old "now" may be, by the wall clock, in microseconds.
const BEHIND: i64 = 300_000_000;

/// The last instant that is accepted: windows that begin by then end within the years of a
/// [`Timestamp`].
fn latest() -> Timestamp {
    Timestamp::MAX - Days::whole(3_652)
}

impl Engine {
    /// The instant of a request that says `as_of`.
    ///
    /// On the events' clock any instant is accepted and moves the clock. On the wall clock it is
    /// now, unless it is `past` that is asked about.
    pub(super) fn instant(
        &self,
        as_of: Option<Timestamp>,
        past: bool,
    ) -> Result<Timestamp, FieldFault> {
        let now = self.clock.now();
        let Some(as_of) = as_of else { return Ok(now) };
        if as_of > latest() {
            let reason = format!(
                "{as_of} is too late; instants up to {} are accepted",
                latest()
            );
            return Err(FieldFault::new("as_of", reason));
        }
        if self.clock.source() == Source::Events {
            if !past {
                self.clock.observe(as_of);
            }
            return Ok(as_of);
        }
        let ahead = as_of.micros() - now.micros();
        if ahead > AHEAD {
            let reason = format!("{as_of} is in the future; it is {now}");
            return Err(FieldFault::new("as_of", reason));
        }
        if past {
            return Ok(as_of.min(now));
        }
        if ahead < -BEHIND {
            let reason = format!(
                "{as_of} is past; it is {now}. Ask about the past with dry_run, or replay it with \
                 [clock] source = \"events\""
            );
            return Err(FieldFault::new("as_of", reason));
        }
        Ok(now)
    }

    /// Moves the events' clock by the events themselves, as far as they can be accepted.
    pub(super) fn seen(&self, occurred: impl Iterator<Item = Timestamp>) {
        let accepted = occurred.filter(|at| *at <= latest());
        if let (Source::Events, Some(last)) = (self.clock.source(), accepted.max()) {
            self.clock.observe(last);
        }
    }

    /// Refuses an event that lies ahead of `at`.
    pub(super) fn not_future(
        &self,
        event: &Recording,
        at: Timestamp,
        path: &str,
    ) -> Result<(), FieldFault> {
        let allowed = match self.clock.source() {
            Source::Wall => AHEAD,
            Source::Events => 0,
        };
        if event.occurred_at.micros() - at.micros() > allowed || event.occurred_at > latest() {
            let reason = format!(
                "{} is in the future; it is {at}. An event is recorded when it has happened",
                event.occurred_at
            );
            return Err(FieldFault::new(format!("{path}.occurred_at"), reason));
        }
        Ok(())
    }
}
