//! `lagom evaluate --data DIR --confounding`: one effect, three ways.

use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use lagom_features::domain::Timestamp;
use lagom_model::ope::confounding::Effect;
use lagom_training::valuation::{Confounding, OwnLog};

const CONFIDENCE: f64 = 0.95;

pub(super) fn run(
    log: &OwnLog,
    from: Option<Timestamp>,
    out: &mut Output,
) -> Result<Answer, Failure> {
    let from = from.unwrap_or_else(|| log.start());
    let found = log.confounding(from, CONFIDENCE)?;
    out.report(&found, || text(&found))?;
    Ok(Answer::Yes)
}

fn text(found: &Confounding) -> String {
    let mut text = format!(
        "Contacting now against waiting, within the window, the log's own policies afterwards.\n\
         {} matured decisions of {} customers at which both had a chance of 1 % at least, {:.1} % \
         of them contacts; {} others left out.\n\n{:<18} {:<34} {:<34} {:<34}\n",
        found.decisions,
        found.customers,
        100.0 * found.contacted,
        found.left_out,
        "",
        "naive",
        "adjusted for what was known",
        "by the logged chances"
    );
    for (name, effects) in &found.effects {
        text += &format!(
            "{name:<18} {:<34} {:<34} {:<34}\n",
            cell(&effects.naive),
            cell(&effects.adjusted),
            cell(&effects.randomised)
        );
    }
    text + "\nOnly the last column is free of confounding. A reminder goes to those who are late: \
            where the first column differs from the last, a dashboard that compares the contacted \
            with the others is wrong by that much.\n"
}

fn cell(effect: &Effect) -> String {
    let interval = &effect.interval;
    let digits = if effect.value.abs() >= 10.0 { 0 } else { 4 };
    format!(
        "{:+.digits$} ({:+.digits$} to {:+.digits$})",
        effect.value, interval.low, interval.high
    )
}
