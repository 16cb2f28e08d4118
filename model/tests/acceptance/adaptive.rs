//! Actions inside a policy that learns: the plain difference of means is wrong, the weighted scores
//! are right.

use lagom_model::statistics::{
    Alpha,
    adaptive::{Round, contrast},
};

use crate::{assert_at_least, assert_at_most, assert_near, draws::Draws};

/// Rounds until their reward is known.
const DELAY: i64 = 20;

/// A learner without contexts: the better mean so far gets all but a floor that shrinks. Neither
/// action is better.
fn learner(draws: &mut Draws, rounds: i64) -> Vec<Round> {
    let mut seen: Vec<Round> = Vec::new();
    for at in 0..rounds {
        let mean = |which: usize| {
            let known = seen
                .iter()
                .filter(|one| one.known_at < at && one.chosen == Some(which));
            let (count, sum) = known.fold((0.0, 0.0), |(n, sum), one| (n + 1.0, sum + one.reward));
            (count > 0.0).then_some(sum / count)
        };
        let first = match (mean(0), mean(1)) {
            (Some(a), Some(b)) => {
                let floor = 0.5 / (1.0 + at as f64 / 20.0).powf(0.5);
                if a > b { 1.0 - floor } else { floor }
            }
            _ => 0.5,
        };
        let chosen = usize::from(!draws.chance(first));
        seen.push(Round {
            at,
            known_at: at + DELAY,
            customer: at as u32,
            propensities: [first, 1.0 - first],
            chosen: Some(chosen),
            reward: draws.normal(),
        });
    }
    seen
}

#[test]
fn a_learner_without_contexts_is_read_rightly() {
    let replications = 4_000_u64;
    let (mut covered, mut naive) = (0, 0.0);
    for replication in 0..replications {
        let rounds = learner(&mut Draws::new(61, replication), 300);
        let Ok(found) = contrast(&rounds, Alpha::FIVE_PERCENT) else {
            // Chosen once at most: nothing is said, which is not wrong.
            covered += 1;
            continue;
        };
        covered += u32::from(found.ci.contains(0.0));
        // The action chosen less often, less the other.
        let sign = if found.chosen[0] < found.chosen[1] {
            1.0
        } else {
            -1.0
        };
        naive += sign * found.naive;
    }
    let of = replications as f64;
    assert_near(
        "coverage of the contrast",
        f64::from(covered) / of,
        0.95,
        0.015,
    );
    assert_at_most(
        "plain means of what was dropped, where nothing differs",
        naive / of,
        -0.08,
    );
}

#[test]
fn whom_a_policy_contacts_does_not_decide_what_contacting_does() {
    let replications = 2_000_u64;
    let (mut covered, mut naive) = (0, 0);
    for replication in 0..replications {
        let mut draws = Draws::new(62, replication);
        let mut rounds = Vec::new();
        for customer in 0..150 {
            // Those in trouble pay less, and are contacted more; contacting adds 1 for everybody.
            let trouble = draws.chance(0.5);
            for visit in 0..1 + (customer % 4) {
                let contact = if trouble { 0.7 } else { 0.2 };
                let chosen = usize::from(!draws.chance(contact));
                let worth = if trouble { -3.0 } else { 3.0 };
                let at = i64::from(customer) * 4 + i64::from(visit);
                rounds.push(Round {
                    at,
                    known_at: at + DELAY,
                    customer,
                    propensities: [contact, 1.0 - contact],
                    chosen: Some(chosen),
                    reward: worth + f64::from(u8::from(chosen == 0)) + draws.normal(),
                });
            }
        }
        let found = contrast(&rounds, Alpha::FIVE_PERCENT).unwrap();
        covered += u32::from(found.ci.contains(1.0));
        naive += u32::from(found.naive < 0.0);
    }
    let share = |count: u32| f64::from(count) / replications as f64;
    assert_near("coverage by customer", share(covered), 0.95, 0.015);
    assert_at_least("plain means with the wrong sign", share(naive), 0.99);
}
