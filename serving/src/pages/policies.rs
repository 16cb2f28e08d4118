//! `/policies`: which versions there are, what they are worth off-policy, how far each has come, and
//! what one pays for what. The numbers are those that `lagom evaluate` left in the registry.

mod tradeoff;

use super::Reader;
use super::chart::{Span, whisker};
use super::shell::{Place, Tone, page, scroll};
use crate::rollout::{Beside, Standing};
use lagom_features::domain::Timestamp;
use lagom_model::ope::valuation::{Estimand, Figure, Judged, METRICS};
use lagom_model::rollout::guard::Watched;
use lagom_model::rollout::{Change, Pointers, Stage, Step};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Steps that are shown, the latest first.
const STEPS: usize = 20;

/// A version, and what was found of it.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its id.
    pub id: String,
    /// End of the data it was trained on.
    pub as_of: Timestamp,
    /// What off-policy evaluation found, last.
    pub judged: Option<Judged>,
}

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    /// Which versions are in force, and the steps that led there.
    pub pointers: Pointers,
    /// Every version, newest data first.
    pub versions: Vec<Version>,
    /// What is watched of a canary.
    pub standing: Standing,
}

/// The page.
#[must_use]
pub fn render(reader: &Reader, found: &Policies) -> Markup {
    let title = reader.say(["Policies", "Policyer", "Beleid"]);
    let body = html! {
        h1 { (title) }
        p.soft { (reader.say([
            "No version reaches a customer before the evidence says that it is better, and one that harms goes back by itself.",
            "Ingen version når en kund innan underlaget säger att den är bättre, och den som skadar går tillbaka av sig själv.",
            "Geen versie bereikt een klant voordat het bewijs zegt dat zij beter is, en een die schaadt gaat vanzelf terug.",
        ])) }
        (stands(reader, found))
        @if !found.standing.watched.is_empty() { (canary(reader, &found.standing)) }
        @if let Some(live) = &found.standing.live { (beside_holdout(reader, live)) }
        h2 { (reader.say(["Versions", "Versioner", "Versies"])) }
        @if found.versions.is_empty() {
            p { (reader.say(["None yet: lagom train makes one.", "Ingen ännu: lagom train gör en.", "Nog geen: lagom train maakt er een."])) }
        } @else {
            (versions(reader, found))
            @for version in &found.versions {
                @if let Some(judged) = &version.judged { (valued(reader, judged)) }
            }
        }
        @if !found.pointers.changes.is_empty() { (steps(reader, &found.pointers.changes)) }
    };
    page(reader, Place::Policies, title, &body)
}

/// The banner: what is on its way.
fn stands(reader: &Reader, found: &Policies) -> Markup {
    let lang = reader.lang;
    if let Some(harm) = &found.standing.harm {
        return html! {
            div.banner.bad {
                p.verdict { "✗ " (reader.say(["A canary did harm", "En kanariefågel skadade", "Een kanarie deed schade"])) }
                p lang="en" { (harm) }
            }
        };
    }
    match &found.pointers.candidate {
        None => html! {
            div.banner.good {
                p.verdict { "✓ " (reader.say(["No version is on its way", "Ingen version är på väg", "Er is geen versie onderweg"])) }
            }
        },
        Some(candidate) => html! {
            div.banner.warn {
                p.verdict {
                    "⚠ " (stage(reader, candidate.stage)) ": "
                    code { (candidate.id) }
                }
                @if candidate.stage == Stage::Shadow {
                    p { (reader.say([
                        "It decides beside the version in force, without effect; what it would have done is logged.",
                        "Den beslutar bredvid den gällande versionen, utan verkan; vad den skulle ha gjort loggas.",
                        "Zij beslist naast de geldende versie, zonder gevolg; wat zij gedaan zou hebben wordt gelogd.",
                    ])) }
                } @else {
                    p {
                        (reader.say(["It decides for", "Den beslutar för", "Zij beslist voor"])) " "
                        (lang.percent(candidate.stage.share(), 1)) " "
                        (reader.say([
                            "of the customers, always the same ones.",
                            "av kunderna, alltid samma.",
                            "van de klanten, altijd dezelfde.",
                        ]))
                    }
                }
            }
        },
    }
}

/// The beginning of an id, which `lagom promote` and its kin take for the whole.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn stage<'a>(reader: &Reader, stage: Stage) -> &'a str {
    match stage {
        Stage::Shadow => reader.lang.say(["In shadow", "I skuggan", "In de schaduw"]),
        Stage::Canary { .. } => reader.lang.say(["Canary", "Kanariefågel", "Kanarie"]),
    }
}

fn metric(reader: &Reader, name: &str) -> String {
    let words = match name {
        "value" => ["value", "värde", "waarde"],
        "collected" => ["collected", "indrivet", "geïnd"],
        "churned" | "churn" => ["customers lost", "förlorade kunder", "verloren klanten"],
        "complaints" => ["complaints", "klagomål", "klachten"],
        "support_contacts" => ["calls for support", "supportärenden", "supportcontacten"],
        "contacts" => ["contacts", "kontakter", "contacten"],
        "opt_outs" => ["opt-outs", "avregistreringar", "afmeldingen"],
        "collection_cases" => ["collection cases", "inkassoärenden", "incassozaken"],
        other => return other.to_owned(),
    };
    reader.say(words).to_owned()
}

fn canary(reader: &Reader, standing: &Standing) -> Markup {
    let lang = reader.lang;
    let [incumbent, canary] = standing.exposed;
    let label = reader.say([
        "Is the canary harmful?",
        "Skadar kanariefågeln?",
        "Is de kanarie schadelijk?",
    ]);
    html! {
        h2 { (label) }
        p.note {
            (reader.say(["Customers since it began", "Kunder sedan den började", "Klanten sinds het begin"])) ": "
            (lang.count(canary)) " " (reader.say(["in the canary", "hos kanariefågeln", "bij de kanarie"])) ", "
            (lang.count(incumbent)) " " (reader.say(["beside it.", "bredvid.", "ernaast."])) " "
            (at_any_time(reader))
        }
        (watched(
            reader,
            label,
            [["In force", "Gällande", "Geldend"], ["Canary", "Kanariefågel", "Kanarie"]],
            &standing.watched,
        ))
    }
}

/// The version that decides for all, beside those for whom the ladder decides for good.
fn beside_holdout(reader: &Reader, live: &Beside) -> Markup {
    let lang = reader.lang;
    let [held_out, decided] = live.exposed;
    let label = reader.say([
        "Is the live version harmful?",
        "Skadar den gällande versionen?",
        "Is de geldende versie schadelijk?",
    ]);
    html! {
        h2 { (label) }
        p.note {
            code { (short(&live.model)) } ": "
            (lang.count(decided)) " " (reader.say(["customers,", "kunder,", "klanten,"])) " "
            (lang.count(held_out)) " "
            (reader.say([
                "in the holdout, for whom the ladder decides.",
                "i kontrollgruppen, för vilka trappan beslutar.",
                "in de controlegroep, voor wie de ladder beslist.",
            ]))
            " " (at_any_time(reader))
        }
        @if !live.split_holds {
            p.note { "⚠ " (reader.say([
                "The customers are not split by the holdout's share, so that harm proves nothing here.",
                "Kunderna är inte fördelade enligt kontrollgruppens andel, så att skada inget bevisar här.",
                "De klanten zijn niet verdeeld volgens het aandeel van de controlegroep; schade bewijst hier niets.",
            ])) }
        }
        @if let Some(harm) = &live.harm { p lang="en" { "✗ " (harm) } }
        (watched(
            reader,
            label,
            [["Holdout", "Kontrollgrupp", "Controlegroep"], ["Live", "Gällande", "Geldend"]],
            &live.watched,
        ))
    }
}

fn at_any_time(reader: &Reader) -> &str {
    reader.say([
        "It may be looked at at any time: p is valid at every look.",
        "Det får tittas på när som helst: p gäller vid varje titt.",
        "Er mag altijd gekeken worden: p geldt bij elke blik.",
    ])
}

fn watched(
    reader: &Reader,
    label: &str,
    [old, new]: [[&'static str; 3]; 2],
    watched: &[Watched],
) -> Markup {
    let lang = reader.lang;
    let state = |one: &Watched| {
        if one.p <= one.level {
            reader.say(["✗ harm", "✗ skada", "✗ schade"])
        } else {
            reader.say(["✓ none shown", "✓ ingen visad", "✓ geen aangetoond"])
        }
    };
    scroll(
        label,
        &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Per customer", "Per kund", "Per klant"])) }
                    th.n scope="col" { (reader.say(old)) }
                    th.n scope="col" { (reader.say(new)) }
                    th.n scope="col" { "p" }
                    th.n scope="col" { (reader.say(["harm if p below", "skada om p under", "schade als p onder"])) }
                    th scope="col" { (reader.say(["State", "Läge", "Stand"])) }
                } }
                tbody { @for one in watched { tr {
                    th scope="row" { (metric(reader, one.name)) }
                    td.n { (lang.number(one.incumbent, 3)) }
                    td.n { (lang.number(one.canary, 3)) }
                    td.n { (lang.p(one.p)) }
                    td.n { (lang.p(one.level)) }
                    td { (state(one)) }
                } } }
            }
        },
    )
}

fn role<'a>(reader: &'a Reader, pointers: &Pointers, id: &str) -> &'a str {
    let is = |one: &Option<String>| one.as_deref() == Some(id);
    let candidate = pointers.candidate.as_ref().filter(|one| one.id == id);
    if is(&pointers.current) {
        reader.say(["decides", "beslutar", "beslist"])
    } else if let Some(candidate) = candidate {
        stage(reader, candidate.stage)
    } else if is(&pointers.previous) {
        reader.say(["the one before", "den före", "de vorige"])
    } else {
        "–"
    }
}

fn versions(reader: &Reader, found: &Policies) -> Markup {
    let gains = found.versions.iter().filter_map(|one| one.judged.as_ref());
    let gains = gains.filter_map(|one| one.valuation.episode.difference.get("value"));
    let scale = Span::of(gains.flat_map(|one| [one.interval.low, one.interval.high, 0.0]));
    html! {
        p.note { (reader.say([
            "Value of an invoice's whole life against the version it was valued against, in minor units (öre, cents), off-policy, 95% intervals by customer.",
            "Värdet av en fakturas hela liv mot den version den värderats mot, i minsta enhet (öre, cent), off-policy, 95 %-intervall per kund.",
            "Waarde van een heel factuurleven tegenover de versie waarmee vergeleken is, in kleinste eenheid (öre, cent), off-policy, 95%-intervallen per klant.",
        ])) }
        (scroll(reader.say(["Versions", "Versioner", "Versies"]), &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Version", "Version", "Versie"])) }
                    th scope="col" { (reader.say(["Stage", "Läge", "Fase"])) }
                    th scope="col" { (reader.say(["Data until", "Data till", "Data tot"])) }
                    th scope="col" { (reader.say(["Against", "Mot", "Tegenover"])) }
                    th.n scope="col" { (reader.say(["Worth more", "Mer värd", "Meer waard"])) }
                    th scope="col" { (reader.say(["Interval", "Intervall", "Interval"])) }
                    th scope="col" { (reader.say(["The gate", "Grinden", "De poort"])) }
                } }
                tbody { @for version in &found.versions { tr {
                    th scope="row" {
                        a href=(reader.link(&format!("/models/{}", version.id))) { code { (short(&version.id)) } }
                    }
                    td { (role(reader, &found.pointers, &version.id)) }
                    td { (reader.lang.instant(&version.as_of.to_string())) }
                    @match &version.judged {
                        Some(judged) => {
                            td { code { (short(&judged.against)) } }
                            (gain(reader, judged, scale))
                            td { (passed(reader, judged)) }
                        },
                        None => td colspan="4" { (reader.say(["not valued yet", "inte värderad ännu", "nog niet gewaardeerd"])) },
                    }
                } } }
            }
        }))
    }
}

/// A value's difference with its interval, as two cells.
fn gain(reader: &Reader, judged: &Judged, scale: Span) -> Markup {
    let lang = reader.lang;
    let Some(gain) = judged.valuation.episode.difference.get("value") else {
        return html! { td.n { "–" } td { "–" } };
    };
    let interval = &gain.interval;
    let tone = if interval.low > 0.0 {
        Tone::Good
    } else if interval.high < 0.0 {
        Tone::Bad
    } else {
        Tone::Quiet
    };
    html! {
        td.n { (lang.signed(gain.value, 1)) }
        td {
            (whisker(scale, interval.low, gain.value, interval.high, tone))
            (lang.signed(interval.low, 1)) " … " (lang.signed(interval.high, 1))
        }
    }
}

fn passed<'a>(reader: &'a Reader, judged: &Judged) -> &'a str {
    if judged.valuation.verdict.passed {
        reader.say(["✓ lets it through", "✓ släpper igenom", "✓ laat haar door"])
    } else {
        reader.say(["✗ stops it", "✗ stoppar den", "✗ houdt haar tegen"])
    }
}

/// One version's values, and its trade-off where it was swept.
fn valued(reader: &Reader, judged: &Judged) -> Markup {
    let found = &judged.valuation;
    let lang = reader.lang;
    html! {
        section {
            h3 { code { (judged.candidate) } " " (reader.say(["against", "mot", "tegenover"])) " " code { (judged.against) } }
            p { (passed(reader, judged)) ": " span lang="en" { (found.verdict.words) } }
            p.note {
                (lang.count(found.lives as u64)) " " (reader.say([
                    "lives of invoices from", "fakturors liv från", "levens van facturen vanaf",
                ])) " " (lang.day(&found.from.to_string())) ", "
                (lang.count(u64::from(found.horizon_days))) " " (reader.say(["days each", "dagar vardera", "dagen elk"])) "; "
                (reader.say(["effective sample size", "effektiv urvalsstorlek", "effectieve steekproefgrootte"])) " "
                (lang.number(found.episode.overlap.ess, 0)) "."
            }
            (metrics(reader, &judged.candidate, &found.episode))
            @if judged.frontier.len() > 1 { (tradeoff::render(reader, &judged.candidate, &judged.frontier)) }
        }
    }
}

fn metrics(reader: &Reader, candidate: &str, of: &Estimand) -> Markup {
    let lang = reader.lang;
    let life = reader.say(["An invoice's life", "En fakturas liv", "Een factuurleven"]);
    let cell = |name: &str, of: &BTreeMap<String, Figure>| {
        of.get(name).map_or_else(
            || "–".to_owned(),
            |one| lang.number(one.value, decimals(name)),
        )
    };
    html! {
        (scroll(&format!("{life}, {candidate}"), &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["A life", "Per liv", "Per leven"])) }
                    th.n scope="col" { (reader.say(["Candidate", "Kandidat", "Kandidaat"])) }
                    th.n scope="col" { (reader.say(["Incumbent", "Gällande", "Geldend"])) }
                    th.n scope="col" { (reader.say(["Difference", "Skillnad", "Verschil"])) }
                    th.n scope="col" { (reader.say(["Interval", "Intervall", "Interval"])) }
                } }
                tbody { @for name in METRICS { tr {
                    th scope="row" { (metric(reader, name)) }
                    td.n { (cell(name, &of.candidate)) }
                    td.n { (cell(name, &of.incumbent)) }
                    @match of.difference.get(name) {
                        Some(one) => {
                            td.n { (lang.signed(one.value, decimals(name))) }
                            td.n { (lang.signed(one.interval.low, decimals(name))) " … " (lang.signed(one.interval.high, decimals(name))) }
                        },
                        None => { td.n { "–" } td.n { "–" } },
                    }
                } } }
            }
        }))
    }
}

/// Money in minor units needs one decimal, counts a life four.
fn decimals(name: &str) -> usize {
    if matches!(name, "value" | "collected") {
        1
    } else {
        4
    }
}

fn steps(reader: &Reader, changes: &[Change]) -> Markup {
    let lang = reader.lang;
    let what = |step: Step| match step {
        Step::Shadow => reader
            .say(["into shadow", "in i skuggan", "de schaduw in"])
            .to_owned(),
        Step::Canary(share) => format!(
            "{} {}",
            reader.say(["canary for", "kanariefågel för", "kanarie voor"]),
            lang.percent(share, 1)
        ),
        Step::Live => reader.say(["decides", "beslutar", "beslist"]).to_owned(),
        Step::RolledBack => reader
            .say(["decides again", "beslutar igen", "beslist weer"])
            .to_owned(),
        Step::Withdrawn => reader
            .say(["withdrawn", "tillbakadragen", "teruggetrokken"])
            .to_owned(),
    };
    let label = reader.say(["Steps taken", "Steg som tagits", "Genomen stappen"]);
    html! {
        h2 { (label) }
        (scroll(label, &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["When", "När", "Wanneer"])) }
                    th scope="col" { (reader.say(["Version", "Version", "Versie"])) }
                    th scope="col" { (reader.say(["Step", "Steg", "Stap"])) }
                    th scope="col" { (reader.say(["Why", "Varför", "Waarom"])) }
                } }
                tbody { @for one in changes.iter().rev().take(STEPS) { tr {
                    td { (lang.instant(&one.at.to_string())) }
                    td { code { (short(&one.model)) } }
                    td { (what(one.step)) }
                    td lang="en" { (one.reason) }
                } } }
            }
        }))
    }
}
