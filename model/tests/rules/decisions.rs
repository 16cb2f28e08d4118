//! Whole decisions under the rules: what is left open, with which probability, and what is said.

use crate::case::{Case, invoice_id};
use lagom_features::domain::{
    CustomerId, DecisionId, EventType, Money, RequestId, TenantId, Timestamp,
};
use lagom_features::spec::FeatureSpec;
use lagom_model::bandit::BanditConfig;
use lagom_model::decide::{
    ColdStart, Pace, PolicyKind, Request, Snapshot, SnapshotParts, Workspace, decide,
};
use lagom_model::log::Decision;
use lagom_model::objective::Objective;
use lagom_model::policy::context::{Context, default_entries};
use lagom_model::policy::learning::Learning;
use lagom_model::strategy::Strategy;
use std::sync::Arc;

/// A server's snapshot before it has learnt anything.
pub(crate) fn snapshot(case: &Case, strategy: Strategy, policy: PolicyKind) -> Snapshot {
    let spec = FeatureSpec::built_in();
    let context = Context::bind(&default_entries(), &spec.names()).unwrap();
    let strategy = Arc::new(strategy);
    let learning = Learning::new(
        Arc::clone(&strategy),
        context.clone(),
        spec.fingerprint(),
        BanditConfig::default(),
    );
    Snapshot::new(SnapshotParts {
        spec,
        model: None,
        strategy,
        guardrails: Arc::new(case.guardrails()),
        objective: Objective::default(),
        context,
        generation: Arc::clone(learning.unwrap().generation()),
        policy,
        paused: false,
        cold_start: ColdStart::default(),
        pace: Pace::default(),
    })
    .unwrap()
}

/// What `snapshot` decides about the invoice of `case`; `name` seeds the draw.
pub(crate) fn decision(case: &Case, snapshot: &Snapshot, name: &str) -> Decision {
    let request = Request {
        tenant: TenantId::default(),
        decision_id: DecisionId::new(name).unwrap(),
        request_id: RequestId::new(name).unwrap(),
        customer_id: CustomerId::new("c").unwrap(),
        invoice_id: invoice_id("i"),
        history: &case.history(),
        now: case.now,
        reserved: &[],
        allowed_channels: None,
        arm: None,
        policy: None,
    };
    decide(snapshot, &request, &mut Workspace::new()).unwrap()
}

fn paid(case: Case, at: Timestamp) -> Case {
    let owed = case.invoices[0].amount;
    case.event(EventType::PaymentSucceeded, &at.to_string(), |event| {
        event.amount = Some(Money::new(owed.minor_units, owed.currency));
    })
}

/// Found in the first decision's test: a policy that explores sent a person to look at a paid
/// invoice, fifteen times in a hundred.
#[test]
fn where_nothing_is_owed_only_waiting_is_open() {
    let open = Case::new("2026-11-01", "2026-11-23T06:00:00Z");
    let now = open.now;
    let paid = paid(open, crate::case::t("2026-11-20"));
    for policy in [PolicyKind::Ladder, PolicyKind::Uniform, PolicyKind::Bandit] {
        let snapshot = snapshot(&paid, Strategy::default(), policy);
        let decided = decision(&paid, &snapshot, "d");
        assert!(decided.action.is_wait());
        assert_eq!(decided.probability, 1.0);
        assert_eq!(decided.eligible.len(), 1);
        let blocked = decided.blocked.iter();
        assert!(blocked.clone().all(|one| one.rule == "global.closed"));
        assert_eq!(blocked.count(), snapshot.strategy().catalogue().len() - 1);
        let why = "nothing is owed, by rule global.closed";
        assert!(decided.reason.contains(why), "{}", decided.reason);
    }
    // Asked before the money came, a person is no longer to look at it.
    let review = "human_review.none.none.none".parse().unwrap();
    let rules = paid.guardrails().recheck(&paid.facts(), &review, 0, now);
    assert_eq!(rules, ["global.closed"]);
}
