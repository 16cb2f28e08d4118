#![allow(clippy::unwrap_used)]
use super::*;
use lagom_features::domain::Kind;

#[test]
fn the_default_has_waiting_first_a_person_second_and_no_fee() {
    let strategy = Strategy::default();
    let catalogue = strategy.catalogue();
    assert!(catalogue[WAIT].is_wait());
    assert_eq!(catalogue[HUMAN_REVIEW].kind, Kind::HumanReview);
    assert!((60..=120).contains(&catalogue.len()), "{}", catalogue.len());
    for (place, action) in catalogue.iter().enumerate() {
        assert_eq!(strategy.fee_minor(action), 0);
        assert_eq!(strategy.place(action), Some(place));
    }
}

/// Every logged decision names this id: it changes only when the default strategy does.
#[test]
fn the_default_has_its_golden_id() {
    assert_eq!(Strategy::default().id(), "5f244f9388ee3089");
}

#[test]
fn a_spec_reads_as_it_is_written() {
    let spec = StrategySpec::default();
    let text = toml::to_string(&spec).unwrap();
    assert_eq!(toml::from_str::<StrategySpec>(&text).unwrap(), spec);
    assert_eq!(toml::from_str::<StrategySpec>("").unwrap(), spec);
    assert!(toml::from_str::<StrategySpec>("stage = []").is_err());
    let mut other = spec.clone();
    other.steps[0].fee_minor = 1;
    assert_ne!(other.digest(), spec.digest());
}

#[test]
fn templates_are_named_by_facets_and_wording() {
    let mut spec = StrategySpec::default();
    spec.steps[0].variants = vec!["name".to_owned(), "amount".to_owned()];
    let strategy = Strategy::new(spec).unwrap();
    let key = |action: &str| strategy.template_key(&action.parse().unwrap());
    let notice = key("due_date_notice.sms.friendly.d0-morning.name");
    assert_eq!(notice.as_deref(), Some("due_date_notice_sms_friendly_name"));
    let reminder = key("reminder.letter.firm.d1-morning");
    assert_eq!(reminder.as_deref(), Some("reminder_letter_firm"));
    for silent in [
        "wait",
        "retry_debit.none.none.d1-morning",
        "reminder.phone.firm.d0-morning",
    ] {
        assert_eq!(key(silent), None, "{silent}");
    }
}

#[test]
fn fees_follow_their_step() {
    let mut spec = StrategySpec::default();
    spec.steps[3].fee_minor = 6000;
    let strategy = Strategy::new(spec).unwrap();
    let fee = |action: &str| strategy.fee_minor(&action.parse().unwrap());
    assert_eq!(fee("reminder.letter.firm.d0-morning"), 6000);
    assert_eq!(fee("reminder.email.firm.d0-morning"), 0);
}

#[test]
fn stages_open_and_close_by_days_from_the_due_date() {
    let strategy = Strategy::default();
    let open = |days| strategy.open_stages(days);
    assert_eq!(open(-2), 0);
    assert_eq!(open(0), 0b1);
    assert_eq!(open(1), 0b111);
    assert_eq!(open(2), 0b111);
    assert_eq!(open(4), 0b110);
    assert_eq!(open(5), 0b1110);
    assert_eq!(open(14), 0b10_1110);
    assert_eq!(open(20), 0b11_1110);
    assert_eq!(open(366), 0);
}

#[test]
fn every_fault_is_reported_at_once() {
    let spec: StrategySpec = toml::from_str(
        r#"
        steps = [
            { kind = "reminder", channels = ["email"], tones = ["firm"], timings = ["d0-morning", "d0-night", "d0-morning.x"] },
            { kind = "reminder", channels = ["email"], tones = ["firm"], timings = ["d0-morning"], fee_minor = -1 },
            { kind = "reminder", channels = [], tones = ["firm"], timings = [] },
            { kind = "retry_debit", channels = ["sms"], timings = ["d1-morning"], fee_minor = 5 },
            { kind = "wait", timings = [] },
            { kind = "plan_offer", channels = ["sms"], tones = ["friendly"], timings = ["d1-morning"], variants = ["a.b"] },
            { kind = "discount_offer", channels = ["sms"], tones = ["friendly"], timings = ["d1-morning"] },
        ]
        stages = [
            { name = "one", from_day = 3, until_day = 2, kinds = ["reminder", "retry_debit", "plan_offer"] },
        ]
        ladder = [
            { kind = "reminder", from_day = 5, channels = ["letter"], gentle = "firm", neutral = "firm", firm = "firm" },
            { kind = "reminder", from_day = 4, channels = ["email"], gentle = "firm", neutral = "firm", firm = "firm" },
        ]
        "#,
    )
    .unwrap();
    let error = Strategy::new(spec).unwrap_err();
    let count =
        |test: fn(&StrategyFault) -> bool| error.faults.iter().filter(|one| test(one)).count();
    assert_eq!(count(|one| matches!(one, StrategyFault::Timing { .. })), 2);
    assert_eq!(count(|one| matches!(one, StrategyFault::Twice { .. })), 1);
    assert_eq!(count(|one| matches!(one, StrategyFault::NoStage { .. })), 1);
    assert_eq!(count(|one| matches!(one, StrategyFault::Fee { .. })), 1);
    assert_eq!(
        count(|one| matches!(one, StrategyFault::NoTiming { .. })),
        1
    );
    assert_eq!(count(|one| matches!(one, StrategyFault::Missing { .. })), 1);
    assert_eq!(
        count(|one| matches!(one, StrategyFault::Needless { .. })),
        2
    );
    assert_eq!(count(|one| matches!(one, StrategyFault::Always { .. })), 1);
    assert_eq!(count(|one| matches!(one, StrategyFault::Variant { .. })), 1);
    assert_eq!(count(|one| matches!(one, StrategyFault::Span { .. })), 1);
    assert_eq!(count(|one| matches!(one, StrategyFault::Rung { .. })), 1);
    assert_eq!(count(|one| matches!(one, StrategyFault::Order { .. })), 1);
    let message = error.to_string();
    assert!(
        message.contains("steps[1] makes reminder.email.firm.d0-morning"),
        "{message}"
    );
    assert!(message.contains("discount_offer.sms.friendly.d1-morning, which no stage allows"));
}

#[test]
fn a_catalogue_has_its_limits() {
    let mut spec = StrategySpec::default();
    spec.steps[2].timings = (0..64).map(|day| format!("d{day}-morning")).collect();
    let error = Strategy::new(spec.clone()).unwrap_err();
    let many = |fault: &StrategyFault| matches!(fault, StrategyFault::TooMany { .. });
    assert!(error.faults.iter().all(many), "{error}");
    spec.steps[2].timings = (0..60_000).map(|day| format!("d{day}-morning")).collect();
    let error = Strategy::new(spec).unwrap_err();
    assert!(error.to_string().contains("than the 4096"), "{error}");
}
