//! `/`: what decides now, what it has learnt, what it was kept from doing.

use super::shell::{Place, Tone, card, facts, page, scroll};
use super::{Reader, rules};
use maud::{Markup, html};

/// What the overview shows.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// The time by the server's clock.
    pub now: String,
    /// Name of the policy that decides.
    pub policy: String,
    /// Whether it is paused, and why.
    pub paused: Option<String>,
    /// Number of the generation.
    pub generation: u64,
    /// The model in force.
    pub model: Option<String>,
    /// The guardrail pack.
    pub guardrails: String,
    /// Actions of the catalogue.
    pub actions: usize,
    /// Customers known.
    pub customers: u64,
    /// Decisions since the start of the process.
    pub decisions: u64,
    /// Of those, by which policy.
    pub by_policy: Vec<(String, u64)>,
    /// Decisions whose outcome is awaited.
    pub pending: u64,
    /// Seconds by which learning is behind.
    pub lag_seconds: f64,
    /// Refusals by rule since the start, most frequent first.
    pub blocked: Vec<(String, u64)>,
    /// Share of the customers who are left to the ladder for good.
    pub holdout: f64,
    /// Experiments: name, and arms with their shares.
    pub experiments: Vec<(String, Vec<(String, f64)>)>,
}

/// The page.
#[must_use]
pub fn render(reader: &Reader, now: &Overview) -> Markup {
    let lang = reader.lang;
    let title = reader.say(["What lagom is doing", "Vad lagom gör", "Wat lagom doet"]);
    let lag_hours = now.lag_seconds / 3_600.0;
    let body = html! {
        h1 { (title) }
        p.soft {
            (reader.say([
                "Not too little, not too much: the next best step for an unpaid invoice.",
                "Inte för lite, inte för mycket: nästa bästa steg för en obetald faktura.",
                "Niet te weinig, niet te veel: de beste volgende stap voor een onbetaalde factuur.",
            ]))
        }
        @match &now.paused {
            Some(reason) => div.banner.warn {
                p.verdict { "⚠ " (reader.say(["Paused: the rules ladder decides", "Pausad: regelstegen beslutar", "Gepauzeerd: de regelladder beslist"])) }
                @if !reason.is_empty() { p { (reason) } }
            },
            None => div.banner.good {
                p.verdict { "✓ " (reader.say(["Deciding", "Beslutar", "Beslist"])) ": " (now.policy) }
                p { (deciding(reader, &now.policy)) }
            },
        }
        ul.cards {
            (card(Tone::Quiet, reader.say(["Customers known", "Kända kunder", "Bekende klanten"]), &lang.count(now.customers), ""))
            (card(Tone::Quiet, reader.say(["Decisions since the start", "Beslut sedan starten", "Beslissingen sinds de start"]), &lang.count(now.decisions), ""))
            (card(Tone::Quiet, reader.say(["Outcomes awaited", "Utfall som väntas", "Uitkomsten verwacht"]), &lang.count(now.pending), ""))
            (card(
                if lag_hours > 24.0 { Tone::Warn } else { Tone::Good },
                reader.say(["Learning from outcomes", "Inlärning av utfall", "Leren van uitkomsten"]),
                &if lag_hours < 1.0 {
                    reader.say(["up to date", "aktuell", "bij"]).to_owned()
                } else {
                    format!("{} h {}", lang.number(lag_hours, 1), reader.say(["behind", "efter", "achter"]))
                },
                &reader.say(["{} times so far", "{} gånger hittills", "{} keer tot nu"]).replace("{}", &lang.count(now.generation)),
            ))
            @if now.holdout > 0.0 {
                (card(Tone::Good, reader.say(["Left to the rules, as a yardstick", "Lämnade åt reglerna, som måttstock", "Bij de regels gelaten, als maatstaf"]), &lang.percent(now.holdout, 0), reader.say(["of the customers, by lot", "av kunderna, lottade", "van de klanten, geloot"])))
            } @else {
                (card(Tone::Warn, reader.say(["Left to the rules, as a yardstick", "Lämnade åt reglerna, som måttstock", "Bij de regels gelaten, als maatstaf"]), reader.say(["nobody", "ingen", "niemand"]), reader.say(["so nobody can say what lagom causes", "så ingen kan säga vad lagom orsakar", "dus niemand kan zeggen wat lagom veroorzaakt"])))
            }
        }
        @if now.holdout > 0.0 {
            p { a href=(reader.link("/ledger")) { (reader.say(["What lagom has caused so far", "Vad lagom har orsakat hittills", "Wat lagom tot nu veroorzaakte"])) } }
        }
        h2 { (reader.say(["Experiments", "Experiment", "Experimenten"])) }
        @if now.experiments.is_empty() {
            p { (reader.say(["None is configured.", "Inget är konfigurerat.", "Er is er geen ingesteld."])) }
        } @else {
            ul {
                @for (name, arms) in &now.experiments {
                    li {
                        a href=(reader.link(&super::experiments::address(name))) { (name) } ": "
                        @for (place, (arm, share)) in arms.iter().enumerate() {
                            @if place > 0 { ", " }
                            (arm) " " (lang.percent(*share, 0))
                        }
                    }
                }
            }
        }
        h2 { (reader.say(["What guardrails refused", "Vad skyddsreglerna stoppade", "Wat de vangrails tegenhielden"])) }
        @if now.blocked.is_empty() {
            p { (reader.say(["Nothing since the start.", "Ingenting sedan starten.", "Niets sinds de start."])) }
        } @else {
            p.note { (reader.say([
                "Actions taken off the table before scoring, by rule, since the start of this process.",
                "Åtgärder som togs bort före bedömningen, per regel, sedan processen startade.",
                "Acties die vóór het scoren zijn weggenomen, per regel, sinds dit proces startte.",
            ])) }
            (counted(reader, reader.say(["Rule", "Regel", "Regel"]), &now.blocked))
        }
        @if !now.by_policy.is_empty() {
            h2 { (reader.say(["Who decided", "Vem beslutade", "Wie besliste"])) }
            (counted(reader, reader.say(["Policy", "Policy", "Beleid"]), &now.by_policy))
        }
        h2 { (reader.say(["In force", "Gäller nu", "Van kracht"])) }
        (facts(&[
            (reader.say(["Time", "Tid", "Tijd"]), html! { (lang.instant(&now.now)) }),
            (reader.say(["Model", "Modell", "Model"]), html! {
                @match &now.model {
                    Some(id) => a href=(reader.link(&format!("/models/{id}"))) { code { (id) } },
                    None => (reader.say(["none yet", "ingen ännu", "nog geen"])),
                }
            }),
            (reader.say(["Actions to choose from", "Åtgärder att välja bland", "Acties om uit te kiezen"]), html! { (lang.count(now.actions as u64)) }),
            (reader.say(["Guardrail pack", "Skyddsregler", "Vangrails"]), html! { code { (now.guardrails) } }),
        ]))
        p { a href="/metrics" { (reader.say(["Metrics for Prometheus", "Mätvärden för Prometheus", "Meetwaarden voor Prometheus"])) } }
    };
    page(reader, Place::Overview, title, &body)
}

/// What it means that this policy decides.
fn deciding<'a>(reader: &Reader, policy: &'a str) -> &'a str {
    reader.lang.say(match policy {
        "bandit" => [
            "A policy that learns from outcomes chooses among the steps that the rules allow.",
            "En policy som lär sig av utfall väljer bland de steg som reglerna tillåter.",
            "Een beleid dat van uitkomsten leert kiest uit de stappen die de regels toestaan.",
        ],
        "ladder" => [
            "A fixed order of steps, as the company set it; nothing is learnt.",
            "En fast ordning av steg, som företaget bestämt; inget lärs in.",
            "Een vaste volgorde van stappen, zoals het bedrijf die bepaalde; er wordt niets geleerd.",
        ],
        "uniform" => [
            "Chance chooses among the steps that the rules allow, to learn what they do.",
            "Slumpen väljer bland de steg som reglerna tillåter, för att lära vad de gör.",
            "Toeval kiest uit de stappen die de regels toestaan, om te leren wat zij doen.",
        ],
        _ => return "",
    })
}

fn counted(reader: &Reader, name: &str, rows: &[(String, u64)]) -> Markup {
    let lang = reader.lang;
    let total: u64 = rows.iter().map(|(_, count)| count).sum();
    scroll(
        name,
        &html! {
            table {
                thead { tr {
                    th scope="col" { (name) }
                    th scope="col" { (reader.say(["Times, and share", "Gånger, och andel", "Keer, en aandeel"])) }
                } }
                tbody {
                    @for (what, count) in rows {
                        @let share = if total == 0 { 0.0 } else { *count as f64 / total as f64 };
                        tr {
                            th scope="row" {
                                @match rules::words(lang, what) {
                                    Some(words) => { (words) small { code { (what) } ": " (lang.count(*count)) } },
                                    None => { code { (what) } small { (lang.count(*count)) } },
                                }
                            }
                            td { (super::chart::share(share, &lang.percent(share, 1), super::chart::Hue::First)) }
                        }
                    }
                }
            }
        },
    )
}
