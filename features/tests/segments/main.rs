//! Features by segment: every cell is what adding up every customer by hand gives, and what was recorded
//! from the Monday on changes none.
#![allow(clippy::unwrap_used)]

mod by_hand;
mod company;
#[path = "../records/mod.rs"]
mod records;
mod refused;

use by_hand::by_hand;
use company::{
    COLUMNS, EXTRACTOR, POOLING, company, currency, instant, invoice_id, records, segment_at,
    segments, week,
};
use lagom_features::{Ledger, Scratch, Segments, week_of};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use records::Records;

proptest! {
    #[test]
    fn a_cell_is_what_adding_up_every_customer_gives(company in company(), now in instant()) {
        let monday = week_of(now);
        let segments = segments(week(&company, monday));
        let (mut scratch, mut out) = (Scratch::new(), Vec::new());
        for records in &company {
            let history = records.history();
            let view = history.as_of(now);
            let ledger = Ledger::of(&view);
            let own = segment_at(records, now);
            for number in 0..3 {
                let made = EXTRACTOR.extract_among(
                    &mut scratch, &view, &ledger, &invoice_id(number), &segments, &mut out,
                );
                if made.is_err() {
                    continue;
                }
                let mut sums = vec![(0.0, 0.0); COLUMNS];
                let alike = company.iter().filter(|one| segment_at(one, monday) == own);
                for parts in alike.map(|one| by_hand(one, monday, currency(Some(number)))) {
                    for (sum, part) in sums.iter_mut().zip(parts) {
                        *sum = (sum.0 + part.0, sum.1 + part.1);
                    }
                }
                sums[6] = (sums[6].0 + 0.25 * 4.0, sums[6].1 + 4.0);
                for (place, (sum, counts)) in sums.into_iter().enumerate() {
                    let expected = match place {
                        1 => continue,
                        2 if counts == 0.0 => -1.0,
                        _ => sum / counts,
                    };
                    // Seconds are no whole numbers of 2⁻³²; everything else here is.
                    let same = if place == 5 {
                        (out[place] - expected).abs() < 1e-6 || (out[place].is_nan() && expected.is_nan())
                    } else {
                        out[place].to_bits() == expected.to_bits() || (out[place].is_nan() && expected.is_nan())
                    };
                    prop_assert!(same, "column {place}: {} is not {expected}", out[place]);
                }
            }
        }
    }

    #[test]
    fn nothing_recorded_from_the_monday_on_changes_a_week(
        company in prop::collection::vec((records(), records()), 1..5),
        newcomer in records(),
        now in instant(),
    ) {
        let monday = week_of(now);
        let before: Vec<Records> = company.iter().map(|(one, _)| one.clone()).collect();
        let mut after: Vec<Records> = (company.iter())
            .map(|(one, other)| one.with_future_of(other, monday))
            .collect();
        let nobody = Records { customers: Vec::new(), invoices: Vec::new(), events: Vec::new() };
        after.push(nobody.with_future_of(&newcomer, monday));
        prop_assert_eq!(week(&before, monday), week(&after, monday));
    }

    #[test]
    fn neither_the_order_of_customers_nor_how_they_are_parted_changes_a_week(
        company in company().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        parted in 0_usize..6,
        now in instant(),
    ) {
        let (company, shuffled) = company;
        let parted = parted.min(shuffled.len());
        let mut parts = week(&shuffled[parted..], week_of(now));
        parts.merge(week(&shuffled[..parted], week_of(now)));
        prop_assert_eq!(week(&company, week_of(now)), parts);
    }
}

proptest! {
    #[test]
    fn who_is_taken_out_never_was_there(company in company(), gone in records(), now in instant()) {
        let monday = week_of(now);
        let mut with = company.clone();
        with.push(gone.clone());
        let mut with = segments(week(&with, monday));
        with.take_out(&POOLING, &gone.history());
        let without = segments(week(&company, monday));
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for records in company.iter().chain([&gone]) {
            let history = records.history();
            let view = history.as_of(now);
            let ledger = Ledger::of(&view);
            for id in (0..3).map(invoice_id) {
                let made = |segments: &Segments, out: &mut Vec<f64>| {
                    EXTRACTOR.extract_among(
                        &mut Scratch::new(), &view, &ledger, &id, segments, out,
                    )
                };
                prop_assert_eq!(made(&with, &mut left), made(&without, &mut right));
                let bits = |out: &[f64]| out.iter().map(|one| one.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&left), bits(&right));
            }
        }
    }
}

#[test]
fn a_planted_leak_is_caught() {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let caught = runner.run(
        &(records(), records(), instant()),
        |(records, other, now)| {
            let monday = week_of(now);
            let by_occurrence = |records: &Records| {
                let mut leaky = records.clone();
                let all = leaky.events.iter_mut();
                all.for_each(|event| event.recorded_at = event.occurred_at);
                leaky
            };
            let changed = records.with_future_of(&other, monday);
            let (before, after) = (by_occurrence(&records), by_occurrence(&changed));
            prop_assert_eq!(week([&before], monday), week([&after], monday));
            Ok(())
        },
    );
    assert!(caught.is_err(), "the check did not see the leak");
}
