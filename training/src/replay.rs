//! The past under another pack or strategy: every logged decision made again.
//!
//! Each decision is made from what was known then, in the past that the replay itself has made:
//! its own messages stand where the logged ones were. What customers did stays as it was, so that
//! contacts, fees and claims are those of the other rules, but nobody pays earlier or later for
//! them; features by segment are those of the customers as they lived. What a whole life under another policy is worth is a question for off-policy evaluation.

mod disparity;
mod past;
mod tally;

pub use disparity::Group;
pub use tally::{Change, Refusals, Tally};

use disparity::Treatment;
use past::Past;

use crate::segments;
use crate::tables::{Partitions, TableError, Tables};
use lagom_features::domain::{Days, Timestamp};
use lagom_features::{History, Segments};
use lagom_model::decide::{DecideError, PolicyKind, Request, Snapshot, Workspace, decide};
use lagom_model::log::Decision;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use thiserror::Error;

/// Why the past cannot be replayed.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No decision lies in the period.
    #[error("{dir} has no decision in that period; lagom export writes those of a server")]
    Nothing {
        /// The folder.
        dir: String,
    },
    /// The policy cannot decide.
    #[error("decision {decision_id}: {source}")]
    Decide {
        /// Which.
        decision_id: String,
        /// Why.
        source: DecideError,
    },
}

/// Which decisions, and who decides.
#[derive(Debug, Clone, Copy)]
pub struct ReplayOptions {
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// Which policy of the snapshot decides.
    pub policy: PolicyKind,
    /// Whether each decision sees the past as it was lived, with the logged messages in it.
    pub as_lived: bool,
    /// For how long a person who is asked keeps a case to herself.
    pub review: Days,
    /// About how many events are held in memory at once.
    pub events_at_once: u64,
}

/// The log and the replay, side by side.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Replay {
    /// Decisions made again.
    pub decisions: u64,
    /// Decisions whose customer or invoice the tables do not know at that instant.
    pub unknown: u64,
    /// Decisions of which another action comes out.
    pub differ: u64,
    /// What was decided.
    pub logged: Tally,
    /// What would be decided.
    pub replayed: Tally,
    /// Logged actions that the rules or the strategy would not allow, by reason.
    pub not_allowed: BTreeMap<String, u64>,
    /// What each rule refuses.
    pub refusals: BTreeMap<String, Refusals>,
    /// How harshly each group of customers was dealt with, beside all.
    pub logged_by_group: Vec<Group>,
    /// How harshly each group would be dealt with.
    pub replayed_by_group: Vec<Group>,
    /// Which kind of action becomes which, the most frequent first.
    pub changes: Vec<Change>,
}

/// The reason of an action that the strategy does not have.
pub const NOT_IN_STRATEGY: &str = "not in the strategy";

/// Makes the decisions in `data` again with `snapshot`.
///
/// # Errors
/// [`ReplayError`].
pub fn replay(
    data: &Path,
    snapshot: &Snapshot,
    options: &ReplayOptions,
    mut progress: impl FnMut(usize, usize),
) -> Result<Replay, ReplayError> {
    let parts = Partitions::of(data, options.events_at_once, &std::env::temp_dir())?;
    let mut replay = Replay::default();
    let mut changes = BTreeMap::new();
    let (mut before, mut after) = (Treatment::default(), Treatment::default());
    let again = |decision: &Decision| {
        options.from.is_none_or(|from| from <= decision.decided_at)
            && options
                .until
                .is_none_or(|until| decision.decided_at < until)
    };
    let segments = segments::of_logged(&snapshot.parts().spec, &parts, again)?;
    for (done, folder) in parts.folders().iter().enumerate() {
        progress(done, parts.folders().len());
        let mut tables = Tables::read(folder)?;
        let histories = tables.take_histories();
        tables.decisions.retain(again);
        let by_customer = by_customer(&tables.decisions);
        let again: Vec<_> = by_customer
            .par_iter()
            .map_init(Workspace::new, |workspace, decisions| {
                let Some(history) = histories.get(&decisions[0].customer_id) else {
                    return Ok(None);
                };
                let past = (history, &segments);
                remake(decisions, past, snapshot, options, workspace).map(Some)
            })
            .collect();
        for (decisions, again) in by_customer.iter().zip(again) {
            let Some(again) = again? else {
                replay.unknown += decisions.len() as u64;
                continue;
            };
            let history = &histories[&decisions[0].customer_id];
            for (logged, again) in decisions.iter().zip(again) {
                let Some(again) = again else {
                    replay.unknown += 1;
                    continue;
                };
                replay.take(logged, &again, history, snapshot, &mut changes);
                if let Some(customer) = history.as_of(logged.decided_at).customer() {
                    before.take(logged, customer);
                    after.take(&again, customer);
                }
            }
        }
    }
    if replay.decisions + replay.unknown == 0 {
        let dir = data.display().to_string();
        return Err(ReplayError::Nothing { dir });
    }
    replay.changes = tally::ranked(changes);
    replay.logged_by_group = before.table();
    replay.replayed_by_group = after.table();
    Ok(replay)
}

/// The decisions of each customer in the order in which they were made.
fn by_customer(decisions: &[Decision]) -> Vec<Vec<&Decision>> {
    let mut all: BTreeMap<_, Vec<&Decision>> = BTreeMap::new();
    for decision in decisions {
        all.entry(&decision.customer_id).or_default().push(decision);
    }
    let mut all: Vec<_> = all.into_values().collect();
    for decisions in &mut all {
        decisions.sort_by_key(|one| (one.decided_at, &one.decision_id));
    }
    all
}

/// One customer's decisions made again; none of a decision whose customer or invoice was not known.
fn remake(
    decisions: &[&Decision],
    (lived, segments): (&History, &Segments),
    snapshot: &Snapshot,
    options: &ReplayOptions,
    workspace: &mut Workspace,
) -> Result<Vec<Option<Decision>>, ReplayError> {
    let mut past = Past::of(lived);
    let mut made = Vec::with_capacity(decisions.len());
    for &logged in decisions {
        let request = Request {
            tenant: logged.tenant.clone(),
            decision_id: logged.decision_id.clone(),
            request_id: logged.request_id.clone(),
            customer_id: logged.customer_id.clone(),
            invoice_id: logged.invoice_id.clone(),
            history: past.history(),
            segments,
            now: logged.decided_at,
            reserved: &[],
            allowed_channels: None,
            arm: None,
            policy: Some(options.policy),
        };
        let again = match decide(snapshot, &request, workspace) {
            Ok(again) => again,
            Err(DecideError::Customer(_) | DecideError::Invoice { .. }) => {
                made.push(None);
                continue;
            }
            Err(source) => {
                return Err(ReplayError::Decide {
                    decision_id: logged.decision_id.to_string(),
                    source,
                });
            }
        };
        if !options.as_lived && again.action != logged.action {
            past.replace(logged, &again, options.review);
        }
        made.push(Some(again));
    }
    Ok(made)
}

impl Replay {
    fn take(
        &mut self,
        logged: &Decision,
        again: &Decision,
        history: &History,
        snapshot: &Snapshot,
        changes: &mut BTreeMap<(String, String), u64>,
    ) {
        self.decisions += 1;
        let invoice = history.as_of(logged.decided_at).invoice(&logged.invoice_id);
        let currency = invoice.map(|invoice| invoice.amount.currency);
        self.logged.take(logged, currency);
        self.replayed.take(again, currency);
        if logged.action != again.action {
            self.differ += 1;
            let kinds = (tally::words(&logged.action), tally::words(&again.action));
            *changes.entry(kinds).or_default() += 1;
        }
        let id = logged.action.id();
        let refused = again.blocked.iter().find(|blocked| blocked.action == id);
        let reason = match refused {
            Some(blocked) => Some(blocked.rule.as_str()),
            None if snapshot.strategy().place(&logged.action).is_none() => Some(NOT_IN_STRATEGY),
            None => None,
        };
        if let Some(reason) = reason {
            *self.not_allowed.entry(reason.to_owned()).or_default() += 1;
        }
        let mut seen: Vec<&str> = Vec::new();
        for blocked in &again.blocked {
            let refusals = self.refusals.entry(blocked.rule.to_string()).or_default();
            refusals.actions += 1;
            if !seen.contains(&blocked.rule.as_str()) {
                seen.push(blocked.rule.as_str());
                refusals.decisions += 1;
            }
        }
    }
}
