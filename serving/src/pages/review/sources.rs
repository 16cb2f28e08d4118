//! Where the numbers come from, and how to make them again.

use super::document::Document;
use crate::pages::Reader;
use crate::pages::shell::facts;
use maud::{Markup, html};

pub(super) fn section(reader: &Reader, document: &Document, json: &str, recompute: &str) -> Markup {
    let lang = reader.lang;
    let left_out = &document.exclusions;
    let digest = |text: &str| {
        let known = if text.is_empty() { "–" } else { text };
        html! { code { (known) } }
    };
    let followed = document.log.as_ref().map_or_else(
        || "–".to_owned(),
        |log| {
            let days = lang.number(log.window_days, 0);
            let until = lang.day(&log.as_of);
            format!(
                "{days} {}, {} {until}",
                reader.say(["days each", "dagar var", "dagen elk"]),
                reader.say(["known by", "känt till", "bekend op"])
            )
        },
    );
    let stamp = blake3::hash(json.as_bytes()).to_hex();
    html! {
        h2 { (reader.say(["Where this comes from", "Varifrån detta kommer", "Waar dit vandaan komt"])) }
        (facts(&[
            (reader.say(["Plan (BLAKE3)", "Plan (BLAKE3)", "Plan (BLAKE3)"]), digest(&document.plan_digest)),
            (reader.say(["Data (BLAKE3)", "Data (BLAKE3)", "Data (BLAKE3)"]), digest(&document.facts_digest)),
            (reader.say(["These numbers (BLAKE3)", "Dessa siffror (BLAKE3)", "Deze cijfers (BLAKE3)"]), digest(stamp.as_str())),
            (reader.say(["Program", "Program", "Programma"]), html! { "lagom " (env!("CARGO_PKG_VERSION")) }),
            (reader.say(["Customers followed for", "Kunder följda i", "Klanten gevolgd gedurende"]), html! { (followed) }),
            (reader.say(["Groups", "Grupper", "Groepen"]), html! { (document.arms.join(", ")) }),
            (reader.say(["Left out", "Utelämnade", "Weggelaten"]), html! {
                (lang.count(left_out.without_arm)) " " (reader.say(["rows without a group", "rader utan grupp", "rijen zonder groep"])) ", "
                (lang.count(left_out.mixed_customers)) " " (reader.say(["customers in several groups", "kunder i flera grupper", "klanten in meerdere groepen"]))
                " (" (lang.count(left_out.rows_of_mixed_or_nameless)) " " (reader.say(["rows", "rader", "rijen"])) "), "
                (lang.count(left_out.immature)) " " (reader.say(["customers too recent", "för nya kunder", "te recente klanten"]))
            }),
            (reader.say(["Compute again", "Räkna om", "Opnieuw berekenen"]), html! { code { (recompute) } }),
        ]))
        @if !reader.alone {
            p { a href={ (reader.path) "/review.json" } download { (reader.say(["Download these numbers (JSON)", "Ladda ned siffrorna (JSON)", "Download deze cijfers (JSON)"])) } }
        }
        details.raw {
            summary { (reader.say(["Every number, as JSON", "Alla siffror, som JSON", "Alle cijfers, als JSON"])) }
            pre tabindex="0" { (json) }
        }
    }
}
