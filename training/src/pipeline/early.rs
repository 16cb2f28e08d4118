//! Early risk of new customers: the segments' rates and the first signals, judged on later decisions beside
//! the rates alone and the curve of payment.

use super::TrainingConfig;
use super::error::EarlyError;
use super::examples::{Examples, Target};
use crate::dataset::{Dataset, Point, Stage};
use crate::fit::{Cells, Columns, FitOptions, deal, fit_logistic};
use lagom_features::domain::Timestamp;
use lagom_model::early::{EarlyFigures, EarlyHead, EarlyRisk, NEW_AT_MOST, Segments, Source};
use lagom_model::hazard::Hazard;
use lagom_model::metrics::{Metrics, reliability};
use std::borrow::Cow;
use std::collections::HashMap;

/// Yes-or-no columns that make a segment: what is known of somebody before the first invoice is opened.
const SEGMENT: [&str; 5] = [
    "business",
    "autopay",
    "billing_channel=paper",
    "billing_channel=e_invoice",
    "payment_method=card",
];
/// What the first invoice shows, and what it is.
const SIGNALS: [&str; 15] = [
    "opened",
    "views",
    "days_to_open",
    "days_since_open",
    "clicks",
    "undelivered",
    "failed_debits_this",
    "payment_in_flight",
    "promised",
    "disputed",
    "days_past_due",
    "terms_days",
    "log_amount",
    "tenure",
    "late_rate",
];
/// Parts of the customers: the rate that a decision is fitted with is of the other parts, so that no
/// customer's outcome is in it.
const PARTS: usize = 5;

/// Decisions over new customers before their invoice is late, and whether it was.
struct Early<'a> {
    dataset: &'a Dataset,
    rows: Vec<usize>,
    late: Vec<bool>,
}

impl<'a> Early<'a> {
    fn of(dataset: &'a Dataset, history: &Source, on: impl Fn(&Point) -> bool) -> Self {
        let (mut rows, mut late) = (Vec::new(), Vec::new());
        for (row, point) in dataset.points().iter().enumerate() {
            let early = matches!(point.stage, Stage::Issue | Stage::Before(_) | Stage::Due);
            let new = dataset.row(row)[history.place] <= NEW_AT_MOST;
            if let Some(outcome) = point.late
                && early
                && new
                && on(point)
            {
                rows.push(row);
                late.push(outcome);
            }
        }
        Self {
            dataset,
            rows,
            late,
        }
    }

    fn points(&self) -> impl Iterator<Item = &'a Point> {
        self.rows.iter().map(|&row| &self.dataset.points()[row])
    }

    /// A number a customer, or an invoice, row by row.
    fn numbered<K: Eq + std::hash::Hash>(&self, of: impl Fn(&'a Point) -> K) -> Vec<usize> {
        let mut seen = HashMap::new();
        let mut number = |point| {
            let next = seen.len();
            *seen.entry(of(point)).or_insert(next)
        };
        self.points().map(&mut number).collect()
    }

    /// The rates of the invoices, as they were at issue, of the rows that are `kept`.
    fn segments(&self, by: &[Source], kept: impl Fn(usize) -> bool) -> Segments {
        let vectors: Vec<(Vec<f64>, bool)> = (self.points().zip(&self.rows).zip(&self.late))
            .enumerate()
            .filter(|(place, ((point, _), _))| point.stage == Stage::Issue && kept(*place))
            .map(|(_, ((_, row), late))| (self.dataset.row(*row).to_vec(), *late))
            .collect();
        let each = vectors.iter().map(|(vector, late)| (&vector[..], *late));
        Segments::of(by.to_vec(), each)
    }
}

/// The column `name` of the vectors.
fn source(dataset: &Dataset, name: &str) -> Option<Source> {
    let place = dataset.names().iter().position(|one| one == name)?;
    let name = name.to_owned();
    Some(Source { place, name })
}

fn needed(dataset: &Dataset, name: &'static str) -> Result<Source, EarlyError> {
    source(dataset, name).ok_or(EarlyError::NoColumn { name })
}

/// Fits early risk to every new customer's invoice whose due date has passed, and judges a twin on later ones;
/// `curve` is the twin of the curve of payment, fitted on the same past.
pub(super) fn fit(
    dataset: &Dataset,
    config: &TrainingConfig,
    seed: u64,
    curve: Option<&Hazard>,
) -> Result<EarlyHead, EarlyError> {
    let history = needed(dataset, "prior_invoices")?;
    let all = Early::of(dataset, &history, |_| true);
    let early = fit_rows(&all, config, seed)?;
    let positives = all.late.iter().filter(|late| **late).count();
    let mut head = EarlyHead {
        rows: all.rows.len(),
        base_rate: positives as f64 / all.rows.len().max(1) as f64,
        early,
        fitted_before: None,
        judged_from: None,
        fitted_rows: 0,
        held_out: Vec::new(),
        curve_chosen: None,
    };
    // By the instants of the curve, so that both know the same.
    let (fitted_before, judged_from, ..) = Examples::of(dataset, Target::Paid).parted(config);
    let before = Early::of(dataset, &history, |point| point.late_from <= fitted_before);
    if let Ok(twin) = fit_rows(&before, config, seed) {
        let later = Early::of(dataset, &history, |point| point.issued_at >= judged_from);
        let mut issues: Vec<Timestamp> = later.points().map(|point| point.issued_at).collect();
        issues.sort_unstable();
        let middle = issues.get(issues.len() / 2).copied();
        let middle = middle.unwrap_or(judged_from);
        // Chosen between early risk and the curve on the first half, judged on the second.
        let first = |point: &Point| (judged_from..middle).contains(&point.issued_at);
        let chosen_on = judge(&twin, &Early::of(dataset, &history, first), curve)?;
        let judged_on = Early::of(dataset, &history, |point| point.issued_at >= middle);
        head.fitted_before = Some(fitted_before);
        head.fitted_rows = before.rows.len();
        let all = chosen_on.first();
        let better = all.and_then(|all| Some(all.curve?.log_loss < all.early.log_loss));
        let figures = judge(&twin, &judged_on, curve)?;
        if better.is_some() && !figures.is_empty() {
            head.judged_from = Some(middle);
            head.held_out = figures;
            head.curve_chosen = better;
        } else {
            head.judged_from = Some(judged_from);
            head.held_out = judge(&twin, &later, curve)?;
        }
    }
    Ok(head)
}

fn fit_rows(rows: &Early<'_>, config: &TrainingConfig, seed: u64) -> Result<EarlyRisk, EarlyError> {
    let dataset = rows.dataset;
    let some = |names: &[&str]| -> Vec<Source> {
        let found = names.iter().map(|name| source(dataset, name));
        found.flatten().collect()
    };
    let (by, signals) = (some(&SEGMENT), some(&SIGNALS));
    let customers = rows.numbered(|point| &point.customer_id);
    let part = deal(rows.rows.len(), Some(&customers), PARTS, seed);
    let of_others: Vec<Segments> = (0..PARTS)
        .map(|left_out| rows.segments(&by, |place| part[place] != left_out))
        .collect();
    let names: Vec<String> = EarlyRisk::OWN_COLUMNS
        .iter()
        .map(|name| (*name).to_owned())
        .chain(signals.iter().map(|source| source.name.clone()))
        .collect();
    let mut early = EarlyRisk {
        history: needed(dataset, "prior_invoices")?,
        opened: needed(dataset, "opened")?,
        since_issue: needed(dataset, "days_since_issue")?,
        segments: rows.segments(&by, |_| true),
        signals,
        model: nothing(&names)?,
    };
    let mut cells = vec![Vec::with_capacity(rows.rows.len()); names.len()];
    for (&row, &part) in rows.rows.iter().zip(&part) {
        let vector = dataset.row(row).to_vec();
        let told = early.row(&vector, of_others[part].rate_of(&vector));
        for (column, cell) in cells.iter_mut().zip(told) {
            column.push(cell);
        }
    }
    let number = |cells| Cells::Number(Cow::Owned(cells));
    let columns = names.into_iter().zip(cells.into_iter().map(number));
    let days = |point: &Point| point.at.days_since(Timestamp::MIN);
    let options = FitOptions {
        form: config.form,
        // Of few decisions, a map learnt on the latest would be one of chance.
        calibrate: false,
        most_pairs: 0,
        times: Some(rows.points().map(days).collect()),
        groups: Some(rows.numbered(|point| (&point.customer_id, &point.invoice_id))),
        seed,
        ..FitOptions::default()
    };
    early.model = fit_logistic(&Columns::new(columns.collect())?, &rows.late, &options)?.0;
    Ok(early)
}

/// A model of these columns that says nothing yet.
fn nothing(names: &[String]) -> Result<lagom_model::linear::LinearModel, EarlyError> {
    use lagom_model::linear::{InputColumn, InputKind, LinearModel, LinearParts};
    let column = |name: &String| InputColumn {
        name: name.clone(),
        kind: InputKind::Number,
    };
    Ok(LinearModel::new(LinearParts {
        columns: names.iter().map(column).collect(),
        intercept: 0.0,
        terms: Vec::new(),
        calibration: lagom_model::calibration::Calibration::Identity,
    })?)
}

/// Figures on all of `later`, on those at issue, and on the rest; parts with one outcome only are left out.
fn judge(
    twin: &EarlyRisk,
    later: &Early<'_>,
    curve: Option<&Hazard>,
) -> Result<Vec<EarlyFigures>, EarlyError> {
    /// Some decisions, in words and by what they are of.
    type Part = (&'static str, fn(&Point) -> bool);
    let parts: [Part; 3] = [
        ("all before the invoice is late", |_| true),
        ("at issue", |point| point.stage == Stage::Issue),
        ("after issue, before it is late", |point| {
            point.stage != Stage::Issue
        }),
    ];
    let mut found = Vec::new();
    for (on, part) in parts {
        let (mut late, mut told) = (Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
        for ((point, &row), &outcome) in later.points().zip(&later.rows).zip(&later.late) {
            if !part(point) {
                continue;
            }
            let vector = later.dataset.row(row).to_vec();
            late.push(outcome);
            told[0].push(twin.late(&vector)?);
            told[1].push(twin.segments.rate_of(&vector));
            if let Some(curve) = curve {
                let days = point.moment.late_in_days.max(0.0);
                let paid = curve.paid_by(&vector, point.moment, &[days])?;
                told[2].push(1.0 - paid[0]);
            }
        }
        let of_curve = Metrics::of(&late, &told[2]).ok();
        let figures = (Metrics::of(&late, &told[0]), Metrics::of(&late, &told[1]));
        let (Ok(early), Ok(segment_rate)) = figures else {
            continue;
        };
        found.push(EarlyFigures {
            on: on.to_owned(),
            early,
            segment_rate,
            curve: of_curve,
            bins: reliability(&late, &told[0]),
        });
    }
    Ok(found)
}
