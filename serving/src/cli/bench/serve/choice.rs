//! What the pure decision costs on one core, before and after something has been learnt.

use super::company;
use crate::cli::answer::Failure;
use crate::engine::Engine;
use lagom_features::Segments;
use lagom_features::domain::{CustomerId, DecisionId, InvoiceId, RequestId};
use lagom_model::decide::{PolicyKind, Request, Snapshot, Workspace, decide};
use lagom_model::log::{Decision, LoggedRound, Outcome};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Decisions timed at once; the median of [`BATCHES`] batches is reported.
const TOGETHER: usize = 100;
const BATCHES: usize = 30;
/// Outcomes that the bandit has learnt from.
pub(super) const OUTCOMES: usize = 5_000;

/// Microseconds a decision.
pub(super) struct Choice {
    pub(super) untaught_us: f64,
    pub(super) taught_us: f64,
    /// How many actions could be chosen on average.
    pub(super) eligible: usize,
}

pub(super) fn measure(
    engine: &Engine,
    runtime: &Runtime,
    customers: usize,
) -> Result<Choice, Failure> {
    let mut bench = Bench {
        engine,
        runtime,
        customers,
        workspace: Workspace::new(),
    };
    let untaught = engine.snapshot();
    let mut learning = engine
        .config()
        .nothing_learnt(untaught.extractor().fingerprint())?;
    for n in 0..OUTCOMES {
        let (decision, _) = bench.decide(&untaught, n, Some(PolicyKind::Uniform))?;
        learning.fold(&seen(decision, n))?;
    }
    let taught = untaught.with_generation(learning.publish()?)?;
    let (untaught_us, _) = bench.timed(&untaught)?;
    let (taught_us, eligible) = bench.timed(&taught)?;
    Ok(Choice {
        untaught_us,
        taught_us,
        eligible,
    })
}

struct Bench<'a> {
    engine: &'a Engine,
    runtime: &'a Runtime,
    customers: usize,
    workspace: Workspace,
}

impl Bench<'_> {
    fn decide(
        &mut self,
        snapshot: &Snapshot,
        n: usize,
        policy: Option<PolicyKind>,
    ) -> Result<(Decision, Duration), Failure> {
        let question = company::question(n % self.customers, String::new());
        let customer_id = CustomerId::new(question.customer_id)?;
        let (engine, workspace) = (self.engine, &mut self.workspace);
        let now = engine.clock().now();
        let decided = self
            .runtime
            .block_on(engine.with_history(&customer_id, |history| {
                let request = Request {
                    tenant: engine.tenant().clone(),
                    decision_id: DecisionId::new(format!("bench-{n}"))?,
                    request_id: RequestId::new("bench")?,
                    customer_id: customer_id.clone(),
                    invoice_id: InvoiceId::new(question.invoice_id)?,
                    history,
                    segments: Segments::none(),
                    now,
                    reserved: &[],
                    allowed_channels: None,
                    arm: None,
                    policy,
                };
                let started = Instant::now();
                let decision = decide(snapshot, &request, workspace)?;
                Ok::<_, Failure>((decision, started.elapsed()))
            }));
        decided.ok_or("a customer that was recorded is not known")?
    }

    fn timed(&mut self, snapshot: &Snapshot) -> Result<(f64, usize), Failure> {
        let mut eligible = 0;
        let mut batches = Vec::with_capacity(BATCHES);
        for batch in 0..BATCHES {
            let mut spent = Duration::ZERO;
            for n in 0..TOGETHER {
                let (decision, took) = self.decide(snapshot, batch * TOGETHER + n, None)?;
                spent += took;
                eligible += decision.eligible.len();
            }
            batches.push(spent.as_secs_f64() * 1e6 / TOGETHER as f64);
        }
        batches.sort_by(f64::total_cmp);
        Ok((batches[BATCHES / 2], eligible / (BATCHES * TOGETHER)))
    }
}

/// A made-up outcome: messages help a little, and now and then somebody complains.
fn seen(decision: Decision, n: usize) -> LoggedRound {
    let paid = n % 7 < if decision.action.is_wait() { 3 } else { 4 };
    let outcome = Outcome {
        collected_minor: if paid { 45_000 } else { 0 },
        paid,
        churned: n.is_multiple_of(97),
        complaint: n.is_multiple_of(89),
        support_contacts: u32::from(n.is_multiple_of(31)),
        opt_out: n.is_multiple_of(83),
        ..Outcome::quiet(decision.decision_id.clone(), decision.decided_at, 45_000)
    };
    LoggedRound { decision, outcome }
}
