//! The query that a spec compiles to, run by PostgreSQL and by DuckDB on random histories, gives the
//! vectors of the extractor, bit for bit: late arrivals, duplicates, ties, corrections and local
//! days included.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[allow(dead_code, unreachable_pub)]
#[path = "../../tests/src/postgres.rs"]
mod server;

use lagom_features::domain::{
    Channel, Currency, Customer, CustomerId, CustomerKind, Days, Event, EventId, EventType,
    Invoice, InvoiceId, Money, TenantId, Timestamp, Tone, Zone,
};
use lagom_features::sql::{Calendar, CellKind, Compiled, Dialect, Form, Value};
use lagom_features::{Extractor, FeatureSpec, History, Ledger, Recorded};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

#[path = "sql/spark.rs"]
mod spark;

const EVERY: &str = include_str!("sql/every.toml");
/// Answers of a query as tab-separated text, by DuckDB.
const DUCKDB: &str = "import sys, duckdb\n\
    con = duckdb.connect()\n\
    con.execute(open(sys.argv[1]).read())\n\
    none = lambda cell: '\\\\N' if cell is None else str(cell).replace('\\t', ' ')\n\
    rows = con.execute(open(sys.argv[2]).read()).fetchall()\n\
    open(sys.argv[3], 'w').write(''.join('\\t'.join(map(none, row)) + '\\n' for row in rows))\n";

/// SplitMix64 (Steele, Lea and Flood, 2014, doi:10.1145/2714064.2660195).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }

    fn maybe<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        (self.below(4) > 0).then(|| self.of(list))
    }

    /// Around a change to and from daylight saving; on few instants, so that many are tied.
    fn instant(&mut self) -> Timestamp {
        let from = Timestamp::parse("2025-10-10").unwrap();
        let odd = self.of(&[0, 0, 1, 1_234_567, 59_999_999]);
        let at = from + Days::hours(6 * self.below(4 * 200) as i64);
        Timestamp::from_micros(at.micros() + odd).unwrap()
    }

    fn delay(&mut self) -> Days {
        match self.below(8) {
            0 => Days::hours(self.below(72) as i64),
            1 => Days::whole(self.below(90) as i64),
            _ => Days::hours(0),
        }
    }
}

/// Records in the order in which they arrived.
#[derive(Default)]
struct World {
    customers: Vec<Recorded<Customer>>,
    invoices: Vec<Recorded<Invoice>>,
    events: Vec<Event>,
    points: Vec<(CustomerId, InvoiceId, Timestamp)>,
}

fn world(seed: u64, customers: u64) -> World {
    let mut chance = Chance(seed);
    let mut world = World::default();
    let zones = [
        "Europe/Stockholm",
        "America/New_York",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
    ];
    for number in 0..customers {
        let id = CustomerId::new(format!("c{number}")).unwrap();
        for _ in 0..chance.below(4) {
            let at = chance.instant();
            let mut value = Customer::unknown(TenantId::default(), id.clone(), at);
            value.time_zone = chance.maybe(&zones).map(|name| Zone::parse(name).unwrap());
            value.kind = chance.maybe(CustomerKind::ALL);
            value.autopay = chance.maybe(&[true, false]);
            value.annual_margin_minor = chance.maybe(&[-5_000, 12_345]);
            value.segment = chance.maybe(&["it's", "b", "other\t\\"]).map(str::to_owned);
            value.language = chance.maybe(&["sv", "en"]).map(str::to_owned);
            let recorded_at = at + chance.delay();
            world.customers.push(Recorded { recorded_at, value });
        }
        for _ in 0..1 + chance.below(7) {
            let at = chance.instant();
            let terms = 1 + chance.below(40) as i32;
            let currency =
                chance.of(&[Currency::SEK, Currency::SEK, Currency::new("EUR").unwrap()]);
            let value = Invoice {
                invoice_id: InvoiceId::new(format!("i{number}-{}", chance.below(5))).unwrap(),
                customer_id: id.clone(),
                issued_at: at,
                due_on: at.date(&Zone::utc()).plus_days(terms),
                amount: Money::new(100 + chance.below(2_000) as i64, currency),
                terms_days: chance.maybe(&[10, 30]),
                payment_method: chance.maybe(&["card", "direct_debit"]).map(Box::from),
                billing_channel: chance.maybe(&["paper", "email"]).map(Box::from),
                product: None,
            };
            let recorded_at = at + chance.delay();
            world.invoices.push(Recorded { recorded_at, value });
        }
        for _ in 0..chance.below(70) {
            let (at, kind) = (chance.instant(), chance.of(EventType::ALL));
            let kind = match chance.below(3) {
                0 => kind,
                1 => chance.of(&[EventType::PaymentSucceeded, EventType::ContactSent]),
                _ => chance.of(&[
                    EventType::InvoiceOpened,
                    EventType::InvoiceViewed,
                    EventType::PaymentFailed,
                ]),
            };
            // Few ids, so that some come twice, with other contents.
            let event_id = EventId::new(format!("e{number}-{}", chance.below(90))).unwrap();
            let mut event = Event::new(event_id, kind, id.clone(), at, at + chance.delay());
            // An invoice that is never recorded is among them.
            let invoice = chance.maybe(&[0, 1, 2, 3, 4, 9]);
            if chance.below(8) == 0 {
                // Announced before it happens.
                event.recorded_at = at - Days::whole(3);
            }
            event.invoice_id = invoice.map(|i| InvoiceId::new(format!("i{number}-{i}")).unwrap());
            event.channel = chance.maybe(Channel::ALL);
            event.tone = chance.maybe(Tone::ALL);
            event.device = chance.maybe(&["mobile", "desktop"]).map(str::to_owned);
            event.method = chance.maybe(&["card", "swish"]).map(str::to_owned);
            let minor = 1 + chance.below(1_500) as i64;
            event.amount = chance
                .maybe(&[Currency::SEK, Currency::new("EUR").unwrap()])
                .map(|c| Money::new(minor, c));
            event.dwell_ms = chance.maybe(&[0, 1, 333, 1_001, 77_777]);
            let ahead = Days::whole(chance.below(30) as i64);
            event.until = chance.maybe(&[at + ahead, at]);
            world.events.push(event);
        }
        let times = world.events.iter().filter(|event| event.customer_id == id);
        let times: Vec<_> = times
            .flat_map(|one| [one.occurred_at, one.recorded_at])
            .collect();
        for _ in 0..12 {
            let invoice = InvoiceId::new(format!("i{number}-{}", chance.below(5))).unwrap();
            // Often at the very instant of an event, or of the end of its window.
            let at = match chance.below(3) {
                0 if !times.is_empty() => chance.of(&times),
                1 if !times.is_empty() => chance.of(&times) + Days::whole(chance.of(&[7, 30, 90])),
                _ => chance.instant(),
            };
            world.points.push((id.clone(), invoice, at));
        }
    }
    world
}

impl World {
    fn calendar(&self) -> Calendar {
        let zones = self
            .customers
            .iter()
            .filter_map(|one| one.value.time_zone.clone());
        Calendar {
            zones: zones.collect(),
            from: Timestamp::parse("2025-09-01").unwrap(),
            to: Timestamp::parse("2026-12-01").unwrap(),
        }
    }

    /// Tables as SQL, which both engines read; every text is quoted.
    fn load(&self, text: &str) -> String {
        self.load_quoted(text, |word| format!("'{}'", word.replace('\'', "''")))
    }

    fn load_quoted(&self, text: &str, quoted: fn(&str) -> String) -> String {
        let word = |word: Option<&str>| word.map_or("NULL".to_owned(), quoted);
        let number = |number: Option<i64>| number.map_or("NULL".to_owned(), |n| n.to_string());
        let mut sql = format!(
            "CREATE TABLE lagom_customers (customer_id {text}, created_at BIGINT, kind {text}, \
             country {text}, time_zone {text}, language {text}, segment {text}, autopay BIGINT, \
             annual_margin_minor BIGINT, recorded_at BIGINT, seq BIGINT);\n\
             CREATE TABLE lagom_invoices (invoice_id {text}, customer_id {text}, issued_at BIGINT, \
             due_on BIGINT, amount_minor BIGINT, currency {text}, terms_days BIGINT, \
             payment_method {text}, billing_channel {text}, product {text}, recorded_at BIGINT, \
             seq BIGINT);\n\
             CREATE TABLE lagom_events (event_id {text}, customer_id {text}, invoice_id {text}, \
             occurred_at BIGINT, recorded_at BIGINT, type {text}, channel {text}, tone {text}, \
             amount_minor BIGINT, currency {text}, method {text}, device {text}, dwell_ms BIGINT, \
             until BIGINT, seq BIGINT);\n\
             CREATE TABLE lagom_points (point_id BIGINT, customer_id {text}, invoice_id {text}, \
             asked_at BIGINT);\n"
        );
        let mut insert = |table: &str, rows: Vec<String>| {
            writeln!(sql, "INSERT INTO {table} VALUES\n{};", rows.join(",\n")).unwrap();
        };
        let customers = self.customers.iter().enumerate().map(|(seq, one)| {
            let c = &one.value;
            format!(
                "({}, {}, {}, NULL, {}, {}, {}, {}, {}, {}, {seq})",
                word(Some(c.customer_id.as_str())),
                c.created_at.micros(),
                word(c.kind.map(CustomerKind::name)),
                word(c.time_zone.as_ref().map(Zone::name)),
                word(c.language.as_deref()),
                word(c.segment.as_deref()),
                number(c.autopay.map(i64::from)),
                number(c.annual_margin_minor),
                one.recorded_at.micros(),
            )
        });
        insert("lagom_customers", customers.collect());
        let invoices = self.invoices.iter().enumerate().map(|(seq, one)| {
            let i = &one.value;
            format!(
                "({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {seq})",
                word(Some(i.invoice_id.as_str())),
                word(Some(i.customer_id.as_str())),
                i.issued_at.micros(),
                i.due_on.days(),
                i.amount.minor_units,
                word(Some(i.amount.currency.as_str())),
                number(i.terms_days.map(i64::from)),
                word(i.payment_method.as_deref()),
                word(i.billing_channel.as_deref()),
                word(i.product.as_deref()),
                one.recorded_at.micros(),
            )
        });
        insert("lagom_invoices", invoices.collect());
        let events = self.events.iter().enumerate().map(|(seq, e)| {
            format!(
                "({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {seq})",
                word(Some(e.event_id.as_str())),
                word(Some(e.customer_id.as_str())),
                word(e.invoice_id.as_ref().map(InvoiceId::as_str)),
                e.occurred_at.micros(),
                e.recorded_at.micros(),
                word(Some(e.kind.name())),
                word(e.channel.map(Channel::name)),
                word(e.tone.map(Tone::name)),
                number(e.amount.map(|money| money.minor_units)),
                word(e.amount.as_ref().map(|money| money.currency.as_str())),
                word(e.method.as_deref()),
                word(e.device.as_deref()),
                number(e.dwell_ms.map(i64::from)),
                number(e.until.map(Timestamp::micros)),
            )
        });
        insert("lagom_events", events.collect());
        let points = self
            .points
            .iter()
            .enumerate()
            .map(|(point, (customer, invoice, at))| {
                format!(
                    "({point}, '{}', '{}', {})",
                    customer.as_str(),
                    invoice.as_str(),
                    at.micros()
                )
            });
        insert("lagom_points", points.collect());
        sql
    }

    /// The extractor's vector at each point; none where the invoice was not known.
    fn vectors(&self, spec: &FeatureSpec) -> Vec<Option<Vec<f64>>> {
        let extractor = Extractor::new(spec);
        let of = |id: &CustomerId| {
            let customers = self
                .customers
                .iter()
                .filter(|one| one.value.customer_id == *id);
            let invoices = self
                .invoices
                .iter()
                .filter(|one| one.value.customer_id == *id);
            let events = self.events.iter().filter(|one| one.customer_id == *id);
            let events: Vec<Event> = events.cloned().collect();
            History::from_records(
                customers.cloned().collect(),
                invoices.cloned().collect(),
                &events,
            )
        };
        let vector = |(customer, invoice, at): &(CustomerId, InvoiceId, Timestamp)| {
            let history = of(customer);
            let (view, mut out) = (history.as_of(*at), Vec::new());
            let made = extractor.extract(&view, &Ledger::of(&view), invoice, &mut out);
            made.ok().map(|()| out)
        };
        self.points.iter().map(vector).collect()
    }
}

fn specs() -> [FeatureSpec; 2] {
    [FeatureSpec::built_in(), FeatureSpec::parse(EVERY).unwrap()]
}

/// Holds the answers of an engine, tab-separated with `\N` for none, against the extractor.
fn differing(
    engine: &str,
    world: &World,
    spec: &FeatureSpec,
    compiled: &Compiled,
    answers: &str,
) -> Vec<String> {
    let mut rows = answers.lines().peekable();
    let (mut vector, mut known) = (Vec::new(), 0);
    let names = spec.names();
    let mut wrong: Vec<String> = Vec::new();
    for (point, expected) in world.vectors(spec).into_iter().enumerate() {
        let row = rows.next_if(|row| row.split('\t').next() == Some(&point.to_string()));
        let (row, expected) = match (row, expected) {
            (Some(row), Some(expected)) => (row, expected),
            (None, None) => continue,
            (row, expected) => panic!("{engine}, point {point}: {row:?} but {expected:?}"),
        };
        let texts = row.split('\t').skip(1);
        let cells: Vec<Value<'_>> = texts
            .zip(compiled.kinds())
            .map(|(text, kind)| {
                let text = (text != "\\N").then_some(text);
                match kind {
                    CellKind::Whole => Value::Whole(text.map(|text| text.parse().unwrap())),
                    CellKind::Text => Value::Text(text),
                }
            })
            .collect();
        compiled.finish(&cells, &mut vector).unwrap();
        known += 1;
        for (place, (got, want)) in vector.iter().zip(&expected).enumerate() {
            if got.to_bits() != want.to_bits() && !(got.is_nan() && want.is_nan()) {
                wrong.push(format!(
                    "{} at {:?}: {got} is not {want}",
                    names[place], world.points[point]
                ));
            }
        }
    }
    assert_eq!(rows.next(), None, "{engine}: more rows than points");
    assert!(
        known > world.points.len() / 10,
        "{engine}: only {known} points are known"
    );
    println!("{engine}: {known} points x {} columns", names.len());
    wrong
}

fn check(engine: &str, world: &World, spec: &FeatureSpec, compiled: &Compiled, answers: &str) {
    let wrong = differing(engine, world, spec, compiled, answers);
    let sample: Vec<&String> = wrong.iter().step_by(1 + wrong.len() / 20).collect();
    assert!(
        wrong.is_empty(),
        "{engine}: {} cells differ, such as {sample:#?}",
        wrong.len()
    );
}

#[test]
fn postgres_gives_the_extractors_bits() {
    let Some(server) = server::Postgres::start() else {
        return;
    };
    for seed in [1, 2] {
        let world = world(seed, 40);
        for spec in specs() {
            let compiled =
                Compiled::new(&spec, Form::Cells, Dialect::Standard, &world.calendar()).unwrap();
            let answers = psql(&server, &world, &compiled.query());
            check("PostgreSQL", &world, &spec, &compiled, &answers);
        }
    }
}

/// Leaks that are planted in the query are found, so that the tests above can fail.
#[test]
fn planted_leaks_are_found() {
    let Some(server) = server::Postgres::start() else {
        return;
    };
    let (world, spec) = (world(5, 40), FeatureSpec::built_in());
    let compiled = Compiled::new(&spec, Form::Cells, Dialect::Standard, &world.calendar()).unwrap();
    for (right, leak) in [
        ("e.recorded_at < p.asked_at AND ", ""),
        ("e.occurred_at < p.asked_at", "e.occurred_at <= p.asked_at"),
        ("WHERE repetition = 1", ""),
        ("c.recorded_at DESC, c.seq DESC", "c.recorded_at, c.seq"),
        ("row_at >= asked_at - ", "row_at > asked_at - "),
    ] {
        assert!(compiled.query().contains(right), "{right}");
        let query = compiled.query().replace(right, leak);
        let answers = psql(&server, &world, &query);
        let wrong = differing("PostgreSQL, leaking", &world, &spec, &compiled, &answers);
        assert!(
            !wrong.is_empty(),
            "nothing differs with `{leak}` for `{right}`"
        );
    }
}

#[test]
fn postgres_finishes_the_vectors_itself() {
    let Some(server) = server::Postgres::start() else {
        return;
    };
    let world = world(4, 40);
    for spec in specs() {
        let (spec, _) = expressible(&spec, &world.calendar());
        let form = Form::Finished;
        let compiled = Compiled::new(&spec, form, Dialect::Standard, &world.calendar()).unwrap();
        let answers = psql(&server, &world, &compiled.query());
        check_finished("PostgreSQL", &world, &spec, &answers);
    }
}

/// Needs a Python with duckdb, named by `LAGOM_DUCKDB_PYTHON`.
#[test]
fn duckdb_gives_the_extractors_bits() {
    let Some(python) = std::env::var_os("LAGOM_DUCKDB_PYTHON") else {
        println!("skipped: LAGOM_DUCKDB_PYTHON names no Python with duckdb");
        return;
    };
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let world = world(3, 40);
    std::fs::write(path("run.py"), DUCKDB).unwrap();
    std::fs::write(path("load.sql"), world.load("VARCHAR")).unwrap();
    for spec in specs() {
        let compiled =
            Compiled::new(&spec, Form::Cells, Dialect::Standard, &world.calendar()).unwrap();
        std::fs::write(path("query.sql"), compiled.query()).unwrap();
        run(
            Path::new(&python),
            &["run.py", "load.sql", "query.sql", "out.tsv"].map(path),
        );
        let answers = std::fs::read_to_string(path("out.tsv")).unwrap();
        check("DuckDB", &world, &spec, &compiled, &answers);
        let (spec, _) = expressible(&spec, &world.calendar());
        let form = Form::Finished;
        let compiled = Compiled::new(&spec, form, Dialect::Standard, &world.calendar()).unwrap();
        std::fs::write(path("query.sql"), compiled.query()).unwrap();
        run(
            Path::new(&python),
            &["run.py", "load.sql", "query.sql", "out.tsv"].map(path),
        );
        let answers = std::fs::read_to_string(path("out.tsv")).unwrap();
        check_finished("DuckDB", &world, &spec, &answers);
    }
}

/// Answers of a query as COPY writes them.
fn psql(server: &server::Postgres, world: &World, query: &str) -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("run.sql");
    let load = world.load("VARCHAR COLLATE \"C\"");
    let sql = format!(
        "CREATE SCHEMA s;\nSET search_path = s;\nSET jit = off;\nSET enable_nestloop = off;\n\
         {load}\nCOPY ({query}) TO STDOUT;\nDROP SCHEMA s CASCADE;\n"
    );
    std::fs::write(&file, sql).unwrap();
    let psql = Command::new("psql")
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &server.url(), "-f"])
        .arg(&file)
        .env("PGOPTIONS", "-c client_min_messages=warning")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&psql.stderr);
    assert!(psql.status.success(), "{said}");
    String::from_utf8(psql.stdout).unwrap()
}

/// A spec without the features that the finished form refuses, and their names.
fn expressible(spec: &FeatureSpec, calendar: &Calendar) -> (FeatureSpec, Vec<String>) {
    let Err(refused) = Compiled::new(spec, Form::Finished, Dialect::Standard, calendar) else {
        return (spec.clone(), Vec::new());
    };
    let names: Vec<String> = refused.0.iter().map(|one| one.feature.clone()).collect();
    let said = refused.to_string();
    let blocks = spec.text().split("\n[[feature]]\n").skip(1);
    let left: Vec<&str> = blocks
        .filter(|block| {
            let name = block.split('"').nth(1).unwrap().to_owned();
            assert_eq!(names.contains(&name), said.contains(&format!("`{name}`")));
            !names.contains(&name)
        })
        .collect();
    let text = format!("[[feature]]\n{}", left.join("\n[[feature]]\n"));
    (FeatureSpec::parse(&text).unwrap(), names)
}

#[test]
fn what_sql_cannot_hold_is_refused_by_name_all_at_once() {
    let calendar = world(1, 1).calendar();
    let (built_in, refused) = expressible(&FeatureSpec::built_in(), &calendar);
    assert_eq!(
        refused,
        [
            "late_recent",
            "usual_log_amount",
            "amount_against_habit",
            "dwell",
            "usual_days_to_open",
            "days_to_payday",
            "days_since_payday"
        ]
    );
    assert_eq!(built_in.width(), 79);
    assert!(Compiled::new(&built_in, Form::Finished, Dialect::Standard, &calendar).is_ok());
}

/// Whether a column is a logarithm, a sine or a cosine, which engines round as they like.
fn is_rounded(spec: &FeatureSpec, column: usize) -> bool {
    use lagom_features::spec::feature::{Definition, Transform};
    let mut place = 0;
    spec.features().iter().any(|feature| {
        let own = place..place + feature.columns.len();
        place = own.end;
        if !own.contains(&column) {
            return false;
        }
        let of_a_pair = match &feature.definition {
            Definition::Pair { left, right, .. } => {
                [*left, *right].map(|one| is_rounded(spec, one))
            }
            Definition::Aggregate(aggregate) => {
                [format!("{:?}", aggregate.op).contains("LogAmount"), false]
            }
            Definition::Attribute { .. } | Definition::Pooled(_) => [false, false],
        };
        let transformed = matches!(feature.transform, Transform::Log1p | Transform::Cyclic(_));
        transformed || of_a_pair.contains(&true)
    })
}

/// Holds finished answers against the extractor: bit for bit, but for what engines round.
fn check_finished(engine: &str, world: &World, spec: &FeatureSpec, answers: &str) {
    let vectors: Vec<Vec<f64>> = world.vectors(spec).into_iter().flatten().collect();
    assert_eq!(answers.lines().count(), vectors.len(), "{engine}");
    let mut wrong: Vec<String> = Vec::new();
    for (row, expected) in answers.lines().zip(&vectors) {
        let cells: Vec<&str> = row.split('\t').skip(3).collect();
        assert_eq!(cells.len(), expected.len());
        for (place, (text, want)) in cells.into_iter().zip(expected).enumerate() {
            let got: f64 = if text == "\\N" {
                f64::NAN
            } else {
                text.parse().unwrap()
            };
            let near = is_rounded(spec, place) && (got - want).abs() <= 1e-12 * (1.0 + want.abs());
            // Zero has one sign in SQL.
            if got + 0.0 != want + 0.0 && !near && !(got.is_nan() && want.is_nan()) {
                wrong.push(format!("{}: {got} is not {want}", spec.names()[place]));
            }
        }
    }
    let sample: Vec<&String> = wrong.iter().step_by(1 + wrong.len() / 20).collect();
    assert!(
        wrong.is_empty(),
        "{engine}: {} cells differ, such as {sample:#?}",
        wrong.len()
    );
    println!(
        "{engine}, finished: {} points x {} columns are equal",
        vectors.len(),
        spec.width()
    );
}

fn run(python: &Path, args: &[std::path::PathBuf]) {
    let ran = Command::new(python).args(args).output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
