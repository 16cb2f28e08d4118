//! `/experiments`: what is being tried out, and on whom.

use super::Reader;
use super::shell::{Place, page, scroll};
use crate::experiment::ExperimentSpec;
use maud::{Markup, html};

/// The page.
#[must_use]
pub fn render(reader: &Reader, experiments: &[ExperimentSpec]) -> Markup {
    let lang = reader.lang;
    let title = reader.say(["Experiments", "Experiment", "Experimenten"]);
    let body = html! {
        h1 { (title) }
        p.soft { (reader.say([
            "Is it really better? Customers are drawn into groups that are treated differently; the review compares them.",
            "Är det verkligen bättre? Kunder lottas till grupper som behandlas olika; granskningen jämför dem.",
            "Is het echt beter? Klanten worden in groepen geloot die verschillend worden behandeld; de beoordeling vergelijkt ze.",
        ])) }
        @if experiments.is_empty() {
            p { (reader.say(["None is configured:", "Inget är konfigurerat:", "Er is er geen ingesteld:"])) " " code { "[[experiments]]" } }
        } @else {
            (scroll(title, &html! {
                table.stack {
                    thead { tr {
                        th scope="col" { (reader.say(["Experiment", "Experiment", "Experiment"])) }
                        th.n scope="col" { (reader.say(["Customers taking part", "Kunder som deltar", "Deelnemende klanten"])) }
                        th scope="col" { (reader.say(["Groups", "Grupper", "Groepen"])) }
                    } }
                    tbody {
                        @for spec in experiments {
                            tr {
                                th scope="row" { a href=(reader.link(&address(&spec.name))) { (spec.name) } }
                                td.n data-label=(reader.say(["Customers taking part", "Kunder som deltar", "Deelnemende klanten"])) { (lang.percent(spec.share, 0)) }
                                td data-label=(reader.say(["Groups", "Grupper", "Groepen"])) {
                                    @for (place, arm) in spec.arms.iter().enumerate() {
                                        @if place > 0 { "; " }
                                        (arm.name) " " (lang.percent(arm.share, 0)) " (" (arm.policy.name())
                                        @if let Some(file) = &arm.strategy { ", " (file) }
                                        ")"
                                    }
                                }
                            }
                        }
                    }
                }
            }))
        }
    };
    page(reader, Place::Experiments, title, &body)
}

/// Where an experiment's review is, its name written as an address can hold it.
#[must_use]
pub fn address(name: &str) -> String {
    let mut path = "/experiments/".to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

/// A page that says why there is none.
#[must_use]
pub fn refusal(reader: &Reader, why: &str) -> Markup {
    let title = reader.say([
        "This cannot be shown",
        "Detta kan inte visas",
        "Dit kan niet worden getoond",
    ]);
    let body = html! { h1 { (title) } p { (why) } p { a href=(reader.link("/")) { (reader.say(["Overview", "Översikt", "Overzicht"])) } } };
    page(reader, Place::Elsewhere, title, &body)
}
