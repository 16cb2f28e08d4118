#![allow(clippy::unwrap_used)]

use super::*;
use crate::bandit::fixture::{Owned, layout, rounds, space, sums};
use crate::bandit::{ActionSpace, Digest, Layout, Refresh};

fn run(layout: &Arc<Layout>, rounds: &[Owned]) -> (Learner, Vec<Digest>) {
    let empty = SufficientStatistics::new(Arc::clone(layout));
    let mut learner = Learner::new(empty, &BanditConfig::default(), 1.0).unwrap();
    let mut published = Vec::new();
    for round in rounds {
        learner.fold(&round.round()).unwrap();
        published.extend(learner.refresh(1.0).unwrap().map(|next| next.digest()));
    }
    (learner, published)
}

#[test]
fn a_replay_publishes_the_same_generations() {
    for space in [space(), ActionSpace::plain(4).unwrap()] {
        let layout = layout(space, 3, 2);
        let rounds = rounds(&layout, 300, 1);
        let (learner, published) = run(&layout, &rounds);
        assert_eq!(run(&layout, &rounds).1, published);
        assert_eq!(learner.generation().number(), published.len() as u64);
        assert!(published.len() > 10);
    }
}

#[test]
fn forgetting_and_publishing_is_never_having_known() {
    let layout = layout(space(), 3, 1);
    let rounds = rounds(&layout, 200, 2);
    let (customer, others) = rounds.split_at(40);
    let mut learner = Learner::new(sums(&layout, &rounds), &BanditConfig::default(), 1.0).unwrap();
    learner.forget(&sums(&layout, customer)).unwrap();
    let forgot = learner.publish(1.0).unwrap();
    let start = Learner::new(sums(&layout, &rounds), &BanditConfig::default(), 1.0).unwrap();
    let never = Generation::fit(
        &sums(&layout, others),
        &BanditConfig::default(),
        1,
        1.0,
        start.generation().shrinkage(),
    )
    .unwrap();
    assert_eq!(forgot.digest(), never.digest());
}

#[test]
fn shards_merged_publish_what_one_log_publishes() {
    let layout = layout(space(), 3, 1);
    let rounds = rounds(&layout, 200, 3);
    let (left, right) = rounds.split_at(77);
    let whole = Learner::new(sums(&layout, &rounds), &BanditConfig::default(), 1.0).unwrap();
    let mut merged = sums(&layout, right);
    merged.merge(&sums(&layout, left)).unwrap();
    let merged = Learner::new(merged, &BanditConfig::default(), 1.0).unwrap();
    assert_eq!(merged.generation().digest(), whole.generation().digest());
}

#[test]
fn the_schedule_solves_small_blocks_at_once_and_large_ones_as_they_grow() {
    let refresh = Refresh::default();
    assert!(refresh.is_due(41, 1, 1_000_000, 1));
    assert!(!refresh.is_due(41, 1, 1_000_000, 0));
    // 1,000 coefficients: at least 16 rounds, then a quarter more, at most 2,667 rounds apart.
    assert!(!refresh.is_due(1_000, 1, 0, 15) && refresh.is_due(1_000, 1, 0, 16));
    assert!(!refresh.is_due(1_000, 1, 1_000, 249) && refresh.is_due(1_000, 1, 1_000, 250));
    assert!(
        !refresh.is_due(1_000, 1, 1_000_000, 2_666) && refresh.is_due(1_000, 1, 1_000_000, 2_667)
    );
    assert!(
        !refresh.is_due(1_000, 4, 1_000_000, 10_666) && refresh.is_due(1_000, 4, 1_000_000, 10_667)
    );
}

/// Read back, it knows how sure it is as well: the same generations and the same posteriors follow.
#[test]
fn a_learner_that_was_stored_goes_on_to_the_same_bits() {
    for space in [space(), ActionSpace::plain(4).unwrap()] {
        let layout = layout(space, 3, 2);
        let rounds = rounds(&layout, 300, 4);
        let (whole, published) = run(&layout, &rounds);
        for until in [0, 7, 150, 299] {
            let (begun, mut again) = run(&layout, &rounds[..until]);
            let stored = serde_json::to_string(&begun).unwrap();
            let mut read: Learner = serde_json::from_str(&stored).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), stored);
            for round in &rounds[until..] {
                read.fold(&round.round()).unwrap();
                again.extend(read.refresh(1.0).unwrap().map(|next| next.digest()));
            }
            assert_eq!(again, published, "stored after {until}");
            let deviation = |one: &Learner| {
                let generation = one.generation();
                let sd = generation.deviation(&[0.3, -0.2, 1.0], (0, 2), &[1.0, 2.0]);
                sd.unwrap().to_bits()
            };
            assert_eq!(deviation(&read), deviation(&whole));
        }
    }
}

#[test]
fn a_learner_of_another_form_or_shape_is_refused() {
    let layout = layout(space(), 3, 2);
    let (learner, _) = run(&layout, &rounds(&layout, 60, 5));
    let stored = serde_json::to_value(&learner).unwrap();
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut other = stored.clone();
        change(&mut other);
        serde_json::from_value::<Learner>(other).unwrap_err()
    };
    let error = refused(&|other| other["version"] = 9.into());
    assert!(error.to_string().contains('9'), "{error}");
    refused(&|other| other["solved_at"] = serde_json::json!([]));
    refused(&|other| other["doubt"][0]["unexplained"] = serde_json::json!([]));
    refused(&|other| other["doubt"][0]["groups"][0]["factor"] = serde_json::json!([[1.0, 2.0]]));
}
