//! What ends or suspends a case, and what gives it back.

use crate::case::{Case, EVERYTHING, invoice_id, t};
use lagom_features::domain::{Channel, Currency, EventType, Money};
use lagom_model::guardrails::Verdict;
use lagom_model::guardrails::facts::Reserved;
use lagom_model::strategy::{HUMAN_REVIEW, WAIT};

const LETTER: &str = "reminder.letter.friendly.d0-midday";

fn case() -> Case {
    Case::new("2026-11-01", "2026-11-23T06:00:00Z")
}

#[test]
fn each_stop_refuses_everything_but_waiting_and_a_person() {
    use EventType::*;
    for (kind, rule) in [
        (CustomerDeceased, "global.deceased"),
        (CustomerBankrupt, "global.bankrupt"),
        (WrittenOff, "global.closed"),
        (CollectionOpened, "global.in_collection"),
        (DisputeOpened, "global.dispute"),
        (MoratoriumStarted, "global.standstill"),
        (HoldPlaced, "global.hold"),
        (PlanStarted, "global.plan"),
        (PaymentInitiated, "global.payment_in_flight"),
        (PaymentUnmatched, "global.unmatched_payment"),
    ] {
        let stopped = case().event(kind, "2026-11-20", |_| {});
        let guardrails = stopped.guardrails();
        let mut verdicts = Vec::new();
        guardrails.screen(&stopped.facts(), &EVERYTHING, None, &mut verdicts);
        for (place, verdict) in verdicts.iter().enumerate() {
            match verdict {
                // Where nothing is owed there is nothing for a person to look at.
                Verdict::Allowed if kind == WrittenOff => assert_eq!(place, WAIT),
                Verdict::Allowed => assert!([WAIT, HUMAN_REVIEW].contains(&place), "{kind}"),
                Verdict::Refused(by) => assert_eq!(guardrails.rule(*by).id, rule, "{kind}"),
            }
        }
    }
    let mut child = case();
    child.customer.minor = Some(true);
    child.refuses(LETTER, "global.minor");
}

#[test]
fn what_ended_stops_nothing() {
    use EventType::*;
    for (begin, end) in [
        (DisputeOpened, DisputeResolved),
        (MoratoriumStarted, MoratoriumEnded),
        (HoldPlaced, HoldReleased),
        (PlanStarted, PlanEnded),
        (PaymentInitiated, PaymentFailed),
        (CollectionOpened, CollectionRecalled),
    ] {
        let over = case()
            .event(begin, "2026-11-18", |_| {})
            .event(end, "2026-11-20", |_| {});
        over.allows(LETTER);
    }
}

#[test]
fn what_is_said_of_the_customer_holds_for_every_invoice() {
    use EventType::*;
    for (kind, rule) in [
        (DisputeOpened, "global.dispute"),
        (HoldPlaced, "global.hold"),
        (PlanStarted, "global.plan"),
        (PaymentInitiated, "global.payment_in_flight"),
    ] {
        let customer = case().event(kind, "2026-11-20", |event| event.invoice_id = None);
        customer.refuses(LETTER, rule);
        let other = case().event(kind, "2026-11-20", |event| {
            event.invoice_id = Some(invoice_id("other"));
        });
        other.allows(LETTER);
    }
    let death = case().event(CustomerDeceased, "2026-11-20", |event| {
        event.invoice_id = Some(invoice_id("other"));
    });
    death.refuses(LETTER, "global.deceased");
}

#[test]
fn what_is_said_of_one_invoice_does_not_end_what_is_said_of_all() {
    let both = case()
        .event(EventType::CollectionOpened, "2026-11-18", |_| {})
        .event(EventType::CollectionRecalled, "2026-11-20", |event| {
            event.invoice_id = None;
        });
    both.refuses(LETTER, "global.in_collection");
}

#[test]
fn holds_expire_at_the_time_of_sending_and_can_be_for_one_channel() {
    let until = |until: &str| {
        let until = t(until);
        case().event(EventType::HoldPlaced, "2026-11-20", move |event| {
            event.until = Some(until);
        })
    };
    // 11.00 in Stockholm is 10.00 UTC.
    until("2026-11-23T10:00:01Z").refuses(LETTER, "global.hold");
    until("2026-11-23T10:00:00Z").allows(LETTER);
    let letters = case().event(EventType::HoldPlaced, "2026-11-20", |event| {
        event.channel = Some(Channel::Letter);
    });
    letters.refuses(LETTER, "global.hold");
    letters.allows("reminder.email.friendly.d0-midday");
    let released = letters.event(EventType::HoldReleased, "2026-11-21", |_| {});
    released.refuses(LETTER, "global.hold");
}

#[test]
fn a_promise_is_believed_two_days_beyond_its_day() {
    let promised = case().event(EventType::PromiseMade, "2026-11-20", |event| {
        event.until = Some(t("2026-11-23T12:00:00Z"));
    });
    promised.refuses(LETTER, "global.promise");
    promised.refuses("reminder.letter.friendly.d2-midday", "global.promise");
    promised.allows("reminder.letter.friendly.d2-evening");
}

#[test]
fn unmatched_money_stops_only_what_it_may_cover() {
    let money = |minor: i64, currency: Currency, at: &str| {
        case().event(EventType::PaymentUnmatched, at, |event| {
            event.invoice_id = None;
            event.amount = Some(Money::new(minor, currency));
        })
    };
    let euro = Currency::new("EUR").unwrap();
    money(50_000, Currency::SEK, "2026-11-20").refuses(LETTER, "global.unmatched_payment");
    money(49_999, Currency::SEK, "2026-11-20").allows(LETTER);
    money(1, euro, "2026-11-20").refuses(LETTER, "global.unmatched_payment");
    money(100_000, Currency::SEK, "2026-11-09").allows(LETTER);
    let mut matched = money(50_000, Currency::SEK, "2026-11-20");
    matched.invoice("other", "2026-11-02", 50_000);
    let matched = matched.event(EventType::PaymentSucceeded, "2026-11-21", |event| {
        event.invoice_id = Some(invoice_id("other"));
        event.amount = Some(Money::new(50_000, Currency::SEK));
    });
    matched.allows(LETTER);
}

#[test]
fn vulnerable_customers_hear_soft_tones_and_pay_no_fee() {
    let case = case()
        .fees_allowed()
        .sent("reminder.letter.neutral.d0-morning", "2026-11-05", 0)
        .sent("reminder.letter.neutral.d0-morning", "2026-11-12", 0)
        .event(EventType::VulnerabilityFlagged, "2026-11-20", |_| {});
    case.allows(LETTER);
    case.allows("reminder.letter.neutral.d0-midday");
    case.refuses("reminder.letter.firm.d0-midday", "global.vulnerable");
    case.refuses(
        "collection_claim.letter.neutral.d0-midday",
        "global.vulnerable",
    );
    assert_eq!(
        case.charging(LETTER, 100).as_deref(),
        Some("global.vulnerable")
    );
}

#[test]
fn consent_is_by_channel_and_purpose() {
    let withdrawn = |channel: Option<Channel>, reason: Option<&str>| {
        let reason = reason.map(str::to_owned);
        case().event(EventType::ConsentWithdrawn, "2026-11-20", move |event| {
            event.invoice_id = None;
            event.channel = channel;
            event.reason = reason;
        })
    };
    let sms = withdrawn(Some(Channel::Sms), None);
    sms.refuses("reminder.sms.friendly.d0-midday", "global.consent");
    sms.allows(LETTER);
    let all = withdrawn(None, None);
    all.refuses(LETTER, "global.consent");
    let selling = withdrawn(None, Some("marketing"));
    selling.allows(LETTER);
    selling.refuses("discount_offer.letter.friendly.d0-midday", "global.consent");
    let again = sms.event(EventType::ConsentGranted, "2026-11-21", |event| {
        event.channel = Some(Channel::Sms);
    });
    again.allows("reminder.sms.friendly.d0-midday");
}

#[test]
fn budgets_are_the_customers_across_invoices_and_senders() {
    let other = |at: &str, reason: &str| {
        let reason = reason.to_owned();
        case().event(EventType::ContactSent, at, move |event| {
            event.invoice_id = Some(invoice_id("other"));
            event.channel = Some(Channel::DigitalMailbox);
            event.reason = Some(reason);
        })
    };
    // The slot begins at 10.00 UTC on the 23rd.
    other("2026-11-22T10:00:01Z", "reminder").refuses(LETTER, "global.daily_cap");
    other("2026-11-22T10:00:00Z", "channel").refuses(LETTER, "global.cooldown");
    other("2026-11-21T10:00:01Z", "channel").refuses(LETTER, "global.cooldown");
    other("2026-11-21T10:00:00Z", "channel").allows(LETTER);
    let two = other("2026-11-20T10:00:00Z", "channel").sent(
        "due_date_notice.email.friendly.d0-morning",
        "2026-11-16T10:00:01Z",
        0,
    );
    two.refuses(LETTER, "global.weekly_cap");
    two.allows("reminder.letter.friendly.d0-evening");
}

#[test]
fn after_four_contacts_a_person_decides() {
    let mut four = case();
    for at in ["2026-10-01", "2026-10-05", "2026-10-09"] {
        four = four.sent("due_date_notice.email.friendly.d0-morning", at, 0);
    }
    four.allows(LETTER);
    four = four.sent("due_date_notice.email.friendly.d0-morning", "2026-10-13", 0);
    four.refuses(LETTER, "global.lifetime");
}

#[test]
fn a_case_climbs_one_rung_at_a_time() {
    let bare = case().without(&["global.review_claims"]);
    bare.allows("reminder.letter.firm.d0-midday");
    bare.refuses("reminder.letter.final.d0-midday", "global.one_rung");
    bare.refuses("collection_claim.letter.final.d0-midday", "global.one_rung");
    let one = bare.sent("reminder.email.friendly.d0-morning", "2026-11-05", 0);
    one.allows("reminder.letter.final.d0-midday");
    one.refuses("collection_claim.letter.final.d0-midday", "global.one_rung");
    let nudged = one.event(EventType::ContactSent, "2026-11-08", |event| {
        event.channel = Some(Channel::DigitalMailbox);
        event.reason = Some("channel".to_owned());
    });
    nudged.refuses("collection_claim.letter.final.d0-midday", "global.one_rung");
    let two = nudged.sent("reminder.email.friendly.d0-morning", "2026-11-12", 0);
    two.allows("collection_claim.letter.final.d0-midday");
}

#[test]
fn debits_are_tried_again_only_after_a_failure() {
    let mut card = case();
    card.invoices[0].payment_method = Some("card".into());
    let retry = "retry_debit.none.none.d1-morning";
    card.refuses(retry, "global.debit");
    let failed = card.event(EventType::PaymentFailed, "2026-11-22T12:00:00Z", |_| {});
    failed.refuses(retry, "global.debit");
    failed.allows("retry_debit.none.none.d2-morning");
    let transfer = case().event(EventType::PaymentFailed, "2026-11-10", |_| {});
    transfer.refuses(retry, "global.debit");
}

#[test]
fn small_sums_and_dead_channels_are_left_alone() {
    let mut small = case();
    small.invoices[0].amount.minor_units = 4_999;
    small.refuses(LETTER, "global.minimum_balance");
    let bounced = case().event(EventType::DeliveryFailed, "2026-11-10", |event| {
        event.channel = Some(Channel::Email);
    });
    bounced.refuses("reminder.email.friendly.d0-midday", "global.undelivered");
    bounced.allows(LETTER);
}

#[test]
fn a_request_can_limit_the_channels() {
    let case = case();
    let guardrails = case.guardrails();
    let mut verdicts = Vec::new();
    let only = [Channel::Email];
    guardrails.screen(&case.facts(), &EVERYTHING, Some(&only), &mut verdicts);
    for (action, verdict) in EVERYTHING.catalogue().iter().zip(verdicts) {
        if let (Some(channel), Verdict::Allowed) = (action.channel, verdict) {
            assert_eq!(channel, Channel::Email);
        }
        if let (Verdict::Refused(rule), Some(Channel::Letter)) = (verdict, action.channel) {
            assert_eq!(guardrails.rule(rule).id, "request.channels");
        }
    }
}

#[test]
fn a_hold_can_be_for_selling_alone() {
    let selling = case().event(EventType::HoldPlaced, "2026-11-20", |event| {
        event.reason = Some("marketing".to_owned());
    });
    selling.allows(LETTER);
    selling.refuses("discount_offer.letter.friendly.d0-midday", "global.hold");
    assert!(!selling.facts().is_stopped());
    // The other hold is not its own, and ends alone.
    let both = selling.event(EventType::HoldPlaced, "2026-11-21", |_| {});
    both.refuses(LETTER, "global.hold");
    let one = both.event(EventType::HoldReleased, "2026-11-22", |_| {});
    one.allows(LETTER);
    one.refuses("discount_offer.letter.friendly.d0-midday", "global.hold");
}

#[test]
fn what_is_reserved_is_spent_at_once_and_climbs_no_rung() {
    let pending = |action: &str, fee_minor: i64| Reserved {
        invoice_id: invoice_id("i"),
        action: action.parse().unwrap(),
        fee_minor,
        at: t("2026-11-23T07:00:00Z"),
        until: t("2026-11-25T07:00:00Z"),
    };
    let refusal = |reserved: &[Reserved], action: &str| {
        let bare = case().without(&["global.review_claims"]);
        let mut facts = bare.facts();
        facts.reserve(&invoice_id("i"), reserved);
        let (guardrails, mut verdicts) = (bare.guardrails(), Vec::new());
        guardrails.screen(&facts, &EVERYTHING, None, &mut verdicts);
        match verdicts[EVERYTHING.place(&action.parse().unwrap()).unwrap()] {
            Verdict::Allowed => None,
            Verdict::Refused(rule) => Some(guardrails.rule(rule).id.to_string()),
        }
    };
    let sms = pending("reminder.sms.friendly.d0-morning", 0);
    let daily = Some("global.daily_cap".to_owned());
    assert_eq!(refusal(std::slice::from_ref(&sms), LETTER), daily);
    // Until it expires it may go out just before; then it went out on its day, two days earlier.
    assert_eq!(
        refusal(
            std::slice::from_ref(&sms),
            "reminder.letter.friendly.d1-evening"
        ),
        daily
    );
    let later = "reminder.letter.friendly.d2-midday";
    assert_eq!(refusal(std::slice::from_ref(&sms), later), None);
    // Nobody has heard of it yet: the next rung is not open.
    let last = pending("reminder.letter.final.d0-morning", 0);
    let claim = refusal(&[last], "collection_claim.letter.final.d3-morning");
    assert_eq!(claim.as_deref(), Some("global.one_rung"));
    let debit = pending("retry_debit.none.none.d0-morning", 0);
    let flight = refusal(&[debit], LETTER);
    assert_eq!(flight.as_deref(), Some("global.payment_in_flight"));
}
