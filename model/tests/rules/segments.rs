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
    case.invoices[0].product = Some("power".to_owned());
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
