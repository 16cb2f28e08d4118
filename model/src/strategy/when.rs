//! For whom a stage or a rung is meant: one catalogue, and a strategy for each segment in it.

use crate::guardrails::Facts;
use lagom_features::domain::{Country, Currency, CustomerKind};
use serde::{Deserialize, Serialize};

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
        let one_of = |list: &[String], known: &Option<String>| {
            list.is_empty() || known.as_ref().is_some_and(|one| list.contains(one))
        };
        let amounts = self.owed_from_minor.is_none() && self.owed_below_minor.is_none();
        one_of(&self.segments, &facts.segment)
            && one_of(&self.products, &facts.product)
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
    }

    /// What is wrong with the amounts, if they leave nothing between them.
    pub(super) fn empty_span(&self) -> Option<(i64, i64)> {
        let span = self.owed_from_minor.zip(self.owed_below_minor);
        span.filter(|(from, below)| below <= from)
    }
}
