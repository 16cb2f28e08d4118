//! For whom a stage or a rung is meant: one catalogue, and a strategy for each segment in it.

use crate::guardrails::Facts;
use crate::guardrails::facts::Contact;
use lagom_features::domain::{Country, Currency, CustomerKind, Days, Kind};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Conditions on a case. All that are given must hold, and what is unknown fulfils none of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// The customer is in one of these segments of the company's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// The invoice is for one of these products.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    /// The customer lives in one of these countries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<Country>,
    /// The customer is a consumer, or a business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customers: Option<CustomerKind>,
    /// At least this much is owed, in minor units of the strategy's currency; an invoice of another
    /// currency fulfils no condition on its amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owed_from_minor: Option<i64>,
    /// Less than this is owed, in minor units of the strategy's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owed_below_minor: Option<i64>,
    /// Whether this is the first miss of a good payer: see
    /// [`Payer::is_first_miss`](crate::guardrails::facts::Payer::is_first_miss).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_miss: Option<bool>,
    /// At least so many messages about the invoice were sent; what a channel sent by itself is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts_from: Option<usize>,
    /// Fewer messages than this about the invoice were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts_below: Option<usize>,
    /// A step of one of these kinds was taken about the invoice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<Kind>,
    /// The last step of the kinds in `sent`, or of any where it names none, is at least so many days
    /// old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_days: Option<u16>,
    /// Whether anything was opened or clicked since the last message about the invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<bool>,
    /// At least so many debits have failed since money last arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_debits_from: Option<usize>,
    /// Fewer debits than this have failed since money last arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_debits_below: Option<usize>,
    /// The customer is new, the invoice is not late yet, and the model says that it will be with at
    /// least this probability: see [`Facts::early_risk`]. Without a model nothing fulfils it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_risk_from: Option<Share>,
    /// Likewise, with less than this probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_risk_below: Option<Share>,
}

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(f64);

// Never NaN.
impl Eq for Share {}

/// What is no share.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("{0} is not a share between 0 and 1")]
pub struct ShareError(f64);

impl TryFrom<f64> for Share {
    type Error = ShareError;

    fn try_from(share: f64) -> Result<Self, ShareError> {
        let inside = (0.0..=1.0).contains(&share);
        inside.then_some(Self(share)).ok_or(ShareError(share))
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl When {
    /// Whether nothing is asked, so that every case is meant.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the case is meant; amounts are of `currency`.
    #[must_use]
    pub fn holds(&self, facts: &Facts, currency: Currency) -> bool {
        let owed = facts.outstanding_minor;
        let one_of = |list: &[String], known: Option<&str>| {
            list.is_empty() || known.is_some_and(|known| list.iter().any(|one| one == known))
        };
        let amounts = self.owed_from_minor.is_none() && self.owed_below_minor.is_none();
        one_of(&self.segments, facts.segment.as_deref())
            && one_of(&self.products, facts.product.as_deref())
            && (self.countries.is_empty()
                || facts
                    .country
                    .is_some_and(|one| self.countries.contains(&one)))
            && self
                .customers
                .is_none_or(|kind| facts.customer_kind == Some(kind))
            && (amounts || facts.currency == currency)
            && self.owed_from_minor.is_none_or(|least| owed >= least)
            && self.owed_below_minor.is_none_or(|most| owed < most)
            && self
                .first_miss
                .is_none_or(|is| facts.payer.is_first_miss() == is)
            && self.risk_holds(facts)
            && self.progress_holds(facts)
    }

    /// Whether a case's early risk matters.
    pub(super) fn asks_early_risk(&self) -> bool {
        self.early_risk_from.is_some() || self.early_risk_below.is_some()
    }

    /// Whether early risk is what is asked.
    fn risk_holds(&self, facts: &Facts) -> bool {
        let known = |holds: &dyn Fn(f64) -> bool| facts.early_risk.is_some_and(holds);
        self.early_risk_from
            .is_none_or(|least| known(&|risk| risk >= least.0))
            && self
                .early_risk_below
                .is_none_or(|most| known(&|risk| risk < most.0))
    }

    /// Whether what has been done about the invoice so far is what is asked.
    fn progress_holds(&self, facts: &Facts) -> bool {
        let messages = facts.contacts_on_invoice().filter(|one| !one.native);
        let within = |count: usize, from: Option<usize>, below: Option<usize>| {
            from.is_none_or(|least| count >= least) && below.is_none_or(|most| count < most)
        };
        let of_kinds = |one: &&Contact| self.sent.is_empty() || self.sent.contains(&one.kind);
        let mut known = messages.clone().filter(|one| one.pending_until.is_none());
        let last = known.clone().rfind(of_kinds);
        let asks_for_one = !self.sent.is_empty() || self.sent_days.is_some();
        let rested = |one: &Contact| {
            let days = i64::from(self.sent_days.unwrap_or(0));
            one.at + Days::whole(days) <= facts.now
        };
        within(messages.count(), self.contacts_from, self.contacts_below)
            && within(
                facts.failed_debits.len(),
                self.failed_debits_from,
                self.failed_debits_below,
            )
            && (!asks_for_one || last.is_some_and(rested))
            && self.seen.is_none_or(|is| {
                let last = known.next_back();
                last.is_some_and(|one| facts.seen.values().any(|seen| *seen >= one.at) == is)
            })
    }

    /// The first span that leaves nothing between its ends.
    pub(super) fn empty_span(&self) -> Option<(&'static str, String, String)> {
        fn told<T: PartialOrd + ToString>(
            what: &'static str,
            from: Option<T>,
            below: Option<T>,
        ) -> Option<(&'static str, String, String)> {
            let (from, below) = from.zip(below)?;
            (below <= from).then(|| (what, from.to_string(), below.to_string()))
        }
        let share = |share: Option<Share>| share.map(f64::from);
        told("owed", self.owed_from_minor, self.owed_below_minor)
            .or_else(|| told("contacts", self.contacts_from, self.contacts_below))
            .or_else(|| {
                let (from, below) = (self.failed_debits_from, self.failed_debits_below);
                told("failed_debits", from, below)
            })
            .or_else(|| {
                let (from, below) = (self.early_risk_from, self.early_risk_below);
                told("early_risk", share(from), share(below))
            })
    }
}
