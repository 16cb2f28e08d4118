//! `/decisions/{id}`: why this step, for whoever has to answer the customer.

use super::Reader;
use super::chart::{Hue, share};
use super::shell::{Place, facts, page, scroll};
use lagom_proto::v1::ExplainDecisionResponse;
use maud::{Markup, html};

/// Refusals and features that are listed before the rest is folded away.
const LISTED: usize = 12;

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
    let chosen = |one: &str| one == action;
    let body = html! {
        h1 { (title) }
        div.banner { p.verdict { code { (action) } } p { (why.summary) } }
        @if let Some(one) = advised {
            (facts(&[
                (reader.say(["Decision", "Beslut", "Beslissing"]), html! { code { (one.decision_id) } }),
                (reader.say(["Customer, invoice", "Kund, faktura", "Klant, factuur"]), html! { code { (why.customer_id) } ", " code { (why.invoice_id) } }),
                (reader.say(["Chosen with probability", "Vald med sannolikhet", "Gekozen met kans"]), html! { (lang.percent(one.probability, 1)) }),
                (reader.say(["Who decided", "Vem beslutade", "Wie besliste"]), html! { (one.policy) ", " (reader.say(["generation", "generation", "generatie"])) " " (lang.count(one.policy_generation)) }),
                (reader.say(["Experiment, group", "Experiment, grupp", "Experiment, groep"]), html! { @if one.experiment.is_empty() { "–" } @else { a href=(reader.link(&super::experiments::address(&one.experiment))) { (one.experiment) } ", " (one.arm) } }),
                (reader.say(["Would pay anyway", "Betalar ändå", "Betaalt toch wel"]), html! { (known(one.payment_propensity)) }),
                (reader.say(["Risk of leaving", "Risk att lämna", "Kans op vertrek"]), html! { (known(one.churn_risk)) }),
                (reader.say(["Model", "Modell", "Model"]), html! { @if one.model_id.is_empty() { "–" } @else { code { (one.model_id) } } }),
            ]))
        }
        h2 { (reader.say(["What could have been chosen", "Vad som kunde ha valts", "Wat gekozen had kunnen worden"])) }
        (scroll(reader.say(["Possible actions", "Möjliga åtgärder", "Mogelijke acties"]), &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Action", "Åtgärd", "Actie"])) }
                    th scope="col" { (reader.say(["Probability", "Sannolikhet", "Kans"])) }
                } }
                tbody {
                    @for one in &why.eligible {
                        tr {
                            th scope="row" { code { (one.action_id) } @if chosen(&one.action_id) { small { "▲ " (reader.say(["chosen", "vald", "gekozen"])) } } }
                            td { (share(one.probability, &lang.percent(one.probability, 1), if chosen(&one.action_id) { Hue::First } else { Hue::Second })) }
                        }
                    }
                }
            }
        }))
        h2 { (reader.say(["What rules forbade", "Vad regler förbjöd", "Wat regels verboden"])) }
        @if why.refused.is_empty() { p { (reader.say(["Nothing.", "Ingenting.", "Niets."])) } }
        @else {
            (refused(reader, why, 0, LISTED))
            @if why.refused.len() > LISTED {
                details {
                    summary { (lang.count((why.refused.len() - LISTED) as u64)) " " (reader.say(["more", "till", "meer"])) }
                    (refused(reader, why, LISTED, usize::MAX))
                }
            }
        }
        h2 { (reader.say(["What would have changed it", "Vad som hade ändrat det", "Wat het veranderd zou hebben"])) }
        ul { @for one in &why.would_have_changed { li { (one) } } }
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

fn refused(reader: &Reader, why: &ExplainDecisionResponse, skip: usize, take: usize) -> Markup {
    let more = if skip > 0 { " …" } else { "" };
    let label = format!(
        "{}{more}",
        reader.say(["Refused actions", "Stoppade åtgärder", "Geweigerde acties"])
    );
    scroll(
        &label,
        &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Action", "Åtgärd", "Actie"])) }
                    th scope="col" { (reader.say(["Rule", "Regel", "Regel"])) }
                    th scope="col" { (reader.say(["Source", "Källa", "Bron"])) }
                } }
                tbody {
                    @for one in why.refused.iter().skip(skip).take(take) {
                        tr { th scope="row" { code { (one.action_id) } } td { code { (one.rule) } } td { (one.legal_source) } }
                    }
                }
            }
        },
    )
}
