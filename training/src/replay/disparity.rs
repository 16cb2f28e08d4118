//! Who is dealt with how harshly: the share of harsh steps among the messages to each group of
//! customers, beside that of all.
//!
//! ```text
//! ratio_g = (Σ_{i in g} h_i / Σ_{i in g} m_i) / (Σ_i h_i / Σ_i m_i)      h harsh steps, m messages of i
//! ```
//! A customer's messages go together, so the interval takes customers as the unit: by the delta method
//! on `ln ratio_g`, whose linearisation for customer `i` is
//!
//! ```text
//! u_i = [i in g] (h_i − p_g m_i) / Σ_g h − (h_i − p m_i) / Σ h
//! ```
//! A group with fewer than [`FEW`] harsh steps has the bounds of its share alone, by Wilson's score
//! (Journal of the American Statistical Association 22, 1927), divided by the share of all.

use lagom_features::domain::{Customer, CustomerId};
use lagom_model::log::Decision;
use lagom_model::policy::gentle::{self, Harshness};
use lagom_model::statistics::special::normal;
use serde::Serialize;
use std::collections::BTreeMap;

/// Harsh steps below which a normal approximation is no good.
const FEW: u64 = 5;
const LEVEL: f64 = 0.95;

/// One group of customers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What the group has in common: `segment`, `country`, `kind`, `language` or `vulnerable`.
    pub by: &'static str,
    /// Its value.
    pub group: String,
    /// Customers with a decision.
    pub customers: u64,
    /// Decisions about them.
    pub decisions: u64,
    /// Messages among these.
    pub messages: u64,
    /// Messages with a firm or final tone or a fee, and claims.
    pub harsh: u64,
    /// Share of harsh ones among the messages, if there was any.
    pub share: Option<f64>,
    /// That share over the share of all; 1 is as everybody.
    pub ratio: Option<f64>,
    /// Ends of the 95 % interval of the ratio.
    pub interval: Option<[f64; 2]>,
    /// Decisions in which the rule of gentleness closed a harsher step.
    pub kept_gentle: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    decisions: u64,
    messages: u64,
    harsh: u64,
    kept_gentle: u64,
}

#[derive(Debug, Clone)]
struct Person {
    groups: [Option<String>; BY.len()],
    counts: Counts,
}

const BY: [&str; 5] = ["segment", "country", "kind", "language", "vulnerable"];

fn groups(customer: &Customer) -> [Option<String>; BY.len()] {
    [
        customer.segment.clone(),
        customer.country.map(|one| one.as_str().to_owned()),
        customer.kind.map(|one| one.name().to_owned()),
        customer.language.clone(),
        customer
            .vulnerable
            .map(|is| if is { "yes" } else { "no" }.to_owned()),
    ]
}

/// Counts by customer.
#[derive(Debug, Clone, Default)]
pub(super) struct Treatment(BTreeMap<CustomerId, Person>);

impl Treatment {
    pub(super) fn take(&mut self, decision: &Decision, customer: &Customer) {
        let harshness = Harshness::of(&decision.action, decision.fee_minor);
        let message = decision.action.kind.is_contact();
        let kept = decision.blocked.iter().any(|one| one.rule == gentle::RULE);
        let person = self.0.entry(decision.customer_id.clone());
        // As first described: a customer stays in one group.
        let person = person.or_insert_with(|| Person {
            groups: groups(customer),
            counts: Counts::default(),
        });
        let counts = &mut person.counts;
        counts.decisions += 1;
        counts.messages += u64::from(message);
        counts.harsh += u64::from(harshness.is_some_and(Harshness::is_harsh));
        counts.kept_gentle += u64::from(kept);
    }

    /// Every group, by what it has in common and then by name; those of unknown value are left out.
    pub(super) fn table(&self) -> Vec<Group> {
        let all = sum(self.0.values());
        let mut table = Vec::new();
        for (at, by) in BY.iter().enumerate() {
            let mut names: Vec<&String> = self
                .0
                .values()
                .filter_map(|one| one.groups[at].as_ref())
                .collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                table.push(self.group((at, by), name, all));
            }
        }
        table
    }

    fn group(&self, (at, by): (usize, &'static str), name: &String, all: Counts) -> Group {
        let within = |one: &&Person| one.groups[at].as_ref() == Some(name);
        let own = sum(self.0.values().filter(within));
        let share = |counts: Counts| {
            let share = counts.harsh as f64 / counts.messages as f64;
            (counts.messages > 0).then_some(share)
        };
        let overall = share(all).filter(|share| *share > 0.0);
        let ratio = share(own).zip(overall).map(|(own, all)| own / all);
        let interval = ratio.zip(overall).map(|(ratio, overall)| {
            if own.harsh < FEW {
                return wilson(own).map(|bound| bound / overall);
            }
            let spread = self.deviation(within, own, all);
            let reach = quantile() * spread;
            [ratio * (-reach).exp(), ratio * reach.exp()]
        });
        Group {
            by,
            group: name.clone(),
            customers: self.0.values().filter(within).count() as u64,
            decisions: own.decisions,
            messages: own.messages,
            harsh: own.harsh,
            share: share(own),
            ratio,
            interval,
            kept_gentle: own.kept_gentle,
        }
    }

    /// Standard deviation of the logarithm of the ratio.
    fn deviation(&self, within: impl Fn(&&Person) -> bool, own: Counts, all: Counts) -> f64 {
        let part = |person: &Person, of: Counts| {
            let share = of.harsh as f64 / of.messages as f64;
            let one = person.counts;
            (one.harsh as f64 - share * one.messages as f64) / of.harsh as f64
        };
        let squares: f64 = self
            .0
            .values()
            .map(|person| {
                let inside = if within(&person) {
                    part(person, own)
                } else {
                    0.0
                };
                (inside - part(person, all)).powi(2)
            })
            .sum();
        let n = self.0.len() as f64;
        (squares * n / (n - 1.0).max(1.0)).sqrt()
    }
}

fn quantile() -> f64 {
    normal::quantile(0.5 + LEVEL / 2.0)
}

/// The bounds of a share as if all messages went to different people.
fn wilson(counts: Counts) -> [f64; 2] {
    let (n, z) = (counts.messages as f64, quantile());
    let p = counts.harsh as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let reach = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    [centre - reach, centre + reach].map(|bound| (bound / (1.0 + z * z / n)).clamp(0.0, 1.0))
}

fn sum<'a>(persons: impl Iterator<Item = &'a Person>) -> Counts {
    persons.fold(Counts::default(), |sum, one| Counts {
        decisions: sum.decisions + one.counts.decisions,
        messages: sum.messages + one.counts.messages,
        harsh: sum.harsh + one.counts.harsh,
        kept_gentle: sum.kept_gentle + one.counts.kept_gentle,
    })
}

#[cfg(test)]
mod tests;
