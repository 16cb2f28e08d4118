//! What truly came of a simulated life, counted by the world itself.

use lagom_features::domain::{Channel, Kind};
use serde::Serialize;
use std::collections::BTreeMap;

/// The sums of one life. Money in minor units; cash of invoices due in the judged period, counted
/// from the due date; everything else over the whole life.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Invoices due in the judged period.
    pub invoices: u64,
    /// Of those, the sum owed.
    pub billed_minor: i64,
    /// Of those, unpaid on the day after the due date.
    pub late_invoices: u64,
    /// Collected up to 30 days after the due date.
    pub collected_30_minor: i64,
    /// Collected up to 60 days after the due date.
    pub collected_60_minor: i64,
    /// Steps carried out, by kind and channel.
    #[serde(skip)]
    pub sent: BTreeMap<(Kind, Option<Channel>), u64>,
    /// Messages sent.
    pub contacts: u64,
    /// Complaints made.
    pub complaints: u64,
    /// Support contacts.
    pub support_contacts: u64,
    /// Consents withdrawn.
    pub opt_outs: u64,
    /// Cases handed over to a collector.
    pub collection_cases: u64,
    /// Customers who left.
    pub churned: u64,
    /// Margin of a year lost with them.
    pub lost_margin_minor: i64,
    /// The harm by its probabilities instead of its luck: the same means with less noise.
    pub expected: Expected,
}

/// Sums of the probabilities under which harm was drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Expected {
    /// Of complaints.
    pub complaints: f64,
    /// Of support contacts.
    pub support_contacts: f64,
    /// Of withdrawn consents.
    pub opt_outs: f64,
    /// Of leaving.
    pub churned: f64,
}
