//! Off-policy and experimental values of the ladder, on worlds in which both are known to be of the
//! same policy, and on logs that were tampered with.

#![allow(clippy::unwrap_used)]

mod untaught;

use lagom_features::domain::{CustomerId, Date, DecisionId, EventId, EventType};
use lagom_model::decide::{ColdStart, PolicyKind, Snapshot, SnapshotParts};
use lagom_model::statistics::agreement::State;
use lagom_model::statistics::decision::{IntegrityFailure, Verdict};
use lagom_training::review::{LogReview, Review, review_log};
use lagom_training::simulated_log::{Plan, SimulatedLog, simulate};
use lagom_training::simulator::World;
use lagom_training::tables::Tables;
use lagom_training::valuation::Agreement;
use std::collections::BTreeSet;

const EXPERIMENT: &str = "spring";

fn parts() -> SnapshotParts {
    let (_, parts) = untaught::untaught();
    SnapshotParts {
        cold_start: ColdStart {
            rounds: u64::MAX,
            exploration: 0.05,
        },
        ..parts
    }
}

fn lived(policy: PolicyKind, seed: u64, customers: usize) -> SimulatedLog {
    let start = Date::parse("2026-01-01").unwrap();
    let plan = Plan {
        world: World::built_in(),
        customers,
        days: 170,
        start,
        seed,
        judged: (start, start.plus_days(170)),
        window_days: 30,
        grace_hours: 48,
        policy,
    };
    let snapshot = Snapshot::new(SnapshotParts { policy, ..parts() }).unwrap();
    simulate(&plan, snapshot, None, || {}).unwrap()
}

/// Every other customer of one world under the ladder, the others under the ladder explored a little.
fn experiment(seed: u64, customers: usize) -> Tables {
    let mut ladder = Tables::from(lived(PolicyKind::Ladder, seed, customers));
    let mut bandit = Tables::from(lived(PolicyKind::Bandit, seed, customers));
    let ids: Vec<CustomerId> = ladder
        .customers
        .iter()
        .map(|one| one.value.customer_id.clone())
        .collect();
    let even: BTreeSet<&CustomerId> = ids.iter().step_by(2).collect();
    keep(&mut ladder, "ladder", |id| even.contains(id));
    keep(&mut bandit, "bandit", |id| !even.contains(id));
    ladder.customers.append(&mut bandit.customers);
    ladder.invoices.append(&mut bandit.invoices);
    ladder.events.append(&mut bandit.events);
    ladder.outcomes.append(&mut bandit.outcomes);
    ladder.decisions.append(&mut bandit.decisions);
    ladder
}

fn keep(tables: &mut Tables, arm: &str, theirs: impl Fn(&CustomerId) -> bool) {
    tables
        .customers
        .retain(|one| theirs(&one.value.customer_id));
    tables.invoices.retain(|one| theirs(&one.value.customer_id));
    tables.events.retain(|one| theirs(&one.customer_id));
    tables.decisions.retain(|one| theirs(&one.customer_id));
    let own = tables.decisions.iter().map(|one| one.decision_id.clone());
    let own: BTreeSet<_> = own.collect();
    tables.outcomes.retain(|one| own.contains(&one.decision_id));
    for one in &mut tables.events {
        one.event_id = EventId::new(format!("{arm}-{}", one.event_id)).unwrap();
    }
    for one in &mut tables.decisions {
        one.decision_id = DecisionId::new(format!("{arm}-{}", one.decision_id)).unwrap();
        one.experiment = Some(EXPERIMENT.to_owned());
        one.arm = Some(arm.to_owned());
    }
    for one in &mut tables.outcomes {
        one.decision_id = DecisionId::new(format!("{arm}-{}", one.decision_id)).unwrap();
    }
}

fn reviewed(tables: &Tables, control: &str) -> Review {
    let parts = parts();
    let objective = parts.objective.clone();
    let ladder = Snapshot::new(parts).unwrap();
    let ask = LogReview {
        experiment: EXPERIMENT,
        plan: None,
        control: Some(control),
        shares: &[],
        as_of: None,
        window_days: 60.0,
        objective: &objective,
        design: None,
        ladder: Some(&ladder),
    };
    review_log(tables, &ask).unwrap().0
}

fn found(review: &Review) -> &Agreement {
    let log = review.log.as_ref().unwrap();
    log.agreement.as_ref().unwrap().values().next().unwrap()
}

fn withheld(review: &Review) -> bool {
    let disagrees = IntegrityFailure::OffPolicyDisagrees {
        arm: "bandit".to_owned(),
    };
    let verdicts = review
        .comparisons
        .iter()
        .map(|(_, one)| one.decision.verdict);
    review.integrity_failures == [disagrees]
        && verdicts.into_iter().all(|one| one == Verdict::CannotJudge)
}

#[test]
fn probabilities_that_were_drawn_by_say_of_the_ladder_what_its_arm_shows() {
    for seed in 1..=3 {
        let review = reviewed(&experiment(seed, 1_500), "ladder");
        let found = found(&review);
        assert_eq!(found.state, State::Agrees, "seed {seed}: {found:?}");
        assert!(
            found.effective > 500.0 && found.repeated > 0.999,
            "{found:?}"
        );
        let drawn = found.metrics.iter().find(|one| one.name == "repeated");
        assert!(drawn.unwrap().se > 0.0, "{drawn:?}");
        assert_eq!(review.integrity_failures, []);
    }
}

#[test]
fn probabilities_that_nothing_was_drawn_by_withhold_the_verdict() {
    let mut tables = experiment(1, 1_500);
    // As if three times as much had been explored as was.
    let less = |p: f64| {
        if p > 0.5 {
            1.0 - 3.0 * (1.0 - p)
        } else {
            3.0 * p
        }
    };
    for one in &mut tables.decisions {
        one.probability = less(one.probability);
        for choice in &mut one.eligible {
            choice.probability = less(choice.probability);
        }
    }
    let review = reviewed(&tables, "ladder");
    let found = found(&review);
    assert_eq!(found.state, State::Disagrees, "{found:?}");
    let drawn = found
        .metrics
        .iter()
        .find(|one| one.name == "repeated")
        .unwrap();
    assert!(
        drawn.off_policy < drawn.experimental - 0.02 && drawn.p_holm.unwrap() < 1e-3,
        "{drawn:?}"
    );
    assert!(withheld(&review), "{:?}", review.integrity_failures);
}

#[test]
fn payments_that_one_arm_loses_withhold_the_verdict() {
    let mut tables = experiment(1, 1_500);
    let bandit: BTreeSet<CustomerId> = tables
        .decisions
        .iter()
        .filter(|one| one.arm.as_deref() == Some("bandit"))
        .map(|one| one.customer_id.clone())
        .collect();
    let mut number = 0;
    tables.events.retain(|one| {
        number += 1;
        let lost = one.kind == EventType::PaymentSucceeded && bandit.contains(&one.customer_id);
        !(lost && number % 3 == 0)
    });
    let review = reviewed(&tables, "ladder");
    let found = found(&review);
    let collected = found
        .metrics
        .iter()
        .find(|one| one.name == "collected")
        .unwrap();
    assert!(
        collected.diff < 0.0 && collected.p_holm.unwrap() < 1e-3,
        "{collected:?}"
    );
    assert!(withheld(&review), "{:?}", review.integrity_failures);
}

#[test]
fn another_ladder_than_the_one_that_decided_is_not_held_against_its_arm() {
    let review = reviewed(&experiment(1, 1_500), "bandit");
    let found = found(&review);
    assert_eq!(found.state, State::CannotSay);
    assert!(
        found
            .reason
            .as_ref()
            .unwrap()
            .contains("not the one that decided"),
        "{found:?}"
    );
    assert_eq!(review.integrity_failures, []);
}
