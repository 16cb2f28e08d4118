//! Keeping, in the background.

use super::content::{Content, failed};
use super::head::Sum;
use super::reader::Reader;
use crate::config::{Config, Keeping};
use crate::customers::Customers;
use crate::engine::Learnt;
use crate::store::sqlite::residue;
use crate::store::{Own, StoreError};
use lagom_features::domain::{CustomerId, DecisionId};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
    content: Mutex<Content>,
    /// Held by whoever keeps: two at once would count the same customers twice.
    round: Mutex<()>,
}

impl Keeper {
    pub(super) fn new(
        path: PathBuf,
        reader: Arc<Reader>,
        config: &Config,
        content: Content,
    ) -> Self {
        Self {
            path,
            reader,
            keeping: config.keeping,
            config: Mutex::new(Learnt::fingerprint(config).into()),
            content: Mutex::new(content),
            round: Mutex::new(()),
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fingerprint(&self) -> Arc<str> {
        let config = self.config.lock();
        Arc::clone(&config.unwrap_or_else(PoisonError::into_inner))
    }

    /// Where customers are found who are not in memory, where that is known to be all of them.
    pub(crate) fn reader(&self) -> Option<Arc<Reader>> {
        let content = self.content();
        let all = content.whole.is_none() && content.head.complete;
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
            if self.reader.is_damaged() || self.content().damaged {
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
            let content = self.content();
            let more = last - content.upto();
            !content.paused && (content.whole.is_some() || more >= i64::from(self.keeping.every))
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
            let mut content = self.content();
            if content.paused || stop() {
                return Ok(None);
            }
            if content.upto() >= goal {
                tracing::debug!(
                    goal,
                    customers = content.head.customers.count,
                    "the state is kept"
                );
                return Ok(Some(round));
            }
            content.advance(log, &self.fingerprint())?;
        }
    }

    /// Writes every customer in memory, where nothing has been kept yet of a long log. Each is written as
    /// it is when its turn comes; what it has taken in after the position is not taken in twice.
    fn write_all(&self, customers: &Customers) -> Result<(), StoreError> {
        {
            let mut content = self.content();
            if content.whole.is_none() {
                return Ok(());
            }
            // What an attempt before this one has written.
            content.anew();
            content.head.customers = Sum::default();
        }
        for part in customers.parts() {
            loop {
                let before = self.content().forgotten;
                let states = part.iter().filter_map(|(id, customer)| {
                    let state = customer.blocking_lock();
                    (!state.is_erased()).then(|| (id, state.to_bytes()))
                });
                let states: Vec<(&CustomerId, Vec<u8>)> = states.collect();
                let mut content = self.content();
                if content.forgotten == before {
                    content.put_customers(&states).map_err(failed)?;
                    break;
                }
            }
        }
        let mut content = self.content();
        content.finish_whole(&self.fingerprint()).map_err(failed)?;
        customers.reach(Arc::clone(&self.reader), 0);
        tracing::info!(
            customers = content.head.customers.count,
            "the state is kept"
        );
        Ok(())
    }

    /// Before somebody is erased from the log: until [`Self::forget`] nothing that is kept counts.
    pub(crate) fn pause(&self) -> Result<(), StoreError> {
        let mut content = self.content();
        content.mark(false).map_err(failed)?;
        content.paused = true;
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
        let mut content = self.content();
        content.forget(ids, decisions, erasures).map_err(failed)?;
        residue::clear(&self.path)?;
        content.paused = false;
        Ok(())
    }

    /// The log was learnt anew under `config`.
    pub(crate) fn relearnt(&self, config: &Config, learnt: &Learnt) {
        let mut fingerprint = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        *fingerprint = Learnt::fingerprint(config).into();
        self.content().learnt = Some(learnt.unheld());
    }

    /// What is damaged is made anew at the next start.
    fn set_aside(&self) {
        let mut content = self.content();
        if content.paused {
            return;
        }
        content.paused = true;
        match content.mark(false) {
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
