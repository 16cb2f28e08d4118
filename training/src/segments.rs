//! What all customers of a folder add up to, week by week, for specs with features by segment.
//!
//! A week needs every customer, so it is added up in a pass of its own before the first row is made:
//! part by part of the folder, and in parallel. A spec without such features costs nothing.

use crate::pipeline::end;
use crate::tables::{
    Partitions, Record, TableError, files, open_histories, read_histories, read_table,
};
use lagom_features::domain::{CustomerId, Days, Timestamp};
use lagom_features::{
    FeatureSpec, History, Known, Pooling, PoolingMemory, Segments, Week, week_of,
};
use lagom_model::log::Decision;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;
use std::path::Path;
use std::sync::Arc;

/// Customers whose weeks are added up one after another.
const TOGETHER: usize = 64;

/// Which weeks are needed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// Those that begin at these instants.
    At(&'a BTreeSet<Timestamp>),
    /// Those that a decision about any invoice may look at, up to this instant.
    Until(Timestamp),
}

type Weeks = BTreeMap<Timestamp, Week>;

/// The weeks added up so far.
pub(crate) struct Adding {
    pooling: Pooling,
    weeks: Weeks,
}

impl Adding {
    /// None where the spec needs none.
    pub(crate) fn new(spec: &FeatureSpec) -> Option<Self> {
        Some(Self {
            pooling: Pooling::new(spec)?,
            weeks: Weeks::new(),
        })
    }

    /// The part of some customers.
    fn part<'h>(
        &self,
        memory: &mut PoolingMemory,
        histories: impl Iterator<Item = &'h History>,
        wanted: Wanted<'_>,
    ) -> Weeks {
        let mut weeks = Weeks::new();
        let begin = |at: Timestamp| self.pooling.begin(at);
        for history in histories {
            let Some(first) = first_recorded(history) else {
                continue;
            };
            let mut add = |at: Timestamp| {
                let week = weeks.entry(at).or_insert_with(|| begin(at));
                self.pooling.add(memory, history, week);
            };
            match wanted {
                Wanted::At(these) => these.iter().copied().for_each(&mut add),
                Wanted::Until(end) => {
                    let next = |at: &Timestamp| Some(*at + Days::whole(7));
                    let from_first = successors(Some(week_of(first)), next);
                    from_first
                        .take_while(|at| *at <= week_of(end))
                        .for_each(&mut add);
                }
            }
        }
        weeks
    }

    fn take(&mut self, weeks: Weeks) {
        self.weeks = merged(std::mem::take(&mut self.weeks), weeks);
    }

    /// Adds up customers in memory.
    pub(crate) fn add<'h>(
        &mut self,
        histories: impl Iterator<Item = &'h History>,
        wanted: Wanted<'_>,
    ) {
        let histories: Vec<&History> = histories.collect();
        let parts = histories.par_chunks(TOGETHER);
        let part = |memory: &mut PoolingMemory, some: &[&History]| {
            self.part(memory, some.iter().copied(), wanted)
        };
        let weeks = parts
            .map_init(PoolingMemory::default, part)
            .reduce(Weeks::new, merged);
        self.take(weeks);
    }

    pub(crate) fn end(self) -> Segments {
        let mut segments = Segments::of(&self.pooling);
        let weeks = self.weeks.into_values();
        weeks.for_each(|week| segments.put(Arc::new(week)));
        segments
    }
}

/// No order of parts changes a bit: what is added up are whole numbers.
fn merged(mut into: Weeks, from: Weeks) -> Weeks {
    for (at, week) in from {
        match into.entry(at) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(week);
            }
            std::collections::btree_map::Entry::Occupied(mut place) => place.get_mut().merge(week),
        }
    }
    into
}

/// A decision about an invoice comes after something was recorded of its customer.
fn first_recorded(history: &History) -> Option<Timestamp> {
    let described = history.customers().first().map(|one| one.recorded_at);
    let billed = history.invoices().first().map(|one| one.recorded_at);
    let told = history.events().map(Known::recorded_at).min();
    [described, billed, told].into_iter().flatten().min()
}

/// What `histories`, which are everybody, add up to.
pub(crate) fn of<'h>(
    spec: &FeatureSpec,
    histories: impl Iterator<Item = &'h History>,
    wanted: Wanted<'_>,
) -> Segments {
    let Some(mut adding) = Adding::new(spec) else {
        return Segments::default();
    };
    adding.add(histories, wanted);
    adding.end()
}

/// What `histories`, which are everybody, add up to for `decisions` that were made on features of
/// another spec, and so have to be given those of this one.
pub(crate) fn of_decisions<'d>(
    spec: &FeatureSpec,
    histories: &BTreeMap<CustomerId, History>,
    decisions: impl Iterator<Item = &'d Decision>,
) -> Segments {
    if spec.pooled().next().is_none() {
        return Segments::default();
    }
    let foreign = |one: &&Decision| one.feature_fingerprint != spec.fingerprint();
    let weeks = decisions.filter(foreign).map(|one| week_of(one.decided_at));
    of(spec, histories.values(), Wanted::At(&weeks.collect()))
}

/// What the customers of a folder add up to, for any decision until `as_of`, by default until its end.
pub(crate) fn of_parts(
    spec: &FeatureSpec,
    parts: &Partitions,
    as_of: Option<Timestamp>,
) -> Result<Segments, TableError> {
    let Some(mut adding) = Adding::new(spec) else {
        return Ok(Segments::default());
    };
    for folder in parts.folders() {
        let histories = read_histories(folder)?;
        let until = as_of.unwrap_or_else(|| end(parts, &histories));
        adding.add(histories.values(), Wanted::Until(until));
    }
    Ok(adding.end())
}

/// What the customers of a folder add up to, for those of its decisions that are to be `kept`.
pub(crate) fn of_logged(
    spec: &FeatureSpec,
    parts: &Partitions,
    kept: impl Fn(&Decision) -> bool,
) -> Result<Segments, TableError> {
    if spec.pooled().next().is_none() {
        return Ok(Segments::default());
    }
    let mut weeks = BTreeSet::new();
    for folder in parts.folders() {
        if let Some(file) = files::find(folder, Decision::TABLE)? {
            let decisions: Vec<Decision> = read_table(&file)?;
            let kept = decisions.iter().filter(|one| kept(one));
            weeks.extend(kept.map(|one| week_of(one.decided_at)));
        }
    }
    of_parts_at(spec, parts, &weeks)
}

/// What the customers of a folder add up to at these weeks.
pub(crate) fn of_parts_at(
    spec: &FeatureSpec,
    parts: &Partitions,
    weeks: &BTreeSet<Timestamp>,
) -> Result<Segments, TableError> {
    let Some(mut adding) = Adding::new(spec) else {
        return Ok(Segments::default());
    };
    for folder in parts.folders() {
        adding.add(read_histories(folder)?.values(), Wanted::At(weeks));
    }
    Ok(adding.end())
}

/// The same as [`of_parts`] of a folder whose events stand customer by customer, in one pass; none where
/// they do not.
pub(crate) fn streamed(
    spec: &FeatureSpec,
    data: &Path,
    wanted: Wanted<'_>,
) -> Result<Option<Segments>, TableError> {
    let Some(mut adding) = Adding::new(spec) else {
        return Ok(Some(Segments::default()));
    };
    let Some(folder) = open_histories(data)? else {
        return Ok(None);
    };
    let empty = Adding {
        pooling: adding.pooling.clone(),
        weeks: Weeks::new(),
    };
    let part = |memory: &mut PoolingMemory, some: &[(CustomerId, History)]| {
        empty.part(memory, some.iter().map(|(_, history)| history), wanted)
    };
    let whole = folder.each(PoolingMemory::default, part, |parts| {
        parts.into_iter().for_each(|weeks| adding.take(weeks));
        Ok(())
    })?;
    Ok(whole.then(|| adding.end()))
}

/// Weeks of a world that is lived day by day.
pub(crate) struct Lived {
    pooling: Option<Pooling>,
    segments: Segments,
}

impl Lived {
    pub(crate) fn new(spec: &FeatureSpec) -> Self {
        let pooling = Pooling::new(spec);
        let segments = pooling.as_ref().map(Segments::of);
        Self {
            segments: segments.unwrap_or_default(),
            pooling,
        }
    }

    /// Adds everybody up, where `now` is the first to look at its week.
    pub(crate) fn until<'h>(
        &mut self,
        now: Timestamp,
        histories: impl Iterator<Item = &'h History>,
    ) {
        let Some(pooling) = &self.pooling else {
            return;
        };
        let at = week_of(now);
        let last = self.segments.begin().next_back();
        if last == Some(at) {
            return;
        }
        let (mut week, mut memory) = (pooling.begin(at), PoolingMemory::default());
        histories.for_each(|history| pooling.add(&mut memory, history, &mut week));
        last.into_iter().for_each(|last| self.segments.remove(last));
        self.segments.put(Arc::new(week));
    }

    pub(crate) fn segments(&self) -> &Segments {
        &self.segments
    }
}
