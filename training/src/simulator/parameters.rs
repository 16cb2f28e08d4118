//! A world as a file: who pays how, what messages do, what they stir up.

mod effects;
mod shipped;

pub use effects::{Change, Effects, Market, Reporting};

use lagom_features::domain::{Channel, Country, Currency, CustomerKind, Tone, Zone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a world cannot be built.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum WorldError {
    /// The file is not of the form.
    #[error("the world file cannot be read: {0}")]
    Form(String),
    /// A share or probability lies outside [0, 1].
    #[error("{name} = {value} is not a share between 0 and 1")]
    Share {
        /// Which key.
        name: String,
        /// Its value.
        value: f64,
    },
    /// The shares of payers do not sum to 1.
    #[error("the shares of [[payer]] sum to {0}, not to 1")]
    Payers(f64),
    /// A rate, power or factor is negative or not a number.
    #[error("{name} = {value} must be a number of at least zero")]
    Negative {
        /// Which key.
        name: String,
        /// Its value.
        value: f64,
    },
    /// The shares of markets do not sum to 1.
    #[error("the shares of [[market]] sum to {0}, not to 1")]
    Markets(f64),
    /// A channel has no entry.
    #[error("[channel.{0}] is missing")]
    Channel(Channel),
    /// The first day of a range comes after its last.
    #[error("reporting.{name} = [{first}, {last}]: the first number must not exceed the second")]
    Range {
        /// Which key.
        name: &'static str,
        /// Its first number.
        first: u16,
        /// Its second number.
        last: u16,
    },
}

/// A world, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// Under which it is reported.
    pub name: String,
    /// How many people a trial lives with unless it is told otherwise.
    #[serde(default = "some_people")]
    pub customers: usize,
    /// Of every customer.
    #[serde(default = "consumer")]
    pub kind: CustomerKind,
    /// Of every customer whose market says nothing else.
    pub country: Country,
    /// Of every customer, and of the company.
    pub time_zone: Zone,
    /// Of every invoice.
    pub currency: Currency,
    /// What is invoiced.
    pub invoices: Invoicing,
    /// Who leaves, and what makes them.
    pub churn: Churn,
    /// What a further message does.
    pub fatigue: Fatigue,
    /// How long a message works.
    pub message: Message,
    /// Kinds of payers.
    pub payer: Vec<Payer>,
    /// What each channel reaches and stirs up.
    pub channel: BTreeMap<Channel, Reach>,
    /// What messages stir up beside payments.
    pub stir: Stir,
    /// When the company learns of what happened.
    #[serde(default)]
    pub reporting: Reporting,
    /// Groups of customers who answer differently; nobody belongs to one if empty.
    #[serde(default)]
    pub market: Vec<Market>,
    /// What becomes different on the way.
    #[serde(default)]
    pub change: Vec<Change>,
}

/// What is invoiced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoicing {
    /// Median amount of a monthly invoice, in minor units.
    pub median_minor: f64,
    /// Standard deviation of its logarithm between customers.
    pub log_sd: f64,
    /// Days from issue to due.
    pub terms_days: u16,
    /// Share of payments that come in two parts.
    pub partial_share: f64,
    /// Share of late invoices that are disputed.
    pub dispute_share: f64,
}

/// Who leaves. Factors multiply the daily hazard for `window_days` after what caused them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Share of customers that leaves in a year without any contact.
    pub annual: f64,
    /// How long a contact is held against the sender, in days.
    pub window_days: u16,
    /// Factor of the first reminder after the due date.
    pub after_reminder: f64,
    /// Factor of each further one.
    pub after_further_reminder: f64,
    /// Factor of a collection claim.
    pub after_claim: f64,
    /// Further factor of a firm tone to somebody who was never late before.
    pub firm_to_first_time_late: f64,
    /// Further factor for vulnerable customers.
    pub vulnerable: f64,
    /// Factor for customers who pay automatically.
    pub autopay: f64,
    /// Margin of a customer, in minor units a year.
    pub annual_margin_minor: i64,
}

/// What a further message within a window does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fatigue {
    /// Days that earlier messages are remembered.
    pub window_days: u16,
    /// Factor of the effect per earlier message.
    pub effect_factor: f64,
    /// Factor of complaints per earlier message.
    pub complaint_factor: f64,
}

/// How long a message works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Days after opening until half of the effect is gone.
    pub half_life_days: f64,
}

/// A kind of payer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payer {
    /// Never shown to a policy.
    pub name: String,
    /// Of the customers.
    pub share: f64,
    /// Of their invoices, whatever is sent.
    pub on_time: f64,
    /// Daily probability of paying a late invoice without a message.
    pub hazard: f64,
    /// Factor of the hazard within three days after the customer's pay-day.
    #[serde(default = "one")]
    pub payday_factor: f64,
    /// How much of a message's power takes hold, by tone.
    pub persuadable: BTreeMap<Tone, f64>,
    /// The same from `late_from_day` on, if the payer comes to listen to another tone.
    #[serde(default)]
    pub persuadable_late: BTreeMap<Tone, f64>,
    /// Days after the due date from which `persuadable_late` holds, where it is given.
    #[serde(default)]
    pub late_from_day: i32,
    /// P(opens the invoice before it is due), for an invoice that will be late.
    pub opens: f64,
    /// P(follows the payment link), for an opened invoice that will be late.
    pub clicks: f64,
    /// Factor of the churn hazard, whatever is sent.
    pub churn: f64,
}

/// What a channel reaches and stirs up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// P(opened).
    pub reach: f64,
    /// Factor of the hazard after opening.
    pub power: f64,
    /// Days until it arrives.
    pub delay_days: u16,
    /// P(complaint) per message.
    pub complaint: f64,
    /// P(consent withdrawn) per message.
    pub opt_out: f64,
}

/// What messages stir up beside payments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stir {
    /// P(support contact) after a reminder.
    pub support_after_reminder: f64,
    /// P(support contact) after a claim.
    pub support_after_claim: f64,
    /// P(complaint) after a claim.
    pub complaint_of_claim: f64,
    /// Factor of complaints about a firm tone among payers who are seldom late.
    pub firm_complaint_factor: f64,
    /// Factor of the hazard by a claim, beside the channel's own.
    pub claim_power: f64,
    /// Days after a claim until an unpaid case is handed over to a collector.
    pub collection_after_claim_days: u16,
    /// P(promise) of a cash-tight customer who opens a message.
    pub promise_share: f64,
}

const fn one() -> f64 {
    1.0
}

const fn some_people() -> usize {
    2_000
}

const fn consumer() -> CustomerKind {
    CustomerKind::Consumer
}

impl Payer {
    /// How much of a message's power takes hold in this tone, `days_late` after the due date.
    pub(super) fn takes_hold(&self, tone: Tone, days_late: i32) -> f64 {
        let late = !self.persuadable_late.is_empty() && days_late >= self.late_from_day;
        let by_tone = if late {
            &self.persuadable_late
        } else {
            &self.persuadable
        };
        by_tone.get(&tone).copied().unwrap_or(0.0)
    }
}

impl World {
    /// Reads a world file and checks every figure in it.
    ///
    /// # Errors
    /// [`WorldError`] names the key.
    pub fn parse(text: &str) -> Result<Self, WorldError> {
        let world: Self =
            toml::from_str(text).map_err(|error| WorldError::Form(error.to_string()))?;
        world.check()?;
        Ok(world)
    }

    fn check(&self) -> Result<(), WorldError> {
        for (name, value) in self.shares() {
            if !(0.0..=1.0).contains(&value) {
                return Err(WorldError::Share { name, value });
            }
        }
        for (name, value) in self.factors() {
            if !(value.is_finite() && value >= 0.0) {
                return Err(WorldError::Negative { name, value });
            }
        }
        let payers: f64 = self.payer.iter().map(|payer| payer.share).sum();
        if (payers - 1.0).abs() > 1e-9 {
            return Err(WorldError::Payers(payers));
        }
        let markets: f64 = self.market.iter().map(|market| market.share).sum();
        if !self.market.is_empty() && (markets - 1.0).abs() > 1e-9 {
            return Err(WorldError::Markets(markets));
        }
        self.reporting.check()?;
        for &channel in Channel::ALL {
            if !self.channel.contains_key(&channel) {
                return Err(WorldError::Channel(channel));
            }
        }
        Ok(())
    }

    fn shares(&self) -> Vec<(String, f64)> {
        let mut shares = vec![
            (
                "invoices.partial_share".to_owned(),
                self.invoices.partial_share,
            ),
            (
                "invoices.dispute_share".to_owned(),
                self.invoices.dispute_share,
            ),
            ("churn.annual".to_owned(), self.churn.annual),
            (
                "stir.support_after_reminder".to_owned(),
                self.stir.support_after_reminder,
            ),
            (
                "stir.support_after_claim".to_owned(),
                self.stir.support_after_claim,
            ),
            (
                "stir.complaint_of_claim".to_owned(),
                self.stir.complaint_of_claim,
            ),
            ("stir.promise_share".to_owned(), self.stir.promise_share),
            ("reporting.lost_share".to_owned(), self.reporting.lost_share),
        ];
        let markets = self.market.iter();
        shares.extend(markets.map(|one| (format!("market {}: share", one.name), one.share)));
        for payer in &self.payer {
            for (key, value) in [
                ("share", payer.share),
                ("on_time", payer.on_time),
                ("hazard", payer.hazard),
                ("opens", payer.opens),
                ("clicks", payer.clicks),
            ] {
                shares.push((format!("payer {}: {key}", payer.name), value));
            }
        }
        for (channel, reach) in &self.channel {
            for (key, value) in [
                ("reach", reach.reach),
                ("complaint", reach.complaint),
                ("opt_out", reach.opt_out),
            ] {
                shares.push((format!("channel.{channel}.{key}"), value));
            }
        }
        shares
    }

    fn factors(&self) -> Vec<(String, f64)> {
        let mut factors = vec![
            (
                "invoices.median_minor".to_owned(),
                self.invoices.median_minor,
            ),
            ("invoices.log_sd".to_owned(), self.invoices.log_sd),
            ("churn.after_reminder".to_owned(), self.churn.after_reminder),
            (
                "churn.after_further_reminder".to_owned(),
                self.churn.after_further_reminder,
            ),
            ("churn.after_claim".to_owned(), self.churn.after_claim),
            (
                "churn.firm_to_first_time_late".to_owned(),
                self.churn.firm_to_first_time_late,
            ),
            ("churn.vulnerable".to_owned(), self.churn.vulnerable),
            ("churn.autopay".to_owned(), self.churn.autopay),
            (
                "fatigue.effect_factor".to_owned(),
                self.fatigue.effect_factor,
            ),
            (
                "fatigue.complaint_factor".to_owned(),
                self.fatigue.complaint_factor,
            ),
            (
                "message.half_life_days".to_owned(),
                self.message.half_life_days,
            ),
            (
                "stir.firm_complaint_factor".to_owned(),
                self.stir.firm_complaint_factor,
            ),
            ("stir.claim_power".to_owned(), self.stir.claim_power),
        ];
        for payer in &self.payer {
            factors.push((
                format!("payer {}: payday_factor", payer.name),
                payer.payday_factor,
            ));
            factors.push((format!("payer {}: churn", payer.name), payer.churn));
            for (key, by_tone) in [
                ("persuadable", &payer.persuadable),
                ("persuadable_late", &payer.persuadable_late),
            ] {
                let named = by_tone.iter();
                factors.extend(
                    named.map(|(tone, &value)| {
                        (format!("payer {}: {key}.{tone}", payer.name), value)
                    }),
                );
            }
        }
        for (channel, reach) in &self.channel {
            factors.push((format!("channel.{channel}.power"), reach.power));
        }
        for market in &self.market {
            market
                .effects
                .list(&format!("market {}", market.name), &mut factors);
        }
        for change in &self.change {
            let name = format!("change from day {}", change.from_day);
            change.effects.list(&name, &mut factors);
        }
        factors
    }
}

#[cfg(test)]
mod tests;
