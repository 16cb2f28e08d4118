//! Whole decisions under the rules: what is left open, with which probability, and what is said.

use crate::case::{Case, invoice_id};
use lagom_features::Segments;
use lagom_features::domain::{
    Channel, CustomerId, Days, DecisionId, EventType, Money, RequestId, TenantId, Timestamp,
};
use lagom_features::spec::FeatureSpec;
use lagom_model::bandit::BanditConfig;
use lagom_model::decide::{
    ColdStart, Pace, PolicyKind, Predictor, Request, Revisitor, Snapshot, SnapshotParts, Workspace,
    decide,
};
use lagom_model::guardrails::Override;
use lagom_model::hazard::Moment;
use lagom_model::log::{Decision, LoggedRound, Outcome};
use lagom_model::objective::Objective;
use lagom_model::outcome::mature;
use lagom_model::policy::context::{Context, default_entries};
use lagom_model::policy::learning::Learning;
use lagom_model::strategy::Strategy;
use std::sync::Arc;

/// A server's snapshot before it has learnt anything.
pub(crate) fn snapshot(case: &Case, strategy: Strategy, policy: PolicyKind) -> Snapshot {
    taught(case, strategy, policy, &[])
}

/// A snapshot after so many outcomes: the action, the share that was collected, and how often.
pub(crate) fn taught(
    case: &Case,
    strategy: Strategy,
    policy: PolicyKind,
    lessons: &[(&str, f64, usize)],
) -> Snapshot {
    budgeted(case, strategy, policy, lessons, None)
}

/// [`taught`], with a budget of exploration.
fn budgeted(
    case: &Case,
    strategy: Strategy,
    policy: PolicyKind,
    lessons: &[(&str, f64, usize)],
    budget: Option<f64>,
) -> Snapshot {
    let spec = FeatureSpec::built_in();
    let context = Context::bind(&default_entries(), &spec.names()).unwrap();
    let strategy = Arc::new(strategy);
    let learning = Learning::new(
        Arc::clone(&strategy),
        context.clone(),
        spec.fingerprint(),
        BanditConfig::default(),
    );
    let mut learning = learning.unwrap().with_exploration_budget(budget);
    let generation = if lessons.is_empty() {
        Arc::clone(learning.generation())
    } else {
        let naive = snapshot(case, Strategy::clone(&strategy), PolicyKind::Uniform);
        let logged = decision(case, &naive, "lesson");
        for &(action, share, count) in lessons {
            for at in 0..count {
                // Paid in full or not at all, in the right proportion.
                let paid = ((at + 1) as f64 * share).floor() > (at as f64 * share).floor();
                learning.fold(&round(&logged, action, paid)).unwrap();
            }
        }
        learning.publish().unwrap()
    };
    Snapshot::new(SnapshotParts {
        spec,
        model: None,
        strategy,
        guardrails: Arc::new(case.guardrails()),
        objective: Objective::default(),
        context,
        generation,
        policy,
        paused: false,
        cold_start: ColdStart::default(),
        pace: Pace::default(),
    })
    .unwrap()
}

fn round(logged: &Decision, action: &str, paid: bool) -> LoggedRound {
    let mut decision = logged.clone();
    decision.action = action.parse().unwrap();
    let outcome = Outcome {
        collected_minor: if paid { 100_000 } else { 0 },
        paid,
        ..Outcome::quiet(decision.decision_id.clone(), decision.decided_at, 100_000)
    };
    LoggedRound { decision, outcome }
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
        segments: Segments::none(),
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

/// A model that gives everybody the same early risk while the invoice is not late.
#[derive(Debug)]
struct Wary {
    risk: f64,
    fingerprint: String,
}

impl Predictor for Wary {
    fn id(&self) -> &str {
        "wary"
    }

    fn feature_fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn payment_propensity(&self, _: &[f64], _: Moment) -> Option<f64> {
        None
    }

    fn churn_risk(&self, _: &[f64]) -> Option<f64> {
        None
    }

    fn early_risk(&self, _: &[f64], moment: Moment) -> Option<f64> {
        (moment.late_in_days > 0.0).then_some(self.risk)
    }
}

/// A strategy that writes before the due date, and only to those who are likely to be late.
#[test]
fn a_stage_for_early_risk_opens_by_the_model_in_force_and_closes_when_it_is_late() {
    let text = r#"
        steps = [
            { kind = "pre_due_notice", channels = ["email"], tones = ["friendly"], timings = ["d0-midday"] },
        ]
        stages = [
            { name = "wary", from_day = -20, kinds = ["pre_due_notice"], when = { early_risk_from = 0.4 } },
        ]
        ladder = [
            { kind = "pre_due_notice", from_day = -20, channels = ["email"], gentle = "friendly", neutral = "friendly", firm = "friendly", when = { early_risk_from = 0.4 } },
        ]
    "#;
    let strategy = Strategy::new(toml::from_str(text).unwrap()).unwrap();
    let advised = |due: &str, risk: Option<f64>, policy: PolicyKind| {
        let case = Case::new(due, "2026-11-23T03:00:00Z");
        let untaught = snapshot(&case, strategy.clone(), policy);
        let parts = untaught.parts().clone();
        let fingerprint = parts.spec.fingerprint().to_owned();
        let model = risk.map(|risk| Arc::new(Wary { risk, fingerprint }) as Arc<dyn Predictor>);
        let snapshot = Snapshot::new(SnapshotParts { model, ..parts }).unwrap();
        let decided = decision(&case, &snapshot, "d");
        let mut again = Vec::new();
        Revisitor::new(&snapshot, policy)
            .probabilities(&decided, &case.history(), &mut again)
            .unwrap();
        let said: Vec<f64> = decided.eligible.iter().map(|one| one.probability).collect();
        assert_eq!(again, said, "{due} {risk:?}");
        let notice = "pre_due_notice.email.friendly.d0-midday";
        let open = chance(&decided, notice).is_some();
        (open, decided.action.to_string() == notice)
    };
    let (soon, past) = ("2026-12-05", "2026-11-20");
    for (due, risk, open) in [
        (soon, Some(0.4), true),
        (soon, Some(0.39), false),
        (soon, None, false),
        (past, Some(0.9), false),
    ] {
        let ladder = advised(due, risk, PolicyKind::Ladder);
        assert_eq!(ladder, (open, open), "{due} {risk:?}");
        let uniform = advised(due, risk, PolicyKind::Uniform);
        assert_eq!(uniform.0, open, "{due} {risk:?}");
    }
}

pub(crate) const FRIENDLY: &str = "reminder.email.friendly.d0-morning";
const NEUTRAL: &str = "reminder.email.neutral.d0-morning";
const FIRM: &str = "reminder.email.firm.d0-morning";

pub(crate) fn late() -> Case {
    Case::new("2026-11-01", "2026-11-23T06:00:00Z")
}

fn chance(decided: &Decision, action: &str) -> Option<f64> {
    let mut eligible = decided.eligible.iter();
    let found = eligible.find(|one| one.action.to_string() == action)?;
    Some(found.probability)
}

fn refusal(decided: &Decision, action: &str) -> Option<String> {
    let mut blocked = decided.blocked.iter();
    let found = blocked.find(|one| one.action.to_string() == action)?;
    Some(found.rule.to_string())
}

#[track_caller]
fn kept_gentle(decided: &Decision, action: &str) {
    assert_eq!(chance(decided, action), None, "{action}");
    let rule = refusal(decided, action);
    assert_eq!(rule.as_deref(), Some("global.gentle_first"), "{action}");
    let sum: f64 = decided.eligible.iter().map(|one| one.probability).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}

#[test]
fn before_anything_is_learnt_exploration_is_no_harsher_than_the_ladder() {
    let case = late();
    let decided = decision(
        &case,
        &snapshot(&case, Strategy::default(), PolicyKind::Bandit),
        "d",
    );
    // A stranger, three weeks late: the ladder's next step is a neutral reminder.
    assert!(chance(&decided, NEUTRAL).is_some());
    assert!(chance(&decided, FRIENDLY).is_some());
    kept_gentle(&decided, FIRM);
    let free = late().without(&["global.gentle_first"]);
    let decided = decision(
        &free,
        &snapshot(&free, Strategy::default(), PolicyKind::Bandit),
        "d",
    );
    assert!(chance(&decided, FIRM).is_some());
    // Chance is what somebody has decided to measure.
    let decided = decision(
        &case,
        &snapshot(&case, Strategy::default(), PolicyKind::Uniform),
        "d",
    );
    assert!(chance(&decided, FIRM).is_some());
}

#[test]
fn a_firm_tone_is_open_once_it_is_credibly_worth_more_and_not_before() {
    let case = late();
    let decide_after = |lessons: &[(&str, f64, usize)], case: &Case| {
        let taught = taught(case, Strategy::default(), PolicyKind::Bandit, lessons);
        decision(case, &taught, "d")
    };
    // As good as friendly: closed, with a probability of exactly nothing.
    let equal = [("wait", 0.3, 400), (FRIENDLY, 0.5, 400), (FIRM, 0.5, 400)];
    let decided = decide_after(&equal, &case);
    assert!(decided.fallback.is_none(), "{:?}", decided.fallback);
    assert!(chance(&decided, FRIENDLY).is_some());
    kept_gentle(&decided, FIRM);
    // Far better, often enough: open.
    let better = [
        ("wait", 0.1, 1500),
        (FRIENDLY, 0.15, 1500),
        (NEUTRAL, 0.15, 1500),
        (FIRM, 0.9, 1500),
    ];
    let decided = decide_after(&better, &case);
    assert!(
        chance(&decided, FIRM) > Some(0.0),
        "{:?}",
        refusal(&decided, FIRM)
    );
    // The same estimates asked for more certainty than they have.
    let mut strict = late();
    let change = Override::set(
        "global.gentle_first",
        "credibility",
        0.999_999_999_999,
        "decided by the board",
    );
    strict.spec.overrides.push(change);
    let slightly = [
        ("wait", 0.1, 600),
        (FRIENDLY, 0.15, 600),
        (NEUTRAL, 0.15, 600),
        (FIRM, 0.5, 600),
    ];
    let decided = decide_after(&slightly, &case);
    assert!(chance(&decided, FIRM) > Some(0.0));
    let decided = decide_after(&slightly, &strict);
    kept_gentle(&decided, FIRM);
}

/// A letter with an enclosure costs more than the channel's price, and the books must say so.
#[test]
fn a_step_with_a_price_of_its_own_is_charged_at_that_price() {
    let priced = |price: &str| -> Strategy {
        let text = format!(
            "steps = [{{ kind = \"reminder\", channels = [\"email\"], tones = [\"neutral\"], \
             timings = [\"d0-midday\"]{price} }}]\n\
             stages = [{{ name = \"late\", from_day = 1, kinds = [\"reminder\"] }}]\n\
             ladder = [{{ kind = \"reminder\", from_day = 1, channels = [\"email\"], \
             gentle = \"neutral\", neutral = \"neutral\", firm = \"neutral\" }}]\n"
        );
        Strategy::new(toml::from_str(&text).unwrap()).unwrap()
    };
    let case = late();
    let objective = Objective {
        channel_prices_minor: [(Channel::Email, 45.0)].into(),
        ..Objective::default()
    };
    let charged = |price: &str| {
        let snapshot = snapshot(&case, priced(price), PolicyKind::Ladder);
        let decided = decision(&case, &snapshot, "d");
        assert!(!decided.action.is_wait(), "{}", decided.reason);
        let over = case.now + Days::whole(31);
        let outcome = mature(&decided, &case.history(), &objective, 30, over).unwrap();
        (decided.price_minor, outcome.cost_minor)
    };
    assert_eq!(charged(""), (None, 45));
    assert_eq!(charged(", price_minor = 310"), (Some(310), 310));
    assert_eq!(charged(", price_minor = 0"), (Some(0), 0));
}

/// Twelve hundred outcomes of one day: what a day's budget leaves for each of its decisions.
#[test]
fn a_decision_explores_for_no_more_than_its_share_of_the_days_budget() {
    let case = late().without(&["global.gentle_first"]);
    let lessons = [("wait", 0.1, 600), (FRIENDLY, 0.8, 600)];
    let decided = |budget: Option<f64>| {
        let snapshot = budgeted(
            &case,
            Strategy::default(),
            PolicyKind::Bandit,
            &lessons,
            budget,
        );
        (decision(&case, &snapshot, "d"), snapshot)
    };
    let (free, snapshot) = decided(None);
    assert_eq!(snapshot.parts().generation.allowance(), None);
    let (ample, snapshot) = decided(Some(1e12));
    assert_eq!(snapshot.parts().generation.allowance(), Some(1e12 / 1200.0));
    let best = |decided: &Decision| {
        let chances = decided.eligible.iter().map(|one| one.probability);
        chances.fold(0.0, f64::max)
    };
    assert_eq!(best(&free), best(&ample));
    let mut last = best(&free);
    for budget in [1_000_000.0, 100_000.0, 0.0] {
        let (capped, _) = decided(Some(budget));
        let sum: f64 = capped.eligible.iter().map(|one| one.probability).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        assert!(best(&capped) >= last, "{budget}: {} {last}", best(&capped));
        assert!(
            capped.eligible.iter().all(|one| one.probability > 0.0),
            "the floor stays"
        );
        last = best(&capped);
    }
    // With nothing to spend, greedy but for the floor of 0.05.
    assert!(last >= 0.95 && best(&free) < 0.95, "{last} {}", best(&free));
}
