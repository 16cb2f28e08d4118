//! Right before sending: does it still hold, and whose contact is it?

use crate::house::House;
use lagom_proto::v1::{
    ConfirmActionRequest, ConfirmActionResponse, ConfirmStatus, EventType, NextBestActionResponse,
};
use lagom_tests::company::{self, MONDAY, customer, fact, invoice, question};

/// The ladder is certain of its step, so that a contact is advised for sure.
const LADDER: &str = "[bandit]\npolicy = \"ladder\"\n";

async fn confirm(house: &House, advice: &NextBestActionResponse) -> ConfirmActionResponse {
    let action = advice.action.as_ref().unwrap();
    let request = ConfirmActionRequest {
        decision_id: advice.decision_id.clone(),
        as_of: action.send_at,
    };
    house
        .decisions()
        .confirm_action(request)
        .await
        .unwrap()
        .into_inner()
}

async fn contact_advised(house: &House, n: usize) -> NextBestActionResponse {
    let advice = house
        .decisions()
        .next_best_action(question(n))
        .await
        .unwrap()
        .into_inner();
    assert_ne!(
        advice.action.as_ref().unwrap().channel,
        0,
        "a contact: {}",
        advice.reason
    );
    advice
}

#[tokio::test]
async fn what_was_paid_meanwhile_is_cancelled_and_stays_so() {
    let house = House::open(LADDER).await;
    house.record(company::opening(1).events).await;
    let advice = contact_advised(&house, 0).await;
    assert_eq!(
        confirm(&house, &advice).await.status(),
        ConfirmStatus::Proceed
    );
    let paid = fact(0, EventType::PaymentSucceeded, MONDAY + 60, Some(45_000));
    assert_eq!(house.record(vec![paid]).await.accepted, 1);
    let cancelled = confirm(&house, &advice).await;
    assert_eq!(cancelled.status(), ConfirmStatus::Cancel);
    assert!(!cancelled.rules.is_empty());
    assert_eq!(confirm(&house, &advice).await, cancelled);
    let house = house.reopen(LADDER).await;
    assert_eq!(confirm(&house, &advice).await, cancelled);
}

/// Two invoices of one customer, both advised at the same time: one contact proceeds, the second
/// is over the customer's budget although nobody has reported the first as sent yet.
#[tokio::test]
async fn a_contact_that_may_proceed_is_counted_for_others() {
    let house = House::open(LADDER).await;
    let mut second = invoice(1);
    second.customer_id = "c0".to_owned();
    house.record(vec![customer(0), invoice(0), second]).await;
    let first = contact_advised(&house, 0).await;
    let mut ask = question(1);
    ask.customer_id = "c0".to_owned();
    let other = house
        .decisions()
        .next_best_action(ask)
        .await
        .unwrap()
        .into_inner();
    assert_ne!(
        other.action.as_ref().unwrap().channel,
        0,
        "both were advised"
    );
    assert_eq!(
        confirm(&house, &first).await.status(),
        ConfirmStatus::Proceed
    );
    assert_eq!(
        confirm(&house, &first).await.status(),
        ConfirmStatus::Proceed,
        "its own contact"
    );
    let house = house.reopen(LADDER).await;
    let refused = confirm(&house, &other).await;
    assert_eq!(refused.status(), ConfirmStatus::Cancel, "{refused:?}");
}

/// What another invoice has reserved is spent for advice too, until it is known not to be.
#[tokio::test]
async fn advice_sees_what_another_invoice_has_reserved() {
    let house = House::open(LADDER).await;
    let mut second = invoice(1);
    second.customer_id = "c0".to_owned();
    house.record(vec![customer(0), invoice(0), second]).await;
    let first = contact_advised(&house, 0).await;
    assert_eq!(
        confirm(&house, &first).await.status(),
        ConfirmStatus::Proceed
    );
    let mut ask = question(1);
    ask.customer_id = "c0".to_owned();
    let soon = |advice: &NextBestActionResponse| {
        let refused = advice.blocked.iter();
        let mut refused = refused.filter(|one| one.action_id.ends_with(".d0-morning"));
        refused.any(|one| one.rule == "global.daily_cap")
    };
    let asked = house.decisions().next_best_action(ask.clone()).await;
    let other = asked.unwrap().into_inner();
    assert!(soon(&other), "{}", other.reason);
    // Reported as skipped, it gives the contact back.
    let mut skipped = fact(0, EventType::ContactSkipped, MONDAY + 120, None);
    skipped.decision_id = first.decision_id.clone();
    assert_eq!(house.record(vec![skipped]).await.accepted, 1);
    ask.request_id = "again".to_owned();
    let asked = house.decisions().next_best_action(ask).await;
    let again = asked.unwrap().into_inner();
    assert!(!soon(&again), "{}", again.reason);
}

/// A sender that confirms and never reports has spent the contact for two days, not for ever.
#[tokio::test]
async fn a_reservation_that_nothing_follows_expires() {
    // A contact would silence the customer for ten days, so that only its expiry explains the second.
    let config = format!(
        "{LADDER}[[guardrails.overrides]]\nrule = \"global.cooldown\"\nset = {{ hours = 240 }}\n\
         reason = \"a test\"\n"
    );
    let house = House::open(&config).await;
    let mut second = invoice(1);
    second.customer_id = "c0".to_owned();
    house.record(vec![customer(0), invoice(0), second]).await;
    let first = contact_advised(&house, 0).await;
    let mut ask = question(1);
    ask.customer_id = "c0".to_owned();
    let asked = house.decisions().next_best_action(ask.clone()).await;
    let other = asked.unwrap().into_inner();
    assert_eq!(
        confirm(&house, &first).await.status(),
        ConfirmStatus::Proceed
    );
    assert_eq!(
        confirm(&house, &other).await.status(),
        ConfirmStatus::Cancel
    );
    let confirm_at = |advice: &NextBestActionResponse, seconds: i64| ConfirmActionRequest {
        decision_id: advice.decision_id.clone(),
        as_of: company::at(seconds),
    };
    ask.request_id = "three days later".to_owned();
    ask.as_of = company::at(MONDAY + 3 * company::DAY);
    let asked = house.decisions().next_best_action(ask).await;
    let later = asked.unwrap().into_inner();
    let slot = later.action.as_ref().unwrap().send_at.unwrap().seconds;
    let answer = house
        .decisions()
        .confirm_action(confirm_at(&later, slot))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.status(), ConfirmStatus::Proceed, "{answer:?}");
}

/// Let through on Monday, sent on Thursday: the other invoice has no contact left on that Thursday.
#[tokio::test]
async fn a_contact_that_was_let_through_early_counts_on_its_own_day() {
    let config = format!(
        "{LADDER}[strategy]\n\
         steps = [{{ kind = \"reminder\", channels = [\"email\"], tones = [\"neutral\"], \
         timings = [\"d3-midday\"] }}]\n\
         stages = [{{ name = \"late\", from_day = 0, kinds = [\"reminder\"] }}]\n\
         ladder = [{{ kind = \"reminder\", from_day = 5, channels = [\"email\"], \
         gentle = \"neutral\", neutral = \"neutral\", firm = \"neutral\" }}]\n"
    );
    let house = House::open(&config).await;
    let mut second = invoice(1);
    second.customer_id = "c0".to_owned();
    house.record(vec![customer(0), invoice(0), second]).await;
    let first = contact_advised(&house, 0).await;
    let mut ask = question(1);
    ask.customer_id = "c0".to_owned();
    let asked = house.decisions().next_best_action(ask).await;
    let other = asked.unwrap().into_inner();
    let early = ConfirmActionRequest {
        decision_id: first.decision_id.clone(),
        as_of: company::at(MONDAY + 60),
    };
    let answer = house.decisions().confirm_action(early).await.unwrap();
    assert_eq!(answer.into_inner().status(), ConfirmStatus::Proceed);
    let refused = confirm(&house, &other).await;
    assert_eq!(refused.status(), ConfirmStatus::Cancel, "{refused:?}");
}

/// Advice is for its slot. A day later the sender asks anew.
#[tokio::test]
async fn advice_whose_slot_is_long_over_is_cancelled() {
    let house = House::open(LADDER).await;
    house.record(company::opening(2).events).await;
    let first = contact_advised(&house, 0).await;
    let second = contact_advised(&house, 1).await;
    for (advice, late, status) in [
        (first, 20 * 3600, ConfirmStatus::Proceed),
        (second, 2 * company::DAY, ConfirmStatus::Cancel),
    ] {
        let until = advice.action.as_ref().unwrap().send_until.unwrap();
        let request = ConfirmActionRequest {
            decision_id: advice.decision_id.clone(),
            as_of: company::at(until.seconds + late),
        };
        let answer = house.decisions().confirm_action(request).await.unwrap();
        let answer = answer.into_inner();
        assert_eq!(answer.status(), status, "{answer:?}");
        if status == ConfirmStatus::Cancel {
            assert_eq!(answer.rules, ["global.past_slot"]);
        }
    }
}
