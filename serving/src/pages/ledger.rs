//! `/ledger`: what lagom caused, against the customers it leaves alone.

use super::Reader;
use super::shell::{Place, page, scroll};
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Document {
    as_of: String,
    currency: String,
    rows: Vec<Row>,
    steps: Vec<Step>,
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
    let until = document.as_of.get(..10).unwrap_or(&document.as_of);
    let mut months: Vec<&Row> = document
        .rows
        .iter()
        .filter(|row| row.cut == "all")
        .collect();
    months.reverse();
    let last = months
        .first()
        .map(|row| row.month.clone())
        .unwrap_or_default();
    let body = html! {
        h1 { (title) }
        p.soft {
            (reader.say([
                "A few customers, drawn by lot, are left to the rules for good. The difference between them and all others is what lagom caused. Known by",
                "Några lottade kunder lämnas för gott åt reglerna. Skillnaden mellan dem och alla andra är vad lagom orsakade. Känt till",
                "Enkele gelote klanten blijven voorgoed bij de regels. Het verschil met alle anderen is wat lagom veroorzaakte. Bekend op",
            ])) " " (until) ". "
            (reader.say(["Amounts in", "Belopp i", "Bedragen in"])) " " (document.currency) "."
        }
        p.note { (reader.say([
            "“Naive” compares customers who were contacted with those who were not. It misleads, because those who pay late are contacted more; it stands here so that nobody takes it for the effect.",
            "”Naivt” jämför kunder som kontaktades med dem som inte gjorde det. Det vilseleder, för den som betalar sent kontaktas oftare; det står här så att ingen tar det för effekten.",
            "“Naïef” vergelijkt benaderde met niet benaderde klanten. Dat misleidt, want wie laat betaalt wordt vaker benaderd; het staat hier zodat niemand het voor het effect houdt.",
        ])) }
        @for row in months {
            h2 { (row.month) }
            (table(reader, &row.month, &[row], false))
        }
        @for (cut, words) in CUTS {
            @let rows: Vec<&Row> = document.rows.iter().filter(|row| row.cut == cut && row.month == last).collect();
            @if !rows.is_empty() {
                h2 { (reader.say(words)) ", " (last) }
                (table(reader, reader.say(words), &rows, true))
            }
        }
        @if !document.steps.is_empty() { (steps(reader, &document.steps)) }
    };
    Ok(page(reader, Place::Ledger, title, &body))
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
            "Nobody can say, because nobody is left alone. A share of the customers, drawn by lot and left to the rules for good, is what everything else is measured against:",
            "Ingen kan säga det, för ingen lämnas i fred. En andel av kunderna, lottad och för gott lämnad åt reglerna, är det som allt annat mäts mot:",
            "Niemand kan het zeggen, want niemand wordt met rust gelaten. Een deel van de klanten, geloot en voorgoed aan de regels gelaten, is waaraan al het andere wordt gemeten:",
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

fn table(reader: &Reader, label: &str, rows: &[&Row], of: bool) -> Markup {
    let lang = reader.lang;
    let heads = [
        reader.say(["Per customer", "Per kund", "Per klant"]),
        reader.say(["Left alone", "Lämnade i fred", "Met rust gelaten"]),
        reader.say(["With lagom", "Med lagom", "Met lagom"]),
        reader.say([
            "Caused, with 95 % interval",
            "Orsakat, 95 % intervall",
            "Veroorzaakt, 95 %-interval",
        ]),
        reader.say(["In all", "Totalt", "In totaal"]),
        reader.say(["Naive", "Naivt", "Naïef"]),
    ];
    let number = |value: Option<f64>, places| {
        value.map_or_else(|| "–".to_owned(), |value| lang.number(value, places))
    };
    let total =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| lang.signed(value, 0));
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
                        @for one in &row.measures {
                            @let places = decimals(&one.name);
                            tr {
                                th scope="row" { (name(reader, &one.name)) }
                                td.n data-label=(heads[1]) { (number(one.holdout, places)) }
                                td.n data-label=(heads[2]) { (number(one.lagom, places)) }
                                td.n data-label=(heads[3]) {
                                    @match one.difference {
                                        Some([found, low, high]) => {
                                            strong { (lang.signed(found, places)) } " (" (lang.signed(low, places)) " … " (lang.signed(high, places)) ")"
                                            @if low <= 0.0 && high >= 0.0 && low < high { span.soft { " – " (reader.say(["may be chance", "kan vara slump", "kan toeval zijn"])) } }
                                        }
                                        None => "–",
                                    }
                                }
                                td.n data-label=(heads[4]) { (total(one.caused)) }
                                td.n data-label=(heads[5]) { (one.naive.map_or_else(|| "–".to_owned(), |value| lang.signed(value, places))) }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// Money has its minor units; what happens to few customers needs a place more.
fn decimals(measure: &str) -> usize {
    match measure {
        "collected" | "fees" | "cost" | "value" => 2,
        _ => 3,
    }
}

fn name(reader: &Reader, name: &str) -> String {
    let words = match name {
        "collected" => ["Collected", "Inbetalt", "Ontvangen"],
        "fees" => ["Fees", "Avgifter", "Kosten voor de klant"],
        "cost" => ["Cost of contacts", "Kontaktkostnad", "Contactkosten"],
        "value" => ["Net value", "Nettovärde", "Nettowaarde"],
        "churn" => ["Left us", "Lämnade oss", "Vertrokken"],
        "contacts" => ["Messages", "Meddelanden", "Berichten"],
        "support_contacts" => [
            "Calls to support",
            "Kontakter med kundtjänst",
            "Contact met klantenservice",
        ],
        "complaints" => ["Complaints", "Klagomål", "Klachten"],
        "satisfaction" => ["Rating", "Betyg", "Beoordeling"],
        other => return other.to_owned(),
    };
    reader.say(words).to_owned()
}

fn steps(reader: &Reader, steps: &[Step]) -> Markup {
    let lang = reader.lang;
    let title = reader.say([
        "What a message adds over waiting",
        "Vad ett meddelande tillför jämfört med att vänta",
        "Wat een bericht toevoegt boven wachten",
    ]);
    let heads = [
        reader.say(["Channel and tone", "Kanal och ton", "Kanaal en toon"]),
        reader.say(["Decisions", "Beslut", "Beslissingen"]),
        reader.say([
            "Added value a decision, with 95 % interval",
            "Tillfört värde per beslut, 95 % intervall",
            "Toegevoegde waarde per beslissing, 95 %-interval",
        ]),
        reader.say(["Naive", "Naivt", "Naïef"]),
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
                    th scope="row" { (one.step) }
                    td.n data-label=(heads[1]) { (lang.count(one.decisions)) }
                    td.n data-label=(heads[2]) { strong { (lang.signed(one.added[0], 2)) } " (" (lang.signed(one.added[1], 2)) " … " (lang.signed(one.added[2], 2)) ")" }
                    td.n data-label=(heads[3]) { (lang.signed(one.naive, 2)) }
                } } }
            }
        }))
    }
}
