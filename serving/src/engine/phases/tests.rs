#![allow(clippy::unwrap_used)]

use crate::config::Config;
use crate::engine::{Ask, Engine};
use crate::export::{Export, export};
use crate::recording::{Recording, What};
use lagom_features::domain::{
    Currency, Customer, CustomerId, Date, EventId, Invoice, InvoiceId, Money, TenantId, Timestamp,
};
use lagom_model::log::Decision;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

/// 2026-03-02, a Monday.
const MONDAY: i64 = 1_772_409_600_000_000;
const HOUR: i64 = 3_600_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

async fn boot(folder: &Path, experiments: &str) -> Arc<Engine> {
    let text = format!("[clock]\nsource = \"events\"\n{experiments}");
    let config = Config::parse(&text, folder, HashMap::new()).unwrap();
    let store = config.store.open(&config.tenant).unwrap();
    Engine::boot(&config, store, None).await.unwrap().engine
}

fn recorded(id: String, what: What) -> (String, Recording) {
    let recording = Recording {
        event_id: EventId::new(id).unwrap(),
        occurred_at: at(MONDAY),
        recorded_at: at(MONDAY),
        what,
    };
    ("events".to_owned(), recording)
}

async fn ask(engine: &Arc<Engine>, n: usize, when: i64) -> Arc<Decision> {
    let customer_id = CustomerId::new(format!("c{n}")).unwrap();
    let invoice_id = InvoiceId::new(format!("i{n}")).unwrap();
    let mut events = Vec::new();
    if !engine.knows(&customer_id) {
        let customer = Customer::unknown(TenantId::default(), customer_id.clone(), at(MONDAY));
        let invoice = Invoice {
            invoice_id: invoice_id.clone(),
            customer_id: customer_id.clone(),
            issued_at: at(MONDAY),
            due_on: Date::parse("2026-03-01").unwrap(),
            amount: Money::new(45_000, Currency::SEK),
            terms_days: None,
            payment_method: None,
            billing_channel: None,
            product: None,
        };
        events.push(recorded(format!("customer-{n}"), What::Customer(customer)));
        events.push(recorded(format!("invoice-{n}"), What::Invoice(invoice)));
    }
    let ask = Ask {
        request_id: None,
        customer_id,
        invoice_id,
        as_of: Some(at(when)),
        allowed_channels: None,
        events,
        dry_run: false,
    };
    engine.next_best_action(ask).await.unwrap()
}

fn log(folder: &Path) -> Export {
    export(&folder.join("lagom.db")).unwrap()
}

fn spring(ladder: f64, isolate: bool) -> String {
    format!(
        "[holdout]\nshare = 0.1\n[[experiments]]\nname = \"spring\"\nshare = 0.5\n\
         isolate = {isolate}\narms = [{{name = \"ladder\", share = {ladder}, policy = \"ladder\"}}, \
         {{name = \"bandit\", share = {}, policy = \"bandit\"}}]\n",
        1.0 - ladder
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draw_is_kept_through_restarts_and_other_shares_and_goes_with_the_customer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let engine = boot(path, &spring(0.5, true)).await;
    ask_nothing_down(&engine, path).await;
    let mut first = BTreeMap::new();
    for n in 0..100 {
        let decision = ask(&engine, n, MONDAY + HOUR).await;
        let place = (decision.experiment.clone(), decision.arm.clone());
        first.insert(n, (place, decision.policy.clone()));
    }
    drop(engine);
    let arms = |export: &Export| {
        let theirs = export.assignments.iter().map(|one| one.experiment.as_str());
        let (holdout, spring): (Vec<&str>, Vec<&str>) = theirs.partition(|one| *one == "holdout");
        (holdout.len(), spring.len())
    };
    let held = first
        .values()
        .filter(|((_, arm), _)| arm.as_deref() == Some("holdout"));
    assert!(held.clone().count() > 0);
    assert!(held.clone().all(|(_, policy)| policy == "ladder"));
    let (drawn, taking_part) = arms(&log(path));
    assert_eq!(drawn, 100, "everybody is drawn for the holdout, once");
    assert!((20..70).contains(&taking_part), "{taking_part}");

    // Other shares: those who were drawn stay, whoever is new comes under them.
    let engine = boot(path, &spring(0.01, true)).await;
    for n in 0..100 {
        let decision = ask(&engine, n, MONDAY + 2 * HOUR).await;
        assert_eq!(
            (&decision.experiment, &decision.arm),
            (&first[&n].0.0, &first[&n].0.1)
        );
    }
    let mut ladder = 0;
    for n in 100..200 {
        let decision = ask(&engine, n, MONDAY + 3 * HOUR).await;
        ladder += usize::from(decision.arm.as_deref() == Some("ladder"));
    }
    assert!(ladder < 8, "{ladder} of about 45 by a share of a hundredth");
    let id = CustomerId::new("c7").unwrap();
    assert!(engine.erase_one(&id).await.unwrap() >= 4);
    drop(engine);
    let now = log(path);
    assert!(now.assignments.iter().all(|one| one.customer_id != id));
    assert_eq!(arms(&now).0, 199);
    let phases: Vec<_> = now
        .phases
        .iter()
        .filter(|one| one.experiment == "spring")
        .collect();
    assert_eq!(phases.len(), 2);
    assert_eq!(phases[0].started_at, now.decisions[0].decided_at);
    assert_eq!(
        phases[0].digest, phases[1].digest,
        "shares are no part of what was agreed"
    );

    // Another agreement is another digest, written down with its first decision.
    let engine = boot(path, &spring(0.01, false)).await;
    ask(&engine, 0, MONDAY + 4 * HOUR).await;
    drop(engine);
    let now = log(path);
    let last = now.phases.last().unwrap();
    assert_eq!((last.number, last.isolated), (3, false));
    assert_ne!(last.digest, now.phases[0].digest);
    let published: Vec<&[String]> = now
        .generations
        .iter()
        .map(|one| one.excluded.as_slice())
        .collect();
    assert_eq!(published.first().unwrap(), &["spring".to_owned()]);
    assert!(
        published.last().unwrap().is_empty(),
        "it learns from them now: {published:?}"
    );
}

/// A question that is only tried out writes neither a draw nor a phase.
async fn ask_nothing_down(engine: &Arc<Engine>, path: &Path) {
    let known = Ask {
        request_id: None,
        customer_id: CustomerId::new("nobody").unwrap(),
        invoice_id: InvoiceId::new("i").unwrap(),
        as_of: Some(at(MONDAY)),
        allowed_channels: None,
        events: Vec::new(),
        dry_run: true,
    };
    assert!(engine.next_best_action(known).await.is_err());
    let log = log(path);
    assert!(log.phases.is_empty() && log.assignments.is_empty());
}
