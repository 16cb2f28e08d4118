//! The verdict, its grounds, and what customers notice of the change: the first screen.

use super::document::{Comparison, Document, Metric, Reason, Verdict};
use super::effects::reading;
use super::words;
use crate::pages::Reader;
use crate::pages::shell::Tone;
use maud::{Markup, html};

/// Measures of what customers notice, in the order in which they are shown.
const NOTICED: [&str; 8] = [
    "support_contacts",
    "contacts_per_invoice",
    "complaint",
    "opt_out",
    "churn",
    "messages",
    "collection_cases",
    "inkasso_per_invoice",
];

pub(super) fn section(reader: &Reader, document: &Document, comparison: &Comparison) -> Markup {
    let decision = &comparison.decision;
    let (tone, verdict) = words::verdict(
        reader,
        decision.verdict,
        &document.control,
        &comparison.treatment,
    );
    let class = match tone {
        Tone::Quiet => "",
        other => other.class(),
    };
    html! {
        section class={ "banner " (class) } aria-label=(reader.say(["Verdict", "Utslag", "Oordeel"])) {
            p.verdict { span aria-hidden="true" { (tone.symbol()) " " } (verdict) }
            ul { @for reason in &decision.reasons {
                li {
                    (words::reason(reader, reason))
                    @if let Some(metric) = metric_of(reason).and_then(|name| find(comparison, name)) {
                        " " span.soft { (levels(reader, metric)) }
                        @if matches!(reason, Reason::Superior { .. }) { span.soft { "; " (change(reader, metric)) } }
                    }
                    @if matches!(reason, Reason::NoneSuperior) {
                        ul { @for metric in goals(comparison) {
                            li { (words::name(reader.lang, &metric.name)) ": " (levels(reader, metric)) span.soft { "; " (change(reader, metric)) } }
                        } }
                    }
                }
            } }
            @if decision.verdict != Verdict::CannotJudge { (noticed(reader, document, comparison)) }
            p.note {
                (reader.say(["The rule agreed before the start", "Regeln som bestämdes före starten", "De regel die vóór de start is afgesproken"])) ": "
                (reader.say([
                    "use the treatment when at least one goal is better, every guardrail is inside its margin, nothing gets worse and the numbers can be trusted.",
                    "inför behandlingen när minst ett mål är bättre, varje skyddsmått är inom sin marginal, inget blir sämre och siffrorna går att lita på.",
                    "voer de behandeling in als minstens één doel beter is, elke vangrail binnen zijn marge blijft, niets verslechtert en de cijfers te vertrouwen zijn.",
                ]))
            }
        }
    }
}

fn find<'a>(comparison: &'a Comparison, name: &str) -> Option<&'a Metric> {
    let mut metrics = comparison.metrics.0.iter().map(|(_, metric)| metric);
    metrics.find(|metric| metric.name == name)
}

fn metric_of(reason: &Reason) -> Option<&str> {
    match reason {
        Reason::GuardrailHarmful { metric }
        | Reason::Deteriorated { metric }
        | Reason::Superior { metric }
        | Reason::GuardrailOpen { metric } => Some(metric),
        Reason::Integrity(_)
        | Reason::NoneSuperior
        | Reason::GuardrailsSafe
        | Reason::PlannedSizeNotReached { .. } => None,
    }
}

/// The control's level and the treatment's.
fn levels(reader: &Reader, metric: &Metric) -> String {
    let unit = words::unit(metric);
    let [control, treatment] =
        [metric.mean_c, metric.mean_t].map(|mean| unit.level(reader.lang, mean));
    format!("{control} → {treatment}")
}

fn goals(comparison: &Comparison) -> impl Iterator<Item = &Metric> {
    let metrics = comparison.metrics.0.iter().map(|(_, metric)| metric);
    metrics.filter(|metric| metric.role == "success")
}

/// The change that is judged, with its interval.
fn change(reader: &Reader, metric: &Metric) -> String {
    let (lang, unit, judged) = (reader.lang, words::unit(metric), &metric.judged);
    format!(
        "{} {} ({})",
        reader.say(["change", "ändring", "verandering"]),
        unit.difference(lang, judged.diff, metric.mean_c),
        unit.interval(lang, judged.ci, metric.mean_c),
    )
}

fn noticed(reader: &Reader, document: &Document, comparison: &Comparison) -> Markup {
    let metrics: Vec<&Metric> = NOTICED
        .into_iter()
        .filter_map(|name| find(comparison, name))
        .collect();
    if metrics.is_empty() {
        return html! {};
    }
    html! {
        p {
            strong { (reader.say(["What customers notice", "Vad kunderna märker", "Wat klanten merken"])) }
            " " span.soft { "(" (document.control) " → " (comparison.treatment) ")" }
        }
        ul {
            @for metric in metrics {
                @let (tone, symbol, reading) = reading(reader, metric);
                li {
                    (words::name(reader.lang, &metric.name)) ": " (levels(reader, metric)) " "
                    span class=(tone.class()) { span aria-hidden="true" { (symbol) " " } (reading) }
                }
            }
        }
    }
}
