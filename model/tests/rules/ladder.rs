//! The ladder: what it sends to whom and when, and that it never sends what is refused.

use crate::case::{Case, invoice_id};
use lagom_features::domain::{Channel, Currency, EventType, Money};
use lagom_model::guardrails::Verdict;
use lagom_model::policy::ladder;
use lagom_model::strategy::{Strategy, Track};

fn advice(case: &Case) -> String {
    let strategy = Strategy::default();
    let facts = case.facts();
    let mut verdicts = Vec::new();
    case.guardrails()
        .screen(&facts, &strategy, None, &mut verdicts);
    let eligible: Vec<bool> = verdicts
        .iter()
        .map(|one: &Verdict| one.is_allowed())
        .collect();
    let place = ladder::choose(&facts, &strategy, &eligible);
    assert!(eligible[place]);
    strategy.catalogue()[place].to_string()
}

/// A case due on Monday 2026-06-01, asked at five in the morning `days` later.
fn on_day(days: i32) -> Case {
    let day = crate::case::day("2026-06-01").plus_days(days);
    Case::new("2026-06-01", &format!("{day}T03:00:00Z"))
}

/// Five invoices of the last months, settled this many days after their due dates.
fn with_record(mut case: Case, lags: [i32; 5]) -> Case {
    for (month, lag) in lags.into_iter().enumerate() {
        let id = format!("paid{month}");
        let due = crate::case::day(&format!("2025-{:02}-01", 8 + month % 5));
        case.invoice(&id, &due.to_string(), 10_000);
        let at = format!("{}T10:00:00Z", due.plus_days(lag));
        case = case.event(EventType::PaymentSucceeded, &at, |event| {
            event.invoice_id = Some(invoice_id(&id));
            event.amount = Some(Money::new(10_000, Currency::SEK));
        });
    }
    case
}

const UNSTEADY: [i32; 5] = [40, 45, -2, 50, 60];

#[test]
fn a_stranger_climbs_the_whole_ladder() {
    let notice = "due_date_notice.email.friendly.d0-morning";
    let reminder = "reminder.email.neutral.d0-morning";
    let second = "reminder.letter.neutral.d0-morning";
    assert_eq!(advice(&on_day(-1)), "wait");
    assert_eq!(advice(&on_day(0)), notice);
    let told = |days| on_day(days).sent(notice, "2026-06-01T06:00:00Z", 0);
    assert_eq!(advice(&told(1)), "wait");
    assert_eq!(advice(&told(4)), "wait");
    assert_eq!(advice(&told(5)), reminder);
    let reminded = |days| told(days).sent(reminder, "2026-06-06T06:00:00Z", 0);
    assert_eq!(advice(&reminded(11)), "wait");
    assert_eq!(advice(&reminded(12)), second);
    let twice = |days| reminded(days).sent(second, "2026-06-13T06:00:00Z", 0);
    assert_eq!(advice(&twice(25)), "wait");
    assert_eq!(advice(&twice(26)), "human_review.none.none.none");
    let claim = twice(26).without(&["global.review_claims"]);
    assert_eq!(advice(&claim), "collection_claim.letter.final.d0-morning");
}

#[test]
fn a_person_is_asked_once() {
    let asked = on_day(30)
        .sent(
            "reminder.email.neutral.d0-morning",
            "2026-06-06T06:00:00Z",
            0,
        )
        .sent(
            "reminder.letter.neutral.d0-morning",
            "2026-06-13T06:00:00Z",
            0,
        );
    assert_eq!(advice(&asked), "human_review.none.none.none");
    let asked = asked.event(EventType::HoldPlaced, "2026-06-27", |event| {
        event.reason = Some("human_review".to_owned());
        event.until = Some(crate::case::t("2026-06-30"));
    });
    assert_eq!(advice(&asked), "wait");
}

#[test]
fn tones_follow_the_record() {
    for (lags, track, tone) in [
        ([40, 45, -2, 50, 60], Track::Firm, "firm"),
        ([40, 45, -2, -1, -3], Track::Neutral, "neutral"),
        ([40, -1, -2, -1, -3], Track::Gentle, "friendly"),
    ] {
        let case = with_record(on_day(5), lags);
        assert_eq!(ladder::track(&case.facts()), track);
        assert_eq!(advice(&case), format!("reminder.email.{tone}.d0-morning"));
    }
}

#[test]
fn a_habit_is_respected_until_two_days_after_it() {
    // Steady, six days late: silence until day eight.
    let steady = [6, 5, 7, 6, 6];
    for (days, expected) in [
        (0, "wait"),
        (5, "wait"),
        (7, "wait"),
        (8, "reminder.email.firm.d0-morning"),
    ] {
        assert_eq!(
            advice(&with_record(on_day(days), steady)),
            expected,
            "day {days}"
        );
    }
    assert_eq!(
        advice(&with_record(on_day(5), UNSTEADY)),
        "reminder.email.firm.d0-morning"
    );
}

#[test]
fn a_refused_channel_or_tone_gives_way_to_the_next_softer_one() {
    let no_mail = with_record(on_day(5), UNSTEADY).event(
        EventType::ConsentWithdrawn,
        "2026-06-02",
        |event| event.channel = Some(Channel::Email),
    );
    assert_eq!(advice(&no_mail), "reminder.digital_mailbox.firm.d0-morning");
    let vulnerable = with_record(on_day(5), UNSTEADY).event(
        EventType::VulnerabilityFlagged,
        "2026-06-02",
        |_| {},
    );
    assert_eq!(advice(&vulnerable), "reminder.email.neutral.d0-morning");
}

#[test]
fn stops_and_caps_make_the_ladder_wait() {
    for kind in [
        EventType::DisputeOpened,
        EventType::HoldPlaced,
        EventType::PaymentInitiated,
        EventType::CustomerDeceased,
        EventType::PaymentUnmatched,
    ] {
        let at = "2026-06-05";
        assert_eq!(advice(&on_day(6).event(kind, at, |_| {})), "wait", "{kind}");
    }
    let busy = on_day(6).event(EventType::ContactSent, "2026-06-06T02:00:00Z", |event| {
        event.invoice_id = Some(invoice_id("other"));
        event.channel = Some(Channel::Letter);
    });
    // Another invoice's letter went out a day ago: the first slot two days later.
    assert_eq!(advice(&busy), "reminder.email.neutral.d1-morning");
}

#[test]
fn a_failed_card_is_charged_again_and_spoken_of_softly() {
    let mut card = on_day(6);
    card.invoices[0].payment_method = Some("card".into());
    let failed = with_record(card, UNSTEADY).event(EventType::PaymentFailed, "2026-06-06", |_| {});
    assert_eq!(ladder::track(&failed.facts()), Track::Gentle);
    assert_eq!(advice(&failed), "retry_debit.none.none.d1-morning");
}
