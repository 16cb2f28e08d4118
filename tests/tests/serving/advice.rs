//! Advice: once a request, in order, on what was known.

use crate::house::House;
use lagom_proto::v1::stream_next_best_actions_response::Result as Streamed;
use lagom_proto::v1::{EventType, ExplainDecisionRequest, Kind};
use lagom_tests::company::{self, DAY, MONDAY, fact, opening, question};
use tokio_stream::StreamExt;
use tonic::Code;

#[tokio::test]
async fn a_repeated_request_gets_the_same_decision_also_after_a_restart() {
    let house = House::open("").await;
    house.record(opening(2).events).await;
    let first = house
        .decisions()
        .next_best_action(question(0))
        .await
        .unwrap()
        .into_inner();
    let again = house
        .decisions()
        .next_best_action(question(0))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, again);
    let house = house.reopen("").await;
    let again = house
        .decisions()
        .next_best_action(question(0))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, again);
    let mut other = question(1);
    other.request_id = "r0".to_owned();
    let refused = house.decisions().next_best_action(other).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused.message().starts_with("request_id: `r0`"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_from_many_callers_is_one_decision() {
    let house = House::open("").await;
    house.record(opening(1).events).await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let mut client = house.decisions();
            tokio::spawn(async move { client.next_best_action(question(0)).await })
        })
        .collect();
    let mut ids = std::collections::HashSet::new();
    for call in calls {
        ids.insert(call.await.unwrap().unwrap().into_inner().decision_id);
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(house.server.engine().pending().len(), 1);
}

#[tokio::test]
async fn a_stream_keeps_its_order_and_a_bad_request_answers_for_itself() {
    let house = House::open("").await;
    house.record(opening(150).events).await;
    let mut requests: Vec<_> = (0..150).map(question).collect();
    requests[70].customer_id = "nobody".to_owned();
    let stream = tokio_stream::iter(requests);
    let answers = house
        .decisions()
        .stream_next_best_actions(stream)
        .await
        .unwrap();
    let answers: Vec<_> = answers.into_inner().map(Result::unwrap).collect().await;
    assert_eq!(answers.len(), 150);
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.request_id, format!("r{n}"));
        match answer.result.unwrap() {
            Streamed::Decision(decision) => assert!(n != 70 && decision.probability > 0.0),
            Streamed::Error(error) => {
                assert_eq!((n, error.code), (70, Code::NotFound.into()));
                assert!(error.message.contains("nobody"), "{}", error.message);
            }
        }
    }
}

#[tokio::test]
async fn events_of_a_request_are_seen_by_its_decision_or_leave_no_trace() {
    let house = House::open("").await;
    house.record(opening(1).events).await;
    let mut paid = question(0);
    paid.events = vec![
        fact(0, EventType::PaymentSucceeded, MONDAY - 1, Some(45_000)),
        fact(0, EventType::InvoiceOpened, MONDAY + DAY, None),
    ];
    let refused = house
        .decisions()
        .next_best_action(paid.clone())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused.message().starts_with("events[1].occurred_at: "),
        "{refused}"
    );
    let mut unpaid = question(0);
    unpaid.request_id = "unpaid".to_owned();
    unpaid.dry_run = true;
    let dry = house
        .decisions()
        .next_best_action(unpaid)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(dry.decision_id, "");
    assert!(dry.probability > 0.0);

    paid.events.truncate(1);
    let decision = house
        .decisions()
        .next_best_action(paid)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        decision.action.unwrap().kind(),
        Kind::Wait,
        "a paid invoice is left alone"
    );
    let again = house.record(vec![fact(
        0,
        EventType::PaymentSucceeded,
        MONDAY - 1,
        Some(45_000),
    )]);
    assert_eq!(again.await.duplicates, 1);
}

#[tokio::test]
async fn an_explanation_lists_what_could_be_chosen_and_what_could_not() {
    let house = House::open("").await;
    house.record(opening(1).events).await;
    let decision = house
        .decisions()
        .next_best_action(question(0))
        .await
        .unwrap()
        .into_inner();
    let request = ExplainDecisionRequest {
        decision_id: decision.decision_id.clone(),
    };
    let explained = house
        .decisions()
        .explain_decision(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(explained.decision.as_ref(), Some(&decision));
    let sum: f64 = explained.eligible.iter().map(|one| one.probability).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    assert_eq!(explained.refused.len(), decision.blocked.len());
    assert!(
        explained
            .refused
            .iter()
            .all(|one| !one.legal_source.is_empty())
    );
    assert!(
        explained
            .features
            .iter()
            .any(|one| one.name == "days_past_due")
    );
    assert!(explained.summary.contains("i0"), "{}", explained.summary);
    let request = ExplainDecisionRequest {
        decision_id: "no-such".to_owned(),
    };
    let missing = house
        .decisions()
        .explain_decision(request)
        .await
        .unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert!(missing.message().contains("no-such"));
}

#[tokio::test]
async fn a_paused_policy_leaves_it_to_the_ladder_until_resumed() {
    use lagom_proto::v1::{PausePolicyRequest, ResumePolicyRequest};
    let house = House::open("").await;
    house.record(opening(3).events).await;
    let pause = PausePolicyRequest {
        reason: "incident".to_owned(),
    };
    assert!(
        house
            .models()
            .pause_policy(pause)
            .await
            .unwrap()
            .into_inner()
            .paused
    );
    let house = house.reopen("").await;
    let paused = house
        .decisions()
        .next_best_action(question(0))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (paused.policy.as_str(), paused.probability),
        ("ladder", 1.0)
    );
    assert!(paused.fallback.contains("paused"), "{}", paused.fallback);
    house
        .models()
        .resume_policy(ResumePolicyRequest::default())
        .await
        .unwrap();
    let resumed = house
        .decisions()
        .next_best_action(question(1))
        .await
        .unwrap()
        .into_inner();
    assert!(!resumed.fallback.contains("paused"));
}

#[tokio::test]
async fn events_stream_in_and_are_counted() {
    use lagom_proto::v1::StreamEventsRequest;
    let house = House::open("").await;
    let mut events = opening(400).events;
    events.push(company::customer(0));
    events.push(fact(
        0,
        EventType::PaymentSucceeded,
        MONDAY - 5 * DAY,
        Some(-1),
    ));
    let stream = tokio_stream::iter(
        events
            .into_iter()
            .map(|event| StreamEventsRequest { event: Some(event) }),
    );
    let answer = house
        .events()
        .stream_events(stream)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (answer.accepted, answer.duplicates, answer.rejected_total),
        (800, 1, 1)
    );
    assert_eq!(
        answer.rejected[0].field,
        "events[801].fact.amount.minor_units"
    );
    assert_eq!(house.server.engine().customers(), 400);
}

/// What a step offers and how it is to be worded reach the caller as they stand in the strategy.
#[tokio::test]
async fn an_offer_arrives_with_its_discount_and_its_template() {
    let strategy = "[bandit]\npolicy = \"uniform\"\n[strategy]\n\
         steps = [{ kind = \"discount_offer\", channels = [\"email\"], tones = [\"friendly\"], \
         timings = [\"d0-midday\"], discount_minor = 900, price_minor = 7, \
         template = \"two percent\" }]\n\
         stages = [{ name = \"early\", from_day = -60, kinds = [\"discount_offer\"] }]\n\
         ladder = []\n";
    let house = House::open(strategy).await;
    house.record(opening(30).events).await;
    let mut offered = 0;
    for n in 0..30 {
        let answer = house.decisions().next_best_action(question(n)).await;
        let answer = answer.unwrap().into_inner();
        let action = answer.action.as_ref().unwrap();
        if action.kind != Kind::DiscountOffer as i32 {
            assert_eq!(action.discount, None);
            continue;
        }
        offered += 1;
        let discount = action.discount.as_ref().unwrap();
        assert_eq!((discount.minor_units, &*discount.currency), (900, "SEK"));
        assert_eq!(action.template_key, "two percent");
        assert_eq!(action.fee, None);
        let again = house.decisions().next_best_action(question(n)).await;
        assert_eq!(again.unwrap().into_inner(), answer);
    }
    assert!(offered > 0, "thirty customers, and nobody was offered it");
}
