//! `/models/{id}`: a model version for its reviewers. The same numbers as `card.json`.

mod scrutiny;

use super::chart::{Hue, Plot, Span, whisker};
use super::shell::{Place, Tone, facts, page, scroll};
use super::{Lang, Reader};
use lagom_model::artefact::HeldOut;
use lagom_model::card::{Card, Gate, Part};
use lagom_model::early::EarlyFigures;
use lagom_model::hazard::AtDay;
use maud::{Markup, html};

/// Terms of a model that are listed before the rest is folded away.
const LISTED: usize = 12;
/// Largest gap in a tenth that is still called calibrated.
const CALIBRATED: f64 = 0.02;

/// The page of a card.
#[must_use]
pub fn render(reader: &Reader, card: &Card) -> Markup {
    let lang = reader.lang;
    let title = reader.say(["Model card", "Modellkort", "Modelkaart"]);
    let lineage = &card.lineage;
    let code = |text: &str| html! { code { (text) } };
    let body = html! {
        h1 { (title) }
        p.soft { code { (card.model_id) } }
        (facts(&[
            (reader.say(["Trained on what was recorded before", "Tränad på det som registrerats före", "Getraind op wat was vastgelegd vóór"]), html! { (lang.instant(&lineage.as_of.to_string())) }),
            (reader.say(["Features", "Egenskaper", "Kenmerken"]), html! { (lang.count(card.columns as u64)) ", " (code(&card.feature_fingerprint)) }),
            (reader.say(["Digest of the data", "Datans kontrollsumma", "Controlegetal van de data"]), code(&lineage.data_digest)),
            (reader.say(["Configuration, seed", "Konfiguration, frö", "Configuratie, seed"]), html! { (code(&lineage.config_digest)) ", " (lineage.seed) }),
            (reader.say(["Version of lagom", "Version av lagom", "Versie van lagom"]), html! { (lineage.code_version) }),
            (reader.say(["Before it", "Föregångare", "Voorganger"]), html! {
                @match &lineage.parent {
                    Some(id) => a href=(reader.link(&format!("/models/{id}"))) { (code(id)) },
                    None => "–",
                }
            }),
        ]))
        h2 { (reader.say(["How good it is on later decisions", "Hur bra den är på senare beslut", "Hoe goed het is op latere beslissingen"])) }
        p.note { (reader.say([
            "Judged is a twin that was fitted on earlier decisions only. AUC: how often it ranks one who pays above one who does not (0.5 is chance, 1 is always). Log-loss and Brier: how far its probabilities were off, lower is better. ECE: how far what it said was from what was seen, on average.",
            "Det som bedöms är en tvilling som bara anpassats till tidigare beslut. AUC: hur ofta den rankar en som betalar över en som inte gör det (0,5 är slump, 1 är alltid). Log-loss och Brier: hur fel sannolikheterna var, lägre är bättre. ECE: hur långt det den sade låg från det som sågs, i snitt.",
            "Beoordeeld wordt een tweeling die alleen op eerdere beslissingen is gefit. AUC: hoe vaak zij een betaler boven een niet-betaler zet (0,5 is toeval, 1 is altijd). Log-loss en Brier: hoe ver de kansen ernaast zaten, lager is beter. ECE: hoe ver wat zij zei gemiddeld lag van wat werd gezien.",
        ])) }
        (judged(reader, &card.parts))
        @if !card.time_to_payment.is_empty() {
            h2 { (reader.say(["Paid by day 7, 14, 30, 60: said and seen", "Betalt dag 7, 14, 30, 60: sagt och sett", "Betaald op dag 7, 14, 30, 60: gezegd en gezien"])) }
            div.pair { @for at in &card.time_to_payment { div { (calibration(reader, at)) } } }
        }
        @if !card.early.is_empty() {
            h2 { (reader.say(["Early risk of new customers, and what else could have told", "Tidig risk för nya kunder, och vad som annars kunde ha sagt det", "Vroeg risico van nieuwe klanten, en wat het anders had kunnen zeggen"])) }
            (early(reader, &card.early))
        }
        @for part in &card.parts { (scrutiny::scrutiny(reader, part)) }
        @for part in &card.parts { (strengths(reader, part)) }
        @if let Some(found) = &card.gate {
            h2 { (reader.say(["The gate", "Grinden", "De poort"])) }
            (gate(reader, found))
        }
        @if !card.compared.is_empty() {
            h2 { (reader.say(["Beside the version before it", "Jämfört med föregångaren", "Naast de voorganger"])) }
            (compared(reader, card))
        }
        h2 { (reader.say(["Limits", "Begränsningar", "Beperkingen"])) }
        ul lang="en" { @for one in &card.limits { li { (one) } } }
        h2 { (reader.say(["Leaks that are ruled out", "Läckor som är uteslutna", "Lekken die zijn uitgesloten"])) }
        ul lang="en" { @for one in &card.leaks_ruled_out { li { (one) } } }
    };
    page(reader, Place::Models, title, &body)
}

fn figure(lang: Lang, value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| lang.number(value, 4))
}

fn early(reader: &Reader, all: &[EarlyFigures]) -> Markup {
    let lang = reader.lang;
    let rows = all.iter().flat_map(|one| {
        let by = [
            (
                reader.say(["early risk", "tidig risk", "vroeg risico"]),
                Some(one.early),
            ),
            (
                reader.say([
                    "rate of the segment",
                    "segmentets andel",
                    "aandeel van het segment",
                ]),
                Some(one.segment_rate),
            ),
            (
                reader.say(["curve of payment", "betalningskurvan", "betaalcurve"]),
                one.curve,
            ),
        ];
        by.into_iter()
            .filter_map(|(by, metrics)| Some((one.on.as_str(), by, metrics?)))
    });
    scroll(
        reader.say(["Early risk", "Tidig risk", "Vroeg risico"]),
        &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Decisions", "Beslut", "Beslissingen"])) }
                    th scope="col" { (reader.say(["Told by", "Sagt av", "Gezegd door"])) }
                    th.n scope="col" { (reader.say(["Rows", "Rader", "Rijen"])) }
                    th.n scope="col" { (reader.say(["Share", "Andel", "Aandeel"])) }
                    th.n scope="col" { "AUC" }
                    th.n scope="col" { "log-loss" }
                    th.n scope="col" { "ECE" }
                } }
                tbody { @for (on, by, metrics) in rows { tr {
                    th scope="row" lang="en" { (on) }
                    td { (by) }
                    td.n { (lang.count(metrics.rows as u64)) }
                    td.n { (lang.percent(metrics.base_rate, 1)) }
                    td.n { (figure(lang, metrics.auc)) }
                    td.n { (figure(lang, Some(metrics.log_loss))) }
                    td.n { (figure(lang, Some(metrics.ece))) }
                } } }
            }
        },
    )
}

fn judged(reader: &Reader, parts: &[Part]) -> Markup {
    let lang = reader.lang;
    let not = reader.say(["not judged", "inte bedömd", "niet beoordeeld"]);
    let metrics = |held: &HeldOut| held.metrics;
    scroll(
        reader.say(["Figures", "Siffror", "Cijfers"]),
        &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Probability of", "Sannolikhet för", "Kans op"])) }
                    th.n scope="col" { (reader.say(["Rows", "Rader", "Rijen"])) }
                    th.n scope="col" { (reader.say(["Share", "Andel", "Aandeel"])) }
                    th.n scope="col" { "AUC" }
                    th.n scope="col" { "log-loss" }
                    th.n scope="col" { "Brier" }
                    th.n scope="col" { "ECE" }
                } }
                tbody {
                    @for part in parts.iter().filter(|part| part.base_rate.is_some() || part.held_out.is_some()) {
                        tr {
                            th scope="row" { (part.target) }
                            td.n { (lang.count(part.rows as u64)) }
                            td.n { (part.base_rate.map_or_else(|| "–".to_owned(), |rate| lang.percent(rate, 1))) }
                            @match part.held_out.as_ref().map(metrics) {
                                Some(m) => {
                                    td.n { (figure(lang, m.auc)) }
                                    td.n { (figure(lang, Some(m.log_loss))) }
                                    td.n { (figure(lang, Some(m.brier))) }
                                    td.n { (figure(lang, Some(m.ece))) }
                                },
                                None => td colspan="4" { (not) },
                            }
                        }
                    }
                }
            }
        },
    )
}

fn calibration(reader: &Reader, at: &AtDay) -> Markup {
    let lang = reader.lang;
    let (said, seen) = (
        reader.say(["said", "sagt", "gezegd"]),
        reader.say(["seen", "sett", "gezien"]),
    );
    let day = format!("{} {}", reader.say(["By day", "Dag", "Op dag"]), at.days);
    let numbers = at.bins.iter().map(|bin| {
        let percent = |share| lang.percent(share, 1);
        format!("{} {}", percent(bin.mean_predicted), percent(bin.observed))
    });
    let words = format!("{said}, {seen}: {}", numbers.collect::<Vec<_>>().join("; "));
    let unit = Span::of([0.0, 1.0]);
    let dots = at.bins.iter().map(|bin| (bin.mean_predicted, bin.observed));
    let errors = at
        .bins
        .iter()
        .map(|bin| (bin.mean_predicted, bin.low, bin.high));
    let good = at.worst_decile <= CALIBRATED;
    html! {
        h3 { (day) }
        p {
            @if good { "✓ " } @else { "⚠ " }
            (reader.say(["Worst tenth off by", "Sämsta tiondelen fel med", "Slechtste tiende zit ernaast met"])) " "
            (lang.percent(at.worst_decile, 1)) "; ECE " (figure(lang, Some(at.metrics.ece))) "; "
            (lang.count(at.metrics.rows as u64)) " " (reader.say(["decisions", "beslut", "beslissingen"])) ", "
            (lang.percent(at.metrics.base_rate, 1)) " " (reader.say(["paid", "betalda", "betaald"])) "."
        }
        (Plot::new(&day, &words)
            .x(said, unit, |value, _| lang.percent(value, 0))
            .y(unit, |value, _| lang.percent(value, 0))
            .line(reader.say(["as it should be", "som det ska vara", "zoals het hoort"]), vec![(0.0, 0.0), (1.0, 1.0)], Hue::Quiet)
            .whiskers(errors.collect(), Hue::First)
            .dots(seen, dots.collect(), Hue::First)
            .draw())
    }
}

fn strengths(reader: &Reader, part: &Part) -> Markup {
    let scale = Span::of(
        part.strengths
            .iter()
            .flat_map(|one| [one.low, one.high, 0.0]),
    );
    let rows = |from: usize, until: usize| {
        let shown = part.strengths.iter().take(until).skip(from);
        scroll(
            &part.target,
            &html! {
                table {
                    thead { tr {
                        th scope="col" { (reader.say(["Feature", "Egenskap", "Kenmerk"])) }
                        th scope="col" { (reader.say(["Form", "Form", "Vorm"])) }
                        th.n scope="col" { (reader.say(["Lowest", "Lägst", "Laagst"])) }
                        th.n scope="col" { (reader.say(["Highest", "Högst", "Hoogst"])) }
                        th scope="col" { (reader.say(["Log-odds added", "Tillagda log-odds", "Toegevoegde log-odds"])) }
                    } }
                    tbody {
                        @for one in shown {
                            tr {
                                th scope="row" { code { (one.feature) } }
                                td { (one.form) }
                                td.n { (reader.lang.signed(one.low, 2)) }
                                td.n { (reader.lang.signed(one.high, 2)) }
                                td { (whisker(scale, one.low, f64::midpoint(one.low, one.high), one.high, Tone::Quiet)) }
                            }
                        }
                    }
                }
            },
        )
    };
    let count = part.strengths.len();
    html! {
        h2 { (reader.say(["What moves", "Vad som påverkar", "Wat beweegt"])) " “" (part.target) "”" }
        (rows(0, LISTED))
        @if count > LISTED {
            details {
                summary { (reader.lang.count((count - LISTED) as u64)) " " (reader.say(["more", "till", "meer"])) }
                (rows(LISTED, count))
            }
        }
    }
}

/// What the gate said, question by question.
fn gate(reader: &Reader, gate: &Gate) -> Markup {
    let lang = reader.lang;
    let said = if gate.passed {
        reader.say([
            "✓ It may take over",
            "✓ Den får ta över",
            "✓ Het mag overnemen",
        ])
    } else {
        reader.say([
            "✗ It may not take over",
            "✗ Den får inte ta över",
            "✗ Het mag niet overnemen",
        ])
    };
    html! {
        p {
            strong { (said) } "; "
            (reader.say(["valued against", "värderad mot", "gewaardeerd tegen"])) " " code { (gate.against) } ", "
            (lang.count(gate.lives as u64)) " " (reader.say([
                "lives of invoices from", "fakturors liv från", "levens van facturen vanaf",
            ])) " " (lang.day(&gate.from.to_string())) "."
        }
        (scrutiny::questions(
            reader,
            reader.say(["Questions", "Frågor", "Vragen"]),
            gate.checks.iter().map(|one| (&*one.name, one.passed, &*one.words)),
        ))
    }
}

fn compared(reader: &Reader, card: &Card) -> Markup {
    let lang = reader.lang;
    scroll(
        reader.say(["Comparison", "Jämförelse", "Vergelijking"]),
        &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Figure", "Siffra", "Cijfer"])) }
                    th.n scope="col" { (reader.say(["Before", "Före", "Voorheen"])) }
                    th.n scope="col" { (reader.say(["Now", "Nu", "Nu"])) }
                } }
                tbody {
                    @for one in &card.compared {
                        tr {
                            th scope="row" { (one.figure) }
                            td.n { (figure(lang, one.before)) }
                            td.n { (figure(lang, one.now)) }
                        }
                    }
                }
            }
        },
    )
}
