#![allow(clippy::unwrap_used)]

use super::*;
use lagom_features::domain::Timestamp;

fn spec(name: &str, share: f64, shares: [f64; 2]) -> ExperimentSpec {
    ExperimentSpec {
        name: name.to_owned(),
        share,
        salt: None,
        isolate: false,
        plan: None,
        plan_text: String::new(),
        arms: vec![
            ArmSpec::new("control", shares[0], PolicyKind::Ladder),
            ArmSpec::new("bandit", shares[1], PolicyKind::Bandit),
        ],
    }
}

fn held_out(share: f64) -> HoldoutSpec {
    HoldoutSpec {
        share,
        ..HoldoutSpec::default()
    }
}

fn customers(count: usize) -> impl Iterator<Item = CustomerId> {
    (0..count).map(|n| CustomerId::new(format!("c{n}")).unwrap())
}

/// What is written down when a customer is drawn.
fn stored(id: &CustomerId, place: &Place) -> Vec<Assignment> {
    let one = |(experiment, salt, arm): &(String, String, String)| Assignment {
        customer_id: id.clone(),
        experiment: experiment.clone(),
        salt: salt.clone(),
        arm: arm.clone(),
        at: Timestamp::MIN,
    };
    place.drawn.iter().map(one).collect()
}

/// Whether a count of a share is within five standard deviations.
fn fits(count: usize, of: usize, share: f64) -> bool {
    let of = of as f64;
    (count as f64 - share * of).abs() < 5.0 * (of * share * (1.0 - share)).sqrt()
}

#[test]
fn shares_are_kept() {
    let experiments =
        Experiments::new(vec![spec("spring", 0.5, [0.25, 0.75])], held_out(0.0)).unwrap();
    let places: Vec<Place> = customers(20_000)
        .map(|id| experiments.place(&id, &[]))
        .filter(|place| place.arm.is_some())
        .collect();
    assert!(fits(places.len(), 20_000, 0.5));
    let control = |place: &&Place| place.policy == Some(PolicyKind::Ladder);
    assert!(fits(
        places.iter().filter(control).count(),
        places.len(),
        0.25
    ));
}

#[test]
fn nobody_is_in_two_experiments_and_the_holdout_is_in_none() {
    let specs = vec![spec("one", 0.4, [0.5, 0.5]), spec("two", 0.6, [0.5, 0.5])];
    let experiments = Experiments::new(specs, held_out(0.1)).unwrap();
    let mut counts = [0_usize; 3];
    for id in customers(20_000) {
        let (name, arm) = experiments.place(&id, &[]).arm.unwrap();
        let which = ["holdout", "one", "two"]
            .iter()
            .position(|one| *one == name);
        counts[which.unwrap()] += 1;
        assert!(
            name != HOLDOUT || arm == HOLDOUT,
            "all others are in an experiment"
        );
    }
    assert!(fits(counts[0], 20_000, 0.1));
    assert!(fits(counts[1], 20_000, 0.9 * 0.4));
    assert!(fits(counts[2], 20_000, 0.9 * 0.6));
}

#[test]
fn changed_shares_touch_only_new_customers() {
    let before = Experiments::new(vec![spec("spring", 0.5, [0.5, 0.5])], held_out(0.1)).unwrap();
    let after = Experiments::new(vec![spec("spring", 1.0, [0.1, 0.9])], held_out(0.5)).unwrap();
    let mut moved = 0;
    for id in customers(5_000) {
        let first = before.place(&id, &[]);
        let memory = stored(&id, &first);
        let then = after.place(&id, &memory);
        let unbound = first.arm.as_ref().is_some_and(|(_, arm)| arm == LAGOM);
        if unbound {
            // Outside the holdout for good, and new to the experiment.
            assert_eq!(then.arm.as_ref().unwrap().0, "spring");
            assert_eq!(then.drawn.len(), 1);
        } else {
            assert_eq!(then.arm, first.arm);
            assert!(then.drawn.is_empty());
        }
        moved += usize::from(after.place(&id, &[]).arm != first.arm);
    }
    assert!(moved > 1_000, "the shares did change: {moved}");
}

#[test]
fn a_new_salt_draws_everybody_anew_and_independently() {
    let first = Experiments::new(vec![spec("spring", 1.0, [0.5, 0.5])], held_out(0.0)).unwrap();
    let mut again = spec("spring", 1.0, [0.5, 0.5]);
    again.salt = Some("second go".to_owned());
    let again = Experiments::new(vec![again], held_out(0.0)).unwrap();
    let same = customers(10_000).filter(|id| {
        let before = first.place(id, &[]);
        again.place(id, &stored(id, &before)).arm == before.arm
    });
    assert!(fits(same.count(), 10_000, 0.5));
}

#[test]
fn a_changed_plan_is_another_phase_and_the_same_is_none() {
    let at = |micros| Timestamp::from_micros(micros).unwrap();
    let one = Experiments::new(vec![spec("spring", 1.0, [0.5, 0.5])], held_out(0.1)).unwrap();
    let mut log = one.phases_after(&[], at(1));
    assert_eq!(log.len(), 2, "the experiment and the holdout");
    assert!(one.phases_after(&log, at(2)).is_empty());
    let mut changed = spec("spring", 1.0, [0.5, 0.5]);
    changed.plan_text = "planned_customers = 10".to_owned();
    let two = Experiments::new(vec![changed], held_out(0.1)).unwrap();
    let next = two.phases_after(&log, at(3));
    assert_eq!((next.len(), next[0].number), (1, 2));
    assert_ne!(next[0].digest, log[0].digest);
    log.extend(next);
    assert!(two.phases_after(&log, at(4)).is_empty());
    // Other shares are another period of what was agreed, not another agreement.
    let mut shares = spec("spring", 1.0, [0.1, 0.9]);
    shares.plan_text = "planned_customers = 10".to_owned();
    let three = Experiments::new(vec![shares], held_out(0.1)).unwrap();
    let next = three.phases_after(&log, at(5));
    assert_eq!((next[0].number, &next[0].digest), (3, &log[2].digest));
}

#[test]
fn every_fault_is_reported_at_once() {
    let wrong = vec![
        spec("spring", 0.0, [0.5, 0.6]),
        spec("spring", 0.7, [0.5, 0.5]),
        spec("holdout", 0.7, [0.5, 0.5]),
    ];
    let faults = Experiments::new(wrong, held_out(1.0))
        .unwrap_err()
        .join("\n");
    for part in [
        "share = 0",
        "sum to 1.1",
        "twice",
        "of the holdout",
        "take 1.4",
        "share = 1 ",
    ] {
        assert!(faults.contains(part), "{faults}");
    }
}
