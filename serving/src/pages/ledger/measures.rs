//! What the measures of a ledger are called, and what they are counted in.

use crate::pages::Reader;

/// Whether it is counted in the ledger's currency.
pub(super) fn is_money(measure: &str) -> bool {
    matches!(measure, "collected" | "fees" | "cost" | "value")
}

/// A mean of what was reported, which nothing adds up to.
pub(super) fn is_reported(measure: &str) -> bool {
    matches!(measure, "satisfaction" | "response_hours")
}

/// What happens to few is counted per hundred customers.
pub(super) fn scale(measure: &str) -> f64 {
    if is_money(measure) || is_reported(measure) {
        1.0
    } else {
        100.0
    }
}

/// Money has its minor units.
pub(super) fn decimals(measure: &str) -> usize {
    if is_money(measure) || is_reported(measure) {
        2
    } else {
        1
    }
}

/// A measure's name with what it is counted in.
pub(super) fn title_of(reader: &Reader, measure: &str, currency: &str) -> String {
    let name = name(reader, measure);
    if is_money(measure) {
        let per = reader.say(["per customer", "per kund", "per klant"]);
        format!("{name} {per}, {currency}")
    } else if scale(measure) > 1.0 {
        let per = reader.say(["per 100 customers", "per 100 kunder", "per 100 klanten"]);
        format!("{name} {per}")
    } else {
        name
    }
}

/// What it is called.
pub(super) fn name(reader: &Reader, name: &str) -> String {
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
        "opt_outs" => [
            "Opted out",
            "Återkallade samtycken",
            "Toestemming ingetrokken",
        ],
        "collection_cases" => ["Collection cases", "Inkassoärenden", "Incassozaken"],
        "response_hours" => [
            "Hours until support answered",
            "Timmar tills kundtjänst svarade",
            "Uren tot klantenservice antwoordde",
        ],
        "satisfaction" => ["Rating", "Betyg", "Beoordeling"],
        other => return other.to_owned(),
    };
    reader.say(words).to_owned()
}
