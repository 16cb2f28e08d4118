//! Early risk on a simulated log whose customers come one after another: what is said of the first invoices of
//! those who came last, against what came of them.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod untaught;

use lagom_features::domain::{CustomerId, Date, Days, Timestamp, Zone};
use lagom_features::spec::FeatureSpec;
use lagom_model::decide::{PolicyKind, Snapshot, SnapshotParts};
use lagom_training::pipeline::{TrainingConfig, early_study};
use lagom_training::simulated_log::{Plan, simulate};
use lagom_training::simulator::World;
use lagom_training::tables::Tables;
use std::collections::{BTreeMap, BTreeSet};
use untaught::untaught;

const CUSTOMERS: usize = 1500;
const DAYS: u16 = 300;

/// A company's months under the rules ladder, of which customer after customer is seen from a later day on, as
/// if that were the first.
fn newcomers() -> Tables {
    let (_, parts) = untaught();
    let parts = SnapshotParts {
        policy: PolicyKind::Ladder,
        ..parts
    };
    let snapshot = Snapshot::new(parts).unwrap();
    let start = Date::parse("2025-01-01").unwrap();
    let plan = Plan {
        world: World::built_in(),
        customers: CUSTOMERS,
        days: DAYS,
        start,
        seed: 8,
        judged: (start, start.plus_days(i32::from(DAYS))),
        window_days: 30,
        grace_hours: 24,
        policy: PolicyKind::Ladder,
    };
    let log = simulate(&plan, snapshot, None, || {}).unwrap();
    let mut tables = Tables {
        customers: log.customers,
        invoices: log.invoices,
        events: log.events,
        ..Tables::default()
    };
    let first = start.start(&Zone::utc());
    let mut comes: BTreeMap<CustomerId, Timestamp> = BTreeMap::new();
    for (place, customer) in tables.customers.iter_mut().enumerate() {
        let day = (place * 7919 % CUSTOMERS) * (usize::from(DAYS) - 60) / CUSTOMERS;
        let at = first + Days::whole(day as i64);
        customer.value.created_at = at;
        customer.recorded_at = at;
        comes.insert(customer.value.customer_id.clone(), at);
    }
    tables
        .invoices
        .retain(|one| one.value.issued_at >= comes[&one.value.customer_id]);
    let kept: BTreeSet<_> = (tables.invoices.iter())
        .map(|one| one.value.invoice_id.clone())
        .collect();
    tables.events.retain(|event| {
        let of_kept = event.invoice_id.as_ref().is_none_or(|id| kept.contains(id));
        of_kept && event.occurred_at >= comes[&event.customer_id]
    });
    tables
}

#[test]
fn the_first_signals_tell_more_than_the_segment_and_come_true() {
    let histories = newcomers().take_histories();
    let text = "[training]\nafter_days = [7]";
    let config = TrainingConfig::parse(text, FeatureSpec::built_in()).unwrap();
    let head = early_study(&histories, &config, false, 1).unwrap();
    for figures in &head.held_out {
        println!(
            "{}: {:?}\n  segment {:?}",
            figures.on, figures.early, figures.segment_rate
        );
    }
    let all = &head.held_out[0];
    assert!(head.fitted_before <= head.judged_from);
    assert!(all.early.rows > 500, "{}", all.early.rows);
    assert!(all.early.log_loss < all.segment_rate.log_loss - 0.005);
    let (own, alone) = (all.early.auc.unwrap(), all.segment_rate.auc.unwrap());
    assert!(own > alone + 0.05, "{own} {alone}");
    // Calibrated up to what chance does to ten bins of correlated rows.
    assert!(all.early.ece < 0.04, "{}", all.early.ece);
    let beyond = all.bins.iter().filter(|bin| {
        let (low, high) = (2.0 * bin.low - bin.observed, 2.0 * bin.high - bin.observed);
        bin.mean_predicted < low || bin.mean_predicted > high
    });
    assert!(beyond.count() <= 1);
    // At issue there is nothing to see yet, and the rate of the segment must not be made worse.
    let issue = &head.held_out[1];
    assert!(issue.early.log_loss < issue.segment_rate.log_loss + 0.01);
    assert_eq!(head, early_study(&histories, &config, false, 1).unwrap());
}
