//! Law and local custom by date, a row a case. What an expected rule says stands in its pack.

use crate::case::{Case, everything, t};
use lagom_features::domain::{Channel, Country, Currency, EventType, Money};
use lagom_model::strategy::Strategy;

#[test]
fn telephones_rest_on_sundays_and_public_holidays() {
    // Decided at six in the morning of each day, for the same day.
    for (now, rests) in [
        ("2026-04-02T04:00:00Z", false), // Thursday before Easter
        ("2026-04-03T04:00:00Z", true),  // Good Friday
        ("2026-04-04T04:00:00Z", false), // Saturday
        ("2026-04-05T04:00:00Z", true),  // Easter Sunday
        ("2026-04-06T04:00:00Z", true),  // Easter Monday
        ("2026-04-07T04:00:00Z", false),
        ("2026-05-14T04:00:00Z", true),  // Ascension Day
        ("2026-06-06T04:00:00Z", true),  // national day, a Saturday
        ("2026-06-19T04:00:00Z", true),  // Midsummer Eve
        ("2026-11-22T05:00:00Z", true),  // any Sunday
        ("2028-02-29T05:00:00Z", false), // leap day, a Tuesday
        ("2027-03-26T05:00:00Z", true),  // Good Friday two days before daylight saving begins
    ] {
        let case = Case::new("2026-01-01", now);
        let rule = case.refusal("reminder.sms.friendly.d0-midday");
        let expected = rests.then_some("global.quiet_days");
        assert_eq!(rule.as_deref(), expected, "{now}");
        case.allows("reminder.email.friendly.d0-midday");
    }
}

#[test]
fn holidays_are_those_of_the_customers_country() {
    for (country, zone, now, rests) in [
        ("SE", "Europe/Stockholm", "2026-05-17T04:00:00Z", true), // a Sunday
        ("NO", "Europe/Oslo", "2027-05-17T04:00:00Z", true),      // Whit Monday and the 17th
        ("SE", "Europe/Stockholm", "2027-05-17T04:00:00Z", false), // Whit Monday until 2004 only
        ("DK", "Europe/Copenhagen", "2023-05-05T04:00:00Z", true), // store bededag
        ("DK", "Europe/Copenhagen", "2024-04-26T04:00:00Z", false), // abolished
        ("GB", "Europe/London", "2027-12-27T06:00:00Z", true),    // in lieu of Christmas Saturday
        ("GB", "Europe/London", "2027-12-28T06:00:00Z", true),    // in lieu of Boxing Sunday
        ("GB", "Europe/London", "2027-12-29T06:00:00Z", false),
        ("US", "America/New_York", "2026-11-26T10:00:00Z", true), // fourth Thursday
        ("US", "America/New_York", "2027-12-31T10:00:00Z", true), // in lieu of New Year Saturday
        ("DE", "Europe/Berlin", "2026-10-03T05:00:00Z", true),
        ("NL", "Europe/Amsterdam", "2025-04-26T05:00:00Z", true), // King's Day moved from Sunday
        ("FI", "Europe/Helsinki", "2026-12-06T05:00:00Z", true),
    ] {
        let case = Case::new("2020-01-01", now).living_in(country, Some(zone));
        let rule = case.refusal("reminder.sms.friendly.d0-midday");
        let expected = rests.then_some("global.quiet_days");
        assert_eq!(rule.as_deref(), expected, "{country} {now}");
    }
}

#[test]
fn quiet_hours_follow_the_slot_and_not_the_decision() {
    // Decided at three in the morning.
    let case = Case::new("2026-11-01", "2026-11-23T02:00:00Z");
    case.allows("reminder.sms.friendly.d0-morning");
    case.allows("reminder.sms.friendly.d0-evening");
    // Decided at 19.59 and a half of the last minute of the evening slot, it is still allowed ...
    let case = Case::new("2026-11-01", "2026-11-23T18:59:30Z");
    case.allows("reminder.sms.friendly.d0-evening");
    // ... and at eight the slot is over.
    let case = Case::new("2026-11-01", "2026-11-23T19:00:00Z");
    case.refuses("reminder.sms.friendly.d0-evening", "global.past_slot");
    case.allows("reminder.sms.friendly.d1-morning");
}

#[test]
fn confirming_at_night_is_refused() {
    for (at, rule) in [
        ("2026-03-28T06:59:59Z", Some("global.quiet_hours")), // 07.59.59 on Saturday, winter
        ("2026-03-28T07:00:00Z", None),
        ("2026-03-29T06:00:00Z", Some("global.quiet_days")), // Sunday, summer time has begun
        ("2026-03-30T05:59:59Z", Some("global.quiet_hours")), // 07.59.59 on Monday, summer
        ("2026-03-30T06:00:00Z", None),
        ("2026-03-30T18:00:00Z", None),
        ("2026-03-30T18:00:01Z", Some("global.quiet_hours")),
        ("2026-10-26T06:59:59Z", Some("global.quiet_hours")), // winter time again
        ("2026-10-26T07:00:00Z", None),
    ] {
        let case = Case::new("2026-03-01", at);
        let action = "reminder.sms.friendly.d0-morning".parse().unwrap();
        let rules = case.guardrails().recheck(&case.facts(), &action, 0, t(at));
        assert_eq!(
            rules.first().map(lagom_model::log::RuleId::as_str),
            rule,
            "{at}: {rules:?}"
        );
        assert!(rules.len() <= 1, "{rules:?}");
    }
}

#[test]
fn an_unknown_zone_means_hours_safe_everywhere_or_none() {
    // Monday 2026-11-23: New York is UTC-5, Honolulu UTC-10.
    let us = Case::new("2026-11-01", "2026-11-23T06:00:00Z").living_in("US", None);
    us.refuses("reminder.sms.friendly.d0-morning", "global.quiet_hours");
    us.refuses("reminder.sms.friendly.d0-midday", "global.quiet_hours");
    us.allows("reminder.sms.friendly.d0-evening");
    us.allows("reminder.email.friendly.d0-morning");
    // One zone in the whole country is as good as knowing it.
    let se = Case::new("2026-11-01", "2026-11-23T06:00:00Z").living_in("SE", None);
    se.allows("reminder.sms.friendly.d0-morning");
    // A country without a table of zones, and no country at all.
    let jp = Case::new("2026-11-01", "2026-11-23T06:00:00Z").living_in("JP", None);
    jp.refuses("reminder.sms.friendly.d1-midday", "global.quiet_hours");
    jp.allows("reminder.email.friendly.d1-midday");
    let mut nowhere = jp;
    nowhere.customer.country = None;
    nowhere.refuses("reminder.phone.friendly.d1-midday", "global.quiet_hours");
    nowhere.allows("reminder.letter.friendly.d1-midday");
}

#[test]
fn sixty_kronor_and_not_sixty_one() {
    let case = Case::new("2026-10-01", "2026-11-23T06:00:00Z").fees_allowed();
    let letter = "reminder.letter.neutral.d0-midday";
    assert_eq!(case.charging(letter, 6000), None);
    assert_eq!(
        case.charging(letter, 6001).as_deref(),
        Some("SE.reminder_fee_cap")
    );
    assert_eq!(
        case.charging(letter, 6100).as_deref(),
        Some("SE.reminder_fee_cap")
    );
    let sms = "reminder.sms.neutral.d0-midday";
    assert_eq!(case.charging(sms, 6000).as_deref(), Some("SE.fee_written"));
    let business = Case::new("2026-10-01", "2026-11-23T06:00:00Z")
        .business()
        .fees_allowed();
    assert_eq!(business.charging(letter, 45_000), None);
    let more = business.charging(letter, 45_001);
    assert_eq!(more.as_deref(), Some("SE.late_payment_compensation"));
}

#[test]
fn fees_need_a_person_and_an_agreement_unless_switched_off() {
    let letter = "reminder.letter.neutral.d0-midday";
    let case = Case::new("2026-10-01", "2026-11-23T06:00:00Z");
    assert_eq!(
        case.charging(letter, 6000).as_deref(),
        Some("global.review_fees")
    );
    let case = case.without(&["global.review_fees"]);
    assert_eq!(
        case.charging(letter, 6000).as_deref(),
        Some("SE.fee_agreed")
    );
    case.refuses("collection_claim.letter.final.d0-midday", "global.one_rung");
}

#[test]
fn a_fee_is_charged_once_on_a_rung_and_once_on_an_invoice_in_sweden() {
    let letter = "reminder.letter.neutral.d0-midday";
    let case = Case::new("2026-10-01", "2026-11-23T06:00:00Z")
        .fees_allowed()
        .sent("reminder.letter.neutral.d0-morning", "2026-10-20", 6000);
    assert_eq!(
        case.charging(letter, 6000).as_deref(),
        Some("global.fee_once")
    );
    case.allows(letter);
    let last = "reminder.letter.final.d0-midday";
    assert_eq!(
        case.charging(last, 6000).as_deref(),
        Some("SE.one_reminder_fee")
    );
}

#[test]
fn a_fee_in_another_currency_is_never_charged() {
    let mut case = Case::new("2026-10-01", "2026-11-23T06:00:00Z").fees_allowed();
    case.invoices[0].amount.currency = Currency::new("EUR").unwrap();
    let letter = "reminder.letter.neutral.d0-midday";
    assert_eq!(
        case.charging(letter, 100).as_deref(),
        Some("global.fee_currency")
    );
    case.allows(letter);
}

#[test]
fn a_swedish_claim_gives_eight_days_and_four_bank_days() {
    // Sent on Monday 2026-11-02, presumed to arrive on the 5th; bank days 6, 9, 10 and 11: the
    // eighth day, the 10th, is too early by one bank day.
    let claim = |now: &str| {
        Case::new("2026-08-01", now)
            .without(&["global.review_claims"])
            .sent("reminder.letter.firm.d0-morning", "2026-09-01", 0)
            .sent("reminder.letter.firm.d0-morning", "2026-09-15", 0)
            .sent(
                "collection_claim.letter.final.d0-morning",
                "2026-11-02T08:00:00Z",
                0,
            )
    };
    let next = "collection_claim.letter.final.d0-midday";
    claim("2026-11-10T06:00:00Z").refuses(next, "SE.claim_deadline");
    claim("2026-11-11T06:00:00Z").allows(next);
    // Over Christmas the bank days are what takes long: sent on the 18th, arrives on Monday the
    // 21st; bank days are 22, 23, 28 and 29 December 2026.
    let christmas = |now: &str| {
        Case::new("2026-08-01", now)
            .without(&["global.review_claims"])
            .sent("reminder.letter.firm.d0-morning", "2026-09-01", 0)
            .sent("reminder.letter.firm.d0-morning", "2026-09-15", 0)
            .sent(
                "collection_claim.letter.final.d0-morning",
                "2026-12-18T08:00:00Z",
                0,
            )
    };
    christmas("2026-12-28T06:00:00Z").refuses(next, "SE.claim_deadline");
    christmas("2026-12-29T06:00:00Z").allows(next);
    // So does the long weekend of Easter: arrived on Thursday 2 April 2026; bank days are 7, 8, 9 and
    // 10 April, and the eighth day was the 7th.
    let easter = |now: &str| {
        Case::new("2026-01-01", now)
            .without(&["global.review_claims"])
            .sent("reminder.letter.firm.d0-morning", "2026-02-01", 0)
            .sent("reminder.letter.firm.d0-morning", "2026-02-15", 0)
            .sent(
                "collection_claim.letter.final.d0-morning",
                "2026-03-30T08:00:00Z",
                0,
            )
    };
    easter("2026-04-09T05:00:00Z").refuses(next, "SE.claim_deadline");
    easter("2026-04-10T05:00:00Z").allows(next);
}

#[test]
fn day_seven_and_day_eight() {
    // Without the post and the banks the eight days alone decide.
    let mut case = Case::new("2026-08-01", "2026-11-09T06:00:00Z")
        .without(&["global.review_claims"])
        .sent("reminder.letter.firm.d0-morning", "2026-09-01", 0)
        .sent("reminder.letter.firm.d0-morning", "2026-09-15", 0)
        .sent(
            "collection_claim.letter.final.d0-morning",
            "2026-11-02T08:00:00Z",
            0,
        );
    let rule = "SE.claim_deadline";
    let mut quick = lagom_model::guardrails::Override::set(rule, "bank_days", 0, "a courier");
    quick.set.insert("post_days".to_owned(), 0.into());
    case.spec.overrides.push(quick);
    case.refuses(
        "collection_claim.letter.final.d0-midday",
        "SE.claim_deadline",
    );
    case.allows("collection_claim.letter.final.d1-midday");
}

#[test]
fn a_rule_begins_and_ends_on_its_day_by_the_day_of_sending() {
    // The compensation between businesses in Germany holds from 2014-07-29. Decided the day
    // before.
    let mut case = Case::new("2014-07-01", "2014-07-28T06:00:00Z")
        .living_in("DE", Some("Europe/Berlin"))
        .business()
        .fees_allowed();
    case.spec.packs = vec!["DE".to_owned()];
    case.invoices[0].amount = Money::new(100_000, Currency::new("EUR").unwrap());
    let mut spec = everything(5000).spec().clone();
    spec.currency = Currency::new("EUR").unwrap();
    let strategy = Strategy::new(spec).unwrap();
    let rule = |action: &str| case.refusal_of(action, &strategy);
    assert_eq!(rule("reminder.letter.neutral.d0-midday"), None);
    let after = rule("reminder.letter.neutral.d1-midday");
    assert_eq!(after.as_deref(), Some("DE.late_payment_compensation"));
}

#[test]
fn norway_waits_fourteen_days_for_a_fee_and_rings_till_three_on_saturdays() {
    let mut case = Case::new("2026-11-02", "2026-11-14T06:00:00Z")
        .living_in("NO", Some("Europe/Oslo"))
        .fees_allowed();
    case.invoices[0].amount.currency = Currency::new("NOK").unwrap();
    let mut spec = everything(3500).spec().clone();
    spec.currency = Currency::new("NOK").unwrap();
    let strategy = Strategy::new(spec).unwrap();
    let rule = |action: &str| case.refusal_of(action, &strategy);
    let early = rule("reminder.letter.neutral.d1-midday");
    assert_eq!(early.as_deref(), Some("NO.fee_after_due"));
    assert_eq!(rule("reminder.letter.neutral.d2-midday"), None);
    // The 14th is a Saturday.
    case.refuses("reminder.sms.friendly.d0-morning", "NO.contact_hours");
    case.allows("reminder.sms.friendly.d0-midday");
    case.refuses("reminder.sms.friendly.d0-evening", "NO.contact_hours");
}

#[test]
fn the_netherlands_have_a_free_letter_first_and_a_scale() {
    let mut case = Case::new("2026-10-01", "2026-11-23T06:00:00Z")
        .living_in("NL", Some("Europe/Amsterdam"))
        .fees_allowed();
    let euro = Currency::new("EUR").unwrap();
    case.invoices[0].amount = Money::new(300_000, euro);
    let letter = "reminder.letter.neutral.d0-midday";
    let charging = |case: &Case, fee_minor: i64| {
        let mut spec = everything(fee_minor).spec().clone();
        spec.currency = euro;
        case.refusal_of(letter, &Strategy::new(spec).unwrap())
    };
    assert_eq!(
        charging(&case, 100).as_deref(),
        Some("NL.fourteen_day_letter")
    );
    let early = case.sent(
        "reminder.letter.friendly.d0-morning",
        "2026-11-08T08:00:00Z",
        0,
    );
    assert_eq!(
        charging(&early, 100).as_deref(),
        Some("NL.fourteen_day_letter")
    );
    let mut case = early;
    case.now = t("2026-11-24T06:00:00Z");
    // 15 % of 2,500 and 10 % of 500 euros.
    assert_eq!(charging(&case, 42_500), None);
    let more = charging(&case, 42_501);
    assert_eq!(more.as_deref(), Some("NL.collection_cost_scale"));
    case.invoices[0].amount = Money::new(2_000, euro);
    assert_eq!(charging(&case, 4_000), None, "never less than 40 euros");
}

#[test]
fn american_telephones_ring_seven_times_in_seven_days() {
    let mut case = Case::new("2026-10-01", "2026-11-24T12:00:00Z")
        .living_in("US", Some("America/New_York"))
        .without(&[
            "global.daily_cap",
            "global.weekly_cap",
            "global.monthly_cap",
            "global.cooldown",
            "global.lifetime",
        ]);
    for hour in 0..7 {
        let at = format!("2026-11-17T2{}:00:00Z", hour % 4);
        case = case.sent("reminder.phone.friendly.d0-morning", &at, 0);
    }
    // Seven in the seven days before 08.00 (13.00 UTC) on the 24th, six hours later none.
    case.refuses("reminder.phone.friendly.d0-morning", "US.calls");
    case.allows("reminder.sms.friendly.d0-morning");
    case.allows("reminder.phone.friendly.d1-morning");
    let spoke = case.event(
        EventType::SupportContacted,
        "2026-11-20T15:00:00Z",
        |event| {
            event.channel = Some(Channel::Phone);
        },
    );
    spoke.refuses("reminder.phone.friendly.d2-evening", "global.quiet_days");
    spoke.refuses("reminder.phone.friendly.d1-morning", "US.conversation");
    spoke.allows("reminder.phone.friendly.d3-midday");
}

#[test]
fn breathing_space_lasts_sixty_days_in_the_united_kingdom() {
    let case = |country: &str, now: &str| {
        let mut case = Case::new("2026-05-01", now).living_in(country, Some("Europe/London"));
        case.spec.packs = vec!["UK".to_owned(), "SE".to_owned()];
        case.event(
            EventType::MoratoriumStarted,
            "2026-06-01T09:00:00Z",
            |event| {
                event.until = Some(t("2026-06-15"));
            },
        )
    };
    let letter = "reminder.letter.friendly.d0-midday";
    case("GB", "2026-06-10T05:00:00Z").refuses(letter, "global.standstill");
    case("GB", "2026-07-30T05:00:00Z").refuses(letter, "UK.breathing_space");
    case("GB", "2026-07-31T09:00:00Z").allows(letter);
    case("SE", "2026-06-15T05:00:00Z").allows(letter);
    let ended =
        case("GB", "2026-06-20T05:00:00Z").event(EventType::MoratoriumEnded, "2026-06-18", |_| {});
    ended.allows(letter);
}

#[test]
fn a_mental_health_crisis_is_protected_thirty_days_beyond_the_treatment() {
    let letter = "reminder.letter.friendly.d0-midday";
    let case = |country: &str, now: &str| {
        let mut case = Case::new("2026-03-01", now).living_in(country, Some("Europe/London"));
        case.spec.packs = vec!["UK".to_owned(), "SE".to_owned()];
        case.event(
            EventType::MoratoriumStarted,
            "2026-04-01T09:00:00Z",
            |event| {
                event.reason = Some("mental_health_crisis".to_owned());
                // What was thought at its begin does not end it.
                event.until = Some(t("2026-05-01"));
            },
        )
    };
    let ended = |country: &str, now: &str| {
        case(country, now).event(EventType::MoratoriumEnded, "2026-08-10T09:00:00Z", |_| {})
    };
    case("GB", "2026-07-30T05:00:00Z").refuses(letter, "global.standstill");
    ended("GB", "2026-08-11T05:00:00Z").refuses(letter, "UK.mental_health_crisis");
    ended("GB", "2026-09-09T05:00:00Z").allows(letter);
    // The day before: its slot begins at eleven, thirty days end at ten on the 9th.
    ended("GB", "2026-09-08T05:00:00Z").refuses(letter, "UK.mental_health_crisis");
    ended("SE", "2026-08-11T05:00:00Z").allows(letter);
}

#[test]
fn nobody_is_pressed_while_a_plan_is_drawn_up_in_the_united_kingdom() {
    let letter = "reminder.letter.friendly.d0-midday";
    let case = |country: &str, now: &str, kind: EventType| {
        let mut case = Case::new("2026-03-01", now).living_in(country, Some("Europe/London"));
        case.spec.packs = vec!["UK".to_owned(), "SE".to_owned()];
        case.event(kind, "2026-06-01T09:00:00Z", |event| {
            event.reason = Some("plan_in_preparation".to_owned());
            event.channel = Some(Channel::Email);
        })
    };
    let spoke = EventType::SupportContacted;
    case("GB", "2026-06-30T05:00:00Z", spoke).refuses(letter, "UK.plan_in_preparation");
    case("GB", "2026-07-01T10:30:00Z", spoke).allows(letter);
    case("SE", "2026-06-30T05:00:00Z", spoke).allows(letter);
    let came_to_nothing = case("GB", "2026-06-30T05:00:00Z", spoke);
    let came_to_nothing = came_to_nothing.event(EventType::PlanEnded, "2026-06-10", |_| {});
    came_to_nothing.allows(letter);
}

#[test]
fn a_new_due_date_sets_the_clock_anew() {
    // Norway: fourteen days after the due date that holds on the day of sending.
    let letter = "reminder.letter.neutral.d0-midday";
    let case = |now: &str| {
        let mut case = Case::new("2026-09-01", now)
            .living_in("NO", Some("Europe/Oslo"))
            .fees_allowed();
        case.invoices[0].amount.currency = Currency::new("NOK").unwrap();
        case.event(EventType::DueDateChanged, "2026-09-20", |event| {
            event.until = Some(t("2026-10-01"));
        })
    };
    let charging = |now: &str| case(now).refusal_of(letter, &norwegian());
    assert_eq!(
        charging("2026-10-14T05:00:00Z").as_deref(),
        Some("NO.fee_after_due")
    );
    assert_eq!(charging("2026-10-15T05:00:00Z"), None);
}

/// A reminder that costs 35 kroner.
fn norwegian() -> Strategy {
    let spec = r#"
        currency = "NOK"
        steps = [{ kind = "reminder", channels = ["letter"], tones = ["neutral"], timings = ["d0-midday"], fee_minor = 3500 }]
        stages = [{ name = "always", from_day = -100, kinds = ["reminder"] }]
        ladder = []
    "#;
    Strategy::new(toml::from_str(spec).unwrap()).unwrap()
}

#[test]
fn an_unknown_country_is_under_every_pack_unless_there_is_a_home() {
    let mut case = Case::new("2026-10-01", "2026-11-23T06:00:00Z").fees_allowed();
    case.customer.country = None;
    let letter = "reminder.letter.neutral.d0-midday";
    let rule = case.charging(letter, 6000).unwrap();
    assert!(!rule.starts_with("global."), "{rule}");
    case.spec.home = Some(Country::new("SE").unwrap());
    assert_eq!(case.charging(letter, 6000), None);
}
