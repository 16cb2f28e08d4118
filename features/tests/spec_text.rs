//! Specs as text: what is refused and on which line, and what the fingerprint depends on.
#![allow(clippy::unwrap_used)]

use lagom_features::{Extractor, FeatureSpec};
use proptest::prelude::*;

const SMALL: &str = r#"
[[feature]]
name = "late_share"
source = "dues"
scope = "other_invoices"
window = "365d"
op = "mean"
column = "late"
prior = 0.25
strength = 4

[[feature]]
name = "weekday"
source = "calendar"
attribute = "weekday"
transform = "cyclic"
period = 7.0
"#;

#[test]
fn the_built_in_spec_is_well_formed_and_documented() {
    let spec = FeatureSpec::built_in();
    assert_eq!(Extractor::new(&spec).width(), spec.names().len());
    for feature in spec.features() {
        let documented = [&feature.unit, &feature.owner, &feature.description];
        assert!(
            documented.iter().all(|text| !text.is_empty()),
            "{}",
            feature.name
        );
    }
}

/// A model in use refuses vectors of another fingerprint: whoever changes this number retires
/// every model that was trained with the built-in spec.
#[test]
fn fingerprints_do_not_move_by_accident() {
    assert_eq!(FeatureSpec::built_in().fingerprint(), "6f529dac27e938c7");
    assert_eq!(
        FeatureSpec::parse(SMALL).unwrap().fingerprint(),
        "45ee296a50cf77c8"
    );
}

#[test]
fn a_fingerprint_follows_the_meaning_and_the_order_only() {
    let original = FeatureSpec::parse(SMALL).unwrap();
    let restyled = r#"
        # Another comment, another order of keys, defaults written out.
        [[feature]]
        strength = 4.0
        op = "mean"
        description = "share late"
        prior = 0.250
        column = "late"
        name = "late_share"
        missing = "nan"
        window = "8760h"
        scope = "other_invoices"
        source = "dues"
        transform = "none"
        [[feature]]
        name = "weekday"
        period = 7.0
        transform = "cyclic"
        attribute = "weekday"
        source = "calendar"
    "#;
    let restyled = FeatureSpec::parse(restyled).unwrap();
    assert_eq!(restyled.fingerprint(), original.fingerprint());
    for (from, to) in [
        ("365d", "364d"),
        ("0.25", "0.26"),
        ("strength = 4", "strength = 5"),
        ("\"late\"", "\"opened\""),
        ("other_invoices", "customer"),
        ("\"late_share\"", "\"share_late\""),
        ("\"dues\"", "\"invoices\""),
        ("7.0", "7.5"),
        ("window = ", "where = { open = true }\nwindow = "),
        ("window = ", "missing = 0\nwindow = "),
        ("window = ", "clip = [0, 1]\nwindow = "),
        ("window = ", "unit = \"per cent\"\nwindow = "),
    ] {
        let other = FeatureSpec::parse(&SMALL.replacen(from, to, 1)).unwrap();
        assert_ne!(
            other.fingerprint(),
            original.fingerprint(),
            "{from} -> {to}"
        );
    }
    let (first, second) = SMALL.split_at(SMALL.rfind("[[feature]]").unwrap());
    let swapped = FeatureSpec::parse(&format!("{second}{first}")).unwrap();
    assert_ne!(swapped.fingerprint(), original.fingerprint());
}

#[test]
fn every_fault_names_its_line() {
    for (from, to, line, says) in [
        ("\"dues\"", "\"duties\"", 4, "`duties` is not a source"),
        ("365d", "365", 6, "is not a window"),
        ("365d", "-1d", 6, "is not a window"),
        ("365d", "last 0", 6, "is not a window"),
        (
            "\"mean\"",
            "\"average\"",
            7,
            "`average` is not an operation",
        ),
        ("\"late\"", "\"lateness\"", 8, "`lateness` is not a column"),
        (
            "\"late\"",
            "\"dwell_seconds\"",
            8,
            "have no `dwell_seconds`",
        ),
        ("prior = 0.25", "", 10, "stand together"),
        ("strength = 4", "strength = 0", 10, "above zero"),
        (
            "strength = 4",
            "strength = 4\ntone = 1",
            11,
            "unknown field `tone`",
        ),
        ("strength = 4", "q = 0.5", 9, "stand together"),
        (
            "op = \"mean\"",
            "op = \"max\"",
            9,
            "`prior` would have no effect",
        ),
        ("window = \"365d\"", "", 3, "needs the key `window`"),
        (
            "scope = ",
            "where = { channel = \"sms\" }\nscope = ",
            5,
            "not a list of events",
        ),
        (
            "scope = ",
            "where = { within_hours = 3 }\nscope = ",
            5,
            "not a list of events",
        ),
        (
            "scope = ",
            "where = { fee = 1 }\nscope = ",
            5,
            "unknown field `fee`",
        ),
        ("\"late_share\"", "\"Late share\"", 3, "small letters"),
        (
            "\"late_share\"",
            "\"weekday_sin\"",
            13,
            "has a column `weekday_sin`",
        ),
        (
            "attribute = \"weekday\"",
            "attribute = \"tenure_days\"",
            15,
            "has no `tenure_days`",
        ),
        ("period = 7.0", "period = 0.0", 16, "above zero"),
        (
            "transform = \"cyclic\"\nperiod = 7.0",
            "transform = \"bins\"\nedges = [5, 5]",
            17,
            "rising numbers",
        ),
        ("\"cyclic\"", "\"bins\"", 13, "needs the key `edges`"),
        ("period = 7.0", "period = \"week\"", 17, "expected"),
        ("period = 7.0", "period 7", 17, "expected"),
    ] {
        let text = SMALL.replacen(from, to, 1);
        let error = FeatureSpec::parse(&text).unwrap_err();
        let fault = &error.faults[0];
        assert!(fault.reason.contains(says), "{from} -> {to}: {fault}");
        assert_eq!(fault.line, line, "{from} -> {to}: {fault}");
    }
}

#[test]
fn hours_around_the_clock_leave_some_out() {
    let with = |hours: &str| {
        let text = format!(
            "[[feature]]\nname = \"x\"\nsource = \"contacts\"\nwindow = \"30d\"\nop = \"count\"\nwhere = {{ \
             within_hours = {hours} }}\n"
        );
        FeatureSpec::parse(&text)
    };
    let fingerprints = ["1", "11"].map(|hours| with(hours).unwrap().fingerprint().to_owned());
    assert_ne!(fingerprints[0], fingerprints[1]);
    for hours in ["0", "12"] {
        let error = with(hours).unwrap_err();
        let fault = &error.faults[0];
        assert!(fault.reason.contains("from 1 to 11"), "{fault}");
        assert_eq!(fault.line, 6, "{fault}");
    }
    assert!(with("-1").is_err() && with("1.5").is_err());
}

#[test]
fn all_faults_are_told_at_once() {
    let text = SMALL
        .replacen("\"dues\"", "\"duties\"", 1)
        .replacen("7.0", "-7.0", 1);
    let error = FeatureSpec::parse(&text).unwrap_err();
    assert_eq!(error.faults.len(), 2);
    let told = error.to_string();
    assert!(told.starts_with("line 4, feature `late_share`: "), "{told}");
    assert!(
        FeatureSpec::parse("")
            .unwrap_err()
            .to_string()
            .contains("no feature")
    );
}

/// Lines of the built-in spec, cut up and put together again.
fn mangled() -> impl Strategy<Value = String> {
    let lines: Vec<&str> = FeatureSpec::built_in()
        .text()
        .lines()
        .map(str::to_owned)
        .map(|line| &*line.leak())
        .filter(|line| !line.is_empty())
        .collect();
    let line = prop_oneof![
        8 => prop::sample::select(lines),
        1 => Just("[[feature]]"),
        1 => Just("q = 1e999"),
        1 => Just("clip = [0, nan]"),
    ];
    prop::collection::vec((line, prop::option::weighted(0.1, "[ -~]{0,8}")), 0..24).prop_map(
        |lines| {
            let line = |(line, tail): (&str, Option<String>)| match tail {
                Some(tail) => format!("{}{tail}", &line[..line.len() / 2]),
                None => line.to_owned(),
            };
            lines.into_iter().map(line).collect::<Vec<_>>().join("\n")
        },
    )
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        let _ = FeatureSpec::parse(&text);
    }

    #[test]
    fn mangled_specs_are_refused_by_line_or_work(text in mangled()) {
        match FeatureSpec::parse(&text) {
            Ok(spec) => prop_assert_eq!(Extractor::new(&spec).width(), spec.names().len()),
            Err(error) => {
                let lines = text.lines().count().max(1);
                prop_assert!(!error.faults.is_empty());
                prop_assert!(error.faults.iter().all(|fault| (1..=lines).contains(&fault.line)));
            }
        }
    }
}

/// A spline is declared with how many knots, and nothing else: where they are, training learns.
#[test]
fn splines_are_declared_with_their_knots_and_are_in_the_fingerprint() {
    let spec = |rest: &str| {
        FeatureSpec::parse(&format!(
            "[[feature]]\nname = \"x\"\nsource = \"invoice\"\nattribute = \"invoice_amount\"\n{rest}"
        ))
    };
    let bent = spec("transform = \"spline\"\nknots = 5").unwrap();
    assert_eq!(bent.names(), ["x"]);
    assert_eq!(bent.splines().collect::<Vec<_>>(), [("x", 5)]);
    let others = [
        "",
        "transform = \"spline\"\nknots = 6",
        "transform = \"log1p\"",
    ];
    for other in others {
        assert_ne!(spec(other).unwrap().fingerprint(), bent.fingerprint());
    }
    for (rest, line, words) in [
        ("transform = \"spline\"", 2, "needs the key `knots`"),
        ("transform = \"spline\"\nknots = 2", 6, "from 3 to 50"),
        ("transform = \"spline\"\nknots = -1", 6, "from 3 to 50"),
        ("transform = \"spline\"\nknots = 51", 6, "from 3 to 50"),
        ("knots = 5", 5, "no effect"),
        ("transform = \"log1p\"\nknots = 5", 6, "no effect"),
        ("transform = \"spine\"\nknots = 5", 5, "spline"),
    ] {
        let error = spec(rest).unwrap_err();
        let fault = &error.faults[0];
        assert_eq!(fault.line, line, "{rest}: {error}");
        assert!(fault.reason.contains(words), "{rest}: {error}");
    }
}
