//! What one pays for what: the candidate under other weights of churn and complaints.

use super::{decimals, metric};
use crate::pages::Reader;
use crate::pages::chart::{Hue, Plot, Span};
use crate::pages::shell::scroll;
use lagom_model::ope::valuation::{Figure, METRICS, Point};
use maud::{Markup, html};

/// Along the bottom, and up the side.
const ACROSS: &str = "churned";
const UP: &str = "collected";

/// What the two who choose ask for stands first; the rest is there by scrolling.
const FIRST: [&str; 5] = [UP, ACROSS, "contacts", "complaints", "collection_cases"];

fn columns() -> impl Iterator<Item = &'static str> {
    let rest = METRICS.into_iter().filter(|name| !FIRST.contains(name));
    FIRST.into_iter().chain(rest)
}

pub(super) fn render(reader: &Reader, candidate: &str, points: &[Point]) -> Markup {
    let lang = reader.lang;
    let title = reader.say(["Trade-off", "Avvägning", "Afweging"]);
    html! {
        h4 { (title) }
        p.note { (reader.say([
            "Each point weighs lost customers, complaints and calls by another multiple of the configured weights. Choose one together.",
            "Varje punkt väger förlorade kunder, klagomål och samtal med en annan multipel av de inställda vikterna. Välj en tillsammans.",
            "Elk punt weegt verloren klanten, klachten en contacten met een ander veelvoud van de ingestelde gewichten. Kies er samen een.",
        ])) }
        (curve(reader, title, points))
        (scroll(&format!("{title}, {candidate}"), &html! {
            table {
                thead { tr {
                    th.n scope="col" { (reader.say(["Weight", "Vikt", "Gewicht"])) }
                    @for name in columns() { th.n scope="col" { (metric(reader, name)) } }
                } }
                tbody { @for point in points { tr {
                    th.n scope="row" { "×" (lang.number(point.weight, 1)) }
                    @for name in columns() {
                        @match point.episode.candidate.get(name) {
                            Some(one) => td.n {
                                (lang.number(one.value, decimals(name))) br;
                                span.soft {
                                    (lang.number(one.interval.low, decimals(name))) " … "
                                    (lang.number(one.interval.high, decimals(name)))
                                }
                            },
                            None => td.n { "–" },
                        }
                    }
                } } }
            }
        }))
    }
}

fn curve(reader: &Reader, title: &str, points: &[Point]) -> Markup {
    let lang = reader.lang;
    let both = |point: &Point| -> Option<(f64, Figure, Figure)> {
        let of = |name| point.episode.candidate.get(name).copied();
        Some((point.weight, of(ACROSS)?, of(UP)?))
    };
    let mut found: Vec<_> = points.iter().filter_map(both).collect();
    found.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let place = |(_, x, y): &(f64, Figure, Figure)| (x.value, y.value);
    let words: Vec<String> = found
        .iter()
        .map(|(weight, x, y)| {
            format!(
                "×{}: {} {}, {} {}",
                lang.number(*weight, 1),
                metric(reader, ACROSS),
                lang.number(x.value, 4),
                metric(reader, UP),
                lang.number(y.value, 1)
            )
        })
        .collect();
    let x = Span::of(found.iter().map(|one| one.1.value)).padded(0.1);
    let ends = found.iter();
    let y = Span::of(ends.flat_map(|(_, _, y)| [y.interval.low, y.interval.high])).padded(0.05);
    let bars = found
        .iter()
        .map(|(_, x, y)| (x.value, y.interval.low, y.interval.high));
    let across = metric(reader, ACROSS);
    let up = metric(reader, UP);
    let mut plot = Plot::new(title, &words.join("; "))
        .x(&across, x, |value, digits| lang.number(value, digits))
        .y(y, |value, digits| lang.number(value, digits))
        .line(&up, found.iter().map(place).collect(), Hue::Quiet)
        .whiskers(bars.collect(), Hue::First)
        .dots(
            reader.say([
                "a weight, 95% interval",
                "en vikt, 95 %-intervall",
                "een gewicht, 95%-interval",
            ]),
            found.iter().map(place).collect(),
            Hue::First,
        );
    for (weight, x, y) in &found {
        plot = plot.tag(x.value, y.value, &format!("×{}", lang.number(*weight, 1)));
    }
    plot.draw()
}
