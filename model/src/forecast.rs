//! Cash that is expected week by week from the invoices that are open, with intervals that the past
//! has tried.
//!
//! ```text
//! expected_w = Σ_i owed_i · p_iw             p_iw = P(invoice i is settled in week w)
//! sd_w²      = Σ_i owed_i² · p_iw (1 − p_iw) + (c · expected_w)²
//! ```
//! The first part of the variance is chance, invoice by invoice. The second is what all invoices
//! share: a season, a strike, a model that is off. `c` is the relative error that is left when past
//! forecasts are held against what came, by moments. Invoices that are not issued yet are told apart
//! ([`Unissued`]).

use lagom_features::domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Format of the document.
pub const FORMAT: u32 = 1;
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

    /// With what all amounts share: a relative error of `common`.
    #[must_use]
    pub fn expected(&self, common: f64) -> Expected {
        let sd = (self.variance + (common * self.mean).powi(2)).sqrt();
        Expected {
            expected: self.mean,
            low: (self.mean - Z * sd).max(0.0),
            high: self.mean + Z * sd,
        }
    }
}

/// A past forecast and what came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tried {
    /// Weeks from the forecast to the one it was for, from 1.
    pub ahead: u32,
    /// What was said.
    pub said: Sum,
    /// What came.
    pub came: f64,
}

/// The relative error that past forecasts share beyond chance; 0 where there are none.
#[must_use]
pub fn common_error(tried: impl Iterator<Item = Tried>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for one in tried.filter(|one| one.said.mean > 0.0) {
        let error = (one.came - one.said.mean).powi(2) - one.said.variance;
        sum += error / one.said.mean.powi(2);
        count += 1.0;
    }
    if count > 0.0 {
        (sum / count).max(0.0).sqrt()
    } else {
        0.0
    }
}

/// How past forecasts so many weeks ahead have done, each with a common error learnt from the
/// others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Weeks ahead, from 1.
    pub ahead: u32,
    /// Forecasts that were tried.
    pub forecasts: usize,
    /// Of those, how many intervals held what came.
    pub inside: usize,
    /// Sum of what was said, in minor units.
    pub said_minor: f64,
    /// Sum of what came.
    pub came_minor: f64,
}

/// Holds past forecasts against what came.
#[must_use]
pub fn coverage(tried: &[Tried]) -> Vec<Coverage> {
    let mut rows: Vec<Coverage> = Vec::new();
    for (place, one) in tried.iter().enumerate() {
        let others = tried
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place);
        let band = one
            .said
            .expected(common_error(others.map(|(_, other)| *other)));
        let at = rows.iter().position(|row| row.ahead == one.ahead);
        let at = at.unwrap_or_else(|| {
            rows.push(Coverage {
                ahead: one.ahead,
                forecasts: 0,
                inside: 0,
                said_minor: 0.0,
                came_minor: 0.0,
            });
            rows.len() - 1
        });
        let row = &mut rows[at];
        row.forecasts += 1;
        row.inside += usize::from((band.low..=band.high).contains(&one.came));
        row.said_minor += one.said.mean;
        row.came_minor += one.came;
    }
    rows.sort_by_key(|row| row.ahead);
    rows
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
    /// Relative error that past forecasts shared.
    pub common_error: f64,
    /// Past forecasts against what came of these customers; empty where there was too little past.
    pub coverage: Vec<Coverage>,
    /// Of the cash from invoices issued after a past forecast, the share that was of customers in
    /// rhythm at the time; the rest nobody forecasts.
    pub share_of_later: Option<f64>,
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
    /// Relative error that past forecasts shared.
    pub common_error: f64,
    /// Past forecasts against what came; empty where there was too little past.
    pub coverage: Vec<Coverage>,
    /// The same of invoices that are not issued yet; none where nobody is invoiced in a rhythm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unissued: Option<Unissued>,
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
    use super::{Sum, Tried, common_error, coverage};

    fn said(mean: f64, variance: f64) -> Sum {
        Sum { mean, variance }
    }

    #[test]
    fn chance_is_not_taken_for_a_common_error_and_a_common_error_is_found() {
        let tried = |came: f64| Tried {
            ahead: 1,
            said: said(100.0, 25.0),
            came,
        };
        assert_eq!(common_error([95.0, 105.0].into_iter().map(tried)), 0.0);
        assert_eq!(common_error(std::iter::empty()), 0.0);
        // Errors of 20 with chance of 5: √(400 − 25) / 100.
        let found = common_error([80.0, 120.0].into_iter().map(tried));
        assert!((found - 375.0_f64.sqrt() / 100.0).abs() < 1e-12);
    }

    #[test]
    fn a_sum_is_binomial_and_its_interval_never_below_zero() {
        let mut sum = Sum::default();
        sum.add(10.0, 0.5);
        sum.add(2.0, 0.1);
        assert!((sum.mean - 5.2).abs() < 1e-12 && (sum.variance - 25.36).abs() < 1e-12);
        let band = sum.expected(0.0);
        assert!(band.low == 0.0 && band.high > band.expected);
        assert!(sum.expected(0.5).high > band.high);
    }

    #[test]
    fn coverage_counts_by_weeks_ahead() {
        let one = |ahead, came| Tried {
            ahead,
            said: said(100.0, 100.0),
            came,
        };
        let rows = coverage(&[one(2, 101.0), one(1, 99.0), one(1, 140.0)]);
        assert_eq!(rows.iter().map(|row| row.ahead).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((rows[0].forecasts, rows[0].inside), (2, 1));
        assert_eq!((rows[1].forecasts, rows[1].inside), (1, 1));
        assert_eq!(rows[0].came_minor, 239.0);
    }
}
