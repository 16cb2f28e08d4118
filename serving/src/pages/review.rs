//! The review of an experiment on one page, in the order in which it can be trusted: verdict,
//! integrity, goals, guardrails, time, time to pay, segments, what the policy did, power,
//! sensitivity, sources. Every number is read from the JSON of `lagom review --json`.

mod agreement;
mod banner;
mod charts;
mod detail;
mod document;
mod effects;
mod sources;
mod trust;
mod words;

use super::shell::{self, Place};
use super::{Lang, Reader};
use document::{Comparison, Document, Verdict};
use maud::{Markup, html};

/// The page of a review, from its JSON. `recompute` is the command that makes the same numbers.
///
/// # Errors
/// What is not a review, in one line.
pub fn render(reader: &Reader, json: &str, recompute: &str) -> Result<Markup, String> {
    let document = Document::parse(json)?;
    let title = title(reader, &document);
    let body = html! {
        p.soft { (about(reader, &document)) }
        h1 { (title) }
        @for (_, comparison) in &document.comparisons.0 { (banner::section(reader, &document, comparison)) }
        (trust::section(reader, &document))
        @for (_, comparison) in &document.comparisons.0 { (parts(reader, &document, comparison)) }
        (sources::section(reader, &document, json, recompute))
    };
    Ok(shell::page(reader, Place::Experiments, &title, &body))
}

/// The question that the page answers.
fn title(reader: &Reader, document: &Document) -> String {
    let control = &document.control;
    match &document.comparisons.0[..] {
        [(_, only)] => {
            let of = &only.treatment;
            match reader.lang {
                Lang::En => format!("Is “{of}” better than “{control}”?"),
                Lang::Sv => format!("Är ”{of}” bättre än ”{control}”?"),
                Lang::Nl => format!("Is “{of}” beter dan “{control}”?"),
            }
        }
        _ => match reader.lang {
            Lang::En => format!("Is anything better than “{control}”?"),
            Lang::Sv => format!("Är något bättre än ”{control}”?"),
            Lang::Nl => format!("Is er iets beter dan “{control}”?"),
        },
    }
}

/// Which experiment it is, on whom, and for how long.
fn about(reader: &Reader, document: &Document) -> Markup {
    let lang = reader.lang;
    html! {
        (reader.say(["Experiment", "Experiment", "Experiment"])) " " code { (document.experiment) } " · "
        (reader.say(["randomised by customer", "lottat per kund", "geloot per klant"])) " · "
        (lang.count(document.customers)) " " (reader.say(["customers compared", "jämförda kunder", "vergeleken klanten"]))
        @if let Some(days) = document.days() { " · " (reader.say(["day", "dag", "dag"])) " " (lang.count(days)) }
    }
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
        (detail::done(reader, document))
        (detail::power(reader, document, comparison))
        (detail::sensitivity(reader, comparison))
    }
}
