//! A skewed assignment is found, an even one is left in peace.

use lagom_model::statistics::srm::{SrmTest, sequential};

use crate::{assert_at_least, assert_at_most, draws::Draws, rate};

const CUSTOMERS: u64 = 100_000;
const SHARES: [f64; 2] = [0.5, 0.5];

fn sizes(draws: &mut Draws, share: f64, customers: u64) -> [u64; 2] {
    let control = (0..customers).filter(|_| draws.chance(share)).count() as u64;
    [control, customers - control]
}

#[test]
fn one_percent_of_skew_is_found_in_a_hundred_thousand() {
    let alarms = |share: f64, simulation: u64, replications: u32| {
        rate(replications, |replication| {
            let observed = sizes(&mut Draws::new(simulation, replication), share, CUSTOMERS);
            !SrmTest::of_weights(&observed, &SHARES).unwrap().passes()
        })
    };
    assert_at_least("51 % to 49 % found", alarms(0.51, 31, 200), 0.99);
    assert_at_most("50 % to 50 % suspected", alarms(0.50, 32, 500), 0.004);
}

#[test]
fn the_sequential_test_may_be_watched_and_finds_the_skew() {
    let alarms = |share: f64, simulation: u64, replications: u32| {
        rate(replications, |replication| {
            let mut draws = Draws::new(simulation, replication);
            let mut watch =
                sequential::SequentialSrm::new(&SHARES, sequential::CONCENTRATION).unwrap();
            let mut seen = [0, 0];
            for _ in 0..100 {
                let today = sizes(&mut draws, share, 1000);
                seen = [seen[0] + today[0], seen[1] + today[1]];
                watch.look(&seen).unwrap();
            }
            watch.running_min_p() < 0.05
        })
    };
    assert_at_least(
        "51 % to 49 % found while watching",
        alarms(0.51, 33, 200),
        0.95,
    );
    assert_at_most(
        "50 % to 50 % suspected while watching",
        alarms(0.50, 34, 500),
        0.05,
    );
}
