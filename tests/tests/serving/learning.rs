//! Windows close, outcomes are counted once, generations follow, and a restart changes nothing.

use crate::house::House;
use lagom_proto::v1::EventType;
use lagom_tests::company::{DAY, MONDAY, at, fact, opening, question};

const QUICK: &str = "[learning]\nwindow_days = 14\n[bandit.cold_start]\nrounds = 20\n";

async fn decide(house: &House, customers: usize, tag: &str, seconds: i64) -> u64 {
    let mut generation = 0;
    for n in 0..customers {
        let mut request = question(n);
        request.request_id = format!("{tag}-{n}");
        request.as_of = at(seconds);
        let answer = house
            .decisions()
            .next_best_action(request)
            .await
            .unwrap()
            .into_inner();
        generation = answer.policy_generation;
    }
    generation
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matured_outcomes_are_learnt_once_and_survive_a_restart() {
    let house = House::open(QUICK).await;
    house.record(opening(60).events).await;
    assert_eq!(decide(&house, 60, "first", MONDAY).await, 0);
    let paid = (0..30).map(|n| {
        fact(
            n,
            EventType::PaymentSucceeded,
            MONDAY + 3 * DAY,
            Some(45_000),
        )
    });
    house.record(paid.collect()).await;
    assert_eq!(house.server.engine().pending().len(), 60);

    let generation = decide(&house, 1, "later", MONDAY + 16 * DAY).await;
    assert!(
        generation > 0,
        "a decision after the window follows what was learnt"
    );
    assert_eq!(house.server.engine().pending().len(), 1);
    let store = house.folder.path().join("lagom.db");
    let export = lagom_serving::export::export(&store).unwrap();
    assert_eq!(export.outcomes.len(), 60);
    let paid = export
        .outcomes
        .iter()
        .filter(|one| one.paid && one.collected_minor == 45_000);
    assert_eq!(paid.count(), 30);

    let before = house.server.engine().snapshot().parts().generation.digest();
    let house = house.reopen(QUICK).await;
    let after = house.server.engine().snapshot().parts().generation.digest();
    assert_eq!(before, after, "the log rebuilds the same generation");
    assert_eq!(house.server.engine().pending().len(), 1);
    decide(&house, 1, "last", MONDAY + 40 * DAY).await;
    let export = lagom_serving::export::export(&store).unwrap();
    assert_eq!(export.outcomes.len(), 61, "no outcome twice");
}

/// A number names one content for ever, also where the log is learnt again under other settings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_configuration_takes_the_next_number() {
    let house = House::open(QUICK).await;
    house.record(opening(40).events).await;
    decide(&house, 40, "first", MONDAY).await;
    decide(&house, 1, "later", MONDAY + 16 * DAY).await;
    let of = |house: &House| {
        let snapshot = house.server.engine().snapshot();
        let generation = &snapshot.parts().generation;
        (generation.number(), generation.digest())
    };
    let first = of(&house);
    let changed = format!("{QUICK}[bandit.exploration]\nfloor = 0.2\n");
    let house = house.reopen(&changed).await;
    let second = of(&house);
    assert_eq!(second.0, first.0 + 1);
    let house = house.reopen(&changed).await;
    assert_eq!(of(&house), second, "the same settings, the same number");
    let house = house.reopen(QUICK).await;
    assert_eq!(of(&house).0, second.0 + 1);
}
