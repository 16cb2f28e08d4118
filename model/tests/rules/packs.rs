//! Packs that cannot be read, and overrides that mean nothing, are errors and never silence.

use crate::case::Case;
use lagom_model::guardrails::{Confidence, Guardrails, GuardrailsSpec, Override, Pack};

const GOOD: &str = r#"
name = "XX"
version = "1"
holidays = [{ name = "a day", day = "02-29" }]
[[rules]]
id = "XX.cooldown"
source = "a source"
confidence = "high"
check.cooldown = { hours = 1 }
"#;

#[track_caller]
fn fault(text: &str, words: &[&str]) {
    let faults = Pack::parse(text, &[]).unwrap_err();
    let message = faults.iter().map(ToString::to_string).collect::<String>();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

#[test]
fn a_pack_that_cannot_be_read_is_an_error_that_says_where() {
    assert!(Pack::parse(GOOD, &[]).is_ok());
    fault("", &["name"]);
    fault("name = 1", &["without a name"]);
    fault(&GOOD[..GOOD.len() - 4], &["pack"]);
    fault("name = \"XX\"\nversion = \"1\"\nrules = []", &["no rules"]);
    fault(
        &GOOD.replace("cooldown = {", "coldown = {"),
        &["XX.cooldown", "coldown"],
    );
    fault(
        &GOOD.replace("hours = 1", "hour = 1"),
        &["XX.cooldown", "hour"],
    );
    fault(
        &GOOD.replace("hours = 1", "hours = \"1\""),
        &["XX.cooldown", "expected i64"],
    );
    fault(&GOOD.replace("hours = 1", "hours = -1"), &["-1 hours"]);
    fault(&GOOD.replace("a source", " "), &["source is empty"]);
    fault(&GOOD.replace("\"high\"", "\"sure\""), &["sure"]);
    fault(
        &GOOD.replace("id = \"XX.", "id = \"YY."),
        &["begins with its pack"],
    );
    fault(
        &GOOD.replace("day = \"02-29\"", "day = \"13-01\""),
        &["a day", "13-01"],
    );
    fault(
        &GOOD.replace("day = \"02-29\"", "easter = 1, day = \"01-01\""),
        &["exactly one"],
    );
    fault(
        &GOOD.replace(
            "confidence",
            "valid_to = \"2020-01-01\"\nvalid_from = \"2020-01-01\"\nconfidence",
        ),
        &["not after"],
    );
    fault(
        &GOOD.replace("confidence", "valid_from = \"2021-02-29\"\nconfidence"),
        &["2021-02-29"],
    );
    fault(
        &format!("{GOOD}{}", &GOOD[GOOD.find("[[rules]]").unwrap()..]),
        &["another rule"],
    );
    fault(
        &GOOD.replace(
            "cooldown = { hours = 1 }",
            "hours = { channels = [\"sms\"], weekdays = [20, 8] }",
        ),
        &["20 to 8"],
    );
}

#[test]
fn one_broken_pack_leaves_no_guardrails() {
    let broken = GOOD.replace("hours = 1", "hours = 1.5");
    let error = Guardrails::with_packs(&GuardrailsSpec::default(), &[GOOD, &broken]).unwrap_err();
    assert_eq!(error.faults.len(), 1, "{error}");
    let unknown = GuardrailsSpec {
        packs: vec!["SE".to_owned(), "XX".to_owned(), "SE".to_owned()],
        overrides: vec![Override::off("global.cooldown", " ")],
        ..GuardrailsSpec::default()
    };
    let error = Guardrails::new(&unknown).unwrap_err();
    assert_eq!(error.faults.len(), 3, "every fault at once: {error}");
}

#[test]
fn an_override_of_a_rule_that_is_not_there_names_the_one_that_was_meant() {
    let told = |rule: &str| {
        let spec = GuardrailsSpec {
            overrides: vec![Override::off(rule, "a slip of the pen")],
            ..GuardrailsSpec::default()
        };
        Guardrails::new(&spec).unwrap_err().to_string()
    };
    let slip = told("global.cap_weekly");
    assert!(slip.contains("did you mean `global.weekly_cap`?"), "{slip}");
    let nonsense = told("xyz");
    assert!(!nonsense.contains("did you mean"), "{nonsense}");
}

#[test]
fn a_companys_own_pack_holds_beside_the_built_in_ones() {
    let own = Guardrails::with_packs(&GuardrailsSpec::default(), &[GOOD]).unwrap();
    assert!(own.pack().contains("+XX#"), "{}", own.pack());
    assert!(own.rule_named("XX.cooldown").is_some());
    assert_ne!(own.pack(), Guardrails::default().pack());
}

#[test]
fn overrides_are_recorded_and_change_the_digest() {
    let mut spec = GuardrailsSpec::default();
    let reason = "agreed with the ombudsman";
    let wider = Override::set("global.weekly_cap", "max", 3, reason);
    spec.overrides = vec![wider.clone()];
    let changed = Guardrails::new(&spec).unwrap();
    let rule = changed.rule_named("global.weekly_cap").unwrap();
    assert_eq!(
        rule.overridden.as_deref(),
        Some("agreed with the ombudsman")
    );
    assert!(format!("{:?}", rule.check).contains("max: 3"));
    assert_ne!(changed.pack(), Guardrails::default().pack());

    for (name, rule) in [
        ("maximum", "global.weekly_cap"),
        ("max", "global.weakly_cap"),
        ("max", "global.closed"),
    ] {
        let mut wrong = wider.clone();
        wrong.rule = rule.to_owned();
        wrong.set = toml::Table::from_iter([(name.to_owned(), 3.into())]);
        spec.overrides = vec![wrong];
        assert!(Guardrails::new(&spec).is_err(), "{rule} {name}");
    }
}

#[test]
fn the_spec_reads_from_configuration_and_refuses_unknown_keys() {
    let spec: GuardrailsSpec = toml::from_str(
        r#"
        packs = ["SE"]
        home = "SE"
        [[overrides]]
        rule = "global.promise"
        set = { grace_days = 5 }
        reason = "slow banks"
        "#,
    )
    .unwrap();
    let guardrails = Guardrails::new(&spec).unwrap();
    assert_eq!(guardrails.packs().len(), 2);
    assert!(toml::from_str::<GuardrailsSpec>("pack = [\"SE\"]").is_err());
    assert!(toml::from_str::<GuardrailsSpec>("home = \"Sweden\"").is_err());
}

#[test]
fn every_built_in_rule_names_its_source_and_every_jurisdiction_is_there() {
    let guardrails = Guardrails::default();
    let names: Vec<&str> = guardrails.packs().iter().map(Pack::name).collect();
    let expected = [
        "global", "SE", "NO", "FI", "DK", "DE", "NL", "EU-B2B", "UK", "US",
    ];
    assert_eq!(names, expected);
    for rule in guardrails.packs().iter().flat_map(Pack::rules) {
        assert!(rule.source.len() > 10, "{}: {}", rule.id, rule.source);
        let sure = rule.confidence > Confidence::Low;
        assert!(sure || rule.id == "NO.reminder_fee_cap", "{}", rule.id);
    }
}

#[test]
fn a_switched_off_rule_refuses_nothing() {
    let case = Case::new("2026-10-01", "2026-11-23T06:00:00Z").sent(
        "reminder.email.friendly.d0-morning",
        "2026-11-22T12:00:00Z",
        0,
    );
    case.refuses("reminder.email.friendly.d0-midday", "global.daily_cap");
    let free = case.without(&["global.daily_cap", "global.cooldown"]);
    free.allows("reminder.email.friendly.d0-midday");
}

#[test]
fn each_fault_of_a_pack_names_its_line() {
    let broken = GOOD
        .replace("cooldown = {", "coldown = {")
        .replace("day = \"02-29\"", "day = \"13-01\"");
    // The holiday stands on line 4, the check on line 9.
    fault(
        &broken,
        &["line 4, holiday a day", "line 9, rule XX.cooldown"],
    );
    fault(
        &GOOD.replace("a source", " "),
        &["line 5, rule XX.cooldown"],
    );
    let credibility = "check.gentle_first = { credibility = 1.0 }";
    fault(
        &GOOD.replace("check.cooldown = { hours = 1 }", credibility),
        &["credibility 1 must be at least 0.5"],
    );
    let against_waiting = "check.gentle_first = { credibility = 0.9, against_waiting = 0.4 }";
    fault(
        &GOOD.replace("check.cooldown = { hours = 1 }", against_waiting),
        &["against_waiting 0.4 must be at least 0.5"],
    );
}
