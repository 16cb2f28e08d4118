//! Features against features: served and recomputed, before and after.

use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::cli::terminal::progress;
use lagom_features::domain::Timestamp;
use lagom_features::spec::FeatureSpec;
use lagom_training::drift::{ColumnDrift, Drift, drift as compare_periods};
use lagom_training::parity::{ColumnParity, Parity, parity};
use std::path::Path;

/// Columns of a drift report that a person is shown where nothing moved.
const SHOWN: usize = 10;

pub(super) fn check(
    data: &Path,
    spec: &FeatureSpec,
    events_at_once: u64,
    out: &mut Output,
) -> Result<Answer, Failure> {
    let bar = progress(0, "parts");
    let found = parity(data, spec, events_at_once, |done, parts| {
        bar.set_length(parts as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    out.report(&found, || parity_text(&found))?;
    if found.compared == 0 && found.unknown == 0 {
        return Err(format!(
            "{}: no decision was made on features {}; name their spec with --spec",
            data.display(),
            found.feature_fingerprint
        )
        .into());
    }
    Ok(if found.holds() {
        Answer::Yes
    } else {
        Answer::No
    })
}

fn parity_text(found: &Parity) -> String {
    let mut text = format!(
        "{} decisions compared, {} on features of another spec, {} of invoices not known then\n",
        found.compared, found.other_spec, found.unknown
    );
    if let Some(example) = &found.unknown_example {
        text += &format!("  for instance {example}\n");
    }
    let wrong = |one: &&ColumnParity| one.differs + one.missing > 0;
    let columns: Vec<_> = found.columns.iter().filter(wrong).collect();
    if columns.is_empty() {
        text += &format!("all {} columns are equal to the bit", found.columns.len());
        return text;
    }
    text += "\n                            equal  differs  missing  for instance\n";
    for one in columns {
        let example = one.example.as_ref().map_or_else(String::new, |example| {
            let number = |value: Option<f64>| {
                value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
            };
            format!(
                "{} served {}, recomputed {}",
                example.decision_id,
                number(example.served),
                number(example.recomputed)
            )
        });
        text += &format!(
            "{:<24} {:>8} {:>8} {:>8}  {example}\n",
            one.column, one.equal, one.differs, one.missing
        );
    }
    text
}

pub(super) fn drift(
    data: &Path,
    spec: &FeatureSpec,
    (after_days, at): (&[u16], Timestamp),
    events_at_once: u64,
    out: &mut Output,
) -> Result<Answer, Failure> {
    let found = compare_periods(data, spec, after_days, at, events_at_once)?;
    out.report(&found, || drift_text(&found))?;
    let moved = found.columns.iter().any(|one| one.moved);
    Ok(if moved { Answer::No } else { Answer::Yes })
}

fn drift_text(found: &Drift) -> String {
    let moved = found.columns.iter().filter(|one| one.moved).count();
    let mut text = format!(
        "before {}: {} customers, from then on: {}; a decision point each\n\
         outcomes of the later ones are known until {}\n\
         {moved} of {} columns moved\n\n\
         {:<24}      PSI   alert      KS  p of KS  unknown before, after\n",
        found.at,
        found.before,
        found.after,
        found.known_until,
        found.columns.len(),
        ""
    );
    for one in found.columns.iter().take(moved.max(SHOWN)) {
        text += &row(one);
    }
    text
}

fn row(one: &ColumnDrift) -> String {
    let number = |value: Option<f64>| match value {
        Some(value) => format!("{value:>8.3}"),
        None => format!("{:>8}", "-"),
    };
    format!(
        "{:<24} {}{}{} {} {:>7.1} % {:>5.1} %{}\n",
        one.column,
        number(one.psi),
        number(one.alert_above),
        number(one.ks),
        number(one.ks_p),
        100.0 * one.unknown_before,
        100.0 * one.unknown_after,
        if one.moved { "  moved" } else { "" }
    )
}
