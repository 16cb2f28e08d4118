//! A world's months under a given snapshot, without a server: canonical tables and a decision log
//! with a known truth behind them.

use crate::nightly::{ASKS_AT, Nightly, Planned};
use crate::segments::Lived;
use crate::simulator::{Life, Sent, Tally, World};
use crate::tables::Tables;
use lagom_features::domain::{
    Action, Customer, CustomerId, Date, Days, DecisionId, Event, EventId, EventType, Invoice,
    RequestId, TenantId, Timestamp,
};
use lagom_features::{History, Inserted, Ledger, Recorded};
use lagom_model::bandit::BanditError;
use lagom_model::decide::{
    DecideError, PolicyKind, Request, Snapshot, SnapshotError, Workspace, decide,
};
use lagom_model::guardrails::Facts;
use lagom_model::log::{Choice, Decision, LoggedRound, Outcome, RuleId};
use lagom_model::outcome::mature;
use lagom_model::policy::learning::Learning;
use std::collections::HashMap;
use thiserror::Error;

/// How long a world is lived, and by how many.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The world.
    pub world: World,
    /// People in it.
    pub customers: usize,
    /// Days lived.
    pub days: u16,
    /// The first day.
    pub start: Date,
    /// Of the world's luck and, through the decisions' ids, of the draws.
    pub seed: u64,
    /// Cash is judged on invoices due from the first to the second day.
    pub judged: (Date, Date),
    /// After which outcomes count, in days.
    pub window_days: u16,
    /// Hours after the window in which late reports still count.
    pub grace_hours: u16,
    /// Who decides.
    pub policy: PolicyKind,
}

/// Why a log cannot be simulated.
#[derive(Debug, Error)]
pub enum SimulationError {
    /// The snapshot cannot decide.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// The bandit cannot learn from an outcome.
    #[error(transparent)]
    Learn(#[from] BanditError),
    /// What was learnt does not fit the snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// What a company has after those months.
#[derive(Debug, Clone, Default)]
pub struct SimulatedLog {
    /// Who is invoiced.
    pub customers: Vec<Recorded<Customer>>,
    /// What was invoiced.
    pub invoices: Vec<Recorded<Invoice>>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What was decided, in order.
    pub decisions: Vec<Decision>,
    /// What became of the decisions whose windows have closed.
    pub outcomes: Vec<Outcome>,
    /// The truth, counted by the world.
    pub truth: Tally,
}

impl From<SimulatedLog> for Tables {
    fn from(log: SimulatedLog) -> Self {
        Self {
            customers: log.customers,
            invoices: log.invoices,
            events: log.events,
            decisions: log.decisions,
            outcomes: log.outcomes,
        }
    }
}

/// Lives `plan` under `snapshot`; every step is re-checked by the guardrails right before it is
/// carried out, as a sender would ask. With `learning`, the policy learns every night from the
/// outcomes whose windows have closed, as the server's learner does.
///
/// # Errors
/// [`SimulationError`] where snapshot and learning do not fit together.
pub fn simulate(
    plan: &Plan,
    snapshot: Snapshot,
    learning: Option<&mut Learning>,
    each_day: impl FnMut(),
) -> Result<SimulatedLog, SimulationError> {
    simulate_watched(plan, snapshot, learning, None, each_day)
}

/// What an onlooker sees of a decision that was just made.
pub struct Seen<'a> {
    /// The world, with its truth.
    pub life: &'a Life,
    /// What decided.
    pub snapshot: &'a Snapshot,
    /// What was asked.
    pub request: &'a Request<'a>,
    /// What was decided.
    pub decision: &'a Decision,
    /// Outcomes counted so far.
    pub matured: usize,
}

/// Looks on at every decision with the world's truth before its eyes, and may have another of the
/// eligible steps taken instead.
pub trait Onlooker {
    /// The step to take in the decision's place; `None` leaves it.
    ///
    /// # Errors
    /// [`SimulationError`] where the decision cannot be judged.
    fn look(&mut self, seen: &Seen<'_>) -> Result<Option<Action>, SimulationError>;
}

/// The same with an onlooker.
///
/// # Errors
/// As for [`simulate`], and what the onlooker returns.
pub fn simulate_watched<'a>(
    plan: &'a Plan,
    snapshot: Snapshot,
    learning: Option<&'a mut Learning>,
    onlooker: Option<&'a mut (dyn Onlooker + 'a)>,
    mut each_day: impl FnMut(),
) -> Result<SimulatedLog, SimulationError> {
    let end = plan.start.plus_days(i32::from(plan.days));
    let mut run = Run {
        plan,
        lived: Lived::new(&snapshot.parts().spec),
        snapshot,
        learning,
        onlooker,
        histories: HashMap::new(),
        nightly: Nightly::default(),
        workspace: Workspace::new(),
        log: SimulatedLog::default(),
    };
    let mut life = Life::begin(
        plan.world.clone(),
        plan.customers,
        plan.seed,
        plan.start,
        plan.judged,
    );
    run.describe(&life);
    while life.today() < end {
        run.mature(life.today().at(ASKS_AT, &plan.world.time_zone))?;
        run.ask(&life)?;
        run.send(&mut life);
        let day = life.live_day();
        for invoice in day.invoices {
            let history = run
                .histories
                .entry(invoice.customer_id.clone())
                .or_default();
            history.record_invoice(invoice.issued_at, invoice.clone());
            run.log.invoices.push(Recorded::at_issue(invoice));
        }
        run.record(day.events);
        each_day();
    }
    run.mature(end.start(&plan.world.time_zone))?;
    run.log.truth = life.tally().clone();
    Ok(run.log)
}

struct Run<'a> {
    plan: &'a Plan,
    snapshot: Snapshot,
    learning: Option<&'a mut Learning>,
    onlooker: Option<&'a mut (dyn Onlooker + 'a)>,
    histories: HashMap<CustomerId, History>,
    lived: Lived,
    /// Steps to be carried out, by their places in the log of decisions.
    nightly: Nightly<usize>,
    workspace: Workspace,
    log: SimulatedLog,
}

impl Run<'_> {
    fn describe(&mut self, life: &Life) {
        for customer in life.customers() {
            let history = self
                .histories
                .entry(customer.customer_id.clone())
                .or_default();
            history.record_customer(customer.created_at, customer.clone());
            self.log
                .customers
                .push(Recorded::at_creation(customer.clone()));
        }
    }

    fn record(&mut self, events: Vec<Event>) {
        for event in events {
            let history = self.histories.entry(event.customer_id.clone()).or_default();
            if history.record_event(&event) == Inserted::New {
                self.log.events.push(event);
            }
        }
    }

    fn ask(&mut self, life: &Life) -> Result<(), SimulationError> {
        let zone = &self.plan.world.time_zone;
        let now = life.today().at(ASKS_AT, zone);
        self.lived.until(now, self.histories.values());
        for (customer_id, invoice_id) in self.nightly.questions(life, now) {
            let number = self.log.decisions.len();
            let id = format!("s{}-{number:08}", self.plan.seed);
            let history = &self.histories[&customer_id];
            let request = Request {
                tenant: TenantId::default(),
                decision_id: DecisionId::new(id.clone()).expect("a number makes an id"),
                request_id: RequestId::new(id).expect("a number makes an id"),
                customer_id,
                invoice_id,
                history,
                segments: self.lived.segments(),
                now,
                reserved: &[],
                allowed_channels: None,
                arm: None,
                policy: Some(self.plan.policy),
            };
            let mut decision = decide(&self.snapshot, &request, &mut self.workspace)?;
            if let Some(onlooker) = self.onlooker.as_deref_mut() {
                let seen = Seen {
                    life,
                    snapshot: &self.snapshot,
                    request: &request,
                    decision: &decision,
                    matured: self.log.outcomes.len(),
                };
                if let Some(action) = onlooker.look(&seen)? {
                    self.replace(&mut decision, action, history);
                }
            }
            self.nightly
                .ask_again(decision.invoice_id.clone(), decision.next_evaluation_at);
            if !decision.action.is_wait() {
                let send_at = decision.send_at.unwrap_or(now);
                let step = Planned {
                    customer_id: decision.customer_id.clone(),
                    invoice_id: decision.invoice_id.clone(),
                    send_at,
                    advice: number,
                };
                self.nightly.plan(send_at.date(zone), step);
            }
            self.log.decisions.push(decision);
        }
        Ok(())
    }

    /// Has `action` taken with certainty, in the slot that the guardrails judged.
    fn replace(&self, decision: &mut Decision, action: Action, history: &History) {
        let now = decision.decided_at;
        let view = history.as_of(now);
        let facts = Facts::of(&view, &Ledger::of(&view), &decision.invoice_id);
        let slot = facts.and_then(|facts| Some(facts.slot(action.timing?)));
        let pace = self.snapshot.pace();
        let pause = if action.is_wait() {
            pace.after_wait_days
        } else {
            pace.after_step_days
        };
        (decision.send_at, decision.send_until) = slot.unzip();
        let from = decision.send_until.unwrap_or(now);
        decision.next_evaluation_at = from + Days::whole(i64::from(pause));
        decision.fee_minor = self.snapshot.strategy().fee_minor(&action);
        decision.eligible = vec![Choice {
            action: action.id(),
            probability: 1.0,
        }];
        decision.probability = 1.0;
        decision.policy = "onlooker".to_owned();
        decision.action = action;
    }

    fn send(&mut self, life: &mut Life) {
        for step in self.nightly.due(life.today()) {
            let decision = self.log.decisions[step.advice].clone();
            let at = step.send_at;
            let refused = self.refused(&decision, at);
            let events = match refused {
                Some(rule) => vec![skipped(&decision, rule.into(), at)],
                None => life.receive(&Sent {
                    decision_id: &decision.decision_id,
                    customer_id: &decision.customer_id,
                    invoice_id: &decision.invoice_id,
                    action: &decision.action,
                    at,
                }),
            };
            self.record(events);
        }
    }

    /// The first rule that forbids the step now, if any.
    fn refused(&self, decision: &Decision, at: Timestamp) -> Option<RuleId> {
        let view = self.histories[&decision.customer_id].as_of(at);
        let ledger = Ledger::of(&view);
        let facts = Facts::of(&view, &ledger, &decision.invoice_id)?;
        self.snapshot
            .guardrails()
            .recheck(&facts, &decision.action, decision.fee_minor, at)
            .into_iter()
            .next()
    }

    /// Counts the outcomes whose windows have closed, in the order of their decisions, and learns
    /// from them.
    fn mature(&mut self, now: Timestamp) -> Result<(), SimulationError> {
        while let Some(decision) = self.log.decisions.get(self.log.outcomes.len()) {
            let history = &self.histories[&decision.customer_id];
            let objective = &self.snapshot.parts().objective;
            let window = self.plan.window_days;
            let due = decision.decided_at
                + Days::whole(i64::from(window))
                + Days::hours(i64::from(self.plan.grace_hours));
            if now < due {
                break;
            }
            let Some(outcome) = mature(decision, history, objective, window, due) else {
                break;
            };
            if let Some(learning) = self.learning.as_deref_mut() {
                learning.fold(&LoggedRound {
                    decision: decision.clone(),
                    outcome: outcome.clone(),
                })?;
            }
            self.log.outcomes.push(outcome);
        }
        if let Some(learning) = self.learning.as_deref_mut()
            && let Some(generation) = learning.refresh()?
        {
            self.snapshot = self.snapshot.with_generation(generation)?;
        }
        Ok(())
    }
}

fn skipped(decision: &Decision, rule: String, at: Timestamp) -> Event {
    let id = format!("skipped-{}", decision.decision_id);
    let mut event = Event::new(
        EventId::new(id).expect("an id makes an id"),
        EventType::ContactSkipped,
        decision.customer_id.clone(),
        at,
        at,
    );
    event.invoice_id = Some(decision.invoice_id.clone());
    event.decision_id = Some(decision.decision_id.clone());
    event.reason = Some(rule);
    event
}
