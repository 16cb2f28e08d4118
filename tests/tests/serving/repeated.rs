//! The same question again: the same answer, whatever has been put in force since.

use crate::house::{House, config, in_spite};
use lagom_proto::v1::{ExplainDecisionRequest, NextBestActionResponse};
use lagom_tests::company::{opening, question};
use prost::Message;

const CUSTOMERS: usize = 30;

/// Reminders with a fee and offers with a discount, under templates of their own.
fn strategy(currency: &str, template: &str, fee_minor: i64, discount_minor: i64) -> String {
    in_spite(&format!(
        "[clock]\nsource = \"events\"\n[bandit]\npolicy = \"uniform\"\n\
         [strategy]\ncurrency = \"{currency}\"\n\
         steps = [{{ kind = \"discount_offer\", channels = [\"email\"], tones = [\"friendly\"], \
         timings = [\"d0-midday\", \"d1-midday\"], discount_minor = {discount_minor}, \
         template = \"{template}_offer\" }}, {{ kind = \"reminder\", channels = [\"email\", \"letter\"], \
         tones = [\"neutral\"], timings = [\"d0-midday\"], fee_minor = {fee_minor}, \
         template = \"{template}_{{channel}}\", variants = [\"short\", \"long\"] }}]\n\
         stages = [{{ name = \"all\", from_day = -60, kinds = [\"discount_offer\", \"reminder\"] }}]\n\
         ladder = []\n\
         [[guardrails.overrides]]\nrule = \"global.review_fees\"\nenabled = false\n\
         reason = \"a test\"\n[[guardrails.overrides]]\nrule = \"SE.fee_agreed\"\n\
         enabled = false\nreason = \"a test\"\n"
    ))
}

/// Every answer is the one that was given, to the byte, also where the decision is explained.
async fn say(house: &House, before: &[NextBestActionResponse], when: &str) {
    for (again, before) in house.answers(CUSTOMERS).await.iter().zip(before) {
        assert_eq!(again, before, "{when}");
        assert_eq!(again.encode_to_vec(), before.encode_to_vec(), "{when}");
        let request = ExplainDecisionRequest {
            decision_id: before.decision_id.clone(),
        };
        let explained = house.decisions().explain_decision(request).await.unwrap();
        let explained = explained.into_inner().decision.unwrap();
        assert_eq!(explained.encode_to_vec(), before.encode_to_vec(), "{when}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_strategy_changes_no_answer_that_was_given() {
    let first = strategy("SEK", "old", 6_000, 900);
    let other = strategy("EUR", "new", 500, 70);
    let folder = tempfile::tempdir().unwrap();
    let house = House::open_in(folder, &first).await;
    house.record(opening(CUSTOMERS).events).await;
    let before = house.answers(CUSTOMERS).await;
    let actions = || before.iter().flat_map(|one| &one.action);
    assert!(actions().any(|one| one.template_key == "old_email_short"));
    assert!(actions().any(|one| one.template_key == "old_offer"));
    let fee = |one: &lagom_proto::v1::Action| one.fee.clone();
    let fee = actions().find_map(fee).expect("somebody pays a fee");
    assert_eq!((fee.minor_units, &*fee.currency), (6_000, "SEK"));
    assert!(actions().any(|one| one.discount.is_some()));
    say(&house, &before, "under the same strategy").await;

    let next = config(house.folder.path(), &other);
    house.server.engine().reconfigure(next).await.unwrap();
    let snapshot = house.server.engine().snapshot();
    assert_ne!(before[0].strategy_id, snapshot.strategy().id());
    say(&house, &before, "after a reload").await;

    let house = House::open_in(house.close().await, &other).await;
    say(&house, &before, "after a restart").await;
    let mut anew = question(0);
    anew.request_id = "anew".to_owned();
    let anew = house.decisions().next_best_action(anew).await.unwrap();
    assert_eq!(anew.into_inner().strategy_id, snapshot.strategy().id());
}
