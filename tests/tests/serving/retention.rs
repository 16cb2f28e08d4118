//! Customers who are heard of no more are kept for as long as the company says, and no longer.

use crate::changes::{QUICK, a_month, learnt, no_byte_of};
use crate::house::{House, config};
use lagom_features::domain::CustomerId;
use lagom_proto::v1::EventType;
use lagom_tests::company::{DAY, MONDAY, customer, fact, invoice, question};
use std::path::Path;
use std::time::Duration;
use tonic::Code;

/// Who goes: one who was asked about, and one of whom nothing but the opening is known.
const GONE: [usize; 2] = [17, 40];

fn knows(house: &House, n: usize) -> bool {
    let id = CustomerId::new(format!("c{n}")).unwrap();
    house.server.engine().knows(&id)
}

/// Something is heard of `customers` once more.
async fn heard(house: &House, customers: &[usize], day: i64) {
    let opened = customers
        .iter()
        .map(|&n| fact(n, EventType::InvoiceOpened, MONDAY + day * DAY, None));
    house.record(opened.collect()).await;
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

/// Whoever is not heard of for 200 days goes, whether in memory or beside the log, and nobody else.
async fn they_go(more: &str) {
    let settings = format!("{QUICK}[retention]\nidle_days = 200\n{more}");
    let house = House::open(&settings).await;
    let twin = House::open(&format!("{QUICK}{more}")).await;
    let others: Vec<usize> = (0..40).filter(|n| !GONE.contains(n)).collect();
    house.record(vec![customer(40), invoice(40)]).await;
    a_month(&house, &(0..40).collect::<Vec<_>>()).await;
    a_month(&twin, &others).await;
    for one in [&house, &twin] {
        heard(one, &others, 150).await;
        one.server.settle().await;
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(GONE.iter().all(|&n| knows(&house, n)), "not yet");
    assert!(learnt(&house) != learnt(&twin), "of one it has learnt");

    // A year after the first day: 214 days after the last decision, 65 after the last opening.
    for one in [&house, &twin] {
        heard(one, &others[..1], 215).await;
    }
    until("the idle are erased", || {
        GONE.iter().all(|&n| !knows(&house, n))
    })
    .await;
    assert!(others.iter().all(|&n| knows(&house, n)), "nobody else");
    until("it has learnt anew", || learnt(&house) == learnt(&twin)).await;
    let asked = house.decisions().next_best_action(question(17)).await;
    assert_eq!(asked.unwrap_err().code(), Code::NotFound);
    let metrics = house.page("/metrics").await;
    let retired = "dunning_customers_retired_total{tenant=\"default\"} 2";
    assert!(metrics.contains(retired), "{metrics}");
    no_byte_of(
        &house,
        &["customer-17", "invoice-17", "customer-40", "invoice-40"],
    );

    let house = house.reopen(&settings).await;
    assert!(GONE.iter().all(|&n| !knows(&house, n)));
    assert!(others.iter().all(|&n| knows(&house, n)));
    assert!(learnt(&house) == learnt(&twin), "also after a restart");

    // Whoever comes back is new.
    house.record(vec![customer(17), invoice(17)]).await;
    assert!(knows(&house, 17));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_heard_of_for_as_long_as_data_is_kept_goes() {
    they_go("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_kept_beside_the_log_alone_goes_too() {
    they_go("[store]\nstate_every = 40\nin_memory = 3\n").await;
}

#[test]
fn nobody_is_forgotten_whose_outcome_is_not_counted_yet() {
    let read = |text: &str| {
        let text = format!("[learning]\nwindow_days = 120\n[retention]\nidle_days = {text}\n");
        lagom_serving::config::Config::parse(&text, Path::new(""), Default::default())
    };
    for short in ["30", "121", "0", "50000"] {
        let error = read(short).unwrap_err().to_string();
        assert!(
            error.starts_with("line 4: [retention] idle_days: "),
            "{error}"
        );
        assert!(error.contains("must lie in 122 to 36500"), "{error}");
    }
    assert_eq!(read("122").unwrap().retention.idle_days, Some(122));
    assert_eq!(config(Path::new(""), "").retention.idle_days, None);
}
