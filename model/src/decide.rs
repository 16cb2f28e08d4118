//! One decision, from what is known to what is logged: synchronous and pure.
//!
//! ```text
//! history ─as_of(now)→ view → features → propensity, churn
//!                        └──→ facts → guardrails → eligible ─policy→ distribution ─draw→ decision
//! ```
//! Everything it depends on is in its arguments, so a logged decision can be replayed to the bit.

mod choose;
mod reason;
mod revisit;
mod snapshot;

pub use choose::Workspace;
pub use revisit::Revisitor;
pub use snapshot::{
    ColdStart, Pace, PolicyKind, Predictor, Snapshot, SnapshotError, SnapshotParts,
};

use crate::bandit::BanditError;
use crate::guardrails::facts::Reserved;
use crate::guardrails::{Facts, Verdict};
use crate::log::{Blocked, Choice, Decision};
use choose::{Case, Chosen};
use lagom_features::domain::{
    Channel, CustomerId, Days, DecisionId, InvoiceId, RequestId, TenantId, Timestamp,
};
use lagom_features::{ExtractError, History, Ledger, Segments};
use thiserror::Error;

/// Why no decision can be made.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DecideError {
    /// The customer was never described.
    #[error("customer `{0}` is not known; record the customer first")]
    Customer(CustomerId),
    /// The invoice was never recorded, or only later.
    #[error("invoice `{invoice_id}` of customer `{customer_id}` is not known before {now}")]
    Invoice {
        /// Which.
        invoice_id: InvoiceId,
        /// Whose.
        customer_id: CustomerId,
        /// The instant decided at.
        now: Timestamp,
    },
    /// The spec has features by segment, and what they are pooled to is not at hand.
    #[error("the features by segment as of {week} are not at hand")]
    Week {
        /// The beginning of the week.
        week: Timestamp,
    },
    /// The policy's state does not fit the catalogue; a snapshot is built so that it does.
    #[error("the policy cannot score the catalogue: {0}")]
    Policy(#[from] BanditError),
}

impl DecideError {
    /// Why the vector of an invoice of this customer could not be made.
    fn extracting(error: ExtractError, customer_id: &CustomerId) -> Self {
        match error {
            ExtractError::Invoice { invoice_id, now } => Self::Invoice {
                invoice_id,
                customer_id: customer_id.clone(),
                now,
            },
            ExtractError::Week { week } => Self::Week { week },
        }
    }
}

/// Who asks about what, and when.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Namespace.
    pub tenant: TenantId,
    /// Key of the decision to be made; it seeds the draw.
    pub decision_id: DecisionId,
    /// The caller's idempotency key.
    pub request_id: RequestId,
    /// About whom.
    pub customer_id: CustomerId,
    /// About which invoice.
    pub invoice_id: InvoiceId,
    /// Everything recorded of the customer.
    pub history: &'a History,
    /// What all customers are pooled to, for a spec with features by segment.
    pub segments: &'a Segments,
    /// The instant whose past is looked at.
    pub now: Timestamp,
    /// Steps about this customer that have been let through and not been reported yet.
    pub reserved: &'a [Reserved],
    /// Channels the caller can use; all where `None`.
    pub allowed_channels: Option<Vec<Channel>>,
    /// Experiment and arm that the customer is in.
    pub arm: Option<(String, String)>,
    /// The policy that decides, where it is not the snapshot's own: that of the arm.
    pub policy: Option<PolicyKind>,
}

/// Decides.
///
/// # Errors
/// [`DecideError`] where the customer or invoice is not known at `now`, or the week of its features by
/// segment is not at hand.
pub fn decide(
    snapshot: &Snapshot,
    request: &Request<'_>,
    workspace: &mut Workspace,
) -> Result<Decision, DecideError> {
    let view = request.history.as_of(request.now);
    let customer = view
        .customer()
        .ok_or_else(|| DecideError::Customer(request.customer_id.clone()))?;
    let ledger = Ledger::in_memory(&view, &mut workspace.ledger);
    let facts = Facts::of(&view, &ledger, &request.invoice_id);
    let mut facts = facts.ok_or_else(|| DecideError::Invoice {
        invoice_id: request.invoice_id.clone(),
        customer_id: request.customer_id.clone(),
        now: request.now,
    })?;
    facts.reserve(&request.invoice_id, request.reserved);
    let mut features = Vec::with_capacity(snapshot.extractor().width());
    let memory = &mut workspace.extraction;
    snapshot
        .extractor()
        .extract_among(
            memory,
            &view,
            &ledger,
            &request.invoice_id,
            request.segments,
            &mut features,
        )
        .map_err(|error| DecideError::extracting(error, &request.customer_id))?;
    ledger.recycle(&mut workspace.ledger);
    let (payment_propensity, churn_risk) = snapshot.predict(&features, facts.moment);
    facts.early_risk = snapshot.early_risk(&features, facts.moment);

    let strategy = snapshot.strategy();
    snapshot.guardrails().screen(
        &facts,
        strategy,
        request.allowed_channels.as_deref(),
        &mut workspace.verdicts,
    );
    let case = Case {
        facts: &facts,
        features: &features,
        payment_propensity,
        churn_risk,
        outstanding_minor: facts.outstanding_minor,
        annual_margin_minor: customer.annual_margin_minor,
        decision_id: &request.decision_id,
    };
    let policy = request.policy.unwrap_or(snapshot.policy());
    let chosen = choose::choose(snapshot, policy, &case, workspace)?;
    Ok(record(
        snapshot,
        request,
        &facts,
        features,
        (payment_propensity, churn_risk),
        chosen,
        &workspace.verdicts,
    ))
}

fn record(
    snapshot: &Snapshot,
    request: &Request<'_>,
    facts: &Facts,
    features: Vec<f64>,
    (payment_propensity, churn_risk): (Option<f64>, Option<f64>),
    chosen: Chosen,
    verdicts: &[Verdict],
) -> Decision {
    let (catalogue, ids) = (snapshot.strategy().catalogue(), snapshot.strategy().ids());
    let action = catalogue[chosen.action].clone();
    // The slot that the rules judged: in the customer's zone or, unknown, the country's.
    let slot = action.timing.map(|timing| facts.slot(timing));
    let (send_at, send_until) = slot.unzip();
    let pace = snapshot.pace();
    let pause = if action.is_wait() {
        pace.after_wait_days
    } else {
        pace.after_step_days
    };
    let from = send_until.unwrap_or(request.now);
    let blocked = verdicts
        .iter()
        .zip(ids)
        .filter_map(|(verdict, id)| match verdict {
            Verdict::Allowed => None,
            Verdict::Refused(rule) => Some(Blocked {
                action: id.clone(),
                rule: snapshot.guardrails().rule(*rule).id.clone(),
            }),
        })
        .collect();
    let (experiment, arm) = request.arm.clone().unzip();
    Decision {
        tenant: request.tenant.clone(),
        decision_id: request.decision_id.clone(),
        request_id: request.request_id.clone(),
        decided_at: request.now,
        customer_id: request.customer_id.clone(),
        invoice_id: request.invoice_id.clone(),
        fee_minor: snapshot.strategy().fee_minor(&action),
        price_minor: snapshot.strategy().price_minor(&action),
        shadow_price_minor: chosen.shadow_price_minor,
        send_at,
        send_until,
        next_evaluation_at: from + Days::whole(i64::from(pause)),
        probability: chosen.probability,
        reason: reason::reason(&action, &chosen, snapshot.guardrails(), verdicts),
        eligible: chosen
            .distribution
            .iter()
            .map(|&(place, probability)| Choice {
                action: ids[place].clone(),
                probability,
            })
            .collect(),
        action,
        blocked,
        features,
        feature_fingerprint: snapshot.extractor().fingerprint().to_owned(),
        model_id: snapshot.model_id().map(str::to_owned),
        policy: chosen.policy.name().to_owned(),
        policy_generation: chosen.generation,
        objective_id: snapshot.objective_id().to_owned(),
        strategy_id: snapshot.strategy().id().to_owned(),
        guardrail_pack: snapshot.guardrails().pack().to_owned(),
        draw: chosen.draw,
        experiment,
        arm,
        payment_propensity,
        churn_risk,
        expected_value: chosen.expected_value,
        fallback: chosen.fallback,
    }
}
