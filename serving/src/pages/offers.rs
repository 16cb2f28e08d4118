//! Parts of the forecast's page: what comes with offers of a discount, and who among new customers may be late.

use super::Reader;
use super::shell::scroll;
use lagom_model::forecast::{Basis, DiscountEffect, EarlyTenth};
use maud::{Markup, html};

/// Offers against all else, with what the difference is.
pub(super) fn discounts(found: &[DiscountEffect], reader: &Reader) -> Markup {
    let lang = reader.lang;
    html! {
        @if !found.is_empty() {
            h2 { (reader.say(["Discounts for paying soon", "Rabatt för snabb betalning", "Korting voor snel betalen"])) }
        }
        @for one in found {
            p { (match one.basis {
                Basis::Randomised => reader.say([
                    "Effect: the offers were drawn with known chances. Of one offer, whatever followed.",
                    "Effekt: erbjudandena lottades med kända sannolikheter. Av ett erbjudande, vad som än följde.",
                    "Effect: de aanbiedingen zijn met bekende kansen geloot. Van één aanbieding, wat er ook volgde.",
                ]),
                Basis::Association => reader.say([
                    "⚠ Association, not effect: a rule chose whom to offer one, perhaps those who pay anyway.",
                    "⚠ Samband, inte effekt: en regel valde vilka som fick dem, kanske de som ändå betalar.",
                    "⚠ Samenhang, geen effect: een regel koos wie ze kreeg, misschien wie toch al betaalt.",
                ]),
            }) " " (reader.say(["Offers", "Erbjudanden", "Aanbiedingen"])) " " (lang.count(one.offers as u64)) " / "
                (lang.count(one.decisions as u64)) }
            (scroll(reader.say(["Discounts for paying soon", "Rabatt för snabb betalning", "Korting voor snel betalen"]), &html! {
                table {
                    thead { tr {
                        th scope="col" { (reader.say(["Measure", "Mått", "Maat"])) }
                        th.n scope="col" { (reader.say(["With an offer", "Med erbjudande", "Met aanbieding"])) }
                        th.n scope="col" { (reader.say(["Without", "Utan", "Zonder"])) }
                        th.n scope="col" { (reader.say(["Difference", "Skillnad", "Verschil"])) }
                        th.n scope="col" { (lang.level(0.95, 0)) }
                    } }
                    tbody { @for contrast in &one.contrasts { tr {
                        th scope="row" lang="en" { (contrast.measure) }
                        td.n { (lang.number(contrast.offered, 3)) }
                        td.n { (lang.number(contrast.otherwise, 3)) }
                        td.n { (lang.signed(contrast.difference.expected, 3)) }
                        td.n { (lang.signed(contrast.difference.low, 3)) " – " (lang.signed(contrast.difference.high, 3)) }
                    } } }
                }
            }))
        }
    }
}

/// Open invoices of new customers in tenths of their early risk.
pub(super) fn early(
    found: &[EarlyTenth],
    money: &dyn Fn(f64) -> String,
    reader: &Reader,
) -> Markup {
    let lang = reader.lang;
    let title = reader.say([
        "New customers, not late yet, by early risk",
        "Nya kunder, ännu inte försenade, efter tidig risk",
        "Nieuwe klanten, nog niet te laat, naar vroeg risico",
    ]);
    html! {
        @if !found.is_empty() {
            h2 { (title) }
            (scroll(title, &html! {
                table {
                    thead { tr {
                        th scope="col" { (reader.say(["Tenth", "Tiondel", "Tiende"])) }
                        th.n scope="col" { (reader.say(["Invoices", "Fakturor", "Facturen"])) }
                        th.n scope="col" { (reader.say(["P(late at all)", "P(alls försenad)", "P(ooit te laat)"])) }
                        th.n scope="col" { (reader.say(["Owed", "Utestående", "Openstaand"])) }
                    } }
                    tbody { @for one in found { tr {
                        th scope="row" { (one.tenth) }
                        td.n { (lang.count(one.invoices as u64)) }
                        td.n { (lang.percent(one.risk, 1)) }
                        td.n { (money(one.owed_minor as f64)) }
                    } } }
                }
            }))
        }
    }
}
