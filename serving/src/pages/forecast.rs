//! `/forecast`: cash that is expected week by week, and how such forecasts have done.

use super::Reader;
use super::chart::{Hue, Plot, Span, share};
use super::offers;
use super::shell::{Place, Tone, card, page, scroll};
use lagom_model::forecast::{Coverage, Expected, Forecast, LEVEL, Together, Unissued, Week};
use maud::{Markup, html};

/// The page; without a forecast it says how to make one.
#[must_use]
pub fn render(reader: &Reader, found: Option<&Forecast>) -> Markup {
    let title = reader.say([
        "Expected cash",
        "Väntade inbetalningar",
        "Verwachte ontvangsten",
    ]);
    let body = html! {
        h1 { (title) }
        @match found {
            Some(found) => (shown(reader, found)),
            None => {
                p { (reader.say([
                    "There is no forecast of the version in force yet. This makes one:",
                    "Det finns ingen prognos för den version som gäller ännu. Så här görs en:",
                    "Er is nog geen prognose van de versie die van kracht is. Zo maakt u er een:",
                ])) }
                pre { code { "lagom export --out data\nlagom forecast --data data --models models" } }
            },
        }
    };
    page(reader, Place::Forecast, title, &body)
}

fn shown(reader: &Reader, found: &Forecast) -> Markup {
    let lang = reader.lang;
    let money = |minor: f64| lang.money(minor / 100.0, &found.currency, 0);
    let band = |one: &Expected, write: &dyn Fn(f64) -> String| {
        format!("{} – {}", write(one.low), write(one.high))
    };
    let count = |value: f64| lang.number(value, 1);
    let (said, interval) = (
        reader.say(["expected", "väntat", "verwacht"]),
        lang.level(LEVEL, 0),
    );
    let weeks = || {
        found
            .weeks
            .iter()
            .enumerate()
            .map(|(place, week)| (place as f64 + 1.0, week.cash_minor))
    };
    let points: Vec<(f64, f64)> = weeks()
        .map(|(x, cash)| (x, cash.expected / 100.0))
        .collect();
    let area = weeks().map(|(x, cash)| (x, cash.low / 100.0, cash.high / 100.0));
    let described: Vec<String> = weeks().map(|(_, cash)| money(cash.expected)).collect();
    let top = weeks().map(|(_, cash)| cash.high / 100.0);
    html! {
        p.soft { (reader.say(["As of", "Per", "Per"])) " " (lang.instant(&found.as_of.to_string())) ", "
            a href=(reader.link(&format!("/models/{}", found.model_id))) { code { (found.model_id) } } }
        ul.cards {
            (card(Tone::Quiet, reader.say(["Open invoices", "Öppna fakturor", "Open facturen"]), &lang.count(found.invoices as u64), ""))
            (card(Tone::Quiet, reader.say(["Owed on them", "Utestående", "Openstaand"]), &money(found.owed_minor as f64), ""))
            @if let Some(churn) = &found.churn {
                (card(Tone::Quiet, reader.say(["Customers expected to leave", "Kunder som väntas lämna", "Klanten die naar verwachting vertrekken"]), &count(churn.expected), &band(churn, &count)))
            }
            @if let Some(cases) = &found.cases {
                (card(Tone::Quiet, reader.say(["Collection cases expected", "Väntade inkassoärenden", "Verwachte incassozaken"]), &count(cases.expected), &band(cases, &count)))
            }
        }
        (Plot::new(reader.say(["Cash by week", "Inbetalningar per vecka", "Ontvangsten per week"]), &described.join(", "))
            .x(reader.say(["week", "vecka", "week"]), Span::of(points.iter().map(|(x, _)| *x)), |value, decimals| lang.number(value, decimals))
            .y(Span::of(top.chain([0.0])), |value, decimals| lang.number(value, decimals))
            .band(&interval, area.collect(), Hue::First)
            .line(said, points.clone(), Hue::First)
            .draw())
        (by_week(reader, reader.say(["Cash by week", "Inbetalningar per vecka", "Ontvangsten per week"]), &found.weeks, &money))
        @if !found.coverage.is_empty() {
            h2 { (reader.say(["Held against the past", "Prövat mot det förflutna", "Getoetst aan het verleden"])) }
            p.note { (reader.say([
                "Forecasts of past weeks by a model that had not seen them, with intervals made of the errors of earlier forecasts alone; those that had enough of them are judged. They should hold what came in this share:",
                "Prognoser för gångna veckor av en modell som inte sett dem, med intervall av enbart tidigare prognosers fel; de som hade nog av dem bedöms. De ska rymma utfallet i denna andel:",
                "Prognoses van voorbije weken door een model dat ze niet had gezien, met intervallen uit de fouten van eerdere prognoses alleen; wie daar genoeg van had, wordt beoordeeld. Ze horen de uitkomst in dit aandeel te bevatten:",
            ])) " " (lang.percent(LEVEL, 0)) }
            (coverage(reader, &found.coverage, &money))
        }
        @if let Some(unissued) = &found.unissued {
            (later(reader, unissued, &money))
        }
        @if let Some(both) = &found.together {
            (together(reader, both, &money))
        }
        @if !found.associations.is_empty() {
            h2 { (reader.say(["Payment options and days to payment", "Betalningssätt och dagar till betalning", "Betaalopties en dagen tot betaling"])) }
            p { "⚠ " (reader.say([
                "Association, not effect: customers chose these options, or were given them, for reasons that may be what makes them pay.",
                "Samband, inte effekt: kunder valde eller fick dessa sätt av skäl som själva kan förklara betalningen.",
                "Samenhang, geen effect: klanten kozen of kregen deze opties om redenen die zelf de betaling kunnen verklaren.",
            ])) }
            (scroll(reader.say(["Payment options", "Betalningssätt", "Betaalopties"]), &html! {
                table {
                    thead { tr {
                        th scope="col" { (reader.say(["Option", "Val", "Optie"])) }
                        th.n scope="col" { (reader.say(["Invoices", "Fakturor", "Facturen"])) }
                        th.n scope="col" { (reader.say(["Days against others", "Dagar mot övriga", "Dagen t.o.v. andere"])) }
                        th.n scope="col" { (lang.level(0.95, 0)) }
                    } }
                    tbody { @for one in &found.associations { tr {
                        th scope="row" { code { (one.option) } " " (one.value) }
                        td.n { (lang.count(one.invoices as u64)) }
                        td.n { (lang.signed(one.days.expected, 1)) }
                        td.n { (band(&one.days, &|value| lang.signed(value, 1))) }
                    } } }
                }
            }))
        }
        (offers::discounts(&found.discounts, reader))
        (offers::early(&found.early, &money, reader))
        h2 { (reader.say(["Limits", "Begränsningar", "Beperkingen"])) }
        ul lang="en" { @for note in &found.notes { li { (note) } } }
    }
}

/// Past forecasts against what came.
fn coverage(reader: &Reader, rows: &[Coverage], money: &dyn Fn(f64) -> String) -> Markup {
    let lang = reader.lang;
    let said = reader.say(["expected", "väntat", "verwacht"]);
    html! {
        (scroll(reader.say(["Coverage", "Täckning", "Dekking"]), &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Weeks ahead", "Veckor framåt", "Weken vooruit"])) }
                    th.n scope="col" { (reader.say(["Forecasts", "Prognoser", "Prognoses"])) }
                    th.n scope="col" { (reader.say(["Judged", "Bedömda", "Beoordeeld"])) }
                    th scope="col" { (reader.say(["Inside", "Inom", "Binnen"])) }
                    th.n scope="col" { (said) }
                    th.n scope="col" { (reader.say(["came", "utfall", "uitkomst"])) }
                } }
                tbody { @for row in rows {
                    @let inside = row.inside as f64 / row.forecasts.max(1) as f64;
                    tr {
                        th scope="row" { (row.ahead) }
                        td.n { (lang.count(row.known.max(row.forecasts) as u64)) }
                        td.n { (lang.count(row.forecasts as u64)) }
                        td { @if row.forecasts > 0 {
                            (share(inside, &lang.percent(inside, 0), Hue::First))
                        } @else { (reader.say(["too few before", "för få tidigare", "te weinig eerdere"])) } }
                        td.n { (money(row.said_minor)) }
                        td.n { (money(row.came_minor)) }
                    }
                } }
            }
        }))
    }
}

/// Invoices that are not issued yet.
fn later(reader: &Reader, found: &Unissued, money: &dyn Fn(f64) -> String) -> Markup {
    let lang = reader.lang;
    let title = reader.say([
        "Invoices not issued yet",
        "Fakturor som inte skickats ännu",
        "Nog niet verstuurde facturen",
    ]);
    html! {
        h2 { (title) }
        p.note { (reader.say([
            "Of customers who are invoiced in a rhythm, beside the cash of open invoices. Invoices expected of them:",
            "Av kunder som faktureras regelbundet, utöver inbetalningar av öppna fakturor. Väntade fakturor:",
            "Van klanten die regelmatig worden gefactureerd, naast de ontvangsten van open facturen. Verwachte facturen:",
        ])) " " (lang.number(found.invoices, 0)) ", " (money(found.billed_minor)) }
        (by_week(reader, title, &found.weeks, money))
        @if !found.coverage.is_empty() {
            (coverage(reader, &found.coverage, money))
        }
        @if let Some(share) = found.share_of_later {
            p.note { (reader.say([
                "Share of such customers in the cash of invoices issued after past forecasts:",
                "Dessa kunders andel av inbetalningarna av senare skickade fakturor:",
                "Aandeel van deze klanten in de ontvangsten van later verstuurde facturen:",
            ])) " " (lang.percent(share, 0)) }
        }
    }
}

/// Open invoices and those that are not issued yet.
fn together(reader: &Reader, found: &Together, money: &dyn Fn(f64) -> String) -> Markup {
    let title = reader.say([
        "Open and not issued yet together",
        "Öppna och ännu inte skickade tillsammans",
        "Open en nog niet verstuurd samen",
    ]);
    html! {
        h2 { (title) }
        p.note { (reader.say([
            "The intervals are of past errors of the sum: errors of the two may go together or against each other.",
            "Intervallen är av summans tidigare fel: de två delarnas fel kan samverka eller ta ut varandra.",
            "De intervallen zijn van eerdere fouten van de som: fouten van beide delen kunnen samengaan of elkaar opheffen.",
        ])) }
        (by_week(reader, title, &found.weeks, money))
        @if !found.coverage.is_empty() {
            (coverage(reader, &found.coverage, money))
        }
    }
}

/// Cash by week.
fn by_week(reader: &Reader, title: &str, weeks: &[Week], money: &dyn Fn(f64) -> String) -> Markup {
    let lang = reader.lang;
    scroll(
        title,
        &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Week from", "Vecka från", "Week vanaf"])) }
                    th.n scope="col" { (reader.say(["expected", "väntat", "verwacht"])) }
                    th.n scope="col" { (lang.level(LEVEL, 0)) }
                } }
                tbody { @for week in weeks { tr {
                    th scope="row" { (lang.day(&week.from.to_string())) }
                    td.n { (money(week.cash_minor.expected)) }
                    td.n { (money(week.cash_minor.low)) " – " (money(week.cash_minor.high)) }
                } } }
            }
        },
    )
}
