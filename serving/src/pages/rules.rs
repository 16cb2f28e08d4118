//! Guardrail rules in the reader's words, beside which the id stays.

mod countries;

use super::Lang;
use countries::COUNTRIES;

const KNOWN: [(&str, [&str; 3]); 33] = [
    (
        "global.deceased",
        [
            "The customer has died",
            "Kunden har avlidit",
            "De klant is overleden",
        ],
    ),
    (
        "global.bankrupt",
        ["Bankruptcy", "Konkurs", "Faillissement"],
    ),
    (
        "global.minor",
        [
            "A child is not dunned",
            "Ett barn krävs inte",
            "Een kind wordt niet aangemaand",
        ],
    ),
    (
        "global.closed",
        ["Nothing is owed", "Inget är obetalt", "Er staat niets open"],
    ),
    (
        "global.in_collection",
        [
            "Already with a collector",
            "Redan hos inkasso",
            "Al bij incasso",
        ],
    ),
    (
        "global.dispute",
        [
            "The invoice is disputed",
            "Fakturan är bestridd",
            "De factuur is betwist",
        ],
    ),
    (
        "global.standstill",
        [
            "A legal or granted standstill",
            "Lagligt eller beviljat anstånd",
            "Wettelijk of verleend uitstel",
        ],
    ),
    (
        "global.hold",
        ["Stopped by hand", "Stoppad för hand", "Met de hand gestopt"],
    ),
    (
        "global.plan",
        [
            "A payment plan runs",
            "En avbetalningsplan löper",
            "Er loopt een betalingsregeling",
        ],
    ),
    (
        "global.payment_in_flight",
        [
            "Money is on its way",
            "Pengar är på väg",
            "Geld is onderweg",
        ],
    ),
    (
        "global.unmatched_payment",
        [
            "A payment is not matched yet",
            "En betalning är ännu inte bokförd",
            "Een betaling is nog niet verwerkt",
        ],
    ),
    (
        "global.promise",
        [
            "The customer promised to pay",
            "Kunden har lovat betala",
            "De klant heeft betaling beloofd",
        ],
    ),
    (
        "global.vulnerable",
        [
            "A vulnerable customer: soft steps only",
            "Sårbar kund: bara milda steg",
            "Kwetsbare klant: alleen milde stappen",
        ],
    ),
    (
        "request.channels",
        [
            "The caller cannot use this channel",
            "Kanalen kan inte användas av den som frågar",
            "De vrager kan dit kanaal niet gebruiken",
        ],
    ),
    (
        "global.consent",
        [
            "No consent for this channel",
            "Inget samtycke till kanalen",
            "Geen toestemming voor dit kanaal",
        ],
    ),
    (
        "global.past_slot",
        [
            "The time of day is over",
            "Tiden på dagen är förbi",
            "Het dagdeel is voorbij",
        ],
    ),
    (
        "strategy.stage",
        [
            "Not open yet in the company's strategy",
            "Ännu inte öppet i företagets strategi",
            "Nog niet aan de beurt in de strategie",
        ],
    ),
    (
        "global.gentle_first",
        [
            "A gentler step serves as well",
            "Ett mildare steg duger",
            "Een mildere stap volstaat",
        ],
    ),
    (
        "global.minimum_balance",
        [
            "Too little to ask for",
            "För lite att kräva",
            "Te weinig om te vragen",
        ],
    ),
    (
        "global.undelivered",
        [
            "The channel did not reach the customer",
            "Kanalen nådde inte kunden",
            "Het kanaal bereikte de klant niet",
        ],
    ),
    (
        "global.lifetime",
        [
            "Enough contacts about this invoice",
            "Nog med kontakter om fakturan",
            "Genoeg contacten over deze factuur",
        ],
    ),
    (
        "global.daily_cap",
        [
            "One contact a day",
            "En kontakt per dygn",
            "Eén contact per dag",
        ],
    ),
    (
        "global.weekly_cap",
        [
            "Two contacts a week",
            "Två kontakter i veckan",
            "Twee contacten per week",
        ],
    ),
    (
        "global.monthly_cap",
        [
            "Six contacts a month",
            "Sex kontakter i månaden",
            "Zes contacten per maand",
        ],
    ),
    (
        "global.cooldown",
        [
            "Time to pay after the last message",
            "Tid att betala efter förra meddelandet",
            "Tijd om te betalen na het vorige bericht",
        ],
    ),
    (
        "global.quiet_hours",
        [
            "Quiet hours: evening and night",
            "Tysta timmar: kväll och natt",
            "Stille uren: avond en nacht",
        ],
    ),
    (
        "global.quiet_days",
        [
            "Quiet days: Sundays and holidays",
            "Tysta dagar: söndagar och helgdagar",
            "Stille dagen: zon- en feestdagen",
        ],
    ),
    (
        "global.one_rung",
        [
            "One step up at a time",
            "Ett steg upp i taget",
            "Eén stap omhoog tegelijk",
        ],
    ),
    (
        "global.debit",
        [
            "No failed debit to try again",
            "Ingen misslyckad dragning att göra om",
            "Geen mislukte afschrijving om te herhalen",
        ],
    ),
    (
        "global.fee_currency",
        [
            "A fee in another currency",
            "Avgift i annan valuta",
            "Kosten in een andere munt",
        ],
    ),
    (
        "global.fee_once",
        [
            "The fee was charged already",
            "Avgiften är redan debiterad",
            "De kosten zijn al berekend",
        ],
    ),
    (
        "global.review_fees",
        [
            "A person decides on fees",
            "En person beslutar om avgifter",
            "Een mens beslist over kosten",
        ],
    ),
    (
        "global.review_claims",
        [
            "A person decides on claims",
            "En person beslutar om krav",
            "Een mens beslist over aanmaningen",
        ],
    ),
];

/// What a rule stands for; none of one that a company has added.
#[must_use]
pub fn words(lang: Lang, id: &str) -> Option<&'static str> {
    let mut all = KNOWN.iter().chain(&COUNTRIES);
    let found = all.find(|(name, _)| *name == id)?;
    Some(lang.say(found.1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::collections::BTreeSet;
    use std::fs;

    /// Every pack in the folder, so that one that is added is not forgotten.
    #[test]
    fn every_rule_of_every_pack_has_words_and_every_words_a_rule() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/packs");
        let mut ids = BTreeSet::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                let text = fs::read_to_string(&path).unwrap();
                let lines = text.lines();
                let found =
                    lines.filter_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'));
                ids.extend(found.map(str::to_owned));
            }
        }
        assert!(ids.contains("SE.claim_deadline") && ids.contains("global.dispute"));
        for id in &ids {
            for lang in [Lang::En, Lang::Sv, Lang::Nl] {
                let said = words(lang, id);
                assert!(
                    said.is_some_and(|said| !said.is_empty()),
                    "{id} has no words"
                );
            }
        }
        let known: Vec<&str> = KNOWN.iter().chain(&COUNTRIES).map(|(id, _)| *id).collect();
        for id in &known {
            assert!(ids.contains(*id), "{id} is not a rule");
        }
        let once: BTreeSet<_> = known.iter().collect();
        assert_eq!(once.len(), known.len(), "a rule has words twice");
    }
}
