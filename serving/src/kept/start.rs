//! Reading what is kept when a server starts, and who goes on keeping it.

use super::content::Content;
use super::file::File;
use super::head::Head;
use super::house::{House, StoredHouse};
use super::keeper::Keeper;
use super::reader::Reader;
use super::watch::{StoredWatch, Watch};
use crate::config::Config;
use crate::engine::{Learnt, StoredLearnt};
use crate::rollout::Rollout;
use crate::store::{Own, StoreError, Tail};
use lagom_features::domain::{DecisionId, Timestamp};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What a start goes on from.
pub(crate) struct Start {
    /// The last record of the log that is in it.
    pub(crate) position: i64,
    /// How many customers it holds.
    pub(crate) customers: usize,
    pub(crate) house: House,
    /// Decisions whose windows are open, and when they were made.
    pub(crate) pending: Vec<(DecisionId, Timestamp)>,
    /// What was learnt, where it was learnt under this configuration.
    pub(crate) learnt: Option<Learnt>,
    /// The rollout and the last record that is in it, where it was watched under this configuration.
    pub(crate) rollout: Option<(Rollout, i64)>,
    /// The same, with nobody at hand.
    watch: Option<Watch>,
}

/// The file, and what is in it.
pub(crate) struct Opened {
    path: PathBuf,
    file: File,
    head: Head,
    reader: Arc<Reader>,
    pub(crate) start: Option<Start>,
}

/// What the whole log added up to when it was read.
pub(crate) struct Begin {
    pub(crate) position: Tail,
    pub(crate) erasures: i64,
    pub(crate) house: House,
    /// It holds no rounds.
    pub(crate) learnt: Learnt,
    /// Where nothing was kept.
    pub(crate) rollout: Option<Rollout>,
    pub(crate) pending: HashMap<DecisionId, Timestamp>,
}

/// Opens the file beside a log. `None` where it can be neither read nor made: nothing is kept then.
pub(crate) fn start(config: &Config, log: &dyn Own) -> Option<Opened> {
    let path = log.beside();
    let unusable = |fault: &String| {
        tracing::warn!(path = %path.display(), %fault, "nothing is kept beside the log");
    };
    let file = File::open(&path).inspect_err(unusable).ok()?;
    let read = read(config, log, &file).unwrap_or_else(|fault| {
        tracing::warn!(%fault, "what was kept beside the log is left aside and made anew");
        None
    });
    let (head, start) = read.map_or((Head::NOTHING, None), |(head, start)| (head, Some(start)));
    Some(Opened {
        reader: Arc::new(Reader::new(path.clone())),
        path,
        file,
        head,
        start,
    })
}

/// Removes the file beside a log, so that it is made anew.
///
/// # Errors
/// [`StoreError::State`] where it cannot be removed.
pub(crate) fn remove(log: &dyn Own) -> Result<(), StoreError> {
    super::file::remove(&log.beside()).map_err(|reason| StoreError::State { reason })
}

/// What can be gone on from; `None` where nothing has been kept yet.
fn read(config: &Config, log: &dyn Own, file: &File) -> Result<Option<(Head, Start)>, String> {
    let Some(head) = file.part::<Head>("head")? else {
        return Ok(None);
    };
    if !head.complete {
        return Err("it was not finished".to_owned());
    }
    let position = head.position;
    let found = match position.seq {
        0 => Some(Tail::EMPTY),
        seq => log.tail(Some(seq)).map_err(|error| error.to_string())?,
    };
    if found != Some(position) {
        return Err(format!("record {} of the log is another one", position.seq));
    }
    if log.erasures().map_err(|error| error.to_string())? != head.erasures {
        return Err("somebody has been erased since".to_owned());
    }
    if !file.finds_all(head.customers)? {
        return Err("some customers cannot be found".to_owned());
    }
    let house = file.part::<StoredHouse>("house")?;
    let house = house.ok_or("the house is missing")?.read()?;
    let (watch, rollout) = watch(config, file).unzip();
    let start = Start {
        rollout,
        watch,
        position: position.seq,
        customers: usize::try_from(head.customers.count).unwrap_or(usize::MAX),
        house,
        pending: file.open_decisions(head.open)?,
        learnt: learnt(config, file),
    };
    Ok(Some((head, start)))
}

fn watch(config: &Config, file: &File) -> Option<(Watch, (Rollout, i64))> {
    let read = || match file.part::<StoredWatch>("watch")? {
        Some(stored) => Watch::read(stored, &nothing_seen(config), file),
        None => Ok(None),
    };
    match read() {
        Ok(read) => read.map(|(watch, rollout)| {
            let upto = watch.upto;
            (watch, (rollout, upto))
        }),
        Err(fault) => {
            tracing::warn!(%fault, "the rollout is watched anew from the log");
            None
        }
    }
}

fn nothing_seen(config: &Config) -> Rollout {
    Rollout::new(config.rollout, &config.experiments)
}

fn learnt(config: &Config, file: &File) -> Option<Learnt> {
    let stored = file.part::<StoredLearnt>("learnt");
    match stored.and_then(|stored| stored.map(|one| one.read(config)).transpose()) {
        Ok(learnt) => learnt.flatten(),
        Err(fault) => {
            tracing::warn!(%fault, "what was learnt is learnt anew from the log");
            None
        }
    }
}

impl Opened {
    /// Who keeps from now on: from what was read, or, where that was nothing, from a long log all at
    /// once and from a short one bit by bit.
    pub(crate) fn keeper(self, config: &Config, begin: Begin) -> Keeper {
        let mut content = Content {
            file: self.file,
            head: self.head,
            house: House::default(),
            learnt: Some(begin.learnt),
            watch: Watch::whole(nothing_seen(config), 0),
            whole: None,
            paused: false,
            damaged: false,
            forgotten: 0,
        };
        content.head.erasures = begin.erasures;
        match self.start {
            Some(start) => {
                let anew = || {
                    let position = content.head.position.seq;
                    Watch::beginning(&nothing_seen(config), &start.house, position)
                };
                content.watch = start.watch.unwrap_or_else(anew);
                content.house = start.house;
                if let Some(learnt) = start.learnt {
                    content.learnt = Some(learnt.unheld());
                }
            }
            None if begin.position.seq < i64::from(config.keeping.every) => {
                content.learnt = Learnt::nothing(config).ok().map(|one| one.unheld());
                content.head = Head {
                    complete: true,
                    erasures: begin.erasures,
                    ..Head::NOTHING
                };
                content.anew();
            }
            None => {
                content.head.position = begin.position;
                if let Some(rollout) = begin.rollout {
                    content.watch = Watch::whole(rollout, begin.position.seq);
                }
                content.house = begin.house;
                content.whole = Some(begin.pending);
                content.anew();
            }
        }
        Keeper::new(self.path, self.reader, config, content)
    }
}
