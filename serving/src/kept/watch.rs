//! What a canary, and the version in force beside the holdout, have done: as it is kept.
//!
//! The sequences are one part; their customers are rows, of which a stretch of the log changes a few.
//! So neither a start nor whoever keeps reads the log from the first decision on, and nobody holds every
//! customer twice.

use super::file::{Change, Fault, File};
use super::head::Sum;
use super::house::{House, read_stage, stage_record};
use crate::recording::What;
use crate::rollout::{Rollout, SIDES, is_watched};
use crate::store::Entry;
use lagom_features::domain::{CustomerId, DecisionId};
use lagom_model::rollout::guard::{Guard, GuardSpec, Sequences};
use serde::{Deserialize, Serialize};

/// The rollout as of a record, with those customers at hand whom the last records were about.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    rollout: Rollout,
    /// The last record that is in it.
    pub(super) upto: i64,
    /// The rows of each side in the file.
    rows: [Sum; SIDES],
}

/// The form in which it is kept, beside the rows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredWatch {
    upto: i64,
    spec: GuardSpec,
    holdout: f64,
    /// Kind and body as in the log.
    staged: Option<(u8, Vec<u8>)>,
    canary: Option<Sequences>,
    /// With the name of the version.
    live: Option<(String, Sequences)>,
    rows: [Sum; SIDES],
}

impl Watch {
    /// Everything is in memory, and no row is written.
    pub(super) fn whole(rollout: Rollout, upto: i64) -> Self {
        Self {
            rollout: rollout.begun_anew(),
            upto,
            rows: [Sum::default(); SIDES],
        }
    }

    /// Nothing has been seen up to where the rollout's story begins.
    pub(super) fn beginning(nothing: &Rollout, house: &House, position: i64) -> Self {
        let mut rollout = nothing.nothing_seen();
        let last = house.staged.as_ref().map(|(_, staged)| staged);
        let (upto, staged) = house.watched_since().unwrap_or((position, last));
        if let Some(staged) = staged {
            rollout.staged(staged.clone());
        }
        Self::whole(rollout, upto.min(position))
    }

    /// The same, begun anew: somebody was erased.
    pub(super) fn anew(&self, house: &House, position: i64) -> Self {
        Self::beginning(&self.rollout, house, position)
    }

    /// What was kept with nobody at hand, and the whole of it; `None` where it was kept under another
    /// configuration than `nothing`, of which nothing has been seen.
    pub(super) fn read(
        stored: StoredWatch,
        nothing: &Rollout,
        file: &File,
    ) -> Result<Option<(Self, Rollout)>, Fault> {
        if !nothing.is_under(stored.spec, stored.holdout) {
            return Ok(None);
        }
        let guard = |sequences| Guard::going_on(sequences).map_err(|error| error.to_string());
        let canary = stored.canary.map(guard).transpose()?;
        let live = match stored.live {
            Some((model, sequences)) => Some((model, guard(sequences)?)),
            None => None,
        };
        let staged = stored.staged.map(read_stage).transpose()?;
        let rollout = nothing.going_on(staged, canary, live);
        let mut all = rollout.clone();
        for (side, expected) in stored.rows.into_iter().enumerate() {
            let found = file.watched(side, &mut |known| {
                if let Some(guard) = all.side(side) {
                    guard.bring_in(known);
                }
            })?;
            if found != expected {
                return Err(
                    "the customers of the rollout are not those that were written".to_owned(),
                );
            }
        }
        let kept = Self {
            rollout,
            upto: stored.upto,
            rows: stored.rows,
        };
        Ok(Some((kept, all)))
    }

    /// Takes in a record; whom it is about is looked up first.
    pub(super) fn take(&mut self, seq: i64, entry: &Entry, file: &File) -> Result<(), Fault> {
        match entry {
            Entry::Decided(one) => self.fetch(&one.customer_id, file)?,
            Entry::Recorded(one) => {
                if let What::Fact(event) = &one.what
                    && is_watched(event.kind)
                {
                    self.fetch(&event.customer_id, file)?;
                }
            }
            Entry::Matured(one) => self.fetch_of(&one.decision_id, file)?,
            _ => {}
        }
        self.rollout.take(entry);
        self.upto = seq;
        Ok(())
    }

    fn fetch(&mut self, customer: &CustomerId, file: &File) -> Result<(), Fault> {
        self.each_side(|side, guard| match guard.knows(customer) {
            true => Ok(None),
            false => file.watched_customer(side, customer),
        })
    }

    fn fetch_of(&mut self, decision: &DecisionId, file: &File) -> Result<(), Fault> {
        self.each_side(|side, guard| {
            let found = file.watched_open(side, decision)?;
            Ok(found.filter(|one| !guard.knows(&one.customer)))
        })
    }

    /// Brings in who is found on each side whose rows are its own.
    fn each_side(
        &mut self,
        find: impl Fn(usize, &Guard) -> Result<Option<lagom_model::rollout::guard::Known>, Fault>,
    ) -> Result<(), Fault> {
        for side in 0..SIDES {
            if self.rollout.begun(side) {
                continue;
            }
            if let Some(guard) = self.rollout.side(side)
                && let Some(known) = find(side, guard)?
            {
                guard.bring_in(known);
            }
        }
        Ok(())
    }

    /// Writes the sequences, and whoever is at hand; then nobody is.
    pub(super) fn write(&mut self, change: &Change<'_>) -> Result<(), Fault> {
        for side in 0..SIDES {
            if self.rollout.begun(side) {
                change.drop_watched(side)?;
                self.rows[side] = Sum::default();
            }
            if let Some(guard) = self.rollout.side(side) {
                for known in guard.known() {
                    change.put_watched(side, &known, &mut self.rows[side])?;
                }
                guard.let_go();
            }
        }
        self.rollout = self.rollout.clone().written();
        change.put_part("watch", &self.stored())
    }

    fn stored(&self) -> StoredWatch {
        let (spec, holdout) = self.rollout.under();
        let sequences = |side| self.rollout.guard(side).map(Guard::sequences);
        let live = self.rollout.live_model().map(str::to_owned);
        StoredWatch {
            upto: self.upto,
            spec,
            holdout,
            staged: self.rollout.last().map(stage_record),
            canary: sequences(0),
            live: live.zip(sequences(1)),
            rows: self.rows,
        }
    }
}
