//! Cash that is expected week by week, with intervals that the past has tried.
//!
//! ```text
//! expected_w = Σ_i owed_i · p_iw             p_iw = P(invoice i is settled in week w)
//! variance_w = Σ_i owed_i² · p_iw (1 − p_iw)
//! ```
//! The variance is of chance alone, invoice by invoice. How much wider an interval must be for what all
//! invoices share is learnt from past forecasts, for each number of weeks ahead and apart for
//! invoices that are open, those that are not issued yet ([`Unissued`]) and the sum of both
//! ([`Together`]): see [`learn`].

mod widening;

pub use widening::{Coverage, LEAST, Tried, Widening, common_error, coverage, learn};

use lagom_features::domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Format of the document. Of format 1 there are `widening`, `together` and `known` missing, and its
/// intervals are of one relative error for all weeks.
pub const FORMAT: u32 = 2;
/// Share of weeks that an interval is to hold.
pub const LEVEL: f64 = 0.8;
/// Standard normal quantile of a two-sided interval of [`LEVEL`].
const Z: f64 = 1.281_551_565_544_600_4;

/// An expected number and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The mean.
    pub expected: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Mean and variance of a sum of independent yes-or-no amounts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    /// The mean.
    pub mean: f64,
    /// The variance by chance alone.
    pub variance: f64,
}

impl Sum {
    /// Adds `amount` with probability `p`.
    pub fn add(&mut self, amount: f64, p: f64) {
        self.mean += amount * p;
        self.variance += amount * amount * p * (1.0 - p);
    }

    /// With an interval of chance alone.
    #[must_use]
    pub fn expected(&self) -> Expected {
        let reach = Z * self.variance.sqrt();
        Expected {
            expected: self.mean,
            low: (self.mean - reach).max(0.0),
            high: self.mean + reach,
        }
    }

    /// The sum of both, which are independent by chance.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            mean: self.mean + other.mean,
            variance: self.variance + other.variance,
        }
    }
}

/// One week.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Week {
    /// Its first instant.
    pub from: Timestamp,
    /// Cash in minor units.
    pub cash_minor: Expected,
}

/// How much sooner or later invoices with some option are paid. An association, not an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Association {
    /// Which option, as in `payment_method`.
    pub option: String,
    /// Its value.
    pub value: String,
    /// Invoices that have it.
    pub invoices: usize,
    /// Mean days from issue to payment within 60 days, against all others; negative is sooner.
    pub days: Expected,
}

/// What a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Of a draw with known chances: an effect.
    Randomised,
    /// Of a rule's, a person's or the customer's choice: perhaps of what they chose by.
    Association,
}

/// One measure with an offer and without.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contrast {
    /// What is measured, in words: a share, or days.
    pub measure: String,
    /// Its mean after an offer.
    pub offered: f64,
    /// Its mean after anything else, waiting included.
    pub otherwise: f64,
    /// The first less the second, with a 95 % interval by customer.
    pub difference: Expected,
}

/// What comes with offers of a discount for paying soon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscountEffect {
    /// Whether the differences are effects.
    pub basis: Basis,
    /// Decisions over invoices that were open, thirty days of which are known.
    pub decisions: usize,
    /// How many of them offered a discount.
    pub offers: usize,
    /// How many offers of equal chance say as much: `(Σ w)² / Σ w²`.
    pub effective_offers: f64,
    /// Customers whom the decisions were about.
    pub customers: usize,
    /// The measures.
    pub contrasts: Vec<Contrast>,
}

/// Open invoices of new customers that are not late, a tenth of them by their early risk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyTenth {
    /// From 1, the least likely to be late, to 10.
    pub tenth: u32,
    /// Invoices in it.
    pub invoices: usize,
    /// Mean P(late at all).
    pub risk: f64,
    /// What is owed on them, in minor units of the forecast's currency.
    pub owed_minor: i64,
}

/// Cash of invoices that are not issued yet, from customers who are invoiced in a rhythm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unissued {
    /// Customers in rhythm.
    pub customers: usize,
    /// Invoices that are expected of them within the weeks.
    pub invoices: f64,
    /// What those would be of, in minor units.
    pub billed_minor: f64,
    /// Share of the gaps of customers in rhythm that another invoice ended.
    pub go_on: f64,
    /// The weeks, in order; what is open already is not in them.
    pub weeks: Vec<Week>,
    /// Relative error beyond chance that past forecasts had, over all weeks.
    pub common_error: f64,
    /// How far each week's interval is wider than chance, and what that rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub widening: Vec<Widening>,
    /// Past forecasts against what came of these customers; empty where there was too little past.
    pub coverage: Vec<Coverage>,
    /// Of the cash from invoices issued after a past forecast, the share that was of customers in
    /// rhythm at the time; the rest nobody forecasts.
    pub share_of_later: Option<f64>,
}

/// Cash of invoices that are open and of those that are not issued yet. Its intervals are of the past
/// errors of the sum, so that errors which go together, or against each other, are in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Together {
    /// The weeks, in order.
    pub weeks: Vec<Week>,
    /// How far each week's interval is wider than chance, and what that rests on.
    pub widening: Vec<Widening>,
    /// Past forecasts against what came; empty where there was too little past.
    pub coverage: Vec<Coverage>,
}

/// A forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forecast {
    /// [`FORMAT`] of the document.
    pub format: u32,
    /// The version whose curve it rests on.
    pub model_id: String,
    /// What was recorded from here on was not read.
    pub as_of: Timestamp,
    /// Of every amount.
    pub currency: String,
    /// Open invoices in that currency.
    pub invoices: usize,
    /// Open invoices in other currencies, which are not in it.
    pub other_currencies: usize,
    /// What is owed on them, in minor units.
    pub owed_minor: i64,
    /// The weeks, in order.
    pub weeks: Vec<Week>,
    /// Customers with open invoices who leave within the horizon of the churn model.
    pub churn: Option<Expected>,
    /// Collection cases within the weeks.
    pub cases: Option<Expected>,
    /// Relative error beyond chance that past forecasts had, over all weeks.
    pub common_error: f64,
    /// How far each week's interval is wider than chance, and what that rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub widening: Vec<Widening>,
    /// Past forecasts against what came; empty where there was too little past.
    pub coverage: Vec<Coverage>,
    /// The same of invoices that are not issued yet; none where nobody is invoiced in a rhythm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unissued: Option<Unissued>,
    /// Open and not issued yet together; none where nobody is invoiced in a rhythm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<Together>,
    /// Payment options and time to pay.
    pub associations: Vec<Association>,
    /// Offers of a discount and time to pay; none where too few were logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<DiscountEffect>,
    /// Early risk of new customers; none where the version has none, or nobody is new.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub early: Vec<EarlyTenth>,
    /// What to keep in mind.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{FORMAT, Forecast, Sum};

    /// A document of the last format is written as it was read; those of format 1 are read still.
    #[test]
    fn stored_documents_are_read() {
        let golden = include_str!("../tests/golden/forecast.2.json");
        let found: Forecast = serde_json::from_str(golden).unwrap();
        assert_eq!(found.format, FORMAT);
        assert_eq!(
            serde_json::to_string_pretty(&found).unwrap(),
            golden.trim_end(),
            "another format needs another number and another file"
        );
        let first: Forecast =
            serde_json::from_str(include_str!("../tests/golden/forecast.1.json")).unwrap();
        assert!(first.format == 1 && first.widening.is_empty() && first.together.is_none());
        assert_eq!(
            (first.coverage[0].known, first.coverage[0].forecasts),
            (0, 12)
        );
    }

    #[test]
    fn a_sum_is_binomial_and_its_interval_never_below_zero() {
        let mut sum = Sum::default();
        sum.add(10.0, 0.5);
        sum.add(2.0, 0.1);
        assert!((sum.mean - 5.2).abs() < 1e-12 && (sum.variance - 25.36).abs() < 1e-12);
        let band = sum.expected();
        assert!(band.low == 0.0 && band.high > band.expected);
        let both = sum.plus(sum);
        assert!((both.mean - 10.4).abs() < 1e-12 && (both.variance - 50.72).abs() < 1e-12);
    }
}
