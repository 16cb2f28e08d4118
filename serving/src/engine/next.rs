//! The next best action: decided, appended, answered.

use super::{Engine, Failure, reservations};
use crate::clock::Source;
use crate::convert::FieldFault;
use crate::customers::{Customer, CustomerState, after};
use crate::experiment::{Assignment, Place};
use crate::intake::Intake;
use crate::recording::{Recording, What};
use crate::store::Entry;
use crate::telemetry;
use lagom_features::domain::{Channel, CustomerId, DecisionId, InvoiceId, RequestId, Timestamp};
use lagom_features::{History, Segments};
use lagom_model::decide::{Request, Snapshot, Workspace, decide};
use lagom_model::guardrails::facts::Reserved;
use lagom_model::log::Decision;
use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument;
use uuid::Uuid;

/// How often a decision that waits for learning asks whether this process still learns.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How many weeks one decision may turn out to look at, one after the other: the one it is asked in, the
/// next where that begins meanwhile, and those of a spec that is put in force meanwhile.
const WEEKS: usize = 4;

thread_local! {
    /// Memory that deciding reuses; it holds nothing a decision depends on.
    static WORKSPACE: RefCell<Workspace> = RefCell::new(Workspace::new());
}

/// A well-formed question.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Idempotency key; without one a repetition is a new decision.
    pub request_id: Option<RequestId>,
    /// About whom.
    pub customer_id: CustomerId,
    /// About which invoice.
    pub invoice_id: InvoiceId,
    /// When; now if absent.
    pub as_of: Option<Timestamp>,
    /// Channels that the caller can use; all where `None`.
    pub allowed_channels: Option<Vec<Channel>>,
    /// Facts to record with the decision, each with its path.
    pub events: Vec<(String, Recording)>,
    /// Decide, but write nothing down.
    pub dry_run: bool,
}

impl Engine {
    /// Decides, and answers once the decision is on disk. A request that was answered before gets
    /// the same answer.
    ///
    /// # Errors
    /// [`Failure`]; nothing was decided or recorded then.
    pub async fn next_best_action(self: &Arc<Self>, ask: Ask) -> Result<Arc<Decision>, Failure> {
        let started = Instant::now();
        let at = self.instant(ask.as_of, ask.dry_run)?;
        for (path, event) in &ask.events {
            if event.customer_id() != &ask.customer_id {
                let reason = format!("is not `{}`, whom the request is about", ask.customer_id);
                return Err(FieldFault::new(format!("{path}.customer_id"), reason).into());
            }
            self.not_future(event, at, path)?;
        }
        if self.clock.source() == Source::Events && !ask.dry_run {
            // Who loses the lease meanwhile waits no longer: another one learns, or soon will.
            while self.leads()
                && tokio::time::timeout(LOOK_AGAIN, self.pending.settled(at))
                    .await
                    .is_err()
            {}
        }
        let ask = Arc::new(ask);
        let decision = self
            .caught_up(|| self.decide_apart(Arc::clone(&ask), at))
            .await?;
        self.metrics.decision(&decision, started.elapsed());
        Ok(decision)
    }

    async fn decide_apart(
        self: &Arc<Self>,
        ask: Arc<Ask>,
        at: Timestamp,
    ) -> Result<Arc<Decision>, Failure> {
        let describes = |event: &Recording| matches!(event.what, What::Customer(_));
        let mut everybody = self.everybody.held();
        for _ in 0..WEEKS {
            let customer = match self.customers.get(&ask.customer_id)? {
                Some(customer) => customer,
                None if ask.events.iter().any(|(_, event)| describes(event)) => {
                    self.customers.get_or_insert(&ask.customer_id)?
                }
                None => return Err(Failure::unknown("customer", &ask.customer_id)),
            };
            let (engine, ask) = (Arc::clone(self), Arc::clone(&ask));
            let held = Arc::clone(&everybody);
            let work = async move { engine.decide_locked(&ask, at, customer, &held).await };
            let work = tokio::spawn(work.in_current_span());
            let done = work.await;
            match done.map_err(|error| Failure::Internal(error.to_string()))? {
                // Everybody is added up without a lock on anybody.
                Err(Failure::Week(week)) => everybody = self.with_week(week).await?,
                done => return done,
            }
        }
        Err(Failure::Internal(
            "the features by segment are of another week each time".to_owned(),
        ))
    }

    /// Repetitions are rare, so the log is asked about the key only where deciding anew fails.
    async fn decide_locked(
        &self,
        ask: &Ask,
        at: Timestamp,
        customer: Customer,
        everybody: &Segments,
    ) -> Result<Arc<Decision>, Failure> {
        let mut state = customer.lock().await;
        if state.is_erased() {
            return Err(Failure::unknown("customer", &ask.customer_id));
        }
        match self.decide_anew(ask, at, &mut state, everybody).await {
            Ok(decision) => Ok(decision),
            Err(failure) => self.answered(ask).await?.map(Arc::new).ok_or(failure),
        }
    }

    async fn decide_anew(
        &self,
        ask: &Ask,
        at: Timestamp,
        state: &mut CustomerState,
        everybody: &Segments,
    ) -> Result<Arc<Decision>, Failure> {
        let staged = stage(state, at, &ask.events)?;
        let mut history = Cow::Borrowed(&state.history);
        let mut now = if ask.dry_run { at } else { state.stamp(at) };
        for recording in &staged {
            recording.clone().apply(history.to_mut());
            now = now.max(after(recording.recorded_at));
        }
        if !ask.dry_run {
            self.begin_phases(now).await?;
        }
        let live = self.live.load_full();
        let place = live.experiments.place(&ask.customer_id, &state.assignments);
        let own = live.arms.at(&place);
        let strategy = own.unwrap_or(&live.snapshot).strategy();
        let reserved = reservations::open(state, None, strategy, now);
        let drawn = assignments(&ask.customer_id, &place, now);
        // Where an experiment or the holdout says who decides, no candidate does.
        let degraded = self.is_degraded();
        let trial = live.trial.as_ref();
        let trial = trial.filter(|_| place.policy.is_none() && !degraded);
        let shadow = trial.filter(|trial| trial.is_shadow() && !ask.dry_run);
        let shadow = shadow.map(|trial| {
            let place = place.clone();
            let past = (&*history, everybody);
            self.decide(&trial.snapshot, ask, place, past, &reserved, now)
        });
        let canary = trial.filter(|trial| trial.takes(&ask.customer_id));
        // What an arm's own ladder or chance decides needs no standing in for.
        let decides = match (own, canary) {
            (Some(own), _) => own,
            (None, Some(trial)) => &trial.snapshot,
            (None, None) if degraded => &live.degraded,
            (None, None) => &live.snapshot,
        };
        let past = (&*history, everybody);
        let decision = Arc::new(self.decide(decides, ask, place, past, &reserved, now)?);
        if ask.dry_run {
            return Ok(decision);
        }
        let recordings = staged
            .iter()
            .cloned()
            .map(|one| Entry::Recorded(Box::new(one)));
        let decided = Entry::Decided(Arc::clone(&decision));
        let assigned = drawn.iter().cloned().map(Entry::Assigned);
        let entries = recordings.chain(assigned).chain([decided]);
        let entries = entries.chain(shadow.and_then(shadowed)).collect();
        self.append(entries).await?;
        self.watched(&staged);
        self.rollout().decided(&decision);
        staged.into_iter().for_each(|one| state.apply(one));
        state.assignments.extend(drawn);
        state.passed(now);
        self.pending.add(&decision);
        Ok(decision)
    }

    async fn answered(&self, ask: &Ask) -> Result<Option<Decision>, Failure> {
        let Some(id) = ask.request_id.as_ref().filter(|_| !ask.dry_run) else {
            return Ok(None);
        };
        let Some(decision) = self.store.answered(id).await? else {
            return Ok(None);
        };
        if decision.customer_id != ask.customer_id || decision.invoice_id != ask.invoice_id {
            return Err(used_before(ask).into());
        }
        Ok(Some(decision))
    }

    fn decide(
        &self,
        snapshot: &Snapshot,
        ask: &Ask,
        place: Place,
        (history, segments): (&History, &Segments),
        reserved: &[Reserved],
        now: Timestamp,
    ) -> Result<Decision, Failure> {
        let decision_id = self.decision_id(ask, now);
        let request_id = match &ask.request_id {
            Some(id) => id.clone(),
            None => RequestId::new(decision_id.as_str()).expect("a decision's id is an id"),
        };
        let request = Request {
            tenant: self.tenant.clone(),
            decision_id,
            request_id,
            customer_id: ask.customer_id.clone(),
            invoice_id: ask.invoice_id.clone(),
            history,
            segments,
            now,
            reserved,
            allowed_channels: ask.allowed_channels.clone(),
            arm: place.arm,
            policy: place.policy,
        };
        telemetry::step("decide").in_scope(|| {
            WORKSPACE.with_borrow_mut(|workspace| Ok(decide(snapshot, &request, workspace)?))
        })
    }

    /// A UUID of version 7: of the decision's time, then of the request's key, so that the same
    /// requests at the same times get the same ids, and with them the same draws.
    fn decision_id(&self, ask: &Ask, now: Timestamp) -> DecisionId {
        let rest: [u8; 10] = match &ask.request_id {
            None => {
                let random = Uuid::now_v7().into_bytes();
                std::array::from_fn(|i| random[i + 6])
            }
            Some(id) => {
                let mut hasher = blake3::Hasher::new();
                for part in [self.tenant.as_str(), id.as_str()] {
                    hasher.update(&(part.len() as u64).to_le_bytes());
                    hasher.update(part.as_bytes());
                }
                let digest = hasher.finalize();
                std::array::from_fn(|i| digest.as_bytes()[i])
            }
        };
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid();
        DecisionId::new(id.to_string()).expect("a uuid is an id")
    }
}

/// What a shadow would have decided, without what the decision itself says.
fn shadowed(decided: Result<Decision, Failure>) -> Option<Entry> {
    match decided {
        Ok(decision) => Some(Entry::Shadowed(Arc::new(Decision {
            features: Vec::new(),
            blocked: Vec::new(),
            reason: String::new(),
            ..decision
        }))),
        Err(error) => {
            tracing::warn!(%error, "the shadow did not decide");
            None
        }
    }
}

fn assignments(customer: &CustomerId, place: &Place, at: Timestamp) -> Vec<Assignment> {
    let drawn = place.drawn.iter().cloned();
    drawn
        .map(|(experiment, salt, arm)| Assignment {
            customer_id: customer.clone(),
            experiment,
            salt,
            arm,
            at,
        })
        .collect()
}

fn used_before(ask: &Ask) -> FieldFault {
    let id = ask.request_id.as_ref().map_or("", RequestId::as_str);
    FieldFault::new(
        "request_id",
        format!("`{id}` was used before for another customer or invoice; use a new one"),
    )
}

/// The events of a request, all of them or none.
fn stage(
    state: &CustomerState,
    at: Timestamp,
    events: &[(String, Recording)],
) -> Result<Vec<Recording>, FieldFault> {
    let mut intake = Intake::new(state, at);
    for (path, event) in events {
        intake.offer(event.clone(), path)?;
    }
    Ok(intake.accepted())
}
