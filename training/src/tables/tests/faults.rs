use super::super::{Format, TableError, TableWriter, Tables, read_table, write_table};
use super::{folder, sample};
use lagom_features::Recorded;
use lagom_features::domain::{Event, EventType, Invoice};
use lagom_model::log::Decision;
use std::fs;
use std::path::Path;

const INVOICES: &str = "invoice_id,customer_id,issued_at,due_on,amount_minor,currency";

fn message(dir: &Path, file: &str, text: &str) -> String {
    fs::write(dir.join(file), text).unwrap();
    let message = Tables::read(dir).unwrap_err().to_string();
    fs::remove_file(dir.join(file)).unwrap();
    message.replace(&dir.display().to_string(), "DIR")
}

#[test]
fn every_wrong_cell_is_named_by_file_row_line_column_and_reason() {
    let dir = folder();
    let path = dir.path().join("invoices.csv");
    let rows = "\"a\nb\",c,2025-01-01,2025-01-31,100,SEK\n\
                i1,c,yesterday,2025-01-31,\"12,5\",SEK\n\
                i2,c,2025-01-01,2025-01-31,,kr\n\
                i3,c,2025-01-01,2025-01-31,-5,SEK\n\
                i4,c,2025-01-01\n";
    fs::write(&path, format!("{INVOICES}\n{rows}")).unwrap();
    let error = read_table::<Recorded<Invoice>>(&path).unwrap_err();
    let found: Vec<_> = error
        .cells()
        .iter()
        .map(|fault| (fault.row, fault.line, fault.column.as_str()))
        .collect();
    let expected = [
        (1, Some(2), "invoice_id"),
        (2, Some(4), "issued_at"),
        (2, Some(4), "amount_minor"),
        (3, Some(5), "amount_minor"),
        (3, Some(5), "currency"),
        (4, Some(6), "amount_minor"),
        (5, Some(7), "invoice_id"),
    ];
    assert_eq!(found, expected);
    let reasons: Vec<_> = error.cells().iter().map(|f| f.reason.as_str()).collect();
    assert!(reasons[2].contains("`12,5` is not a whole number"));
    assert!(reasons[3].contains("empty"));
    assert!(reasons[5].contains("-5 is not above zero"));
    assert!(reasons[6].contains("3 cells, the header 6"));
    let one_line = error.to_string();
    assert!(one_line.ends_with("(and 6 more faults)"), "{one_line}");
    assert!(!one_line.contains('\n'));
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    let dir = folder();
    let path = dir.path().join("invoices.csv");
    for (ending, mark) in [("\n", ""), ("\r\n", ""), ("\r\n", "\u{feff}")] {
        let lines = [
            INVOICES,
            "i,c,2025-01-01,2025-01-31,1,SEK",
            "j,c,?,2025-01-31,1,SEK",
            "",
        ];
        fs::write(&path, format!("{mark}{}", lines.join(ending))).unwrap();
        let error = read_table::<Recorded<Invoice>>(&path).unwrap_err();
        let fault = &error.cells()[0];
        assert_eq!((fault.row, fault.line), (2, Some(3)), "{ending:?}");
    }
}

#[test]
fn faults_of_all_tables_come_together() {
    let dir = folder();
    fs::write(
        dir.path().join("invoices.csv"),
        format!("{INVOICES}\ni,c,?,?,1,SEK\n"),
    )
    .unwrap();
    let events =
        "event_id,occurred_at,recorded_at,customer_id,type\ne,2025-01-02,2025-01-01,c,paid\n";
    fs::write(dir.path().join("events.csv"), events).unwrap();
    let error = Tables::read(dir.path()).unwrap_err();
    let columns: Vec<_> = error.cells().iter().map(|f| f.column.as_str()).collect();
    assert_eq!(columns, ["issued_at", "due_on", "type"]);
}

#[test]
fn a_parquet_file_is_read_with_the_same_care() {
    let dir = folder();
    let file = dir.path().join("invoices.parquet");
    write_table(&file, &sample::tables().invoices).unwrap();
    let wrong = read_table::<Event>(&file).unwrap_err().to_string();
    assert!(
        wrong.contains("holds invoices of schema version 1, but events"),
        "{wrong}"
    );
}

#[test]
fn columns_are_refused_with_the_name_that_was_meant() {
    let dir = folder();
    let text = format!("{INVOICES},payment_metod\n");
    let wrong = message(dir.path(), "invoices.csv", &text);
    assert!(
        wrong.contains("column payment_metod") && wrong.contains("did you mean `payment_method`?")
    );
    let wrong = message(
        dir.path(),
        "invoices.csv",
        "invoice_id,customer_id,issued_at,due_on\n",
    );
    assert!(
        wrong.contains("needs the column(s) amount_minor, currency"),
        "{wrong}"
    );
    let wrong = message(
        dir.path(),
        "invoices.csv",
        &format!("{INVOICES},currency\n"),
    );
    assert!(wrong.contains("occurs twice"), "{wrong}");
    let wrong = message(dir.path(), "invoice.csv", INVOICES);
    assert!(
        wrong.contains("there is invoice.csv; did you mean `invoices`?"),
        "{wrong}"
    );
    let wrong = message(dir.path(), "invoices.csv", "");
    assert!(wrong.contains("is empty"), "{wrong}");
    let wrong = message(dir.path(), "invoices.parquet", "PAR1 and then nothing");
    assert!(wrong.starts_with("DIR/invoices.parquet: "), "{wrong}");
}

/// There is no place to keep what must not decide: names, addresses, protected attributes and what
/// stands in for them.
#[test]
fn protected_attributes_are_refused_by_the_schema() {
    let dir = folder();
    let refused = [
        "sex",
        "gender",
        "ethnicity",
        "religion",
        "health",
        "disability",
        "age",
        "marital_status",
        "postcode",
        "name",
        "address",
    ];
    for column in refused {
        let text = format!("tenant,customer_id,created_at,{column}\n");
        let wrong = message(dir.path(), "customers.csv", &text);
        assert!(wrong.contains(&format!("column {column}")), "{wrong}");
    }
}

#[test]
fn an_event_in_another_currency_than_its_invoice_is_refused() {
    let mut tables = sample::tables();
    let paid = tables.events.last_mut().unwrap();
    let euro = lagom_features::domain::Currency::new("EUR").unwrap();
    paid.amount = paid
        .amount
        .map(|m| lagom_features::domain::Money::new(m.minor_units, euro));
    let dir = folder();
    tables.write(dir.path(), Format::Parquet).unwrap();
    let wrong = Tables::read(dir.path()).unwrap_err().to_string();
    assert!(
        wrong.contains("row 2, column currency: is EUR, but that of the invoice is SEK"),
        "{wrong}"
    );
}

#[test]
fn a_decision_is_logged_once_and_its_columns_agree() {
    let dir = folder();
    let decisions = sample::tables().decisions;
    let file = dir.path().join("decisions.csv");
    let twice = [decisions[0].clone(), decisions[0].clone()];
    write_table(&file, &twice).unwrap();
    let wrong = read_table::<Decision>(&file).unwrap_err().to_string();
    assert!(
        wrong.contains("row 2 (line 3), column decision_id: `d1` occurs twice"),
        "{wrong}"
    );

    write_table(&file, &decisions).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen(",sms,", ",email,", 1)).unwrap();
    let wrong = read_table::<Decision>(&file).unwrap_err().to_string();
    assert!(
        wrong.contains("column channel: is not that of action_id"),
        "{wrong}"
    );
    fs::write(
        &file,
        text.replacen("[\"\"SE.claim-after-reminder\"\"]", "[]", 1),
    )
    .unwrap();
    let wrong = read_table::<Decision>(&file).unwrap_err().to_string();
    assert!(
        wrong.contains("blocked_rules: has 0 elements beside 1 of blocked"),
        "{wrong}"
    );
}

#[test]
fn nothing_is_half_written() {
    let dir = folder();
    let mut tables = sample::tables();
    tables.write(dir.path(), Format::Csv).unwrap();
    let before = fs::read(dir.path().join("invoices.csv")).unwrap();
    tables.invoices.clear();
    tables.events[1].kind = EventType::PromiseMade;
    tables.events[1].until = None;
    let wrong = tables.write(dir.path(), Format::Csv).unwrap_err();
    assert!(
        matches!(
            wrong,
            TableError::InvalidRecord {
                table: "events",
                record: 2,
                ..
            }
        ),
        "{wrong}"
    );
    assert_eq!(fs::read(dir.path().join("invoices.csv")).unwrap(), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5);

    let dropped =
        TableWriter::<Recorded<Invoice>>::create(&dir.path().join("more.parquet")).unwrap();
    drop(dropped.finish().unwrap());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5);
    let wrong = tables.write(dir.path(), Format::Parquet).unwrap_err();
    assert!(matches!(wrong, TableError::TwoForms { .. }), "{wrong}");
}
