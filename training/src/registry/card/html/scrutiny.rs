//! How a model holds over time and in every part of the customers, and which leaks were looked for.

use super::{figure, safe, table};
use lagom_model::artefact::HeldOut;
use lagom_model::artefact::scrutiny::{Leak, Segment, Stability};
use lagom_model::card::Part;
use lagom_model::metrics::Metrics;

/// Features listed.
const MOST: usize = 15;

/// Adds what there is of it.
pub(super) fn scrutiny(out: &mut String, part: &Part) {
    let all = &part.scrutiny;
    if all.is_empty() {
        return;
    }
    *out += &format!("<h2>Does “{}” hold?</h2>\n", safe(&part.target));
    if !all.folds.is_empty() {
        *out += "<h3>Over time</h3>\n<p>Fitted with the same settings on what was known before each fold, \
                 judged on it, without a calibration map.</p>\n";
        let row = |fold: &HeldOut| {
            let m = &fold.metrics;
            vec![
                fold.judged_from.to_string(),
                fold.fitted_rows.to_string(),
                m.rows.to_string(),
                figure(Some(m.base_rate)),
                figure(m.auc),
                figure(Some(m.log_loss)),
                figure(Some(m.ece)),
            ]
        };
        let mut rows: Vec<Vec<String>> = all.folds.iter().map(row).collect();
        let over = |of: fn(&Metrics) -> Option<f64>| {
            all.over_folds(of).map_or_else(
                || "–".to_owned(),
                |one| format!("{:.4} ({:.4} to {:.4})", one.mean, one.low, one.high),
            )
        };
        let mut mean = vec![
            "mean, 95 % interval".to_owned(),
            String::new(),
            String::new(),
        ];
        mean.push(over(|m| Some(m.base_rate)));
        mean.push(over(|m| m.auc));
        mean.push(over(|m| Some(m.log_loss)));
        mean.push(over(|m| Some(m.ece)));
        rows.push(mean);
        let heads = [
            "issued from",
            "fitted on",
            "judged",
            "share",
            "AUC",
            "log-loss",
            "ECE",
        ];
        *out += &table("Figures over folds of time", &heads, &rows);
    }
    if !all.stability.is_empty() {
        *out += "<h3>Features over time</h3>\n<p>Strength: standard deviation over decisions of what a \
                 feature adds to the log-odds. Agreement: the lowest correlation of what it adds in a fold's \
                 model and in this one.</p>\n";
        let row = |one: &Stability| {
            vec![
                safe(&one.feature),
                format!("{:.3}", one.strength),
                format!("{:.3} to {:.3}", one.low, one.high),
                one.agreement
                    .map_or_else(|| "not in every fold".to_owned(), |it| format!("{it:.2}")),
            ]
        };
        let rows: Vec<Vec<String>> = all.stability.iter().take(MOST).map(row).collect();
        let heads = ["feature", "strength", "over the folds", "agreement"];
        *out += &table("Features over time", &heads, &rows);
    }
    if !all.segments.is_empty() {
        *out += "<h3>By segment</h3>\n";
        let row = |one: &Segment| {
            let m = &one.metrics;
            vec![
                safe(&one.segment),
                m.rows.to_string(),
                figure(Some(one.mean_predicted)),
                figure(Some(m.base_rate)),
                figure(m.auc),
                figure(Some(m.log_loss)),
                figure(Some(m.ece)),
            ]
        };
        let rows: Vec<Vec<String>> = all.segments.iter().map(row).collect();
        let heads = [
            "segment", "judged", "said", "seen", "AUC", "log-loss", "ECE",
        ];
        *out += &table("Figures by segment", &heads, &rows);
    }
    if !all.leaks.is_empty() {
        *out += "<h3>Leaks looked for</h3>\n";
        let row = |one: &Leak| {
            let answer = if one.passed { "✓ yes" } else { "✗ no" };
            vec![safe(&one.name), answer.to_owned(), safe(&one.words)]
        };
        let rows: Vec<Vec<String>> = all.leaks.iter().map(row).collect();
        *out += &table("Leaks looked for", &["asked", "holds", "found"], &rows);
    }
}
