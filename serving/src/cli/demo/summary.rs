//! Ladder, uniform and bandit side by side, with intervals over seeds.

use super::trial::Lived;
use lagom_model::objective::Objective;
use lagom_model::statistics::special::student_t;
use lagom_training::simulator::Tally;
use serde::Serialize;

/// A figure of one policy: its mean over seeds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) policy: &'static str,
    /// Share of what was billed, collected up to 30 days after the due date.
    pub(super) collected_30: f64,
    /// The same up to 60 days.
    pub(super) collected_60: f64,
    /// Per 1,000 invoices, as all counts below.
    pub(super) contacts: f64,
    pub(super) complaints: f64,
    pub(super) support_contacts: f64,
    pub(super) collection_cases: f64,
    pub(super) churned: f64,
    /// Of messages, in major units per invoice.
    pub(super) cost: f64,
    /// By the objective, in major units per invoice.
    pub(super) net_value: f64,
}

/// Bandit less ladder in net value, in major units per invoice.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Gain {
    pub(super) mean: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) seeds: usize,
}

/// Everything the demonstration shows at its end.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Summary {
    pub(super) world: String,
    pub(super) customers: usize,
    pub(super) months: i32,
    pub(super) decisions: u64,
    pub(super) rows: Vec<Row>,
    /// Net value of the bandit against the ladder, a pair per seed, 95 % Student's t.
    pub(super) gain_over_ladder: Gain,
    /// The same against the uniform policy.
    pub(super) gain_over_uniform: Gain,
}

/// What messages cost, in minor units.
fn cost_minor(tally: &Tally, objective: &Objective) -> f64 {
    let sent = tally.sent.iter();
    sent.map(|(&(kind, channel), &n)| n as f64 * objective.price_minor(kind, channel))
        .sum()
}

/// Net value of a life by the objective, in minor units.
pub(super) fn value_minor(tally: &Tally, objective: &Objective) -> f64 {
    objective.cash * tally.collected_60_minor as f64
        - cost_minor(tally, objective)
        - objective.complaint_minor * tally.complaints as f64
        - objective.support_contact_minor * tally.support_contacts as f64
        - objective.opt_out_minor * tally.opt_outs as f64
        - objective.collection_case_minor * tally.collection_cases as f64
        - objective.churn * tally.lost_margin_minor as f64
}

fn mean(lives: &[Lived], of: impl Fn(&Tally) -> f64) -> f64 {
    lives.iter().map(|life| of(&life.tally)).sum::<f64>() / lives.len().max(1) as f64
}

/// The mean figures of one policy.
pub(super) fn row(policy: &'static str, lives: &[Lived], objective: &Objective) -> Row {
    let share = |part: fn(&Tally) -> i64| {
        mean(lives, |tally| {
            part(tally) as f64 / tally.billed_minor.max(1) as f64
        })
    };
    let rate = |count: fn(&Tally) -> u64| {
        mean(lives, |tally| {
            1000.0 * count(tally) as f64 / tally.invoices.max(1) as f64
        })
    };
    let money = |minor: &dyn Fn(&Tally) -> f64| {
        mean(lives, |tally| {
            minor(tally) / 100.0 / tally.invoices.max(1) as f64
        })
    };
    Row {
        policy,
        collected_30: share(|tally| tally.collected_30_minor),
        collected_60: share(|tally| tally.collected_60_minor),
        contacts: rate(|tally| tally.contacts),
        complaints: rate(|tally| tally.complaints),
        support_contacts: rate(|tally| tally.support_contacts),
        collection_cases: rate(|tally| tally.collection_cases),
        churned: rate(|tally| tally.churned),
        cost: money(&|tally| cost_minor(tally, objective)),
        net_value: money(&|tally| value_minor(tally, objective)),
    }
}

/// The gain of `ours` over `theirs`, paired by seed.
pub(super) fn gain(ours: &[Lived], theirs: &[Lived], objective: &Objective) -> Gain {
    let per_invoice = |life: &Lived| {
        value_minor(&life.tally, objective) / 100.0 / life.tally.invoices.max(1) as f64
    };
    let differences: Vec<f64> = ours
        .iter()
        .zip(theirs)
        .map(|(ours, theirs)| per_invoice(ours) - per_invoice(theirs))
        .collect();
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences
        .iter()
        .map(|one| (one - mean).powi(2))
        .sum::<f64>()
        / (n - 1.0);
    let half = student_t::isf(0.025, n - 1.0) * (variance / n).sqrt();
    Gain {
        mean,
        low: mean - half,
        high: mean + half,
        seeds: differences.len(),
    }
}

impl Summary {
    /// The table, for a terminal.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{} customers of the {} world, {} months of invoices, {} seeds, {} decisions over \
             gRPC\n\n",
            self.customers, self.world, self.months, self.gain_over_ladder.seeds, self.decisions
        );
        text += "                           per 1,000 invoices\n";
        text += "policy   paid 30d  paid 60d  contacts  complaints  support  cases  churned  cost  \
                 net value\n";
        for row in &self.rows {
            text += &format!(
                "{:<8} {:>6.1} %  {:>6.1} %  {:>8.0}  {:>10.2}  {:>7.1}  {:>5.1}  {:>7.2}  {:>4.2}  \
                 {:>9.2}\n",
                row.policy,
                100.0 * row.collected_30,
                100.0 * row.collected_60,
                row.contacts,
                row.complaints,
                row.support_contacts,
                row.collection_cases,
                row.churned,
                row.cost,
                row.net_value,
            );
        }
        for (name, gain) in [
            ("ladder", self.gain_over_ladder),
            ("uniform", self.gain_over_uniform),
        ] {
            text += &format!(
                "\nbandit against {name}: {:+.2} SEK net value an invoice, 95 % interval {:+.2} to \
                 {:+.2}",
                gain.mean, gain.low, gain.high
            );
        }
        text
    }
}
