//! How a customer has paid the other invoices of the last twelve months.

use crate::strategy::Track;
use lagom_features::Ledger;
use lagom_features::domain::{Days, Timestamp, Zone};
use lagom_features::ledger::InvoiceState;

/// Days of history that count.
pub const MEMORY_DAYS: i64 = 365;
/// Fewest settled invoices from which a habit is read.
pub const FEWEST_SETTLED: usize = 3;
/// Longest lag, in days, of a payer who can be relied upon.
pub const RELIABLE_LAG_DAYS: i32 = 30;

/// A customer's record on other invoices.
#[derive(Debug, Clone, PartialEq)]
pub struct Payer {
    /// Invoices settled in the last twelve months.
    pub settled: usize,
    /// Of those, how many after the due date.
    pub late: usize,
    /// Median days from due date to settlement, if any was settled.
    pub median_lag_days: Option<f64>,
    /// Most days from due date to settlement, if any was settled.
    pub longest_lag_days: Option<i32>,
    /// Other invoices that are past their due date and still open.
    pub open_late: usize,
}

impl Payer {
    /// Reads the record as known at `now`, leaving the invoice at hand out.
    #[must_use]
    pub fn of(ledger: &Ledger<'_>, state: &InvoiceState<'_>, now: Timestamp, zone: &Zone) -> Self {
        let others = ledger
            .invoices()
            .iter()
            .filter(|other| other.invoice.invoice_id != state.invoice.invoice_id);
        let since = now - Days::whole(MEMORY_DAYS);
        let recent = |other: &&InvoiceState<'_>| other.settled_at.is_some_and(|at| at >= since);
        let mut lags: Vec<i32> = others
            .clone()
            .filter(recent)
            .filter_map(|other| other.lag_days(zone))
            .collect();
        lags.sort_unstable();
        Self {
            settled: lags.len(),
            late: lags.iter().filter(|&&lag| lag > 0).count(),
            median_lag_days: median(&lags),
            longest_lag_days: lags.last().copied(),
            open_late: others
                .filter(|other| !other.is_closed() && other.late_from(zone) <= now)
                .count(),
        }
    }

    /// Share of settled invoices that were late, if any was settled.
    #[must_use]
    pub fn late_share(&self) -> Option<f64> {
        (self.settled > 0).then(|| self.late as f64 / self.settled as f64)
    }

    /// The ladder's track: neutral below [`FEWEST_SETTLED`]; else gentle below a quarter late,
    /// neutral to a half, firm above.
    #[must_use]
    pub fn track(&self) -> Track {
        let share = self.late_share().filter(|_| self.settled >= FEWEST_SETTLED);
        match share {
            None => Track::Neutral,
            Some(share) if share < 0.25 => Track::Gentle,
            Some(share) if share <= 0.5 => Track::Neutral,
            Some(_) => Track::Firm,
        }
    }

    /// Whether a good payer is late for the first time: at least [`FEWEST_SETTLED`] settled, none
    /// of them late, nothing else open and late.
    #[must_use]
    pub fn is_first_miss(&self) -> bool {
        self.settled >= FEWEST_SETTLED && self.late == 0 && self.open_late == 0
    }

    /// The median lag of a payer with a habit: at least [`FEWEST_SETTLED`] settled, none later
    /// than [`RELIABLE_LAG_DAYS`], nothing else open and late.
    #[must_use]
    pub fn usual_lag_days(&self) -> Option<f64> {
        let steady = self.settled >= FEWEST_SETTLED
            && self.open_late == 0
            && self
                .longest_lag_days
                .is_some_and(|lag| lag <= RELIABLE_LAG_DAYS);
        self.median_lag_days.filter(|_| steady)
    }
}

fn median(sorted: &[i32]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some((f64::from(lower) + f64::from(upper)) / 2.0)
}
