//! What runs, for each operation, scope and window in which it does; and leaks that are planted in it.

use super::{check, differing, psql, server, specs, world};
use lagom_features::FeatureSpec;
use lagom_features::sql::{Compiled, Dialect, Form};

const SCOPES: [&str; 3] = ["customer", "this_invoice", "other_invoices"];
const WINDOWS: [&str; 6] = ["lifetime", "7d", "30d", "90d", "since_due", "since_issue"];
const PAID: &str = "types = [\"payment_succeeded\", \"payment_failed\", \"payment_refunded\"]";
const SENT: &str = "types = [\"contact_sent\"]\nwhere = { channel = [\"sms\", \"email\"] }";
const SEEN: &str = "types = [\"invoice_opened\", \"invoice_viewed\"]";

/// Operations with their source; all but the last three of them in every window.
const OPERATIONS: [(&str, &str, &str); 13] = [
    ("events", SENT, "op = \"count\""),
    ("events", SEEN, "op = \"any\""),
    ("events", PAID, "op = \"sum\"\ncolumn = \"amount\""),
    (
        "events",
        PAID,
        "op = \"mean\"\ncolumn = \"amount\"\nprior = 7\nstrength = 2",
    ),
    (
        "events",
        SEEN,
        "op = \"rate\"\nof = { device = \"mobile\" }",
    ),
    ("events", SENT, "op = \"rate\"\nof = { tone = \"firm\" }"),
    ("events", SEEN, "op = \"days_since\""),
    ("events", SENT, "op = \"days_since_first\""),
    ("events", PAID, "op = \"min\"\ncolumn = \"amount\""),
    ("events", SEEN, "op = \"max\"\ncolumn = \"dwell_seconds\""),
    ("contacts", "", "op = \"mean\"\ncolumn = \"led_to_open\""),
    ("contacts", "", "op = \"sum\"\ncolumn = \"led_to_click\""),
    (
        "contacts",
        "where = { channel = [\"sms\", \"letter\"] }",
        "op = \"mean\"\ncolumn = \"led_to_payment\"\nprior = 0.3\nstrength = 2",
    ),
];

/// Each operation for each scope in each window, and the share of the latest row.
pub(super) fn everything() -> FeatureSpec {
    let mut text = String::new();
    for (place, (source, rows, op)) in OPERATIONS.into_iter().enumerate() {
        for scope in SCOPES {
            for window in WINDOWS.into_iter().chain(["last 1"]) {
                if window == "last 1" && !op.contains("rate") {
                    continue;
                }
                let name = format!("f{place}_{scope}_{}", window.replace(' ', "_"));
                text += &format!(
                    "[[feature]]\nname = \"{name}\"\nsource = \"{source}\"\n{rows}\n\
                     scope = \"{scope}\"\nwindow = \"{window}\"\n{op}\nunit = \"x\"\n\
                     owner = \"tests\"\ndescription = \"X.\"\n\n"
                );
            }
        }
    }
    FeatureSpec::parse(&text).unwrap()
}

#[test]
fn what_runs_gives_the_extractors_bits() {
    let Some(server) = server::Postgres::start() else {
        return;
    };
    let spec = everything();
    for seed in 20..24 {
        let world = world(seed, 30);
        let compiled =
            Compiled::new(&spec, Form::Cells, Dialect::Standard, &world.calendar()).unwrap();
        let answers = psql(&server, &world, &compiled.query());
        check(
            &format!("PostgreSQL, world {seed}"),
            &world,
            &spec,
            &compiled,
            &answers,
        );
    }
}

/// Leaks and slips that are planted in the query are found, so that the tests of it can fail.
#[test]
fn planted_leaks_are_found() {
    let Some(server) = server::Postgres::start() else {
        return;
    };
    let world = world(5, 100);
    let [built_in, every, running] = specs();
    let find = |spec: &FeatureSpec, leaks: &[(&str, &str)]| {
        let calendar = world.calendar();
        let compiled = Compiled::new(spec, Form::Cells, Dialect::Standard, &calendar).unwrap();
        for (right, leak) in leaks {
            assert!(compiled.query().contains(right), "{right}");
            let query = compiled.query().replace(right, leak);
            let answers = psql(&server, &world, &query);
            let wrong = differing("PostgreSQL, leaking", &world, spec, &compiled, &answers);
            assert!(
                !wrong.is_empty(),
                "nothing differs with `{leak}` for `{right}`"
            );
        }
    };
    // Of what is joined by range.
    let leaks = [
        ("e.recorded_at < p.asked_at AND ", ""),
        ("e.occurred_at < p.asked_at", "e.occurred_at <= p.asked_at"),
        ("row_at >= asked_at - ", "row_at > asked_at - "),
    ];
    find(&every, &leaks);
    // Of what runs: seen before it was learnt, seen at its own instant, never gone, gone though it never
    // came, come though it was gone, within a window that has closed.
    let leaks = [
        (
            "GREATEST(occurred_at, recorded_at) AS seen_at",
            "occurred_at AS seen_at",
        ),
        (
            "ORDER BY moment, later ROWS",
            "ORDER BY moment, -later ROWS",
        ),
        (" THEN -m", " THEN 0 * m"),
        (
            " AND e.seen_at < e.occurred_at + ",
            " AND 0 < e.occurred_at + ",
        ),
        (
            "turn = 0 AND moment < occurred_at + ",
            "turn = 0 AND 0 < occurred_at + ",
        ),
        (" >= p.asked_at - ", " > p.asked_at - "),
        // Of messages: answered by what has not come, by what came before it, judged before its week is over.
        ("LEAST(open_later, open_beside)", "seen_at"),
        ("occurred_at ORDER BY nth DESC", "occurred_at ORDER BY nth"),
        ("LEAST(open_came, GREATEST(", "LEAST(open_came, LEAST("),
    ];
    find(&running, &leaks);
    // Of customers and invoices: doubles, a correction too late, settled without the last payment, the
    // state after what comes at the point's own instant.
    let leaks = [
        ("WHERE repetition = 1", ""),
        ("c.recorded_at DESC, c.seq DESC", "c.recorded_at, c.seq"),
        ("d.seen_at <= c.money_at", "d.seen_at < c.money_at"),
        (
            "invoice_id ORDER BY moment, later",
            "invoice_id ORDER BY moment, -later",
        ),
        ("ORDER BY d.nth ROWS", "ORDER BY -d.nth ROWS"),
    ];
    find(&built_in, &leaks);
}
