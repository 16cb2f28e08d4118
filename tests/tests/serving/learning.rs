//! Windows close, outcomes are counted once, generations follow, and a restart changes nothing.

use crate::house::{House, config, in_spite};
use crate::versions::{verdict, version};
use lagom_features::FeatureSpec;
use lagom_model::ope::valuation::Judged;
use lagom_proto::v1::EventType;
use lagom_serving::registry;
use lagom_serving::server::Server;
use lagom_tests::company::{DAY, MONDAY, at, fact, opening, question};
use lagom_training::registry::Registry;

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
    let changed = in_spite(&format!("{QUICK}[bandit.exploration]\nfloor = 0.2\n"));
    let house = house.reopen(&changed).await;
    let second = of(&house);
    assert_eq!(second.0, first.0 + 1);
    let house = house.reopen(&changed).await;
    assert_eq!(of(&house), second, "the same settings, the same number");
    let house = house.reopen(&in_spite(QUICK)).await;
    assert_eq!(of(&house).0, second.0 + 1);
}

/// A server starts with other ways than those that learnt only if the version in force was judged with
/// them and passed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_with_other_ways_waits_for_their_verdict() {
    let house = House::open(QUICK).await;
    house.record(opening(40).events).await;
    decide(&house, 40, "first", MONDAY).await;
    let other = format!("{QUICK}[bandit.exploration]\nfloor = 0.2\n");
    // Nothing has been learnt yet: both ways are as good.
    let house = house.reopen(&other).await;
    let house = house.reopen(QUICK).await;
    decide(&house, 1, "later", MONDAY + 16 * DAY).await;
    let folder = house.close().await;
    let other = format!("[clock]\nsource = \"events\"\n{other}");
    let settings = config(folder.path(), &other);
    let start = async || Server::start(settings.clone(), None).await;
    let refused = start().await.unwrap_err().to_string();
    assert!(refused.contains("outcomes, and no verdict"), "{refused}");
    assert!(refused.contains("--policy bandit"), "{refused}");

    let models = folder.path().join("models");
    let registry = Registry::at(&models);
    let one = version(1, 0.01, FeatureSpec::built_in().text());
    registry.put(&one).unwrap();
    registry::promote(&models, one.id(), "first").unwrap();
    let learning = settings.nothing_learnt(settings.spec.fingerprint());
    let ways = learning.unwrap().generation().ways();
    for (of, passed) in [(None, true), (Some(ways), false), (Some(ways), true)] {
        let judged = Judged {
            ways: of,
            ..verdict(one.id(), "logged", passed, "as it is")
        };
        registry.keep(&judged).unwrap();
        match start().await {
            Ok(server) => {
                assert!(of.is_some() && passed);
                server.shutdown().await;
            }
            Err(refused) => {
                assert!(of.is_none() || !passed);
                assert!(refused.to_string().contains(one.id()), "{refused}");
            }
        }
    }
}
