//! `/`: what decides now, what it has learnt, what it was kept from doing.

use super::Reader;
use super::shell::{Place, Tone, card, facts, page};
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
            },
        }
        ul.cards {
            (card(Tone::Quiet, reader.say(["Customers known", "Kända kunder", "Bekende klanten"]), &lang.count(now.customers), ""))
            (card(Tone::Quiet, reader.say(["Decisions since the start", "Beslut sedan starten", "Beslissingen sinds de start"]), &lang.count(now.decisions), ""))
            (card(Tone::Quiet, reader.say(["Outcomes awaited", "Utfall som väntas", "Uitkomsten verwacht"]), &lang.count(now.pending), ""))
            (card(
                if lag_hours > 24.0 { Tone::Warn } else { Tone::Good },
                reader.say(["Learning is behind by", "Inlärningen ligger efter", "Leren loopt achter"]),
                &format!("{} h", lang.number(lag_hours, 1)),
                &format!("{} {}", reader.say(["generation", "generation", "generatie"]), lang.count(now.generation)),
            ))
        }
        h2 { (reader.say(["In force", "Gäller nu", "Van kracht"])) }
        (facts(&[
            (reader.say(["Time", "Tid", "Tijd"]), html! { (now.now) }),
            (reader.say(["Model", "Modell", "Model"]), html! {
                @match &now.model {
                    Some(id) => a href=(reader.link(&format!("/models/{id}"))) { code { (id) } },
                    None => (reader.say(["none yet", "ingen ännu", "nog geen"])),
                }
            }),
            (reader.say(["Actions to choose from", "Åtgärder att välja bland", "Acties om uit te kiezen"]), html! { (lang.count(now.actions as u64)) }),
            (reader.say(["Guardrail pack", "Skyddsregler", "Vangrails"]), html! { code { (now.guardrails) } }),
        ]))
        @if !now.by_policy.is_empty() {
            h2 { (reader.say(["Who decided", "Vem beslutade", "Wie besliste"])) }
            (counted(reader, reader.say(["Policy", "Policy", "Beleid"]), &now.by_policy))
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
        p { a href="/metrics" { (reader.say(["Metrics for Prometheus", "Mätvärden för Prometheus", "Meetwaarden voor Prometheus"])) } }
    };
    page(reader, Place::Overview, title, &body)
}

fn counted(reader: &Reader, name: &str, rows: &[(String, u64)]) -> Markup {
    let total: u64 = rows.iter().map(|(_, count)| count).sum();
    html! {
        table {
            thead { tr {
                th scope="col" { (name) }
                th.n scope="col" { (reader.say(["Times", "Gånger", "Keer"])) }
                th scope="col" { (reader.say(["Share", "Andel", "Aandeel"])) }
            } }
            tbody {
                @for (what, count) in rows {
                    @let share = if total == 0 { 0.0 } else { *count as f64 / total as f64 };
                    tr {
                        th scope="row" { code { (what) } }
                        td.n { (reader.lang.count(*count)) }
                        td { (super::chart::share(share, &reader.lang.percent(share, 1), super::chart::Hue::First)) }
                    }
                }
            }
        }
    }
}
