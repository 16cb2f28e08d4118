//! One strategy for each segment, the softer path, another channel, and what the rules thwart.

use crate::case::{Case, day, invoice_id};
use lagom_features::domain::{Channel, Country, Currency, CustomerKind, EventType, Money};
use lagom_model::guardrails::{Guardrails, GuardrailsSpec, Override, Verdict, conflicts};
use lagom_model::policy::ladder;
use lagom_model::strategy::{Strategy, StrategySpec, When};

const NOW: &str = "2026-11-23T03:00:00Z";

fn holds(when: &str, case: &Case) -> bool {
    let when: When = toml::from_str(when).unwrap();
    when.holds(&case.facts(), Currency::SEK)
}

#[test]
fn every_condition_must_hold_and_the_unknown_fulfils_none() {
    let mut case = Case::new("2026-11-01", NOW);
    assert!(holds("", &case));
    assert!(!holds("segments = [\"gold\"]", &case));
    assert!(!holds("products = [\"power\"]", &case));
    case.customer.segment = Some("gold".to_owned());
    case.invoices[0].product = Some("power".into());
    for (when, is) in [
        ("segments = [\"iron\", \"gold\"]", true),
        ("segments = [\"iron\"]", false),
        ("products = [\"power\"]", true),
        ("products = [\"water\"]", false),
        ("countries = [\"SE\"]", true),
        ("countries = [\"NO\"]", false),
        ("customers = \"consumer\"", true),
        ("customers = \"business\"", false),
        ("owed_from_minor = 100000", true),
        ("owed_from_minor = 100001", false),
        ("owed_below_minor = 100001", true),
        ("owed_below_minor = 100000", false),
        ("first_miss = true", false),
        ("first_miss = false", true),
        ("segments = [\"gold\"]\ncountries = [\"NO\"]", false),
    ] {
        assert_eq!(holds(when, &case), is, "{when}");
    }
    case.invoices[0].amount.currency = Currency::new("EUR").unwrap();
    assert!(!holds("owed_from_minor = 1", &case));
    assert!(toml::from_str::<When>("segment = [\"gold\"]").is_err());
}

#[test]
fn early_risk_is_what_a_model_says_and_without_one_nothing_fulfils_it() {
    let mut facts = Case::new("2026-11-01", NOW).facts();
    let when = |text: &str| toml::from_str::<When>(text).unwrap();
    let conditions = [
        ("early_risk_from = 0.3", true),
        ("early_risk_from = 0.31", false),
        ("early_risk_below = 0.31", true),
        ("early_risk_below = 0.3", false),
        ("early_risk_from = 0.2\nearly_risk_below = 0.4", true),
    ];
    for (text, is) in conditions {
        facts.early_risk = None;
        assert!(!when(text).holds(&facts, Currency::SEK), "{text}");
        facts.early_risk = Some(0.3);
        assert_eq!(when(text).holds(&facts, Currency::SEK), is, "{text}");
    }
    for wrong in ["early_risk_from = 1.01", "early_risk_below = nan"] {
        let error = toml::from_str::<When>(wrong).unwrap_err();
        let told = "is not a share between 0 and 1";
        assert!(error.to_string().contains(told), "{error}");
    }
}

/// Three invoices of the last months, settled this many days after their due dates.
fn with_record(mut case: Case, lags: [i32; 3]) -> Case {
    for (month, lag) in lags.into_iter().enumerate() {
        let id = format!("paid{month}");
        let due = day(&format!("2026-{:02}-01", 6 + month));
        case.invoice(&id, &due.to_string(), 10_000);
        let at = format!("{}T10:00:00Z", due.plus_days(lag));
        case = case.event(EventType::PaymentSucceeded, &at, |event| {
            event.invoice_id = Some(invoice_id(&id));
            event.amount = Some(Money::new(10_000, Currency::SEK));
        });
    }
    case
}

#[test]
fn a_good_payers_first_miss_is_spared_the_firm_tone_for_two_weeks() {
    let firm = "reminder.email.firm.d0-morning";
    let strategy = Strategy::default();
    for (late, lags, refused) in [
        (6, [-1, 0, -2], true),
        (13, [-1, 0, -2], true),
        (14, [-1, 0, -2], false),
        (6, [-1, 3, -2], false),
    ] {
        let due = day("2026-11-23").plus_days(-late).to_string();
        let case = with_record(Case::new(&due, NOW), lags);
        let rule = case.refusal_of(firm, &strategy);
        let expected = refused.then_some("strategy.stage");
        assert_eq!(rule.as_deref(), expected, "day {late} after {lags:?}");
    }
}

const TWO_LADDERS: &str = r#"
steps = [
    { kind = "reminder", channels = ["email", "sms", "letter"], tones = ["friendly", "neutral"], timings = ["d0-midday"] },
]
stages = [{ name = "late", from_day = 1, kinds = ["reminder"] }]
ladder = [
    { kind = "reminder", from_day = 2, channels = ["letter"], gentle = "neutral", neutral = "neutral", firm = "neutral", when = { customers = "business" } },
    { kind = "reminder", from_day = 5, channels = ["email", "sms"], gentle = "friendly", neutral = "friendly", firm = "friendly", when = { customers = "consumer" } },
    { kind = "reminder", from_day = 20, unseen_days = 3, channels = ["email", "sms"], gentle = "neutral", neutral = "neutral", firm = "neutral", when = { customers = "consumer" } },
]
"#;

fn advice(case: &Case, strategy: &Strategy) -> String {
    let facts = case.facts();
    let mut verdicts = Vec::new();
    let guardrails = case.guardrails();
    guardrails.screen(&facts, strategy, None, &mut verdicts);
    let eligible: Vec<bool> = verdicts
        .iter()
        .map(|one: &Verdict| one.is_allowed())
        .collect();
    strategy.catalogue()[ladder::choose(&facts, strategy, &eligible)].to_string()
}

fn two_ladders() -> Strategy {
    let spec: StrategySpec = toml::from_str(TWO_LADDERS).unwrap();
    Strategy::new(spec).unwrap()
}

#[test]
fn each_segment_climbs_its_own_ladder() {
    let strategy = two_ladders();
    let consumer = |due: &str| Case::new(due, NOW);
    let business = |due: &str| consumer(due).business();
    let letter = "reminder.letter.neutral.d0-midday";
    assert_eq!(advice(&business("2026-11-21"), &strategy), letter);
    assert_eq!(advice(&consumer("2026-11-21"), &strategy), "wait");
    let mail = "reminder.email.friendly.d0-midday";
    assert_eq!(advice(&consumer("2026-11-18"), &strategy), mail);
    let facts = business("2026-11-21").facts();
    assert_eq!(strategy.ladder(&facts).len(), 1);
    assert_eq!(facts.customer_kind, Some(CustomerKind::Business));
}

#[test]
fn a_message_that_nobody_saw_is_followed_over_another_channel() {
    let strategy = two_ladders();
    let mailed = |at: &str| {
        let mail = "reminder.email.friendly.d0-midday";
        Case::new("2026-11-14", NOW).sent(mail, at, 0)
    };
    // Three days to the hour, and an hour less.
    let unseen = mailed("2026-11-20T03:00:00Z");
    assert_eq!(advice(&unseen, &strategy), "reminder.sms.neutral.d0-midday");
    assert_eq!(advice(&mailed("2026-11-20T04:00:00Z"), &strategy), "wait");
    let opened = |at: &str, channel| {
        let unseen = mailed("2026-11-20T03:00:00Z");
        unseen.event(EventType::InvoiceOpened, at, |event| {
            event.channel = Some(channel);
        })
    };
    let seen = opened("2026-11-21", Channel::Email);
    assert_eq!(advice(&seen, &strategy), "wait");
    let before = opened("2026-11-19", Channel::Email);
    assert_eq!(advice(&before, &strategy), "reminder.sms.neutral.d0-midday");
    let elsewhere = opened("2026-11-21", Channel::AppPush);
    assert_eq!(
        advice(&elsewhere, &strategy),
        "reminder.sms.neutral.d0-midday"
    );
}

#[test]
fn what_the_rules_thwart_is_told_with_the_rules() {
    let by_default = conflicts(&Guardrails::default(), &Strategy::default());
    assert_eq!(by_default.len(), 1, "{by_default:?}");
    assert_eq!(by_default[0].name, "claim");
    assert_eq!(by_default[0].step, None);
    assert!(by_default[0].rules.contains(&"global.review_claims".into()));
    let spec = GuardrailsSpec {
        overrides: vec![Override::off("global.review_claims", "a test")],
        ..GuardrailsSpec::default()
    };
    let automatic = Guardrails::new(&spec).unwrap();
    assert_eq!(conflicts(&automatic, &Strategy::default()), Vec::new());
}

#[test]
fn a_fee_that_is_never_allowed_over_one_channel_is_told_alone() {
    let mut spec: StrategySpec = toml::from_str(TWO_LADDERS).unwrap();
    spec.steps[0].fee_minor = 5000;
    spec.stages[0].when.countries = vec![Country::new("SE").unwrap()];
    spec.stages[0].when.customers = Some(CustomerKind::Consumer);
    let guardrails = GuardrailsSpec {
        fees_agreed: true,
        overrides: vec![Override::off("global.review_fees", "a test")],
        ..GuardrailsSpec::default()
    };
    let guardrails = Guardrails::new(&guardrails).unwrap();
    let found = conflicts(&guardrails, &Strategy::new(spec).unwrap());
    let steps: Vec<&str> = found.iter().filter_map(|one| one.step.as_deref()).collect();
    assert_eq!(steps, ["reminder.sms.friendly", "reminder.sms.neutral"]);
    assert!(found[0].rules.contains(&"SE.fee_written".into()));
}

const CONDITIONS: &str = r#"
steps = [
    { kind = "reminder", channels = ["email", "sms"], tones = ["friendly"], timings = ["d0-midday"] },
    { kind = "discount_offer", channels = ["email"], tones = ["friendly"], timings = ["d0-midday"], discount_minor = 5000, price_minor = 10 },
    { kind = "retry_debit", timings = ["d0-morning", "d3-morning"] },
]
stages = [
    { name = "two at most", from_day = 1, kinds = ["reminder"], channels = ["email"], exit = { contacts_from = 2 } },
    { name = "a week after", from_day = 1, kinds = ["discount_offer"], when = { sent = ["reminder"], sent_days = 7 }, exit = { seen = true } },
    { name = "after two failed debits", from_day = 1, kinds = ["reminder"], channels = ["sms"], when = { failed_debits_from = 2 } },
    { name = "debits", from_day = 0, kinds = ["retry_debit"] },
]
ladder = [
    { kind = "retry_debit", from_day = 0 },
    { kind = "reminder", from_day = 0, channels = ["sms"], when = { failed_debits_from = 2 } },
    { kind = "retry_debit", from_day = 0 },
]
"#;

fn conditions() -> Strategy {
    Strategy::new(toml::from_str(CONDITIONS).unwrap()).unwrap()
}

#[test]
fn stages_are_entered_and_left_by_what_has_been_done() {
    let strategy = conditions();
    let (email, sms) = (
        "reminder.email.friendly.d0-midday",
        "reminder.sms.friendly.d0-midday",
    );
    let offer = "discount_offer.email.friendly.d0-midday";
    let stage = Some("strategy.stage".to_owned());
    let bare = || Case::new("2026-10-20", NOW);
    assert_eq!(bare().refusal_of(email, &strategy), None);
    let once = || bare().sent(email, "2026-11-01", 0);
    assert_eq!(once().refusal_of(email, &strategy), None);
    let twice = || once().sent(email, "2026-11-10", 0);
    assert_eq!(
        twice().refusal_of(email, &strategy),
        stage,
        "left after two"
    );
    // Entered a week after a reminder, left once it was seen.
    assert_eq!(bare().refusal_of(offer, &strategy), stage);
    assert_eq!(
        bare()
            .sent(email, "2026-11-17", 0)
            .refusal_of(offer, &strategy),
        stage
    );
    assert_eq!(once().refusal_of(offer, &strategy), None);
    let seen = once().event(EventType::LinkClicked, "2026-11-02", |event| {
        event.channel = Some(Channel::Email);
    });
    assert_eq!(seen.refusal_of(offer, &strategy), stage);
    // After two failed debits.
    let failed = |times: usize| {
        let days = ["2026-10-21", "2026-10-25", "2026-10-29"];
        days[..times].iter().fold(bare(), |case, day| {
            case.event(EventType::PaymentFailed, day, |_| {})
        })
    };
    assert_eq!(failed(1).refusal_of(sms, &strategy), stage);
    assert_eq!(failed(2).refusal_of(sms, &strategy), None);
    let discount = strategy.discount_minor(&offer.parse().unwrap());
    assert_eq!(discount, Some(5_000));
    let price = |action: &str| strategy.price_minor(&action.parse().unwrap());
    assert_eq!(price(offer), Some(10));
    assert_eq!(price(email), None);
    assert_eq!(price("wait"), None);
}

#[test]
fn another_debit_then_a_message_then_another_debit() {
    let strategy = conditions();
    let failed = |times: usize| {
        let mut case = Case::new("2026-10-20", NOW);
        case.invoices[0].payment_method = Some("card".into());
        let days = ["2026-11-10", "2026-11-14", "2026-11-18"];
        days[..times].iter().fold(case, |case, day| {
            case.event(EventType::PaymentFailed, day, |_| {})
        })
    };
    assert_eq!(advice(&failed(0), &strategy), "wait");
    let debit = "retry_debit.none.none.d0-morning";
    assert_eq!(advice(&failed(1), &strategy), debit);
    let sms = "reminder.sms.friendly.d0-midday";
    assert_eq!(advice(&failed(2), &strategy), sms);
    let told = failed(2).sent(sms, "2026-11-15", 0);
    assert_eq!(advice(&told, &strategy), debit);
    assert_eq!(
        advice(&failed(3).sent(sms, "2026-11-15", 0), &strategy),
        "wait"
    );
}

#[test]
fn a_message_that_could_not_be_delivered_is_followed_at_once() {
    let strategy = two_ladders();
    let mail = "reminder.email.friendly.d0-midday";
    // A day old: too early for one that was merely not opened.
    let mailed = || Case::new("2026-11-14", NOW).sent(mail, "2026-11-20T20:00:00Z", 0);
    assert_eq!(advice(&mailed(), &strategy), "wait");
    let bounced = mailed().event(EventType::DeliveryFailed, "2026-11-20T21:00:00Z", |event| {
        event.channel = Some(Channel::Email);
    });
    assert_eq!(
        advice(&bounced, &strategy),
        "reminder.sms.neutral.d0-midday"
    );
}

#[test]
fn conditions_that_nothing_fulfils_are_faults_with_their_place() {
    let fault = |from: &str, to: &str, place: (&'static str, usize, Option<&'static str>)| {
        assert!(CONDITIONS.contains(from), "{from}");
        let spec: StrategySpec = toml::from_str(&CONDITIONS.replacen(from, to, 1)).unwrap();
        let error = Strategy::new(spec).unwrap_err();
        assert_eq!(error.faults.len(), 1, "{error}");
        assert_eq!(error.faults[0].place(), Some(place), "{error}");
    };
    let nothing = "exit = { contacts_from = 2, contacts_below = 2 }";
    fault(
        "exit = { contacts_from = 2 }",
        nothing,
        ("stages", 0, Some("exit")),
    );
    fault(
        "exit = { seen = true }",
        "exit = {}",
        ("stages", 1, Some("exit")),
    );
    let below = "when = { failed_debits_from = 2, failed_debits_below = 1 }";
    fault(
        "when = { failed_debits_from = 2 }",
        below,
        ("stages", 2, Some("when")),
    );
    fault(
        "discount_minor = 5000",
        "discount_minor = 0",
        ("steps", 1, Some("discount_minor")),
    );
    fault(
        "price_minor = 10",
        "price_minor = -1",
        ("steps", 1, Some("price_minor")),
    );
    let channels = "kind = \"retry_debit\", channels = [\"sms\"], from_day = 0";
    fault(
        "kind = \"retry_debit\", from_day = 0",
        channels,
        ("ladder", 0, None),
    );
}
