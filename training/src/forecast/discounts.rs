//! What offers of a discount for paying soon do to time to pay, by the decisions that were logged.
//!
//! ```text
//! e_i  = logged chance that decision i offers a discount        A_i = whether it did
//! μ₁   = Σ A_i y_i / e_i  /  Σ A_i / e_i                        μ₀ likewise with 1 − A_i and 1 − e_i
//! ψ_i  = w₁_i (y_i − μ₁) / Σ w₁ − w₀_i (y_i − μ₀) / Σ w₀        var(μ₁ − μ₀) = m/(m − 1) · Σ_c (Σ_{i ∈ c} ψ_i)²
//! ```
//! Where the policy drew, `0 < e_i < 1` is known and the weighted difference is an effect: of this one
//! offer against what the policy did otherwise, whatever followed. Where it had no choice, offers went to
//! those whom a rule chose, and the plain difference is an association. Source of the weights: Hájek, in
//! Foundations of Statistical Inference, 1971; of the variance by customer: Liang and Zeger, Biometrika
//! 73, 1986, doi:10.1093/biomet/73.1.13.

use super::Z_95;
use crate::dataset::zone_of;
use crate::labels::{Settlement, reported_until};
use lagom_features::History;
use lagom_features::domain::{CustomerId, Days, Kind, Timestamp};
use lagom_model::forecast::{Basis, Contrast, DiscountEffect, Expected};
use lagom_model::log::Decision;
use std::collections::{BTreeMap, BTreeSet};

/// Customers with an offer, and without one, below which nothing is said.
const LEAST: usize = 30;
/// Days after a decision that are looked at.
const HORIZON_DAYS: u16 = 30;
/// How the names of actions begin that offer a discount.
const OFFER: &str = "discount_offer.";

/// What is compared.
const MEASURES: [&str; 3] = [
    "paid within 10 days",
    "paid within 30 days",
    "days to payment within 30",
];

/// A decision over an open invoice whose thirty days are known.
struct Seen {
    customer: usize,
    offered: bool,
    /// Logged chance of an offer.
    chance: f64,
    /// One number for each of [`MEASURES`].
    came: [f64; 3],
}

impl Seen {
    fn is_drawn(&self) -> bool {
        self.chance > 0.0 && self.chance < 1.0
    }

    /// Weight as one with an offer, and as one without; `drawn` decisions stand for all like them.
    fn weights(&self, drawn: bool) -> (f64, f64) {
        let of = |taken: bool, chance: f64| match (taken, drawn) {
            (false, _) => 0.0,
            (true, true) => 1.0 / chance,
            (true, false) => 1.0,
        };
        (
            of(self.offered, self.chance),
            of(!self.offered, 1.0 - self.chance),
        )
    }
}

/// What offers do by the decisions before `as_of`: an effect where they were drawn, an association where
/// they were not, nothing where fewer than 30 customers have one.
pub fn discount_effects(
    histories: &BTreeMap<CustomerId, History>,
    decisions: &[Decision],
    as_of: Timestamp,
) -> Vec<DiscountEffect> {
    let seen = seen(histories, decisions, as_of);
    let (drawn, ruled): (Vec<Seen>, Vec<Seen>) = seen.into_iter().partition(Seen::is_drawn);
    let found = [
        compared(&drawn, Basis::Randomised),
        compared(&ruled, Basis::Association),
    ];
    found.into_iter().flatten().collect()
}

fn seen(
    histories: &BTreeMap<CustomerId, History>,
    decisions: &[Decision],
    as_of: Timestamp,
) -> Vec<Seen> {
    let window = Days::whole(i64::from(HORIZON_DAYS));
    let known_until = reported_until(histories, as_of);
    let mut of_customer = BTreeMap::<&CustomerId, Vec<&Decision>>::new();
    for decision in decisions {
        if decision.decided_at + window <= known_until {
            let own = of_customer.entry(&decision.customer_id).or_default();
            own.push(decision);
        }
    }
    let mut all = Vec::new();
    for (customer, (id, decisions)) in of_customer.into_iter().enumerate() {
        let Some(history) = histories.get(id) else {
            continue;
        };
        let view = history.as_of(as_of);
        let zone = zone_of(&view);
        for decision in decisions {
            let Some(invoice) = view.invoice(&decision.invoice_id) else {
                continue;
            };
            let events = view.events_of(&decision.invoice_id);
            let settlement = Settlement::of(invoice, events, &zone);
            let at = decision.decided_at;
            if settlement.owed_before(at) <= 0 {
                continue;
            }
            let settled = settlement.settled_from(at);
            let days = settled.map_or(f64::INFINITY, |settled| settled.days_since(at));
            let horizon = f64::from(HORIZON_DAYS);
            let within = |most: f64| f64::from(u8::from(days < most));
            let offers = decision.eligible.iter();
            let offers = offers.filter(|one| one.action.as_str().starts_with(OFFER));
            all.push(Seen {
                customer,
                offered: decision.action.kind == Kind::DiscountOffer,
                chance: offers.map(|one| one.probability).sum(),
                came: [within(10.0), within(horizon), days.min(horizon)],
            });
        }
    }
    all
}

/// Offers against all else among `seen`.
fn compared(seen: &[Seen], basis: Basis) -> Option<DiscountEffect> {
    let drawn = basis == Basis::Randomised;
    let customers = |offered: bool| {
        let of = seen.iter().filter(|one| one.offered == offered);
        of.map(|one| one.customer).collect::<BTreeSet<_>>().len()
    };
    if customers(true).min(customers(false)) < LEAST {
        return None;
    }
    let weights: Vec<(f64, f64)> = seen.iter().map(|one| one.weights(drawn)).collect();
    let sums = weights
        .iter()
        .fold((0.0, 0.0), |sums, own| (sums.0 + own.0, sums.1 + own.1));
    let squares: f64 = weights.iter().map(|own| own.0 * own.0).sum();
    let contrast = |measure: usize| {
        let came = || seen.iter().map(|one| one.came[measure]).zip(&weights);
        let with = came().map(|(y, own)| own.0 * y).sum::<f64>() / sums.0;
        let without = came().map(|(y, own)| own.1 * y).sum::<f64>() / sums.1;
        let mut of_customer = BTreeMap::<usize, f64>::new();
        for (one, (y, own)) in seen.iter().zip(came()) {
            *of_customer.entry(one.customer).or_default() +=
                own.0 * (y - with) / sums.0 - own.1 * (y - without) / sums.1;
        }
        let m = of_customer.len() as f64;
        let variance = of_customer.values().map(|sum| sum * sum).sum::<f64>() * m / (m - 1.0);
        let (difference, reach) = (with - without, Z_95 * variance.sqrt());
        Contrast {
            measure: MEASURES[measure].to_owned(),
            offered: with,
            otherwise: without,
            difference: Expected {
                expected: difference,
                low: difference - reach,
                high: difference + reach,
            },
        }
    };
    let all: BTreeSet<usize> = seen.iter().map(|one| one.customer).collect();
    Some(DiscountEffect {
        basis,
        decisions: seen.len(),
        offers: seen.iter().filter(|one| one.offered).count(),
        effective_offers: sums.0 * sums.0 / squares,
        customers: all.len(),
        contrasts: (0..MEASURES.len()).map(contrast).collect(),
    })
}

#[cfg(test)]
mod tests;
