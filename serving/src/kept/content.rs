//! The file, and what is in it.

use super::file::{Change, File};
use super::head::Head;
use super::house::{House, StoredHouse};
use super::watch::Watch;
use crate::customers::Changes;
use crate::engine::Learnt;
use crate::rollout::SIDES;
use crate::store::{Depth, Entry, Own, StoreError};
use lagom_features::domain::{CustomerId, DecisionId, Timestamp};
use std::collections::{HashMap, HashSet};

/// Records in one change of the file.
const TOGETHER: usize = 100_000;

/// The file, and what is in it at the position of its head. Memory changes after the file has.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) file: File,
    pub(super) head: Head,
    pub(super) house: House,
    pub(super) learnt: Option<Learnt>,
    pub(super) watch: Watch,
    /// Everything in memory has still to be written: with the decisions whose windows were open at the
    /// position.
    pub(super) whole: Option<HashMap<DecisionId, Timestamp>>,
    /// Nothing is kept for now: somebody is being erased, or the file is damaged.
    pub(super) paused: bool,
    /// A customer could not be read as he was written.
    pub(super) damaged: bool,
    /// How many have been erased.
    pub(super) forgotten: u64,
}

/// What a stretch of the log changes.
#[derive(Default)]
struct Stretch {
    customers: HashMap<CustomerId, Changes>,
    /// When they were made; `None` where their windows have closed.
    decisions: HashMap<DecisionId, Option<Timestamp>>,
}

impl Stretch {
    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Recorded(one) => self.of(one.customer_id()).recordings.push(*one),
            Entry::Decided(one) => {
                self.of(&one.customer_id).passed(one.decided_at);
                let at = Some(one.decided_at);
                self.decisions.insert(one.decision_id.clone(), at);
            }
            Entry::Reserved(one) => {
                let changes = self.of(&one.customer_id);
                changes.passed(one.reserved_at);
                changes.reservations.push(one);
            }
            Entry::Assigned(one) => self.of(&one.customer_id).assignments.push(one),
            Entry::Matured(one) => {
                self.decisions.insert(one.decision_id.clone(), None);
            }
            _ => {}
        }
    }

    fn of(&mut self, id: &CustomerId) -> &mut Changes {
        self.customers.entry(id.clone()).or_default()
    }
}

pub(super) fn failed(reason: String) -> StoreError {
    StoreError::State { reason }
}

impl Content {
    /// Up to where everything is kept.
    pub(super) fn upto(&self) -> i64 {
        let learnt = self.learnt.as_ref().map_or(i64::MAX, |learnt| learnt.upto);
        self.head.position.seq.min(learnt).min(self.watch.upto)
    }

    /// Empties the file, which is to be made anew.
    pub(super) fn anew(&mut self) {
        let cleared = self.file.change().and_then(|change| {
            change.clear()?;
            change.commit()
        });
        if let Err(fault) = cleared {
            tracing::warn!(%fault, "the state is not kept");
            self.paused = true;
        }
    }

    pub(super) fn mark(&mut self, complete: bool) -> Result<(), String> {
        let head = Head {
            complete,
            ..self.head.clone()
        };
        let change = self.file.change()?;
        change.put_part("head", &head)?;
        change.commit()?;
        self.head = head;
        Ok(())
    }

    /// Takes in the next stretch of the log.
    pub(super) fn advance(&mut self, log: &dyn Own, fingerprint: &str) -> Result<(), StoreError> {
        let from = self.upto();
        let position = self.head.position.seq;
        let mut house = self.house.clone();
        let mut learnt = self.learnt.clone();
        let mut watch = self.watch.clone();
        let mut stretch = Stretch::default();
        let find = |id: &DecisionId| log.find(id);
        let upto = log.scan_after(from, TOGETHER, Depth::Head, &mut |seq, entry| {
            if let Some(learnt) = learnt.as_mut().filter(|learnt| learnt.upto < seq) {
                learnt.take(&entry, &find)?;
            }
            if seq > watch.upto {
                watch.take(seq, &entry, &self.file).map_err(failed)?;
            }
            if seq > position {
                house.take(seq, &entry);
                stretch.take(entry);
            }
            Ok(())
        })?;
        if let Some(learnt) = &mut learnt {
            learnt.upto = learnt.upto.max(upto);
        }
        watch.upto = watch.upto.max(upto);
        let mut head = self.head.clone();
        if upto > position {
            let tail = log.tail(Some(upto))?;
            head.position = tail.ok_or_else(|| failed(format!("record {upto} is gone")))?;
        }
        let change = self.file.change().map_err(failed)?;
        write(&change, stretch, &mut head, &mut self.damaged).map_err(failed)?;
        parts(&change, &head, &house, learnt.as_ref(), fingerprint).map_err(failed)?;
        watch.write(&change).map_err(failed)?;
        change.commit().map_err(failed)?;
        (self.head, self.house, self.learnt, self.watch) = (head, house, learnt, watch);
        Ok(())
    }

    pub(super) fn put_customers(
        &mut self,
        states: &[(&CustomerId, Vec<u8>)],
    ) -> Result<(), String> {
        let mut sum = self.head.customers;
        let change = self.file.change()?;
        for (id, state) in states {
            change.put_bytes(id, state, &mut sum)?;
        }
        change.commit()?;
        self.head.customers = sum;
        Ok(())
    }

    pub(super) fn finish_whole(&mut self, fingerprint: &str) -> Result<(), String> {
        let pending = self.whole.take().unwrap_or_default();
        let mut head = Head {
            complete: true,
            ..self.head.clone()
        };
        let anew = self.watch.anew(&self.house, head.position.seq);
        let watch = &mut self.watch;
        let done = self.file.change().and_then(|change| {
            for (id, at) in &pending {
                change.put_open(id, *at, &mut head.open)?;
            }
            parts(
                &change,
                &head,
                &self.house,
                self.learnt.as_ref(),
                fingerprint,
            )?;
            watch.write(&change)?;
            change.commit()
        });
        match done {
            Ok(()) => self.head = head,
            Err(_) => (self.whole, self.watch) = (Some(pending), anew),
        }
        done
    }

    pub(super) fn forget<'a>(
        &mut self,
        ids: impl Iterator<Item = &'a CustomerId>,
        decisions: &HashSet<DecisionId>,
        erasures: i64,
    ) -> Result<(), String> {
        let mut head = Head {
            complete: self.whole.is_none(),
            erasures,
            ..self.head.clone()
        };
        let change = self.file.change()?;
        for id in ids {
            change.drop_customer(id, &mut head.customers)?;
        }
        for decision in decisions {
            change.drop_open(decision, &mut head.open)?;
        }
        change.drop_part("learnt")?;
        change.drop_part("watch")?;
        for side in 0..SIDES {
            change.drop_watched(side)?;
        }
        change.put_part("head", &head)?;
        change.commit()?;
        self.head = head;
        self.learnt = None;
        self.watch = self.watch.anew(&self.house, self.head.position.seq);
        self.forgotten += 1;
        if let Some(whole) = &mut self.whole {
            whole.retain(|id, _| !decisions.contains(id));
        }
        Ok(())
    }
}

fn write(
    change: &Change<'_>,
    stretch: Stretch,
    head: &mut Head,
    damaged: &mut bool,
) -> Result<(), String> {
    for (id, changes) in stretch.customers {
        let found = change.customer(&id).inspect_err(|_| *damaged = true)?;
        let (place, mut state) = match found {
            Some((place, state)) => (Some(place), state),
            None => (None, Default::default()),
        };
        state.take_in(changes);
        change.put_customer(&id, place, &state, &mut head.customers)?;
    }
    for (id, made) in stretch.decisions {
        match made {
            Some(at) => change.put_open(&id, at, &mut head.open)?,
            None => change.drop_open(&id, &mut head.open)?,
        }
    }
    Ok(())
}

fn parts(
    change: &Change<'_>,
    head: &Head,
    house: &House,
    learnt: Option<&Learnt>,
    fingerprint: &str,
) -> Result<(), String> {
    change.put_part("head", head)?;
    change.put_part("house", &StoredHouse::from(house))?;
    match learnt {
        Some(learnt) => change.put_part("learnt", &learnt.stored(fingerprint)?),
        None => change.drop_part("learnt"),
    }
}
