//! Keeping, in the background.

use super::file::{Change, File};
use super::head::{Head, Sum};
use super::house::{House, StoredHouse};
use super::reader::Reader;
use super::watch::Watch;
use crate::config::{Config, Keeping};
use crate::customers::{Changes, Customers};
use crate::engine::Learnt;
use crate::rollout::SIDES;
use crate::store::sqlite::residue;
use crate::store::{Depth, Entry, Own, StoreError};
use lagom_features::domain::{CustomerId, DecisionId, Timestamp};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Records in one change of the file.
const TOGETHER: usize = 100_000;
/// How often is looked whether there is something to do.
const LOOK: Duration = Duration::from_millis(250);
/// How long is waited after the file could not be written.
const AGAIN: Duration = Duration::from_secs(5);

/// Keeps what the log adds up to.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    reader: Arc<Reader>,
    keeping: Keeping,
    config: Mutex<Arc<str>>,
    inner: Mutex<Inner>,
    /// Held by whoever keeps: two at once would count the same customers twice.
    round: Mutex<()>,
}

/// The file, and what is in it at the position of its head. Memory changes after the file has.
#[derive(Debug)]
pub(super) struct Inner {
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

fn failed(reason: String) -> StoreError {
    StoreError::State { reason }
}

impl Keeper {
    pub(super) fn new(path: PathBuf, reader: Arc<Reader>, config: &Config, inner: Inner) -> Self {
        Self {
            path,
            reader,
            keeping: config.keeping,
            config: Mutex::new(Learnt::fingerprint(config).into()),
            inner: Mutex::new(inner),
            round: Mutex::new(()),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fingerprint(&self) -> Arc<str> {
        let config = self.config.lock();
        Arc::clone(&config.unwrap_or_else(PoisonError::into_inner))
    }

    /// Where customers are found who are not in memory, where that is known to be all of them.
    pub(crate) fn reader(&self) -> Option<Arc<Reader>> {
        let inner = self.inner();
        let all = inner.whole.is_none() && inner.head.complete;
        all.then(|| Arc::clone(&self.reader))
    }

    /// Keeps until `stop`, but not while it `waits` for the store to keep up.
    pub(crate) fn run(
        &self,
        log: &dyn Own,
        customers: &Customers,
        waits: impl Fn() -> bool,
        stop: impl Fn() -> bool,
    ) {
        let mut kept = 0;
        while !stop() {
            std::thread::sleep(LOOK);
            if waits() {
                continue;
            }
            if self.reader.is_damaged() || self.inner().damaged {
                self.set_aside();
            }
            match self.round(log, customers, &stop) {
                Ok(Some(round)) => kept = round,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, path = %self.path.display(), "the state is not kept");
                    let looks = AGAIN.as_millis() / LOOK.as_millis();
                    for _ in 0..looks {
                        if !stop() {
                            std::thread::sleep(LOOK);
                        }
                    }
                }
            }
            customers.let_go(kept, self.keeping.in_memory);
        }
    }

    /// Keeps what there is if there is enough of it; the number of the round.
    fn round(
        &self,
        log: &dyn Own,
        customers: &Customers,
        stop: impl Fn() -> bool,
    ) -> Result<Option<u64>, StoreError> {
        let last = log.tail(None)?.map_or(0, |tail| tail.seq);
        let is_due = {
            let inner = self.inner();
            let more = last - inner.upto();
            !inner.paused && (inner.whole.is_some() || more >= i64::from(self.keeping.every))
        };
        if is_due {
            return self.keep(log, customers, stop);
        }
        Ok(None)
    }

    /// Keeps everything that is in the log by now.
    pub(crate) fn keep(
        &self,
        log: &dyn Own,
        customers: &Customers,
        stop: impl Fn() -> bool,
    ) -> Result<Option<u64>, StoreError> {
        let _alone = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_all(customers)?;
        let round = customers.begin_round();
        let goal = log.tail(None)?.map_or(0, |tail| tail.seq);
        loop {
            let mut inner = self.inner();
            if inner.paused || stop() {
                return Ok(None);
            }
            if inner.upto() >= goal {
                tracing::debug!(
                    goal,
                    customers = inner.head.customers.count,
                    "the state is kept"
                );
                return Ok(Some(round));
            }
            inner.advance(log, &self.fingerprint())?;
        }
    }

    /// Writes every customer in memory, where nothing has been kept yet of a long log. Each is written as
    /// it is when its turn comes; what it has taken in after the position is not taken in twice.
    fn write_all(&self, customers: &Customers) -> Result<(), StoreError> {
        {
            let mut inner = self.inner();
            if inner.whole.is_none() {
                return Ok(());
            }
            // What an attempt before this one has written.
            inner.anew();
            inner.head.customers = Sum::default();
        }
        for part in customers.parts() {
            loop {
                let before = self.inner().forgotten;
                let states = part.iter().filter_map(|(id, customer)| {
                    let state = customer.blocking_lock();
                    (!state.is_erased()).then(|| (id, state.to_bytes()))
                });
                let states: Vec<(&CustomerId, Vec<u8>)> = states.collect();
                let mut inner = self.inner();
                if inner.forgotten == before {
                    inner.put_customers(&states).map_err(failed)?;
                    break;
                }
            }
        }
        let mut inner = self.inner();
        inner.finish_whole(&self.fingerprint()).map_err(failed)?;
        customers.reach(Arc::clone(&self.reader), 0);
        tracing::info!(customers = inner.head.customers.count, "the state is kept");
        Ok(())
    }

    /// Before somebody is erased from the log: until [`Self::forget`] nothing that is kept counts.
    pub(crate) fn pause(&self) -> Result<(), StoreError> {
        let mut inner = self.inner();
        inner.mark(false).map_err(failed)?;
        inner.paused = true;
        Ok(())
    }

    /// Forgets those who were erased from the log, which has seen so many erasures by now, and what was
    /// learnt.
    pub(crate) fn forget<'a>(
        &self,
        ids: impl Iterator<Item = &'a CustomerId>,
        decisions: &HashSet<DecisionId>,
        erasures: i64,
    ) -> Result<(), StoreError> {
        let mut inner = self.inner();
        inner.forget(ids, decisions, erasures).map_err(failed)?;
        residue::clear(&self.path)?;
        inner.paused = false;
        Ok(())
    }

    /// The log was learnt anew under `config`.
    pub(crate) fn relearnt(&self, config: &Config, learnt: &Learnt) {
        let mut fingerprint = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        *fingerprint = Learnt::fingerprint(config).into();
        self.inner().learnt = Some(learnt.unheld());
    }

    /// What is damaged is made anew at the next start.
    fn set_aside(&self) {
        let mut inner = self.inner();
        if inner.paused {
            return;
        }
        inner.paused = true;
        match inner.mark(false) {
            Ok(()) => tracing::error!(
                path = %self.path.display(),
                "what is kept beside the log is damaged; a restart makes it anew"
            ),
            Err(fault) => tracing::error!(
                %fault,
                path = %self.path.display(),
                "what is kept beside the log is damaged; remove it and restart"
            ),
        }
    }
}

impl Inner {
    /// Up to where everything is kept.
    fn upto(&self) -> i64 {
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

    fn mark(&mut self, complete: bool) -> Result<(), String> {
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
    fn advance(&mut self, log: &dyn Own, fingerprint: &str) -> Result<(), StoreError> {
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

    fn put_customers(&mut self, states: &[(&CustomerId, Vec<u8>)]) -> Result<(), String> {
        let mut sum = self.head.customers;
        let change = self.file.change()?;
        for (id, state) in states {
            change.put_bytes(id, state, &mut sum)?;
        }
        change.commit()?;
        self.head.customers = sum;
        Ok(())
    }

    fn finish_whole(&mut self, fingerprint: &str) -> Result<(), String> {
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

    fn forget<'a>(
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
