//! One vector, and the memory of one customer.

use super::world::Someone;
use crate::cli::answer::Failure;
use crate::cli::bench::guardrails::{Timed, timed, two_years};
use lagom_features::{Extractor, FeatureSpec, History, Ledger, LedgerMemory, Scratch};
use serde::Serialize;
use std::hint::black_box;

const EVENTS: u32 = 100;
const CUSTOMERS: u32 = 20_000;

/// Online figures; wall time in microseconds on one core.
#[derive(Debug, Serialize)]
pub(super) struct Single {
    events: usize,
    columns: usize,
    vector: Timed,
    /// Passing over the events alone, in the same run.
    pass: Timed,
    times_pass: f64,
    /// Resident memory of a customer with a hundred events, if the system tells.
    bytes_of_a_customer: Option<f64>,
}

impl Single {
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "one vector of {} columns from {} events: {:.1} us at best, {:.1} us median, \
             {:.0} times a bare pass over the events\n",
            self.columns, self.events, self.vector.best_us, self.vector.median_us, self.times_pass
        );
        if let Some(bytes) = self.bytes_of_a_customer {
            text += &format!(
                "memory of a customer with {EVENTS} events: {:.1} KiB\n",
                bytes / 1024.0
            );
        }
        text
    }
}

pub(super) fn measure(bytes_of_a_customer: Option<f64>) -> Result<Single, Failure> {
    let (history, invoice_id, now) = two_years()?;
    let extractor = Extractor::new(&FeatureSpec::built_in());
    let (mut scratch, mut memory, mut out) = (Scratch::new(), LedgerMemory::default(), Vec::new());
    let vector = timed(|| {
        let view = history.as_of(now);
        let ledger = Ledger::in_memory(&view, &mut memory);
        let made = extractor.extract_with(&mut scratch, &view, &ledger, &invoice_id, &mut out);
        black_box(made).ok();
        ledger.recycle(&mut memory);
    });
    let pass = timed(|| {
        let kinds = history
            .as_of(now)
            .events()
            .map(|event| event.kind().index());
        black_box(kinds.sum::<usize>());
    });
    Ok(Single {
        events: history.events().len(),
        columns: out.len(),
        vector,
        pass,
        times_pass: vector.best_us / pass.best_us,
        bytes_of_a_customer,
    })
}

/// Growth of resident memory by many customers, over their number. Only what no file backs: pages of the
/// program that are run for the first time meanwhile are nobody's state.
pub(super) fn bytes_of_a_customer() -> Result<Option<f64>, Failure> {
    let mut kept = Vec::with_capacity(CUSTOMERS as usize);
    let before = resident_bytes();
    for number in 0..CUSTOMERS {
        let Someone {
            customer,
            invoices,
            events,
        } = Someone::new(number, EVENTS)?;
        kept.push(History::from_records(vec![customer], invoices, &events));
    }
    let after = resident_bytes();
    black_box(&kept);
    Ok(before
        .zip(after)
        .map(|(before, after)| (after - before) / f64::from(CUSTOMERS)))
}

fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: f64 = resident.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0)
}
