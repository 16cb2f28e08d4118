//! Early risk: P(the invoice is late at all) of a customer with hardly any past, asked before it is late.
//!
//! ```text
//! rate_s  = (late_s + strength·rate) / (invoices_s + strength)
//! logit p = intercept + curve(logit rate_s) + curve(log days unopened) + Σ curves(first signals)
//! ```
//! Somebody new has no habits to read, so what is left is who else is like that, and what the first invoice
//! shows: that it lies unopened, was opened late, could not be delivered, that the first debit failed. A
//! segment's rate is drawn to that of all new customers by a Beta prior whose `strength`, in invoices, makes
//! the segments' counts likeliest; a segment that was never seen has the rate of all. Source: Skellam, Journal
//! of the Royal Statistical Society B 10(2), 1948 (the Beta-binomial). The curves are held by a ridge, so that
//! signals that say nothing leave the rate of the segment.

use crate::linear::{LinearError, LinearModel};
use crate::metrics::{Metrics, ReliabilityBin};
use lagom_features::domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Earlier invoices up to which a customer is new.
pub const NEW_AT_MOST: f64 = 1.0;

/// A column of the feature vector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its place in the vector.
    pub place: usize,
    /// Its name there.
    pub name: String,
}

impl Source {
    /// The cell of `vector`; NaN where it is too short.
    fn cell(&self, vector: &[f64]) -> f64 {
        vector.get(self.place).copied().unwrap_or(f64::NAN)
    }
}

/// First invoices of customers who are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentCount {
    /// What they share: per column of [`Segments::by`] `y`, `n`, or `?` for unknown.
    pub key: String,
    /// How many there were.
    pub invoices: u64,
    /// How many of them were late.
    pub late: u64,
}

/// Rates of being late by segment, drawn to that of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segments {
    /// The yes-or-no columns that make a segment.
    pub by: Vec<Source>,
    /// Share of late ones among all, strictly between 0 and 1.
    pub rate: f64,
    /// How many invoices the rate of all counts for, above 0.
    pub strength: f64,
    /// Every segment that was seen, by key.
    pub seen: Vec<SegmentCount>,
}

/// Candidates for the strength of the prior, in invoices.
const STRENGTHS: [f64; 12] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 3_000.0, 10_000.0,
];

impl Segments {
    /// The rates of `invoices`, each a vector and whether it was late, in segments by the columns `by`.
    #[must_use]
    pub fn of<'v>(by: Vec<Source>, invoices: impl Iterator<Item = (&'v [f64], bool)>) -> Self {
        let mut counts = std::collections::BTreeMap::<String, (u64, u64)>::new();
        for (vector, late) in invoices {
            let (all, of_these) = counts.entry(key(&by, vector)).or_default();
            *all += 1;
            *of_these += u64::from(late);
        }
        let seen: Vec<SegmentCount> = counts
            .into_iter()
            .map(|(key, (invoices, late))| SegmentCount {
                key,
                invoices,
                late,
            })
            .collect();
        let invoices: u64 = seen.iter().map(|one| one.invoices).sum();
        let late: u64 = seen.iter().map(|one| one.late).sum();
        // Half an invoice each way, so that there are log-odds where none or all were late.
        let rate = (late as f64 + 0.5) / (invoices as f64 + 1.0);
        let mut best = (f64::NEG_INFINITY, STRENGTHS[0]);
        for strength in STRENGTHS {
            let likelihood = seen.iter().map(|one| likelihood(one, rate, strength)).sum();
            if likelihood > best.0 {
                best = (likelihood, strength);
            }
        }
        Self {
            by,
            rate,
            strength: best.1,
            seen,
        }
    }

    /// The rate of the segment of `vector`, in (0, 1); that of all where the segment was never seen.
    #[must_use]
    pub fn rate_of(&self, vector: &[f64]) -> f64 {
        let key = key(&self.by, vector);
        let found = self.seen.binary_search_by(|one| one.key.cmp(&key));
        let Ok(place) = found else { return self.rate };
        let one = &self.seen[place];
        (one.late as f64 + self.strength * self.rate) / (one.invoices as f64 + self.strength)
    }

    /// Whether every number is in its range and the segments are in order.
    fn is_sound(&self) -> bool {
        let rate = self.rate > 0.0 && self.rate < 1.0;
        let strength = self.strength > 0.0 && self.strength.is_finite();
        let counts = self.seen.iter().all(|one| one.late <= one.invoices);
        let ordered = self.seen.windows(2).all(|pair| pair[0].key < pair[1].key);
        rate && strength && counts && ordered
    }
}

fn key(by: &[Source], vector: &[f64]) -> String {
    let told = |source: &Source| match source.cell(vector) {
        cell if cell.is_nan() => '?',
        cell if cell > 0.5 => 'y',
        _ => 'n',
    };
    by.iter().map(told).collect()
}

/// ln of the Beta-binomial likelihood, without what the strength does not change.
fn likelihood(one: &SegmentCount, rate: f64, strength: f64) -> f64 {
    let beta = |a: f64, b: f64| libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let (late, paid) = (one.late as f64, (one.invoices - one.late) as f64);
    let (a, b) = (rate * strength, (1.0 - rate) * strength);
    beta(a + late, b + paid) - beta(a, b)
}

/// A fitted early risk; see the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyRisk {
    /// How many earlier invoices the customer has.
    pub history: Source,
    /// Whether the invoice was opened.
    pub opened: Source,
    /// Log of the days since it was issued.
    pub since_issue: Source,
    /// The rates of the segments.
    pub segments: Segments,
    /// The first signals.
    pub signals: Vec<Source>,
    /// Of [`Self::OWN_COLUMNS`] and the signals.
    pub model: LinearModel,
}

impl EarlyRisk {
    /// The columns of the model before the signals: two numbers, the second unknown once it was opened.
    pub const OWN_COLUMNS: &'static [&'static str] = &["segment_log_odds", "unopened_log_days"];

    /// The columns of the vector that are read.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        let own = [&self.history, &self.opened, &self.since_issue];
        own.into_iter()
            .chain(&self.segments.by)
            .chain(&self.signals)
    }

    /// Whether the customer of `vector` has at most [`NEW_AT_MOST`] earlier invoices.
    #[must_use]
    pub fn is_new(&self, vector: &[f64]) -> bool {
        self.history.cell(vector) <= NEW_AT_MOST
    }

    /// What the model reads of `vector`, given the rate of its segment.
    #[must_use]
    pub fn row(&self, vector: &[f64], rate: f64) -> Vec<f64> {
        let unopened = match self.opened.cell(vector) {
            cell if cell > 0.5 => f64::NAN,
            _ => self.since_issue.cell(vector),
        };
        let mut row = vec![libm::log(rate / (1.0 - rate)), unopened];
        row.extend(self.signals.iter().map(|source| source.cell(vector)));
        row
    }

    /// P(late at all) of the vector of a customer who is new.
    ///
    /// # Errors
    /// [`LinearError::RowWidth`] where the model has other columns than this.
    pub fn late(&self, vector: &[f64]) -> Result<f64, LinearError> {
        let row = self.row(vector, self.segments.rate_of(vector));
        self.model.predict(row.as_slice())
    }

    /// Whether the model reads what [`Self::row`] gives and every rate is one.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let own = Self::OWN_COLUMNS.iter().copied();
        let names = own.chain(self.signals.iter().map(|source| source.name.as_str()));
        let columns = self.model.columns();
        columns.len() == Self::OWN_COLUMNS.len() + self.signals.len()
            && columns
                .iter()
                .zip(names)
                .all(|(one, name)| one.name == name)
            && self.segments.is_sound()
    }
}

/// How good three ways of telling were on the same later decisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyFigures {
    /// Which decisions, in words.
    pub on: String,
    /// Early risk.
    pub early: Metrics,
    /// The drawn rate of the segment alone.
    pub segment_rate: Metrics,
    /// What the curve of payment says of the due date, where there is one.
    pub curve: Option<Metrics>,
    /// The reliability table of early risk.
    pub bins: Vec<ReliabilityBin>,
}

/// Early risk with its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyHead {
    /// Decisions that it was fitted on.
    pub rows: usize,
    /// Share of them over an invoice that was late.
    pub base_rate: f64,
    /// The numbers.
    pub early: EarlyRisk,
    /// The judged twin saw nothing from this instant on.
    pub fitted_before: Option<Timestamp>,
    /// It was judged on invoices issued from this instant on.
    pub judged_from: Option<Timestamp>,
    /// Decisions that it was fitted on.
    pub fitted_rows: usize,
    /// Figures of the twin: over all such decisions first, then at issue, then later. None where too little
    /// was left to judge.
    pub held_out: Vec<EarlyFigures>,
    /// Whether the curve of payment did better on the earlier half of the held-out invoices; the figures are of
    /// the later half, so that they do not flatter what was chosen. None where all are judged at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve_chosen: Option<bool>,
}

impl EarlyHead {
    /// Whether later decisions showed the curve of payment better.
    #[must_use]
    pub fn curve_is_better(&self) -> bool {
        if let Some(chosen) = self.curve_chosen {
            return chosen;
        }
        let all = self.held_out.first();
        all.is_some_and(|all| {
            let curve = all.curve.as_ref();
            curve.is_some_and(|curve| curve.log_loss < all.early.log_loss)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Segments, Source};

    fn by() -> Vec<Source> {
        let source = |(place, name): (usize, &str)| Source {
            place,
            name: name.to_owned(),
        };
        ["business", "autopay"]
            .into_iter()
            .enumerate()
            .map(source)
            .collect()
    }

    fn segments(counts: &[([f64; 2], usize, usize)]) -> Segments {
        let each = counts.iter().flat_map(|(vector, invoices, late)| {
            (0..*invoices).map(move |place| (&vector[..], place < *late))
        });
        Segments::of(by(), each)
    }

    #[test]
    fn a_segment_without_data_has_the_rate_of_all_and_a_large_one_its_own() {
        let found = segments(&[
            ([0.0, 0.0], 4_000, 1_600),
            ([0.0, 1.0], 4_000, 200),
            ([1.0, 0.0], 2, 2),
        ]);
        let all = (1_802.0 + 0.5) / 8_003.0;
        assert_eq!(found.rate_of(&[1.0, 1.0]), all);
        assert_eq!(found.rate_of(&[f64::NAN, 0.0]), all);
        assert!((found.rate_of(&[0.0, 0.0]) - 0.4).abs() < 0.002);
        assert!((found.rate_of(&[0.0, 1.0]) - 0.05).abs() < 0.002);
        // Two of two were late, and that is no rate of one.
        let few = found.rate_of(&[1.0, 0.0]);
        assert!(few > all && few < 0.8, "{few}");
    }

    #[test]
    fn segments_that_do_not_differ_are_all_drawn_to_one_rate() {
        let same = segments(&[
            ([0.0, 0.0], 300, 60),
            ([0.0, 1.0], 30, 6),
            ([1.0, 0.0], 10, 2),
        ]);
        let apart = segments(&[
            ([0.0, 0.0], 300, 30),
            ([0.0, 1.0], 30, 15),
            ([1.0, 0.0], 10, 9),
        ]);
        assert_eq!(same.strength, 10_000.0);
        assert!(apart.strength < 100.0, "{}", apart.strength);
    }
}
