//! How a model holds over time and in every part of the customers, and which leaks were looked for.

use super::super::Reader;
use super::super::shell::scroll;
use super::figure;
use lagom_model::artefact::scrutiny::{Scrutiny, Segment};
use lagom_model::card::Part;
use lagom_model::metrics::Metrics;
use maud::{Markup, html};

/// Features listed.
const MOST: usize = 15;

/// What there is of it.
pub(super) fn scrutiny(reader: &Reader, part: &Part) -> Markup {
    let all = &part.scrutiny;
    html! {
        @if !all.is_empty() {
            h2 { (reader.say(["Does it hold:", "Håller den:", "Houdt het stand:"])) " “" (part.target) "”" }
            @if !all.folds.is_empty() { (folds(reader, all)) }
            @if !all.stability.is_empty() { (stability(reader, all)) }
            @if !all.segments.is_empty() { (segments(reader, &all.segments)) }
            @if !all.leaks.is_empty() { (leaks(reader, all)) }
        }
    }
}

fn folds(reader: &Reader, all: &Scrutiny) -> Markup {
    let lang = reader.lang;
    let over = |of: fn(&Metrics) -> Option<f64>| {
        all.over_folds(of).map_or_else(
            || "–".to_owned(),
            |one| {
                let number = |value| lang.number(value, 4);
                format!(
                    "{} [{}; {}]",
                    number(one.mean),
                    number(one.low),
                    number(one.high)
                )
            },
        )
    };
    let title = reader.say(["Over time", "Över tid", "Door de tijd"]);
    html! {
        h3 { (title) }
        p.note { (reader.say([
            "Fitted with the same settings on what was known before each fold, judged on it, without a calibration map; the mean with its 95% interval.",
            "Anpassad med samma inställningar till det som var känt före varje del, bedömd på den, utan kalibrering; medelvärdet med 95 % intervall.",
            "Gefit met dezelfde instellingen op wat vóór elk deel bekend was, beoordeeld op dat deel, zonder kalibratie; het gemiddelde met 95%-interval.",
        ])) }
        (scroll(title, &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Issued from", "Utställda från", "Uitgegeven vanaf"])) }
                    th.n scope="col" { (reader.say(["Rows", "Rader", "Rijen"])) }
                    th.n scope="col" { "AUC" }
                    th.n scope="col" { "log-loss" }
                    th.n scope="col" { "ECE" }
                } }
                tbody {
                    @for fold in &all.folds {
                        tr {
                            th scope="row" { (lang.day(&fold.judged_from.to_string())) }
                            td.n { (lang.count(fold.metrics.rows as u64)) }
                            td.n { (figure(lang, fold.metrics.auc)) }
                            td.n { (figure(lang, Some(fold.metrics.log_loss))) }
                            td.n { (figure(lang, Some(fold.metrics.ece))) }
                        }
                    }
                    tr {
                        th scope="row" { (reader.say(["Mean", "Medel", "Gemiddelde"])) }
                        td.n {}
                        td.n { (over(|m| m.auc)) }
                        td.n { (over(|m| Some(m.log_loss))) }
                        td.n { (over(|m| Some(m.ece))) }
                    }
                }
            }
        }))
    }
}

fn stability(reader: &Reader, all: &Scrutiny) -> Markup {
    let lang = reader.lang;
    let title = reader.say([
        "Features over time",
        "Egenskaper över tid",
        "Kenmerken door de tijd",
    ]);
    let absent = reader.say(["not in every fold", "inte i varje del", "niet in elk deel"]);
    html! {
        h3 { (title) }
        p.note { (reader.say([
            "Strength: standard deviation of what a feature adds to the log-odds. Agreement: lowest correlation with what it adds in a fold’s model.",
            "Styrka: standardavvikelsen av vad egenskapen lägger till log-odds. Överensstämmelse: lägsta korrelation med vad den lägger till i en dels modell.",
            "Sterkte: standaardafwijking van wat een kenmerk toevoegt aan de log-odds. Overeenstemming: laagste correlatie met wat het toevoegt in het model van een deel.",
        ])) }
        (scroll(title, &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Feature", "Egenskap", "Kenmerk"])) }
                    th.n scope="col" { (reader.say(["Strength", "Styrka", "Sterkte"])) }
                    th.n scope="col" { (reader.say(["Over the folds", "Över delarna", "Over de delen"])) }
                    th.n scope="col" { (reader.say(["Agreement", "Överensstämmelse", "Overeenstemming"])) }
                } }
                tbody {
                    @for one in all.stability.iter().take(MOST) {
                        tr {
                            th scope="row" { code { (one.feature) } }
                            td.n { (lang.number(one.strength, 3)) }
                            td.n { (lang.number(one.low, 3)) "–" (lang.number(one.high, 3)) }
                            td.n { (one.agreement.map_or_else(|| absent.to_owned(), |it| lang.number(it, 2))) }
                        }
                    }
                }
            }
        }))
    }
}

fn segments(reader: &Reader, all: &[Segment]) -> Markup {
    let lang = reader.lang;
    let title = reader.say(["By segment", "Per segment", "Per segment"]);
    html! {
        h3 { (title) }
        (scroll(title, &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Segment", "Segment", "Segment"])) }
                    th.n scope="col" { (reader.say(["Rows", "Rader", "Rijen"])) }
                    th.n scope="col" { (reader.say(["Said", "Sagt", "Gezegd"])) }
                    th.n scope="col" { (reader.say(["Seen", "Sett", "Gezien"])) }
                    th.n scope="col" { "AUC" }
                    th.n scope="col" { "ECE" }
                } }
                tbody {
                    @for one in all {
                        tr {
                            th scope="row" lang="en" { (one.segment) }
                            td.n { (lang.count(one.metrics.rows as u64)) }
                            td.n { (lang.percent(one.mean_predicted, 1)) }
                            td.n { (lang.percent(one.metrics.base_rate, 1)) }
                            td.n { (figure(lang, one.metrics.auc)) }
                            td.n { (figure(lang, Some(one.metrics.ece))) }
                        }
                    }
                }
            }
        }))
    }
}

fn leaks(reader: &Reader, all: &Scrutiny) -> Markup {
    let title = reader.say(["Leaks looked for", "Läckor som söktes", "Gezochte lekken"]);
    html! {
        h3 { (title) }
        (questions(
            reader,
            title,
            all.leaks.iter().map(|one| (&*one.name, one.passed, &*one.words)),
        ))
    }
}

/// What was asked, whether it holds, and what was found, in English as the documents have it.
pub(super) fn questions<'a>(
    reader: &Reader,
    title: &str,
    asked: impl Iterator<Item = (&'a str, bool, &'a str)>,
) -> Markup {
    scroll(
        title,
        &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Asked", "Fråga", "Gevraagd"])) }
                    th scope="col" { (reader.say(["Holds", "Håller", "Klopt"])) }
                    th scope="col" { (reader.say(["Found", "Funnet", "Gevonden"])) }
                } }
                tbody lang="en" {
                    @for (name, holds, words) in asked {
                        tr {
                            th scope="row" { (name) }
                            td { @if holds { "✓" } @else { "✗" } }
                            td { (words) }
                        }
                    }
                }
            }
        },
    )
}
