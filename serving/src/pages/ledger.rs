//! `/ledger`: what lagom caused, against the customers it leaves to the rules.

mod measures;

use super::chart::{Hue, Plot, Span};
use super::shell::{Place, Tone, card, page, scroll};
use super::{Lang, Reader, actions};
use maud::{Markup, html};
use measures::{decimals, is_money, name, scale, title_of};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
struct Document {
    as_of: String,
    currency: String,
    rows: Vec<Row>,
    #[serde(default)]
    totals: Vec<Row>,
    steps: Vec<Step>,
    #[serde(default)]
    awaited: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
struct Row {
    month: String,
    cut: String,
    of: String,
    holdout: u64,
    lagom: u64,
    measures: Vec<Measure>,
}

#[derive(Debug, Deserialize)]
struct Measure {
    name: String,
    holdout: Option<f64>,
    lagom: Option<f64>,
    difference: Option<[f64; 3]>,
    caused: Option<f64>,
    naive: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Step {
    step: String,
    decisions: u64,
    added: [f64; 3],
    naive: f64,
}

/// The page of a ledger, as `lagom ledger --json` writes it.
///
/// # Errors
/// What is not a ledger, in one line.
pub fn render(reader: &Reader, json: &str) -> Result<Markup, String> {
    let document: Document =
        serde_json::from_str(json).map_err(|error| format!("not a ledger: {error}"))?;
    let title = reader.say([
        "What lagom caused",
        "Vad lagom orsakade",
        "Wat lagom veroorzaakte",
    ]);
    let lang = reader.lang;
    let months: Vec<&Row> = (document.rows.iter())
        .filter(|row| row.cut == "all")
        .collect();
    let last = months
        .last()
        .map(|row| row.month.clone())
        .unwrap_or_default();
    let currency = &document.currency;
    let body = html! {
        h1 { (title) }
        p.soft {
            (reader.say([
                "A few customers, drawn by lot, are left to the rules for good. The difference between them and all others is what lagom caused. Known by",
                "Några lottade kunder lämnas för gott åt reglerna. Skillnaden mellan dem och alla andra är vad lagom orsakade. Känt till",
                "Enkele gelote klanten blijven voorgoed bij de regels. Het verschil met alle anderen is wat lagom veroorzaakte. Bekend op",
            ])) " " (lang.day(&document.as_of)) "."
            @if !reader.alone {
                " " a href="/ledger.json" download { (reader.say(["Download (JSON)", "Ladda ned (JSON)", "Download (JSON)"])) }
            }
        }
        @if months.len() > 1 { (in_all(reader, &months, &document.totals, currency)) }
        @for (place, row) in months.iter().rev().enumerate() {
            @if place == 0 {
                h2 { (lang.month(&row.month)) }
                (table(reader, &lang.month(&row.month), &[row], false, currency))
                (awaited(reader, &document, row))
                p.note { (reader.say([
                    "“Naive” compares customers who were contacted with those who were not. It misleads, because those who pay late are contacted more; it stands here so that nobody takes it for the effect.",
                    "”Naivt” jämför kunder som kontaktades med dem som inte gjorde det. Det vilseleder, för den som betalar sent kontaktas oftare; det står här så att ingen tar det för effekten.",
                    "“Naïef” vergelijkt benaderde met niet benaderde klanten. Dat misleidt, want wie laat betaalt wordt vaker benaderd; het staat hier zodat niemand het voor het effect houdt.",
                ])) }
            } @else {
                details {
                    summary { h2 { (lang.month(&row.month)) } }
                    (table(reader, &lang.month(&row.month), &[row], false, currency))
                    (awaited(reader, &document, row))
                }
            }
        }
        @for (cut, words) in CUTS {
            @let rows: Vec<&Row> = document.rows.iter().filter(|row| row.cut == cut && row.month == last).collect();
            @if !rows.is_empty() {
                details {
                    summary { h2 { (reader.say(words)) ", " (lang.month(&last)) } }
                    (table(reader, reader.say(words), &rows, true, currency))
                }
            }
        }
        @if !document.steps.is_empty() { (steps(reader, &document.steps, currency)) }
    };
    Ok(page(reader, Place::Ledger, title, &body))
}

/// Measures that are summed and drawn first.
const FIRST: [&str; 4] = ["value", "contacts", "collection_cases", "churn"];

/// What was caused in all months, and month by month.
fn in_all(reader: &Reader, months: &[&Row], totals: &[Row], currency: &str) -> Markup {
    let lang = reader.lang;
    let of = |name: &'static str| -> Vec<(&Row, &Measure)> {
        let found = |row: &&'_ Row| row.measures.iter().position(|one| one.name == name);
        (months.iter())
            .filter_map(|row| Some((*row, &row.measures[found(row)?])))
            .filter(|(_, one)| one.difference.is_some())
            .collect()
    };
    html! {
        @if let Some(whole) = totals.iter().find(|row| row.cut == "all") {
            ul.cards {
                @for one in whole.measures.iter().filter(|one| FIRST.contains(&&*one.name)) {
                    (summed(reader, one, whole.lagom, currency))
                }
            }
            p.note { (span_of(reader, &whole.month, months.len())) }
            details {
                summary { h2 { (reader.say(["All months together", "Alla månader tillsammans", "Alle maanden samen"])) } }
                (table(reader, reader.say(["All months together", "Alla månader tillsammans", "Alle maanden samen"]), &[whole], false, currency))
                @for (cut, words) in CUTS {
                    @let rows: Vec<&Row> = totals.iter().filter(|row| row.cut == cut).collect();
                    @if !rows.is_empty() {
                        h3 { (reader.say(words)) }
                        (table(reader, reader.say(words), &rows, true, currency))
                    }
                }
            }
        }
        h2 { (reader.say(["Month by month", "Månad för månad", "Maand voor maand"])) }
        p.note { (reader.say([
            "What was caused, each month by itself, with its 95% interval. An interval that holds zero may be chance.",
            "Vad som orsakades, varje månad för sig, med 95 % intervall. Ett intervall som rymmer noll kan vara slump.",
            "Wat werd veroorzaakt, elke maand op zichzelf, met 95%-interval. Een interval dat nul bevat kan toeval zijn.",
        ])) }
        div.pair {
            @for name in FIRST {
                @let all = of(name);
                @if all.len() > 1 { div { (by_month(lang, &title_of(reader, name, currency), name, &all)) } }
            }
        }
    }
}

/// What a measure came to, with its interval, customers counted once.
fn summed(reader: &Reader, one: &Measure, customers: u64, currency: &str) -> Markup {
    let lang = reader.lang;
    let written = |value: f64| {
        let number = lang.signed(value, 0);
        if is_money(&one.name) {
            lang.in_currency(number, currency)
        } else {
            number
        }
    };
    let label = name(reader, &one.name);
    let Some(([_, low, high], caused)) = one.difference.zip(one.caused) else {
        return html! {};
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of customers")]
    let ends = [low, high].map(|end| end * customers as f64);
    let chance = low <= 0.0 && high >= 0.0;
    let note = format!(
        "{} … {}{}",
        written(ends[0]),
        written(ends[1]),
        if chance {
            reader.say([
                " – may be chance",
                " – kan vara slump",
                " – kan toeval zijn",
            ])
        } else {
            ""
        }
    );
    card(Tone::Quiet, &label, &written(caused), &note)
}

/// Over which months, and what the interval is.
fn span_of(reader: &Reader, span: &str, months: usize) -> String {
    let lang = reader.lang;
    let (first, last) = span.split_once('/').unwrap_or((span, span));
    reader
        .say([
            "Caused in all, {a} to {b} ({n} months), with the 95% interval; a customer counts once, however many months.",
            "Orsakat totalt, {a} till {b} ({n} månader), med 95 % intervall; en kund räknas en gång, oavsett antal månader.",
            "In totaal veroorzaakt, {a} tot en met {b} ({n} maanden), met het 95%-interval; een klant telt één keer, hoeveel maanden ook.",
        ])
        .replace("{a}", &lang.month(first))
        .replace("{b}", &lang.month(last))
        .replace("{n}", &lang.count(months as u64))
}

fn by_month(lang: Lang, title: &str, name: &str, all: &[(&Row, &Measure)]) -> Markup {
    let scale = scale(name);
    let points: Vec<(f64, [f64; 3])> = (all.iter().enumerate())
        .filter_map(|(place, (_, one))| Some((place as f64, one.difference?.map(|x| x * scale))))
        .collect();
    let described: Vec<String> = (all.iter().zip(&points))
        .map(|((row, _), (_, [found, low, high]))| {
            let number = |value: f64| lang.signed(value, decimals(name));
            format!(
                "{}: {} ({} … {})",
                lang.month(&row.month),
                number(*found),
                number(*low),
                number(*high)
            )
        })
        .collect();
    // A label of every month would not fit on a phone.
    let every = all.len().div_ceil(5);
    let labels = (all.iter().enumerate())
        .filter(|(place, _)| place % every == 0)
        .map(|(place, (row, _))| (place as f64, row.month.clone()))
        .collect();
    let plot = Plot::new(title, &described.join("; "))
        .x_at("", Span::of([-0.5, all.len() as f64 - 0.5]), labels)
        .y(
            Span::of(points.iter().flat_map(|(_, ends)| *ends).chain([0.0])).padded(0.08),
            |at, decimals| lang.signed(at, decimals),
        )
        .whiskers(
            (points.iter())
                .map(|(at, [_, low, high])| (*at, *low, *high))
                .collect(),
            Hue::First,
        )
        .dots(
            title,
            points
                .iter()
                .map(|(at, [found, ..])| (*at, *found))
                .collect(),
            Hue::First,
        );
    html! { h3 { (title) } (plot.draw()) }
}

/// The page of a server that leaves nobody alone.
#[must_use]
pub fn without_holdout(reader: &Reader) -> Markup {
    let title = reader.say([
        "What lagom caused",
        "Vad lagom orsakade",
        "Wat lagom veroorzaakte",
    ]);
    let body = html! {
        h1 { (title) }
        p { (reader.say([
            "Nobody can say, because nobody is left to the rules. A share of the customers, drawn by lot and left to the rules for good, is what everything else is measured against:",
            "Ingen kan säga det, för ingen lämnas åt reglerna. En andel av kunderna, lottad och för gott lämnad åt reglerna, är det som allt annat mäts mot:",
            "Niemand kan het zeggen, want niemand blijft bij de regels. Een deel van de klanten, geloot en voorgoed aan de regels gelaten, is waaraan al het andere wordt gemeten:",
        ])) }
        pre tabindex="0" { "[holdout]\nshare = 0.05" }
    };
    page(reader, Place::Ledger, title, &body)
}

const CUTS: [(&str, [&str; 3]); 3] = [
    ("segment", ["By segment", "Per segment", "Per segment"]),
    ("product", ["By product", "Per produkt", "Per product"]),
    ("audience", ["By audience", "Per målgrupp", "Per doelgroep"]),
];

/// What a month does not know yet.
fn awaited(reader: &Reader, document: &Document, row: &Row) -> Markup {
    let decisions = document.awaited.get(&row.month);
    html! {
        @if let Some(decisions) = decisions {
            p.note { (reader.say([
                "{} decisions of this month have their outcome still open: their fees and what they cost are not in these numbers yet.",
                "{} beslut denna månad har ännu inget utfall: deras avgifter och kostnader är inte med i siffrorna än.",
                "Van {} beslissingen van deze maand is de uitkomst nog open: hun kosten en toeslagen zitten nog niet in deze cijfers.",
            ]).replace("{}", &reader.lang.count(*decisions))) }
        }
    }
}

fn table(reader: &Reader, label: &str, rows: &[&Row], of: bool, currency: &str) -> Markup {
    let lang = reader.lang;
    let caused = reader.say(["Caused", "Orsakat", "Veroorzaakt"]);
    let heads = [
        reader.say(["Measure", "Mått", "Maat"]).to_owned(),
        reader
            .say([
                "Left to the rules",
                "Lämnade åt reglerna",
                "Bij de regels gelaten",
            ])
            .to_owned(),
        reader
            .say(["With lagom", "Med lagom", "Met lagom"])
            .to_owned(),
        format!("{caused}, {}", lang.level(0.95, 0)),
        reader.say(["In all", "Totalt", "In totaal"]).to_owned(),
        reader.say(["Naive", "Naivt", "Naïef"]).to_owned(),
    ];
    let none = || "–".to_owned();
    let total = |value: Option<f64>| value.map_or_else(none, |value| lang.signed(value, 0));
    scroll(
        label,
        &html! {
            table.stack {
                thead { tr {
                    th scope="col" { (heads[0]) }
                    @for head in &heads[1..] { th.n scope="col" { (head) } }
                } }
                tbody {
                    @for row in rows {
                        @if of { tr { th scope="rowgroup" colspan="6" { (row.of) " – " (lang.count(row.holdout)) " / " (lang.count(row.lagom)) } } }
                        @for one in row.measures.iter().filter(|one| one.holdout.is_some() || one.lagom.is_some()) {
                            @let (places, scale) = (decimals(&one.name), scale(&one.name));
                            @let number = |value: Option<f64>| value.map_or_else(none, |value| lang.number(scale * value, places));
                            @let signed = |value: f64| lang.signed(scale * value, places);
                            tr {
                                th scope="row" { (title_of(reader, &one.name, currency)) }
                                td.n data-label=(heads[1]) { (number(one.holdout)) }
                                td.n data-label=(heads[2]) { (number(one.lagom)) }
                                td.n data-label=(heads[3]) {
                                    @match one.difference {
                                        Some([found, low, high]) => {
                                            strong { (signed(found)) } " (" (signed(low)) " … " (signed(high)) ")"
                                            @if low <= 0.0 && high >= 0.0 && low < high { span.soft { " – " (reader.say(["may be chance", "kan vara slump", "kan toeval zijn"])) } }
                                        }
                                        None => "–",
                                    }
                                }
                                td.n data-label=(heads[4]) { (total(one.caused)) }
                                td.n data-label=(heads[5]) { (one.naive.map_or_else(none, signed)) }
                            }
                        }
                    }
                }
            }
        },
    )
}

fn steps(reader: &Reader, steps: &[Step], currency: &str) -> Markup {
    let lang = reader.lang;
    let title = reader.say([
        "What a message adds over waiting",
        "Vad ett meddelande tillför jämfört med att vänta",
        "Wat een bericht toevoegt boven wachten",
    ]);
    let added = reader.say([
        "Added value a decision",
        "Tillfört värde per beslut",
        "Toegevoegde waarde per beslissing",
    ]);
    let heads = [
        reader
            .say(["Channel and tone", "Kanal och ton", "Kanaal en toon"])
            .to_owned(),
        reader
            .say(["Decisions", "Beslut", "Beslissingen"])
            .to_owned(),
        format!("{added} ({currency}), {}", lang.level(0.95, 0)),
        reader.say(["Naive", "Naivt", "Naïef"]).to_owned(),
    ];
    html! {
        h2 { (title) }
        p.note { (reader.say([
            "From the probabilities with which lagom chose: an estimate, not the holdout.",
            "Ur sannolikheterna med vilka lagom valde: en skattning, inte kontrollgruppen.",
            "Uit de kansen waarmee lagom koos: een schatting, niet de controlegroep.",
        ])) }
        (scroll(title, &html! {
            table.stack {
                thead { tr { th scope="col" { (heads[0]) } @for head in &heads[1..] { th.n scope="col" { (head) } } } }
                tbody { @for one in steps { tr {
                    th scope="row" { (actions::words(lang, &one.step)) }
                    td.n data-label=(heads[1]) { (lang.count(one.decisions)) }
                    td.n data-label=(heads[2]) { strong { (lang.signed(one.added[0], 2)) } " (" (lang.signed(one.added[1], 2)) " … " (lang.signed(one.added[2], 2)) ")" }
                    td.n data-label=(heads[3]) { (lang.signed(one.naive, 2)) }
                } } }
            }
        }))
    }
}
