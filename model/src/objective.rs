//! What the company wants, as weights and prices on the parts of an outcome.
//!
//! ```text
//! value = cash · collected − cost − support · contacts − complaint · complained
//!         − opt_out · opted out − collection_case · opened − churn · margin · left + fee · fees
//! ```
//! Where a decision is made on what a window will collect, what it leaves unpaid counts with what still
//! comes in until `cash_days_after_due`, less `interest_per_year` (see
//! [`heads::value`](crate::policy::heads::value)).
//!
//! Fees weigh nothing unless a company says otherwise: a reminder is not a source of income.

use crate::log::Outcome;
use lagom_features::domain::{Channel, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why an objective cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ObjectiveError {
    /// A weight is negative or not a number.
    #[error("[objective] {name} = {value}: a weight is a number of at least zero")]
    Weight {
        /// Which.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A price is negative.
    #[error("[objective.prices] {name} = {value}: a price is at least zero minor units")]
    Price {
        /// Which.
        name: String,
        /// Its value.
        value: f64,
    },
}

/// Weights and prices, all in minor units of the tenant's currency unless said otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Objective {
    /// Value of one unit collected within the window, as a share.
    pub cash: f64,
    /// Cash counts as collected up to this many days after the due date.
    pub cash_days_after_due: u16,
    /// What cash that comes a year later loses, as a share: its interest.
    pub interest_per_year: f64,
    /// Value of one unit of fees, as a share.
    pub fee: f64,
    /// Cost of a support contact.
    pub support_contact_minor: f64,
    /// Cost of a complaint.
    pub complaint_minor: f64,
    /// Cost of losing consent for a channel.
    pub opt_out_minor: f64,
    /// Cost of a case that goes to collection.
    pub collection_case_minor: f64,
    /// Share of a year's margin that is lost when a customer leaves.
    pub churn: f64,
    /// Margin of a customer for whom none is recorded.
    pub default_annual_margin_minor: f64,
    /// Price of one message by channel.
    pub channel_prices_minor: BTreeMap<Channel, f64>,
    /// Price of a collection claim, beside the channel's.
    pub collection_claim_minor: f64,
    /// Price of a person's look at a case.
    pub human_review_minor: f64,
}

impl Default for Objective {
    /// Prices of `SEK` in öre, from published price lists and stated assumptions.
    fn default() -> Self {
        Self {
            cash: 1.0,
            cash_days_after_due: 60,
            interest_per_year: 0.08,
            fee: 0.0,
            support_contact_minor: 9_000.0,
            complaint_minor: 40_000.0,
            opt_out_minor: 5_000.0,
            collection_case_minor: 18_000.0,
            churn: 1.0,
            default_annual_margin_minor: 120_000.0,
            channel_prices_minor: BTreeMap::from([
                (Channel::Email, 2.0),
                (Channel::Sms, 45.0),
                (Channel::Letter, 1_200.0),
                (Channel::AppPush, 1.0),
                (Channel::DigitalMailbox, 300.0),
                (Channel::Phone, 4_500.0),
            ]),
            collection_claim_minor: 0.0,
            human_review_minor: 9_000.0,
        }
    }
}

impl Objective {
    /// Checks every weight and price.
    ///
    /// # Errors
    /// The first that is negative or not finite.
    pub fn check(&self) -> Result<(), ObjectiveError> {
        let wrong = |value: f64| !(value.is_finite() && value >= 0.0);
        for (name, value) in [
            ("cash", self.cash),
            ("interest_per_year", self.interest_per_year),
            ("fee", self.fee),
            ("support_contact_minor", self.support_contact_minor),
            ("complaint_minor", self.complaint_minor),
            ("opt_out_minor", self.opt_out_minor),
            ("collection_case_minor", self.collection_case_minor),
            ("churn", self.churn),
            (
                "default_annual_margin_minor",
                self.default_annual_margin_minor,
            ),
            ("collection_claim_minor", self.collection_claim_minor),
            ("human_review_minor", self.human_review_minor),
        ] {
            if wrong(value) {
                return Err(ObjectiveError::Weight { name, value });
            }
        }
        for (channel, &value) in &self.channel_prices_minor {
            if wrong(value) {
                let name = channel.to_string();
                return Err(ObjectiveError::Price { name, value });
            }
        }
        Ok(())
    }

    /// Digest of all weights and prices; equal objectives have equal ids.
    #[must_use]
    pub fn id(&self) -> String {
        let text = toml::to_string(self).expect("an objective is a table of numbers");
        blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
    }

    /// What carrying out a step costs, in minor units.
    #[must_use]
    pub fn price_minor(&self, kind: Kind, channel: Option<Channel>) -> f64 {
        let message = channel
            .and_then(|channel| self.channel_prices_minor.get(&channel))
            .copied()
            .unwrap_or(0.0);
        message
            + match kind {
                Kind::CollectionClaim => self.collection_claim_minor,
                Kind::HumanReview => self.human_review_minor,
                _ => 0.0,
            }
    }

    /// What is lost if a customer with this margin leaves, in minor units.
    #[must_use]
    pub fn churn_cost_minor(&self, annual_margin_minor: Option<i64>) -> f64 {
        let margin = annual_margin_minor.map_or(self.default_annual_margin_minor, |m| m as f64);
        self.churn * margin.max(0.0)
    }

    /// Value of an outcome, in minor units, for a customer with this margin.
    #[must_use]
    pub fn value_minor(&self, outcome: &Outcome, annual_margin_minor: Option<i64>) -> f64 {
        let when = |happened: bool, cost: f64| if happened { cost } else { 0.0 };
        self.cash * outcome.collected_minor as f64 + self.fee * outcome.fee_minor as f64
            - outcome.cost_minor as f64
            - self.support_contact_minor * f64::from(outcome.support_contacts)
            - when(outcome.complaint, self.complaint_minor)
            - when(outcome.opt_out, self.opt_out_minor)
            - when(outcome.collection_case, self.collection_case_minor)
            - when(outcome.churned, self.churn_cost_minor(annual_margin_minor))
    }
}
