//! The review of an experiment on one page, in the order in which it can be trusted: verdict,
//! integrity, goals, guardrails, time, time to pay, segments, what the policy did, power,
//! sensitivity, sources. Every number is read from the JSON of `lagom review --json`.

mod charts;
mod detail;
mod document;
mod effects;
mod sources;
mod trust;
mod words;

use super::Reader;
use super::shell::{self, Place, Tone};
use document::{Comparison, Document, Verdict};
use maud::{Markup, html};

/// The page of a review, from its JSON. `recompute` is the command that makes the same numbers.
///
/// # Errors
/// What is not a review, in one line.
pub fn render(reader: &Reader, json: &str, recompute: &str) -> Result<Markup, String> {
    let document: Document =
        serde_json::from_str(json).map_err(|error| format!("not a review: {error}"))?;
    let title = document.experiment.clone();
    let body = html! {
        p.soft { (reader.say(["Experiment, randomised by customer", "Experiment, lottat per kund", "Experiment, geloot per klant"])) }
        h1 { (title) }
        @for (_, comparison) in &document.comparisons.0 { (banner(reader, &document, comparison)) }
        (trust::section(reader, &document))
        @for (_, comparison) in &document.comparisons.0 { (parts(reader, &document, comparison)) }
        (sources::section(reader, &document, json, recompute))
    };
    Ok(shell::page(reader, Place::Experiments, &title, &body))
}

fn parts(reader: &Reader, document: &Document, comparison: &Comparison) -> Markup {
    let several = document.comparisons.0.len() > 1;
    html! {
        @if several { h2 { "“" (comparison.treatment) "” " (reader.say(["against", "mot", "tegenover"])) " “" (document.control) "”" } }
        @if comparison.decision.verdict == Verdict::CannotJudge {
            p.banner.warn { "⚠ " (reader.say([
                "The numbers below are shown for finding the fault. Do not decide by them.",
                "Siffrorna nedan visas för att hitta felet. Besluta inte efter dem.",
                "De cijfers hieronder helpen de fout te vinden. Beslis er niet op.",
            ])) }
        }
        (effects::goals(reader, document, comparison))
        (effects::guardrails(reader, document, comparison))
        (charts::over_time(reader, comparison))
        (charts::newcomers(reader, document, comparison))
        (charts::time_to_pay(reader, document, comparison))
        (detail::segments(reader, document, comparison))
        (detail::actions(reader, document))
        (detail::power(reader, document, comparison))
        (detail::sensitivity(reader, comparison))
    }
}

fn banner(reader: &Reader, document: &Document, comparison: &Comparison) -> Markup {
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
            ul { @for reason in &decision.reasons { li { (words::reason(reader, reason)) } } }
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
