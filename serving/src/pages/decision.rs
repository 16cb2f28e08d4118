//! `/decisions/{id}`: why this step, for whoever has to answer the customer.

use super::chart::{Hue, share};
use super::shell::{Place, facts, page, scroll};
use super::{Reader, actions, rules};
use lagom_proto::v1::{ExplainDecisionResponse, NextBestActionResponse};
use maud::{Markup, html};

/// Actions that are listed before the rest is folded away.
const SHOWN: usize = 8;

/// The page of an explained decision.
#[must_use]
pub fn render(reader: &Reader, why: &ExplainDecisionResponse) -> Markup {
    let lang = reader.lang;
    let title = reader.say(["Why this step?", "Varför detta steg?", "Waarom deze stap?"]);
    let advised = why.decision.as_ref();
    let action = advised
        .and_then(|one| one.action.as_ref())
        .map_or("", |action| action.action_id.as_str());
    let known =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| lang.percent(value, 1));
    let body = html! {
        h1 { (title) }
        div.banner {
            p.verdict { (actions::words(lang, action)) }
            @if let Some(one) = advised { p { (said(reader, why, one)) } }
            details {
                summary { (reader.say(["In the words of the log", "Med loggens ord", "In de woorden van het logboek"])) }
                p lang="en" { (why.summary) }
            }
        }
        @if let Some(one) = advised {
            (facts(&[
                (reader.say(["Decision", "Beslut", "Beslissing"]), html! { code { (one.decision_id) } }),
                (reader.say(["Customer, invoice", "Kund, faktura", "Klant, factuur"]), html! { code { (why.customer_id) } ", " code { (why.invoice_id) } }),
                (reader.say(["Chosen with probability", "Vald med sannolikhet", "Gekozen met kans"]), html! { (lang.percent(one.probability, 1)) }),
                (reader.say(["Who decided", "Vem beslutade", "Wie besliste"]), html! { (one.policy) ", " (reader.say(["generation", "generation", "generatie"])) " " (lang.count(one.policy_generation)) }),
                (reader.say(["Experiment, group", "Experiment, grupp", "Experiment, groep"]), html! { @if one.experiment.is_empty() { "–" } @else { a href=(reader.link(&super::experiments::address(&one.experiment))) { (one.experiment) } ", " (one.arm) } }),
                (reader.say(["Would pay anyway", "Betalar ändå", "Betaalt toch wel"]), html! { (known(one.payment_propensity)) }),
                (reader.say(["Risk of leaving", "Risk att lämna", "Kans op vertrek"]), html! { (known(one.churn_risk)) }),
                (reader.say(["Model", "Modell", "Model"]), html! { @if one.model_id.is_empty() { "–" } @else { a href=(reader.link(&format!("/models/{}", one.model_id))) { code { (one.model_id) } } } }),
            ]))
        }
        h2 { (reader.say(["What could have been chosen", "Vad som kunde ha valts", "Wat gekozen had kunnen worden"])) }
        (possible(reader, why, action, 0, SHOWN))
        @if why.eligible.len() > SHOWN {
            details {
                summary { (lang.count((why.eligible.len() - SHOWN) as u64)) " " (reader.say(["more", "till", "meer"])) }
                (possible(reader, why, action, SHOWN, usize::MAX))
            }
        }
        h2 { (reader.say(["What rules forbade", "Vad regler förbjöd", "Wat regels verboden"])) }
        @if why.refused.is_empty() { p { (reader.say(["Nothing.", "Ingenting.", "Niets."])) } }
        @else {
            (forbidding(reader, why))
            details {
                summary { (reader.say(["Action by action", "Åtgärd för åtgärd", "Actie voor actie"])) " (" (lang.count(why.refused.len() as u64)) ")" }
                (refused(reader, why))
            }
        }
        h2 { (reader.say(["What would have changed it", "Vad som hade ändrat det", "Wat het veranderd zou hebben"])) }
        ul lang="en" { @for one in &why.would_have_changed { li { (one) } } }
        h2 { (reader.say(["What was known", "Vad som var känt", "Wat bekend was"])) }
        details {
            summary { (lang.count(why.features.len() as u64)) " " (reader.say(["features", "egenskaper", "kenmerken"])) }
            table {
                thead { tr { th scope="col" { (reader.say(["Feature", "Egenskap", "Kenmerk"])) } th.n scope="col" { (reader.say(["Value", "Värde", "Waarde"])) } } }
                tbody {
                    @for one in &why.features {
                        tr { th scope="row" { code { (one.name) } } td.n { (one.value.map_or_else(|| reader.say(["unknown", "okänt", "onbekend"]).to_owned(), |value| lang.number(value, 3))) } }
                    }
                }
            }
        }
    };
    page(reader, Place::Elsewhere, title, &body)
}

/// The step in a sentence: how likely it was, among how many, and what was expected without it.
fn said(reader: &Reader, why: &ExplainDecisionResponse, one: &NextBestActionResponse) -> String {
    let lang = reader.lang;
    let mut text = reader
        .say([
            "Chosen with probability {} among {} possible steps; rules forbade {} others.",
            "Vald med sannolikheten {} bland {} möjliga steg; regler förbjöd {} andra.",
            "Gekozen met kans {} uit {} mogelijke stappen; regels verboden {} andere.",
        ])
        .replacen("{}", &lang.percent(one.probability, 1), 1)
        .replacen("{}", &lang.count(why.eligible.len() as u64), 1)
        .replacen("{}", &lang.count(why.refused.len() as u64), 1);
    if let Some(propensity) = one.payment_propensity {
        text.push(' ');
        text += &reader
            .say([
                "Without any step, payment was expected with probability {}.",
                "Utan något steg väntades betalning med sannolikheten {}.",
                "Zonder enige stap werd betaling verwacht met kans {}.",
            ])
            .replace("{}", &lang.percent(propensity, 0));
    }
    text
}

fn possible(
    reader: &Reader,
    why: &ExplainDecisionResponse,
    action: &str,
    skip: usize,
    take: usize,
) -> Markup {
    let lang = reader.lang;
    let chosen = |one: &str| one == action;
    let more = if skip > 0 { " …" } else { "" };
    let label = format!(
        "{}{more}",
        reader.say(["Possible actions", "Möjliga åtgärder", "Mogelijke acties"])
    );
    scroll(
        &label,
        &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Action", "Åtgärd", "Actie"])) }
                    th scope="col" { (reader.say(["Probability", "Sannolikhet", "Kans"])) }
                } }
                tbody {
                    @for one in why.eligible.iter().skip(skip).take(take) {
                        tr {
                            th scope="row" { (actions::words(lang, &one.action_id)) @if chosen(&one.action_id) { small { "▲ " (reader.say(["chosen", "vald", "gekozen"])) } } }
                            td { (share(one.probability, &lang.percent(one.probability, 1), if chosen(&one.action_id) { Hue::First } else { Hue::Second })) }
                        }
                    }
                }
            }
        },
    )
}

/// Rules by how many actions each was the first to refuse.
fn forbidding(reader: &Reader, why: &ExplainDecisionResponse) -> Markup {
    let mut by_rule: Vec<(&str, &str, u64)> = Vec::new();
    for one in &why.refused {
        match by_rule.iter_mut().find(|(rule, ..)| *rule == one.rule) {
            Some((.., n)) => *n += 1,
            None => by_rule.push((&one.rule, &one.legal_source, 1)),
        }
    }
    by_rule.sort_by_key(|(.., n)| std::cmp::Reverse(*n));
    scroll(
        reader.say(["Rules", "Regler", "Regels"]),
        &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Rule", "Regel", "Regel"])) }
                    th.n scope="col" { (reader.say(["Actions", "Åtgärder", "Acties"])) }
                } }
                tbody {
                    @for (rule, source, n) in by_rule {
                        tr {
                            th scope="row" {
                                @match rules::words(reader.lang, rule) {
                                    Some(words) => (words),
                                    None => code { (rule) },
                                }
                                small lang="en" { code { (rule) } @if !source.is_empty() { ": " (source) } }
                            }
                            td.n { (reader.lang.count(n)) }
                        }
                    }
                }
            }
        },
    )
}

fn refused(reader: &Reader, why: &ExplainDecisionResponse) -> Markup {
    scroll(
        reader.say(["Refused actions", "Stoppade åtgärder", "Geweigerde acties"]),
        &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Action", "Åtgärd", "Actie"])) }
                    th scope="col" { (reader.say(["Rule", "Regel", "Regel"])) }
                } }
                tbody {
                    @for one in &why.refused {
                        tr { th scope="row" { (actions::words(reader.lang, &one.action_id)) } td { code { (one.rule) } } }
                    }
                }
            }
        },
    )
}
