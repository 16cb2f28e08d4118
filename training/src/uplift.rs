//! The uplift ledger: what lagom caused, month by month, against the customers it leaves alone.
//!
//! Everybody is drawn once into the permanent holdout, for whom the ladder decides, or not. A
//! customer counts in every month from the draw on (a customer-month), whatever happens later, so
//! that the difference of the means is what lagom as it is run causes, experiments included. Beside
//! it stands the *naive* number, which compares customers who were contacted with those who were
//! not: it is confounded, and shown so that nobody takes it for the effect.
//!
//! A single channel or tone has no holdout of its own. What it adds over waiting is estimated from
//! the logged probabilities, see [`crate::steps`].

mod count;
mod steps;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use lagom_features::domain::{CustomerId, Timestamp};
use lagom_model::objective::Objective;
use lagom_model::statistics::{Alpha, ArmEstimate, Moments, difference::Difference};
use serde::Serialize;

pub use crate::steps::Step;
use crate::tables::Tables;
use count::{MEASURES, counted};

/// When a customer was drawn, and whether into the holdout.
pub type Drawn = HashMap<CustomerId, (bool, Timestamp)>;

/// The ledger.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ledger {
    /// Form of this document.
    pub schema_version: u32,
    /// What was known then.
    pub as_of: String,
    /// Currency of all amounts, in major units.
    pub currency: String,
    /// One row a month and cut, the whole first.
    pub rows: Vec<Row>,
    /// The same of all these months together, a customer counted once: one row a cut. `month` is
    /// the first and the last, `2026-01/2026-06`.
    pub totals: Vec<Row>,
    /// What single channels and tones add over waiting, from logged probabilities.
    pub steps: Vec<Step>,
    /// By month, the decisions whose outcome is not known yet: what they cost and their fees are not in its
    /// numbers, nor in its net value. A month of which all are known is not named.
    pub awaited: BTreeMap<String, u64>,
}

/// One month of one cut.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// `2026-03`.
    pub month: String,
    /// `all`, `segment`, `product` or `audience`.
    pub cut: String,
    /// Its value; empty for the whole.
    pub of: String,
    /// Customers of the holdout.
    pub holdout: u64,
    /// All others.
    pub lagom: u64,
    /// In the order of the ledger.
    pub measures: Vec<Measure>,
}

/// One measure, per customer and month; per customer in the totals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// Its name.
    pub name: &'static str,
    /// Mean in the holdout; none where fewer than two reported it.
    pub holdout: Option<f64>,
    /// Mean of all others.
    pub lagom: Option<f64>,
    /// Their difference with its 95 % interval.
    pub difference: Option<[f64; 3]>,
    /// The difference times the customers: what lagom caused in all; none of what is a mean already.
    pub caused: Option<f64>,
    /// Contacted less not contacted, among the others: confounded.
    pub naive: Option<f64>,
}

/// One customer in one month.
#[derive(Debug, Clone)]
struct Unit {
    holdout: bool,
    contacted: bool,
    values: [f64; MEASURES.len()],
}

/// Months that the ledger looks at, at most; the last ones.
const MONTHS: usize = 24;

/// Counts what lagom caused until `as_of`.
///
/// # Errors
/// A text where nobody was drawn into the holdout, or there are several currencies.
pub fn ledger(
    tables: &Tables,
    drawn: &Drawn,
    objective: &Objective,
    as_of: Timestamp,
) -> Result<Ledger, String> {
    if !drawn.values().any(|(holdout, _)| *holdout) {
        return Err(
            "nobody has been drawn into a holdout: set [holdout] share, such as 0.05, and let \
             decisions come"
                .to_owned(),
        );
    }
    let mut counted = counted(tables, drawn, objective, as_of)?;
    let last = counted.units.keys().map(|(month, _)| *month).max();
    counted
        .units
        .retain(|(month, _), _| last.is_none_or(|last| *month + (MONTHS as i32) > last));
    let named = |(month, id): &(i32, CustomerId)| (month_name(*month), id.clone());
    let by_month = counted.units.iter().map(|(key, unit)| (named(key), unit));
    let rows = rows(by_month, &counted.cuts);
    let months = counted.units.keys().map(|(month, _)| *month);
    let span = months.clone().min().zip(months.max());
    let span = span.map_or_else(String::new, |(first, last)| {
        format!("{}/{}", month_name(first), month_name(last))
    });
    let whole = count::of_all_months(&counted.units);
    let in_all = whole
        .iter()
        .map(|(id, unit)| ((span.clone(), (*id).clone()), unit));
    Ok(Ledger {
        schema_version: 1,
        as_of: as_of.to_string(),
        currency: counted.currency,
        rows,
        totals: self::rows(in_all, &counted.cuts),
        steps: steps::steps(tables, drawn, as_of),
        awaited: counted
            .awaited
            .into_iter()
            .map(|(month, decisions)| (month_name(month), decisions))
            .collect(),
    })
}

fn month_name(month: i32) -> String {
    format!(
        "{:04}-{:02}",
        month.div_euclid(12),
        month.rem_euclid(12) + 1
    )
}

/// One row a time and cut.
fn rows<'a>(
    units: impl Iterator<Item = ((String, CustomerId), &'a Unit)>,
    cuts: &HashMap<CustomerId, Vec<(usize, String)>>,
) -> Vec<Row> {
    let mut groups: BTreeMap<(String, usize, String), Vec<&Unit>> = BTreeMap::new();
    for ((month, id), unit) in units {
        for (cut, of) in cuts.get(&id).into_iter().flatten() {
            let key = (month.clone(), *cut, of.clone());
            groups.entry(key).or_default().push(unit);
        }
        groups
            .entry((month, 0, String::new()))
            .or_default()
            .push(unit);
    }
    let rows = groups.into_iter().map(|((month, cut, of), units)| Row {
        month,
        cut: count::CUTS[cut].to_owned(),
        of,
        holdout: units.iter().filter(|one| one.holdout).count() as u64,
        lagom: units.iter().filter(|one| !one.holdout).count() as u64,
        measures: measures(&units),
    });
    rows.collect()
}

fn measures(units: &[&Unit]) -> Vec<Measure> {
    let estimate = |place: usize, keep: &dyn Fn(&Unit) -> bool| {
        let mut moments = Moments::new(1);
        for unit in units.iter().filter(|unit| keep(unit)) {
            let value = unit.values[place];
            if value.is_finite() {
                moments.push(&[value]);
            }
        }
        ArmEstimate::mean(&moments, 0)
            .ok()
            .map(|one| (one, moments.mean(0)))
    };
    let one = |(place, name): (usize, &&'static str)| {
        let holdout = estimate(place, &|unit| unit.holdout);
        let lagom = estimate(place, &|unit| !unit.holdout);
        let touched = estimate(place, &|unit| !unit.holdout && unit.contacted);
        let left = estimate(place, &|unit| !unit.holdout && !unit.contacted);
        let difference = match (&holdout, &lagom) {
            (Some((control, _)), Some((treatment, _))) => {
                let found = Difference::between(control, treatment, Alpha::FIVE_PERCENT);
                // Without any spread the difference is what it is.
                let (low, high) = found
                    .welch
                    .map_or((found.diff, found.diff), |test| (test.ci.low, test.ci.high));
                Some([found.diff, low, high])
            }
            _ => None,
        };
        let customers = units.iter().filter(|unit| !unit.holdout).count() as f64;
        Measure {
            name,
            holdout: holdout.map(|(_, mean)| mean),
            lagom: lagom.map(|(_, mean)| mean),
            caused: difference
                .filter(|_| count::adds_up(place))
                .map(|found| found[0] * customers),
            difference,
            naive: touched.zip(left).map(|((_, a), (_, b))| a - b),
        }
    };
    MEASURES.iter().enumerate().map(one).collect()
}

impl Ledger {
    /// One line a month, cut and measure; those of all months come last.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = "month,cut,of,measure,holdout_customers,lagom_customers,holdout_mean,\
                        lagom_mean,difference,low,high,caused,naive_difference\n"
            .to_owned();
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        for row in self.rows.iter().chain(&self.totals) {
            for one in &row.measures {
                let at = |i: usize| number(one.difference.map(|found| found[i]));
                // Writing to a string does not fail.
                let _ = writeln!(
                    text,
                    "{},{},\"{}\",{},{},{},{},{},{},{},{},{},{}",
                    row.month,
                    row.cut,
                    row.of.replace('"', "\"\""),
                    one.name,
                    row.holdout,
                    row.lagom,
                    number(one.holdout),
                    number(one.lagom),
                    at(0),
                    at(1),
                    at(2),
                    number(one.caused),
                    number(one.naive),
                );
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
