//! What cannot be pooled, or is not at hand, is said.

use super::company::{COLUMNS, EXTRACTOR, PARSED, POOLING, SPEC, invoice_id, segments};
use lagom_features::domain::{Currency, CustomerId, Days, Invoice, Money, Timestamp, Zone};
use lagom_features::sql::{self, Calendar, Compiled, Dialect, Form};
use lagom_features::{
    ExtractError, Extractor, FeatureSpec, History, Ledger, Pooling, Scratch, Segments,
};

#[test]
fn a_week_that_is_not_at_hand_is_said_and_not_guessed() {
    let monday = Timestamp::parse("2026-03-02").unwrap();
    let at = monday + Days::whole(2);
    let id = CustomerId::new("c").unwrap();
    let mut history = History::new();
    let invoice = Invoice {
        invoice_id: invoice_id(0),
        customer_id: id,
        issued_at: monday,
        due_on: monday.date(&Zone::utc()),
        amount: Money::new(1, Currency::SEK),
        terms_days: None,
        payment_method: None,
        billing_channel: None,
        product: None,
    };
    history.record_invoice(monday, invoice);
    let view = history.as_of(at);
    let mut out = Vec::new();
    let mut extract = |extractor: &Extractor, segments: &Segments| {
        let (scratch, ledger) = (&mut Scratch::new(), Ledger::of(&view));
        extractor.extract_among(scratch, &view, &ledger, &invoice_id(0), segments, &mut out)
    };
    let missing = Err(ExtractError::Week { week: monday });
    assert_eq!(extract(&EXTRACTOR, Segments::none()), missing);
    let earlier = segments(POOLING.begin(monday - Days::whole(7)));
    assert_eq!(extract(&EXTRACTOR, &earlier), missing);
    let at_hand = segments(POOLING.begin(monday));
    assert_eq!(extract(&EXTRACTOR, &at_hand), Ok(()));
    // Of nobody is known anything: a prior, what `missing` says, or NaN.
    assert!(
        out[0].is_nan() && out[2] == -1.0 && out[6] == 0.25,
        "{out:?}"
    );
    let other = FeatureSpec::parse(&SPEC.replace("60d", "61d")).unwrap();
    let other = Extractor::new(&other);
    let mut extract = |extractor: &Extractor, segments: &Segments| {
        let (scratch, ledger) = (&mut Scratch::new(), Ledger::of(&view));
        extractor.extract_among(scratch, &view, &ledger, &invoice_id(0), segments, &mut out)
    };
    assert_eq!(extract(&other, &at_hand), missing, "weeks of another spec");
    assert!(Pooling::new(&FeatureSpec::built_in()).is_none());
    let built_in = Extractor::new(&FeatureSpec::built_in());
    assert_eq!(extract(&built_in, Segments::none()), Ok(()));
}

#[test]
fn what_cannot_be_pooled_is_refused_by_name_and_line() {
    let refused = |rest: &str| {
        let text = format!("[[feature]]\nname = \"x\"\nkey = \"segment\"\n{rest}");
        let error = FeatureSpec::parse(&text).unwrap_err();
        assert_eq!(error.faults.len(), 1, "{error}");
        let fault = error.faults[0].clone();
        assert_eq!(fault.feature.as_deref(), Some("x"));
        (fault.line, fault.reason)
    };
    let rows = "source = \"dues\"\nwindow = \"30d\"\n";
    for (op, line) in [
        ("op = \"max\"\ncolumn = \"late\"", 6),
        ("op = \"last\"\ncolumn = \"late\"", 6),
        ("column = \"late\"\nop = \"quantile\"\nq = 0.5", 7),
        ("op = \"streak\"\ncolumn = \"late\"", 6),
        ("op = \"days_since\"", 6),
        ("op = \"distinct\"\ncolumn = \"invoice\"", 6),
        ("op = \"decayed\"\nhalf_life = \"30d\"", 6),
    ] {
        let (at, reason) = refused(&format!("{rows}{op}"));
        assert_eq!(at, line, "{op}: {reason}");
        assert!(reason.contains("count, any, sum, mean, rate"), "{reason}");
    }
    let (line, reason) = refused(&format!("{rows}op = \"count\"\nscope = \"this_invoice\""));
    assert!(
        line == 7 && reason.contains("this_invoice"),
        "{line}: {reason}"
    );
    let (line, reason) = refused("source = \"dues\"\nwindow = \"since_due\"\nop = \"count\"");
    assert!(line == 5 && reason.contains("lifetime"), "{line}: {reason}");
    let contacts = "source = \"contacts\"\nwindow = \"30d\"\nop = \"rate\"\n";
    let (line, reason) = refused(&format!("{contacts}of = {{ within_hours = 3 }}"));
    assert!(
        line == 7 && reason.contains("within_hours"),
        "{line}: {reason}"
    );
    let of = "of = { channel = \"sms\" }\nwhere = { within_hours = 3 }";
    let (line, reason) = refused(&format!("{contacts}{of}"));
    assert!(
        line == 8 && reason.contains("within_hours"),
        "{line}: {reason}"
    );
    let (line, reason) = refused("source = \"calendar\"\nattribute = \"weekday\"");
    assert!(
        line == 3 && reason.contains("no effect"),
        "{line}: {reason}"
    );
    let text = "[[feature]]\nname = \"x\"\nkey = \"country\"\nsource = \"dues\"\nwindow = \"30d\"\nop = \"count\"";
    let error = FeatureSpec::parse(text).unwrap_err().to_string();
    assert!(error.starts_with("line 3, feature `x`"), "{error}");
    assert!(error.contains("customer, segment"), "{error}");
}

#[test]
fn the_key_is_in_the_fingerprint_and_its_default_is_not() {
    let spec = |key: &str| {
        let text = format!(
            "[[feature]]\nname = \"x\"\n{key}\nsource = \"dues\"\nwindow = \"30d\"\nop = \"count\""
        );
        FeatureSpec::parse(&text).unwrap().fingerprint().to_owned()
    };
    assert_eq!(spec(""), spec("key = \"customer\""));
    assert_ne!(spec(""), spec("key = \"segment\""));
}

#[test]
fn no_query_is_made_of_a_feature_by_segment() {
    let calendar = Calendar {
        zones: vec![Zone::utc()],
        from: Timestamp::parse("2026-01-01").unwrap(),
        to: Timestamp::parse("2026-02-01").unwrap(),
    };
    for form in [Form::Cells, Form::Finished] {
        let refused = Compiled::new(&PARSED, form, Dialect::Standard, &calendar).unwrap_err();
        assert_eq!(refused.0.len(), COLUMNS - 1, "{refused}");
        assert!(refused.0[0].feature == "segment_opened_60d" && refused.0[0].line == 3);
        assert_eq!(sql::check(&PARSED), Err(refused));
    }
    assert_eq!(sql::check(&FeatureSpec::built_in()), Ok(()));
}
