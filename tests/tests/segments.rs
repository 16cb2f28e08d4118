//! Features by segment over the wire: what a server decides on is what its log gives, also after it was
//! killed, with customers on disk only, by either clock, and by two servers on one log.

#![allow(clippy::unwrap_used)]

use lagom_features::FeatureSpec;
use lagom_model::log::Decision;
use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event::Body;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::privacy_service_client::PrivacyServiceClient;
use lagom_proto::v1::{
    EraseCustomerRequest, Event, EventType, NextBestActionRequest, RecordEventsRequest,
};
use lagom_tests::company::{DAY, at, customer, fact, invoice};
use lagom_tests::postgres::Postgres;
use lagom_tests::{Server, lagom, on};
use lagom_training::tables::Tables;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tonic::transport::Channel;

const CUSTOMERS: usize = 40;
const WEEKS: i64 = 5;
const SPEC: &str = "[features]\nspec = \"pooled.toml\"\n";
const EVENTS: &str = "[clock]\nsource = \"events\"\n";
const POOLED: [&str; 4] = [
    "segment_late_share",
    "segment_opened",
    "segment_paid",
    "segment_has_paid",
];

/// The built-in spec and features by segment.
fn spec() -> FeatureSpec {
    let own = |name: &str, rest: &str| {
        format!(
            "[[feature]]\nname = \"{name}\"\nkey = \"segment\"\nwindow = \"lifetime\"\n{rest}\n\
             unit = \"tests\"\nowner = \"tests\"\ndescription = \"Tests.\"\n\n"
        )
    };
    let paid = "source = \"events\"\ntypes = [\"payment_succeeded\"]\n";
    let pooled = [
        "source = \"dues\"\nop = \"mean\"\ncolumn = \"late\"\nprior = 0.25\nstrength = 4"
            .to_owned(),
        "source = \"events\"\ntypes = [\"invoice_opened\"]\nop = \"count\"".to_owned(),
        format!("{paid}op = \"sum\"\ncolumn = \"amount\""),
        format!("{paid}op = \"any\"\nmissing = -1"),
    ];
    let pooled = POOLED
        .iter()
        .zip(pooled)
        .map(|(name, rest)| own(name, &rest));
    let text = format!(
        "{}\n{}",
        FeatureSpec::built_in().text(),
        pooled.collect::<String>()
    );
    FeatureSpec::parse(&text).unwrap()
}

/// 00:00 UTC of the Monday some weeks before this one.
fn begin() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let day = i64::try_from(now.as_secs()).unwrap() / DAY;
    (day - (day + 3).rem_euclid(7) - 7 * (WEEKS + 1)) * DAY
}

/// Three segments and some customers without; every fourth moves to another in the third week.
fn described(n: usize, when: i64) -> Event {
    let mut event = customer(n);
    event.event_id = format!("customer-{n}-{when}");
    event.occurred_at = at(when);
    let moved = n.is_multiple_of(4) && when > begin() + 14 * DAY;
    let segment = ["", "small", "large", "public"][(n + usize::from(moved)) % 4];
    if let Some(Body::Customer(upsert)) = &mut event.body {
        upsert.segment = segment.to_owned();
    }
    event
}

/// Issued twenty days before it is told, due ten days after that.
fn billed(n: usize, when: i64) -> Event {
    let mut event = invoice(n);
    event.event_id = format!("invoice-{n}");
    event.occurred_at = at(when);
    if let Some(Body::Invoice(upsert)) = &mut event.body {
        upsert.issued_at = at(when - 20 * DAY);
        let due = when - 10 * DAY;
        let due = lagom_features::domain::Timestamp::from_micros(due * 1_000_000).unwrap();
        upsert.due_on = due.date(&lagom_features::domain::Zone::utc()).to_string();
    }
    event
}

struct House<'a> {
    folder: &'a Path,
    more: String,
    server: Option<Server>,
    channel: Option<Channel>,
}

impl<'a> House<'a> {
    async fn start(folder: &'a Path, more: &str) -> Self {
        std::fs::write(folder.join("pooled.toml"), spec().text()).unwrap();
        let mut house = Self {
            folder,
            more: more.to_owned(),
            server: None,
            channel: None,
        };
        house.restart(more).await;
        house
    }

    /// Kills it, if it runs, and starts it again.
    async fn restart(&mut self, more: &str) {
        if let Some(server) = self.server.take() {
            server.kill();
        }
        more.clone_into(&mut self.more);
        let server = Server::start(self.folder, &format!("{SPEC}{more}"));
        self.channel = Some(server.channel().await);
        self.server = Some(server);
    }

    /// Waits until most customers are on disk only, where the store is to keep them there.
    fn forgets(&self) {
        let in_memory = || -> f64 {
            let told = self.server.as_ref().unwrap().get("/metrics").unwrap();
            let mut lines = told.lines();
            let line = lines.find(|one| one.starts_with("dunning_customers_in_memory"));
            let value = line.and_then(|line| line.rsplit(' ').next());
            value.unwrap().parse().unwrap()
        };
        let start = Instant::now();
        while self.more.contains("in_memory") && in_memory() > CUSTOMERS as f64 / 4.0 {
            assert!(start.elapsed() < Duration::from_secs(30), "{}", in_memory());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    async fn record(&self, events: Vec<Event>, seconds: i64) {
        let mut client = EventServiceClient::new(self.channel.clone().unwrap());
        let as_of = at(seconds);
        let request = RecordEventsRequest { events, as_of };
        let answer = client.record_events(request).await.unwrap().into_inner();
        assert!(answer.rejected.is_empty(), "{answer:?}");
    }

    async fn decide(&self, n: usize, seconds: Option<i64>) {
        self.ask(n, seconds, false).await;
    }

    async fn ask(&self, n: usize, seconds: Option<i64>, dry_run: bool) {
        let mut client = DecisionServiceClient::new(self.channel.clone().unwrap());
        let ask = NextBestActionRequest {
            customer_id: format!("c{n}"),
            invoice_id: format!("i{n}"),
            as_of: seconds.and_then(at),
            dry_run,
            ..NextBestActionRequest::default()
        };
        client.next_best_action(ask).await.unwrap();
    }

    fn run(&self, line: &str) -> String {
        let ran = Command::new(lagom())
            .args(line.split(' '))
            .current_dir(self.folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        let told = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status.success(), "lagom {line}: {said}{told}");
        told
    }

    async fn erase(&self, n: usize) {
        let mut privacy = PrivacyServiceClient::new(self.channel.clone().unwrap());
        let customer_id = format!("c{n}");
        let request = EraseCustomerRequest { customer_id };
        privacy.erase_customer(request).await.unwrap();
    }

    /// The log as tables.
    fn exported(&self) -> Tables {
        let _ = std::fs::remove_dir_all(self.folder.join("export"));
        self.run("export --config lagom.toml --out export");
        Tables::read(&self.folder.join("export")).unwrap()
    }

    /// The same, once `lagom features --check` has found every decision equal.
    fn checked(&self) -> Tables {
        let tables = self.exported();
        let told = self.run("features --spec pooled.toml --data export --check");
        let compared = format!("{} decisions compared", tables.decisions.len());
        assert!(told.contains(&compared), "{told}");
        assert!(told.contains("equal to the bit"), "{told}");
        tables
    }
}

/// What was decided on of the features by segment.
fn pooled_of(decision: &Decision) -> Vec<f64> {
    let spec = spec();
    assert_eq!(decision.feature_fingerprint, spec.fingerprint());
    let names = spec.names();
    let place = |name: &str| names.iter().position(|one| *one == name).unwrap();
    let values = POOLED.iter().map(|name| decision.features[place(name)]);
    values.collect()
}

/// The same, by customer and week.
fn pooled(tables: &Tables) -> BTreeMap<(i64, String), Vec<f64>> {
    let decisions = tables.decisions.iter().map(|one| {
        let week = (one.decided_at.micros() / 1_000_000 - begin()).div_euclid(7 * DAY);
        ((week, one.customer_id.to_string()), pooled_of(one))
    });
    decisions.collect()
}

/// What happens in a week: even customers open and pay, the third as many times as weeks have passed;
/// some of it is learnt a week later.
fn happened(week: i64, which: impl Fn(usize) -> bool) -> Vec<Event> {
    let day = begin() + 7 * week * DAY;
    let of = |n: usize| {
        let mut events = Vec::new();
        if week == 0 {
            events.extend([described(n, day + 100), billed(n, day + 200)]);
        }
        if week == 3 && n.is_multiple_of(4) {
            events.push(described(n, day + 300));
        }
        if n.is_multiple_of(2) {
            events.push(fact(
                n,
                EventType::InvoiceOpened,
                day + 400 + n as i64,
                None,
            ));
        }
        if n % 8 == (week % 8) as usize {
            events.push(fact(
                n,
                EventType::PaymentSucceeded,
                day + 500,
                Some(45_000),
            ));
            let late = day - 6 * DAY;
            events.push(fact(n, EventType::InvoiceViewed, late, None));
        }
        events
    };
    (0..CUSTOMERS).filter(|n| which(*n)).flat_map(of).collect()
}

/// Weeks of events and decisions; half-way through each week the servers are killed.
async fn lives(houses: &mut [House<'_>], which: impl Fn(usize) -> bool + Copy) {
    for week in 0..WEEKS {
        let day = begin() + 7 * week * DAY;
        let some = |house: usize| move |n: usize| which(n) && n % 2 == house;
        for (place, house) in houses.iter().enumerate() {
            let events = match houses.len() {
                1 => happened(week, which),
                _ => happened(week, some(place)),
            };
            house.record(events, day + DAY).await;
        }
        for n in (0..CUSTOMERS).filter(|n| which(*n)) {
            let house = &houses[n % houses.len()];
            // The first days of the week still look at the last Monday but one, or at no customer.
            house.decide(n, Some(day + DAY + 3_600 + n as i64)).await;
        }
        // What a week to come would add up to now is answered, and not kept until it has come.
        for house in &*houses {
            house.ask(1, Some(day + 16 * DAY), true).await;
        }
        for house in &mut *houses {
            let more = house.more.clone();
            house.restart(&more).await;
        }
        for n in (0..CUSTOMERS).filter(|n| which(*n)).step_by(3) {
            let house = &houses[n % houses.len()];
            house.decide(n, Some(day + 3 * DAY + n as i64)).await;
        }
        houses.iter().for_each(House::forgets);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_served_by_segment_is_what_the_log_gives_also_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    // Hardly anybody is in memory: who is in records that are not kept yet is, so these are few.
    let store = folder.path().join("store.db");
    let url = format!("file:{}", store.display());
    let keeping = format!("{}state_every = 4\nin_memory = 3\n", on(&url));
    let by_events = format!("{keeping}{EVENTS}");
    let mut houses = [House::start(folder.path(), &by_events).await];
    lives(&mut houses, |_| true).await;
    let [mut house] = houses;
    let tables = house.checked();
    assert!(tables.decisions.len() > CUSTOMERS * WEEKS as usize);
    let seen = pooled(&tables);
    let of = |week: i64, n: usize| &seen[&(week, format!("c{n}"))];
    // Nobody was known at the first Monday.
    assert!(of(0, 1)[0] == 0.25 && of(0, 1)[1].is_nan() && of(0, 1)[3] == -1.0);
    // From then on everybody of a segment sees the same, others see something else, and weeks differ.
    let bits = |values: &[f64]| values.iter().map(|one| one.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(of(4, 1)), bits(of(4, 5)));
    assert_ne!(bits(of(4, 1)), bits(of(4, 2)));
    assert_ne!(bits(of(2, 2)), bits(of(4, 2)));
    assert!(of(4, 2)[2] > 0.0 && of(4, 2)[1] > of(2, 2)[1], "{seen:?}");

    // By the wall clock the week is at hand before anybody is answered.
    house.restart(&keeping).await;
    for n in 0..5 {
        house.decide(n, None).await;
    }
    let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
    let added = log.find("added up by segment").expect(&log);
    assert!(added < log.find("\"serving\"").expect(&log), "{log}");
    assert_eq!(log.matches("added up by segment").count(), 1, "{log}");
    assert!(
        log.contains(&format!("\"customers\":{CUSTOMERS},\"took\"")),
        "{log}"
    );
    let few = |line: &str| line.contains("the log is read") && !line.contains("\"in_memory\":40");
    assert!(log.lines().any(few), "{log}");
    // Of however many weeks of the past is asked, this one stays at hand.
    for week in 0..12 {
        let past = begin() + 7 * (WEEKS - week % WEEKS) * DAY + week;
        house.ask(1, Some(past), true).await;
    }
    house.decide(5, None).await;
    let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
    let added = log.matches("added up by segment").count();
    assert_eq!(added, 1 + WEEKS as usize, "{log}");
    let later = house.checked();
    assert_eq!(later.decisions.len(), tables.decisions.len() + 6);

    // Who is erased is taken out of the week that is held: what is left is what a start makes of the rest.
    house.decide(8, None).await;
    house.erase(12).await;
    house.decide(8, None).await;
    let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
    assert_eq!(log.matches("added up by segment").count(), added, "{log}");
    house.restart(&keeping).await;
    house.decide(8, None).await;
    let tables = house.exported();
    let mut of_8 = tables.decisions.iter().rev();
    let mut last = || {
        bits(&pooled_of(
            of_8.find(|one| one.customer_id.as_str() == "c8").unwrap(),
        ))
    };
    let (restarted, erased, before) = (last(), last(), last());
    assert_eq!(restarted, erased);
    assert!(
        before.iter().zip(&erased).all(|(one, other)| one != other),
        "{before:?} {erased:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_log_serve_the_same_by_segment() {
    let Some(database) = Postgres::start() else {
        return;
    };
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let config = on(&database.url()) + EVENTS;
    let mut houses = [
        House::start(folders[0].path(), &config).await,
        House::start(folders[1].path(), &config).await,
    ];
    lives(&mut houses, |_| true).await;
    let tables = houses[0].checked();
    assert!(tables.decisions.len() > CUSTOMERS * WEEKS as usize);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_customer_is_as_one_who_never_was_in_what_others_are_decided_on() {
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut seen = Vec::new();
    for (folder, erased) in [(&with, true), (&without, false)] {
        let house = House::start(folder.path(), EVENTS).await;
        let day = begin() + 28 * DAY;
        for week in 0..4 {
            let events = happened(week, |n| n != 6 || erased);
            house.record(events, begin() + 7 * week * DAY + DAY).await;
        }
        if erased {
            house.erase(6).await;
        }
        for n in (0..CUSTOMERS).filter(|n| *n != 6) {
            house.decide(n, Some(day + DAY)).await;
        }
        seen.push(pooled(&house.checked()));
    }
    let bits = |seen: &BTreeMap<(i64, String), Vec<f64>>| -> Vec<Vec<u64>> {
        let rows = seen.values();
        rows.map(|row| row.iter().map(|one| one.to_bits()).collect())
            .collect()
    };
    assert_eq!(seen[0].len(), CUSTOMERS - 1);
    assert_eq!(bits(&seen[0]), bits(&seen[1]));
}
