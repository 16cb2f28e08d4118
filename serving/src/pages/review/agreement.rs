//! Do the logged probabilities say of the control what the control shows?

use super::document::{Agreement, AgreementState, BothWays, Document};
use super::words::{self, decimals};
use crate::pages::Reader;
use crate::pages::shell::{Tone, card};
use maud::{Markup, html};

/// What is counted of an invoice's life: its name in the document, whether it is money, and words.
const METRICS: [(&str, bool, [&str; 3]); 9] = [
    ("value", true, ["net value", "nettovärde", "nettowaarde"]),
    ("collected", true, ["collected", "inbetalt", "geïnd"]),
    (
        "churned",
        false,
        ["customers lost", "förlorade kunder", "verloren klanten"],
    ),
    ("complaints", false, ["complaints", "klagomål", "klachten"]),
    (
        "support_contacts",
        false,
        [
            "calls for support",
            "kontakter med kundtjänst",
            "contacten met klantenservice",
        ],
    ),
    (
        "contacts",
        false,
        [
            "messages sent",
            "skickade meddelanden",
            "verzonden berichten",
        ],
    ),
    (
        "opt_outs",
        false,
        [
            "withdrawn consent",
            "återkallade samtycken",
            "ingetrokken toestemming",
        ],
    ),
    (
        "collection_cases",
        false,
        ["collection cases", "inkassoärenden", "incassozaken"],
    ),
    (
        "repeated",
        false,
        [
            "steps that the ladder takes too: drawn, and promised by the probabilities",
            "steg som även trappan tar: lottade, och utlovade av sannolikheterna",
            "stappen die ook de ladder neemt: getrokken, en beloofd door de kansen",
        ],
    ),
];

/// One card an arm.
pub(super) fn cards(reader: &Reader, document: &Document) -> Markup {
    html! {
        @for (arm, found) in arms(document) { (one(reader, arm, found)) }
    }
}

fn arms(document: &Document) -> &[(String, Agreement)] {
    let log = document.log.as_ref();
    log.and_then(|log| log.agreement.as_ref())
        .map_or(&[], |found| found.0.as_slice())
}

fn one(reader: &Reader, arm: &str, found: &Agreement) -> Markup {
    let lang = reader.lang;
    let (tone, value) = match found.state {
        AgreementState::Agrees => (Tone::Good, ["they do", "det gör de", "dat doen ze"]),
        AgreementState::Disagrees => (
            Tone::Bad,
            ["they do not", "det gör de inte", "dat doen ze niet"],
        ),
        AgreementState::CannotSay => (
            Tone::Quiet,
            ["cannot tell", "går inte att säga", "niet te zeggen"],
        ),
    };
    let note = match (found.state, &found.reason) {
        (AgreementState::CannotSay, Some(reason)) => reason.clone(),
        (AgreementState::Disagrees, _) => reader
            .say([
                "weighted to the ladder, its customers show something else than the ladder's customers",
                "viktade till trappan visar dess kunder något annat än trappans kunder",
                "gewogen naar de ladder laten haar klanten iets anders zien dan de klanten van de ladder",
            ])
            .to_owned(),
        _ => reader
            .say([
                "weighted to the ladder, its customers show what the ladder's customers show; worth {} customers",
                "viktade till trappan visar dess kunder vad trappans kunder visar; värt {} kunder",
                "gewogen naar de ladder laten haar klanten zien wat de klanten van de ladder laten zien; {} klanten waard",
            ])
            .replace("{}", &lang.number(found.effective, 0)),
    };
    card(
        tone,
        reader.say([
            "Logged chances fit what happened",
            "Loggade sannolikheter stämmer med utfallet",
            "Gelogde kansen kloppen met wat er gebeurde",
        ]),
        reader.say(value),
        &format!("{arm}: {note}"),
    )
}

/// Every metric both ways.
pub(super) fn details(reader: &Reader, document: &Document) -> Markup {
    let compared = arms(document)
        .iter()
        .filter(|(_, found)| !found.metrics.is_empty());
    html! {
        @for (arm, found) in compared { (table(reader, document, arm, found)) }
    }
}

fn table(reader: &Reader, document: &Document, arm: &str, found: &Agreement) -> Markup {
    let lang = reader.lang;
    let caption = reader
        .say([
            "What {c} is worth in the first {d} days of an invoice: by its own {n} customers, and by {m} customers of {t} weighted to it",
            "Vad {c} är värd under en fakturas första {d} dagar: enligt de egna {n} kunderna, och enligt {m} kunder i {t} viktade till den",
            "Wat {c} waard is in de eerste {d} dagen van een factuur: volgens de eigen {n} klanten, en volgens {m} klanten van {t} daarnaar gewogen",
        ])
        .replace("{d}", &lang.count(found.horizon_days.into()))
        .replace("{n}", &lang.count(found.customers_c))
        .replace("{m}", &lang.count(found.customers_t))
        .replace("{c}", &document.control)
        .replace("{t}", arm);
    html! {
        details {
            summary { (reader.say([
                "Logged chances against what happened, metric by metric",
                "Loggade sannolikheter mot utfallet, mått för mått",
                "Gelogde kansen tegen wat er gebeurde, maat voor maat",
            ])) }
            table.stack {
                caption { (caption) }
                thead { tr {
                    th scope="col" { (reader.say(["Metric", "Mått", "Maat"])) }
                    th.n scope="col" { (reader.say(["Seen", "Sett", "Gezien"])) }
                    th.n scope="col" { (reader.say(["By weighting", "Genom viktning", "Door weging"])) }
                    th.n scope="col" { (reader.say(["p (Holm)", "p (Holm)", "p (Holm)"])) }
                } }
                tbody {
                    @for one in &found.metrics { (row(reader, document, one)) }
                }
            }
        }
    }
}

fn row(reader: &Reader, document: &Document, one: &BothWays) -> Markup {
    let lang = reader.lang;
    let known = METRICS.iter().find(|(name, ..)| *name == one.name);
    let money = known.is_some_and(|(_, money, _)| *money);
    let name = known.map_or_else(
        || words::name(lang, &one.name),
        |(.., words)| lang.say(*words).to_owned(),
    );
    let currency = document.log.as_ref().map_or("", |log| &log.currency);
    let level = |value: f64| {
        if money {
            lang.money(value, currency, 2)
        } else {
            lang.number(value, decimals(one.experimental).max(2))
        }
    };
    let p = one.p_holm.map_or_else(|| "–".to_owned(), |p| lang.p(p));
    html! {
        tr {
            th scope="row" { (name) }
            td.n data-label=(reader.say(["Seen", "Sett", "Gezien"])) { (level(one.experimental)) }
            td.n data-label=(reader.say(["By weighting", "Genom viktning", "Door weging"])) { (level(one.off_policy)) }
            td.n data-label="p (Holm)" { (p) }
        }
    }
}
