#![allow(clippy::unwrap_used)]

use super::{ImportError, ImportOptions, ImportReport, REJECTS, run};
use crate::tables::{Format, Tables};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const MAPPING: &str = r#"
[input]
separator = ";"
decimal = ","
thousands = " "
missing = ["-"]
format = "%d.%m.%Y"
time_zone = "Europe/Stockholm"

[each]
parts = [{ n = "1", paid = "{paid1}" }, { n = "2", paid = "{paid2}" }]

[[customers]]
once = true
[customers.fields]
customer_id = "{kund}"
created_at = "2020-01-01"
kind = { from = "{typ}", map = { P = "consumer", F = "business" } }
segment = { from = "{belopp}", bands = [100, 1000] }

[[invoices]]
when = ["{belopp} > 0"]
[invoices.fields]
invoice_id = "{nr}"
customer_id = "{kund}"
issued_at = "{datum}"
due_on = { from = "{datum}", days = 30 }
amount_minor = { from = "{belopp}", unit = "major" }
currency = "SEK"

[[events]]
each = ["parts"]
when = ["{paid} > 0"]
[events.fields]
event_id = "{nr}/{n}"
occurred_at = { from = "{datum}", months = 1 }
recorded_at = { from = "{datum}", months = 1 }
customer_id = "{kund}"
invoice_id = "{nr}"
type = "payment_succeeded"
amount_minor = { from = "{paid}", unit = "major" }
currency = "SEK"
"#;

const INPUT: &str = "nr;kund;typ;datum;belopp;paid1;paid2\n\
    007;k1;P;01.07.2025;1 234,50;1 000;234,5\n\
    008;k1;P;31.01.2025;99;-;-\n\
    009;k2;F;15.01.2025;0;;\n";

fn imported(
    dir: &TempDir,
    mapping: &str,
    input: &str,
    max: u64,
) -> Result<ImportReport, ImportError> {
    let path = |name: &str| dir.path().join(name);
    fs::write(path("mapping.toml"), mapping).unwrap();
    fs::write(path("in.csv"), input).unwrap();
    run(&ImportOptions {
        mapping: path("mapping.toml"),
        inputs: vec![path("in.csv")],
        out: path("out"),
        format: Format::Csv,
        max_rejects: max,
    })
}

fn refused(mapping: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let error = imported(&dir, mapping, INPUT, 0).unwrap_err().to_string();
    assert!(!error.contains('\n'), "{error}");
    error.replace(&format!("{}/", dir.path().display()), "")
}

fn files(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn rows_become_records_as_the_mapping_says() {
    let dir = tempfile::tempdir().unwrap();
    let report = imported(&dir, MAPPING, INPUT, 0).unwrap();
    let counts = (
        report.rows,
        report.customers,
        report.invoices,
        report.events,
    );
    assert_eq!(counts, (3, 2, 2, 2));
    let tables = Tables::read(&dir.path().join("out")).unwrap();
    let invoice = &tables.invoices[0].value;
    assert_eq!(invoice.invoice_id.as_str(), "007");
    assert_eq!(invoice.amount.minor_units, 123_450);
    assert_eq!(invoice.issued_at.to_string(), "2025-06-30T22:00:00Z");
    assert_eq!(invoice.due_on.to_string(), "2025-07-31");
    assert_eq!(tables.invoices[1].value.due_on.to_string(), "2025-03-02");
    let paid: Vec<_> = tables
        .events
        .iter()
        .map(|e| e.amount.unwrap().minor_units)
        .collect();
    assert_eq!(paid, [100_000, 23_450]);
    assert_eq!(tables.events[1].event_id.as_str(), "007/2");
    assert_eq!(
        tables.events[0].occurred_at.to_string(),
        "2025-07-31T22:00:00Z"
    );
    let segments: Vec<_> = tables
        .customers
        .iter()
        .map(|c| c.value.segment.clone().unwrap())
        .collect();
    assert_eq!(segments, ["from_1000", "below_100"]);
}

#[test]
fn a_rejected_row_is_named_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let input = INPUT
        .replace("99;-;-", "99.5;-;-")
        .replace("k2;F;15", "k2;X;2025-15");
    let error = imported(&dir, MAPPING, &input, 1).unwrap_err();
    let found: Vec<_> = error
        .rejects()
        .iter()
        .map(|f| (f.row, f.line, f.column.as_str()))
        .collect();
    assert!(found.contains(&(2, Some(3), "belopp")), "{found:?}");
    assert!(found.contains(&(3, Some(4), "typ")), "{found:?}");
    let text = error.to_string();
    assert!(
        text.contains("`99.5` is not a number with decimal mark `,`"),
        "{text}"
    );
    assert!(
        text.contains("2 row(s) rejected, 1 allowed: nothing was written"),
        "{text}"
    );
    assert!(files(&dir.path().join("out")).is_empty());
}

#[test]
fn allowed_rejects_are_listed_beside_the_tables_and_give_no_record_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let input = INPUT.replace("1 234,50;1 000;234,5", "1 234,50;1 000;x");
    let report = imported(&dir, MAPPING, &input, 1).unwrap();
    assert_eq!((report.rejected, report.invoices, report.events), (1, 1, 0));
    let out = dir.path().join("out");
    assert_eq!(
        files(&out),
        ["customers.csv", "events.csv", "invoices.csv", REJECTS]
    );
    let rejects = fs::read_to_string(out.join(REJECTS)).unwrap();
    assert!(
        rejects.starts_with("file,row,line,column,reason\n"),
        "{rejects}"
    );
    assert!(rejects.contains("in.csv,1,2,"), "{rejects}");
    imported(&dir, MAPPING, INPUT, 0).unwrap();
    assert_eq!(files(&out), ["customers.csv", "events.csv", "invoices.csv"]);
}

#[test]
fn a_key_that_occurs_twice_is_a_fault_unless_once_is_enough() {
    let dir = tempfile::tempdir().unwrap();
    let error = imported(&dir, MAPPING, &INPUT.replace("008", "007"), 0).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("row 2 (line 3), column invoice_id: `007` occurs twice"),
        "{error}"
    );
    let error = imported(&dir, &MAPPING.replace("once = true", ""), INPUT, 0).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("column customer_id: `k1` occurs twice"),
        "{error}"
    );
}

#[test]
fn a_mapping_is_refused_with_its_line() {
    for (from, to, wanted) in [
        (
            "thousands",
            "thousand",
            "mapping.toml, line 5: unknown field `thousand`",
        ),
        (
            "once = true",
            "onec = true",
            "mapping.toml, line 14: unknown field `onec`",
        ),
        (
            "bands",
            "band",
            "mapping.toml, line 19: unknown field `band`",
        ),
        (
            "segment =",
            "segmnt =",
            "line 19: customers has no column `segmnt`; did you mean `segment`?",
        ),
        (
            "[\"parts\"]",
            "[\"part\"]",
            "there is no list each.part; did you mean `parts`?",
        ),
        ("due_on", "#", "line 21: invoices needs the field due_on"),
        ("{belopp} > 0", "{belopp} over 0", "is no condition"),
        ("{nr}/{n}", "{nr}/{n", "brace without its partner"),
        (
            "Europe/Stockholm",
            "Europe/Stokholm",
            "line 8: `Europe/Stokholm` is not an IANA time zone",
        ),
        (
            "\"{typ}\"",
            "\"{type}\"",
            "in.csv: has no column `type`, which the rule for customers at line",
        ),
        ("[[events]]", "[[event]]", "unknown field `event`"),
        (
            "[[invoices]]",
            "[[invoices]]\ninput = \"x\"\n[[invoices]]",
            "missing field `fields`",
        ),
    ] {
        let mapping = MAPPING.replacen(from, to, 1);
        assert_ne!(mapping, MAPPING, "{from}");
        let error = refused(&mapping);
        assert!(error.contains(wanted), "{to}: {error}");
    }
    let unclaimed = MAPPING.replace("]]\n", "]]\ninput = \"other.csv\"\n");
    assert!(refused(&unclaimed).contains("no rule of the mapping is for a file of this name"));
}
