//! The values of one metric for every customer of the table, ready to be split by arm.

use lagom_model::statistics::{ArmEstimate, Moments, StatisticsError, winsor::Cap};

use super::{
    cohort::Cohort,
    error::ReviewError,
    plan::{Column, Metric, Winsorising},
};
use crate::flat_table::FlatTable;

/// One metric's columns over all rows of the table.
#[derive(Debug)]
pub(super) struct MetricValues {
    ratio: bool,
    /// One column for a mean, two (numerator, denominator) for a ratio.
    raw: Vec<Vec<f64>>,
    /// The same after winsorising, with the caps.
    capped: Option<(Vec<Cap>, Vec<Vec<f64>>)>,
    /// Covariates, missing values replaced by the mean over all arms.
    covariates: Vec<Vec<f64>>,
}

/// One arm's customers with a value of the metric.
#[derive(Debug)]
pub(super) struct ArmValues {
    ratio: bool,
    /// Values as observed.
    pub(super) raw: Vec<Vec<f64>>,
    /// Values after winsorising; absent when the plan asks for none.
    pub(super) capped: Option<Vec<Vec<f64>>>,
    /// Covariates.
    pub(super) covariates: Vec<Vec<f64>>,
    /// Customers left out because the metric is unknown.
    pub(super) missing: u64,
}

impl MetricValues {
    /// Reads the columns of `metric` and applies its winsorising over all arms together.
    pub(super) fn of(
        table: &FlatTable,
        metric: &Metric,
        cohort: &Cohort,
    ) -> Result<Self, ReviewError> {
        let names = match &metric.column {
            Column::Mean(value) => vec![value],
            Column::Ratio {
                numerator,
                denominator,
            } => vec![numerator, denominator],
        };
        let mut raw = Vec::new();
        for name in names {
            raw.push(table.numbers(name)?.to_vec());
        }
        let everyone: Vec<usize> = cohort
            .arms
            .iter()
            .flat_map(|arm| arm.rows.iter().copied())
            .collect();
        let capped = match metric.winsorising {
            None => None,
            Some(rule) => {
                let fault = |source| ReviewError::Statistics {
                    metric: metric.name.clone(),
                    comparison: "all arms together".to_owned(),
                    source,
                };
                let caps = raw
                    .iter()
                    .map(|column| cap(rule, column, &everyone))
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(fault)?;
                let columns = caps
                    .iter()
                    .zip(&raw)
                    .map(|(cap, column)| cap.clamp(column))
                    .collect();
                Some((caps, columns))
            }
        };
        let mut covariates = Vec::new();
        for name in &metric.covariates {
            covariates.push(filled(table.numbers(name)?, &everyone));
        }
        Ok(Self {
            ratio: matches!(metric.column, Column::Ratio { .. }),
            raw,
            capped,
            covariates,
        })
    }

    /// The caps in force, one a column.
    pub(super) fn caps(&self) -> Option<&[Cap]> {
        self.capped.as_ref().map(|(caps, _)| caps.as_slice())
    }

    /// The columns the metric is judged by: winsorised where the plan says so.
    pub(super) fn judged(&self) -> &[Vec<f64>] {
        self.capped
            .as_ref()
            .map_or(&self.raw, |(_, columns)| columns)
    }

    /// The values of the customers in `rows`; those whose metric is unknown are left out.
    pub(super) fn arm(&self, rows: &[usize]) -> ArmValues {
        let known: Vec<usize> = rows
            .iter()
            .copied()
            .filter(|row| self.known(*row))
            .collect();
        let gather = |columns: &[Vec<f64>]| -> Vec<Vec<f64>> {
            columns
                .iter()
                .map(|column| known.iter().map(|row| column[*row]).collect())
                .collect()
        };
        ArmValues {
            ratio: self.ratio,
            raw: gather(&self.raw),
            capped: self.capped.as_ref().map(|(_, columns)| gather(columns)),
            covariates: gather(&self.covariates),
            missing: (rows.len() - known.len()) as u64,
        }
    }

    /// Whether the metric of the customer in `row` is known.
    pub(super) fn known(&self, row: usize) -> bool {
        self.raw.iter().all(|column| column[row].is_finite())
    }

    /// The estimate of the customers in `rows` by the judged columns.
    pub(super) fn estimate(&self, rows: &[usize]) -> Result<ArmEstimate, StatisticsError> {
        let columns = self.judged();
        let mut moments = Moments::new(columns.len());
        let mut unit = vec![0.0; columns.len()];
        for row in rows.iter().filter(|row| self.known(**row)) {
            for (value, column) in unit.iter_mut().zip(columns) {
                *value = column[*row];
            }
            moments.push(&unit);
        }
        estimate(&moments, self.ratio)
    }

    /// Whether the metric is a ratio of sums.
    pub(super) fn is_ratio(&self) -> bool {
        self.ratio
    }
}

impl ArmValues {
    /// The columns the metric is judged by.
    pub(super) fn judged(&self) -> &[Vec<f64>] {
        self.capped.as_ref().unwrap_or(&self.raw)
    }

    /// The estimate by `columns` of this arm.
    pub(super) fn estimate(&self, columns: &[Vec<f64>]) -> Result<ArmEstimate, StatisticsError> {
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        estimate(&Moments::of_columns(&columns)?, self.ratio)
    }

    /// Sum of raw column `index`.
    pub(super) fn total(&self, index: usize) -> Option<f64> {
        self.raw.get(index).map(|column| column.iter().sum())
    }

    /// Customers with a value.
    pub(super) fn len(&self) -> usize {
        self.raw.first().map_or(0, Vec::len)
    }

    /// Customers with the event, when every value is 0 or 1.
    pub(super) fn events(&self) -> Option<u64> {
        let [column] = self.raw.as_slice() else {
            return None;
        };
        let binary = column.iter().all(|value| *value == 0.0 || *value == 1.0);
        binary.then(|| column.iter().filter(|value| **value == 1.0).count() as u64)
    }
}

/// The estimate of a mean (one dimension) or a ratio (two).
pub(super) fn estimate(moments: &Moments, ratio: bool) -> Result<ArmEstimate, StatisticsError> {
    if ratio {
        ArmEstimate::ratio(moments, 0, 1)
    } else {
        ArmEstimate::mean(moments, 0)
    }
}

fn cap(rule: Winsorising, column: &[f64], rows: &[usize]) -> Result<Cap, StatisticsError> {
    let values: Vec<f64> = rows
        .iter()
        .map(|row| column[*row])
        .filter(|v| v.is_finite())
        .collect();
    match rule {
        Winsorising::Quantile { order, base } => Cap::pooled([values.as_slice()], order, base),
        Winsorising::Cap(cap) => {
            let above = values.iter().filter(|value| **value > cap).count();
            #[expect(clippy::cast_precision_loss, reason = "counts of customers")]
            let share_capped = above as f64 / values.len().max(1) as f64;
            Ok(Cap { cap, share_capped })
        }
    }
}

/// Missing values replaced by the mean of the known ones over all arms: the same for all, so it
/// cannot favour one, and nobody is dropped for what was not known before the start.
fn filled(column: &[f64], rows: &[usize]) -> Vec<f64> {
    let mut moments = Moments::new(1);
    for row in rows {
        if column[*row].is_finite() {
            moments.push(&[column[*row]]);
        }
    }
    let mean = moments.mean(0);
    column
        .iter()
        .map(|value| if value.is_finite() { *value } else { mean })
        .collect()
}
