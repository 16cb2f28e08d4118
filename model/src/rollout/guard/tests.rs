#![allow(clippy::unwrap_used)]

use super::*;
use lagom_features::domain::Days;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn start() -> Timestamp {
    Timestamp::parse("2026-03-01").unwrap()
}

/// How often each of [`WATCHED`] happens to a customer; the last is a mean below 4.
type Rates = [f64; WATCHED.len()];

/// Customers come under decisions one after another.
fn lived(seed: u64, customers: u32, share: f64, rates: [Rates; 2]) -> Guard {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut guard = Guard::new(GuardSpec::default(), share).unwrap();
    for n in 0..customers {
        let canary = rng.random::<f64>() < share;
        let rates = rates[usize::from(canary)];
        let customer = CustomerId::new(format!("c{n}")).unwrap();
        let first = DecisionId::new(format!("d{n}")).unwrap();
        for advised in 0..4 {
            guard.decided(
                Advised {
                    customer: &customer,
                    decision: &first,
                    at: start() + Days::whole(advised),
                    contact: rng.random::<f64>() < rates[CONTACTS] / 4.0,
                },
                canary,
            );
        }
        for (kind, rate) in EVENTS.into_iter().zip(rates) {
            if rng.random::<f64>() < rate {
                guard.happened(&customer, kind, start() + Days::whole(5));
                guard.happened(&customer, kind, start() + Days::whole(6));
            }
        }
        guard.matured(&first);
    }
    guard
}

const USUAL: Rates = [0.03, 0.02, 0.1, 1.2];

#[test]
fn a_harmless_canary_is_seldom_taken_for_harmful() {
    let runs = 300_u32;
    // The contacts lie at the end of what is tolerated.
    let canary = [0.03, 0.02, 0.1, 1.5];
    let harmed = (0..runs)
        .filter(|&seed| {
            lived(u64::from(seed), 800, 0.2, [USUAL, canary])
                .harm()
                .is_some()
        })
        .count();
    let most = 0.05 + 3.0 * (0.05_f64 * 0.95 / f64::from(runs)).sqrt();
    assert!(
        (harmed as f64) <= most * f64::from(runs),
        "{harmed} of {runs}"
    );
}

#[test]
fn harm_is_found_by_its_name() {
    for (place, worse) in [(0, 0.15), (1, 0.1), (2, 0.3), (3, 2.6)] {
        let mut canary = USUAL;
        canary[place] = worse;
        let found = (0..40)
            .filter(|seed| {
                let guard = lived(*seed, 2_000, 0.3, [USUAL, canary]);
                let harm = guard.harm();
                harm.is_some_and(|harm| harm.starts_with(WATCHED[place]))
            })
            .count();
        assert!(found >= 36, "{}: {found} of 40", WATCHED[place]);
    }
}

#[test]
fn a_split_that_is_not_the_stated_one_is_told() {
    let spec = GuardSpec::default();
    let mut guard = Guard::beside_holdout(spec, 0.2).unwrap();
    for n in 0..400 {
        let customer = CustomerId::new(format!("c{n}")).unwrap();
        let decision = DecisionId::new(format!("d{n}")).unwrap();
        let advised = Advised {
            customer: &customer,
            decision: &decision,
            at: start(),
            contact: false,
        };
        // A fifth is held out of the first half, a fiftieth of the second.
        guard.decided(advised, n % (if n < 200 { 5 } else { 50 }) != 0);
        if n == 199 {
            assert!(guard.split_holds());
        }
    }
    assert!(!guard.split_holds());
}

#[test]
fn a_customer_counts_once_and_only_from_the_first_decision_on() {
    let mut guard = Guard::new(GuardSpec::default(), 0.5).unwrap();
    let [customer, other] = ["a", "b"].map(|id| CustomerId::new(id).unwrap());
    let first = DecisionId::new("d").unwrap();
    let advised = Advised {
        customer: &customer,
        decision: &first,
        at: start(),
        contact: true,
    };
    let complaint = EventType::ComplaintMade;
    let seen = |guard: &Guard, place: usize| {
        let one = &guard.watched()[place];
        [one.incumbent, one.canary].map(|rate| format!("{rate:.1}"))
    };
    guard.happened(&customer, complaint, start());
    guard.decided(advised, true);
    guard.happened(&customer, complaint, start() + Days::whole(-1));
    guard.happened(&other, complaint, start());
    assert_eq!(seen(&guard, 1), ["0.0", "0.0"]);
    for _ in 0..3 {
        guard.decided(advised, false);
        guard.happened(&customer, complaint, start());
        guard.matured(&first);
    }
    assert_eq!(guard.exposed(), [0, 1]);
    assert_eq!(seen(&guard, 1), ["0.0", "1.0"]);
    // Advised twice when the window closed.
    assert_eq!(seen(&guard, 3), ["0.0", "2.0"]);
    guard.forget(&customer);
    guard.happened(&customer, EventType::CustomerChurned, start());
    assert_eq!(seen(&guard, 0), ["0.0", "0.0"]);
}

#[test]
fn a_spec_that_is_none_is_refused_by_its_key() {
    let spec = GuardSpec {
        alpha: 0.7,
        churn: -0.1,
        planned_customers: 0,
        ..GuardSpec::default()
    };
    let keys: Vec<&str> = spec.faults().iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, ["alpha", "churn", "planned_customers"]);
    assert!(GuardSpec::default().faults().is_empty());
}
