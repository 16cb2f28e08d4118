//! Goals, and guardrails: what changed, and is it provably not worse?

use super::document::{Comparison, Direction, Document, GuardrailState, Metric};
use super::words::{self, Unit};
use crate::pages::Reader;
use crate::pages::chart::{Span, whisker};
use crate::pages::shell::{Tone, scroll};
use maud::{Markup, html};

/// What an interval says about a metric.
pub(super) fn reading(reader: &Reader, metric: &Metric) -> (Tone, &'static str, String) {
    let [low, high] = metric.judged.ci;
    let above = low.is_some_and(|low| low > 0.0);
    let below = high.is_some_and(|high| high < 0.0);
    let moved = if above { "▲" } else { "▼" };
    let good = match metric.direction {
        None if above => {
            return (
                Tone::Quiet,
                moved,
                reader
                    .say([
                        "more (not judged)",
                        "mer (bedöms inte)",
                        "meer (niet beoordeeld)",
                    ])
                    .to_owned(),
            );
        }
        None if below => {
            return (
                Tone::Quiet,
                moved,
                reader
                    .say([
                        "less (not judged)",
                        "mindre (bedöms inte)",
                        "minder (niet beoordeeld)",
                    ])
                    .to_owned(),
            );
        }
        None => false,
        Some(Direction::Higher) => above,
        Some(Direction::Lower) => below,
    };
    if !above && !below {
        return (
            Tone::Quiet,
            "–",
            reader
                .say([
                    "no clear change",
                    "ingen tydlig ändring",
                    "geen duidelijke verandering",
                ])
                .to_owned(),
        );
    }
    if good && metric.superior != Some(false) {
        (
            Tone::Good,
            moved,
            reader.say(["better", "bättre", "beter"]).to_owned(),
        )
    } else if good {
        (
            Tone::Quiet,
            moved,
            reader
                .say([
                    "not enough after correction",
                    "inte nog efter korrigering",
                    "na correctie niet genoeg",
                ])
                .to_owned(),
        )
    } else {
        (
            Tone::Bad,
            moved,
            reader.say(["worse", "sämre", "slechter"]).to_owned(),
        )
    }
}

pub(super) fn goals(reader: &Reader, document: &Document, comparison: &Comparison) -> Markup {
    let metrics: Vec<&Metric> = comparison
        .metrics
        .0
        .iter()
        .map(|(_, metric)| metric)
        .collect();
    let of = |role: &str| -> Vec<&Metric> {
        metrics
            .iter()
            .copied()
            .filter(|metric| metric.role == role)
            .collect()
    };
    html! {
        h2 { (reader.say(["What changed", "Vad som ändrades", "Wat er veranderde"])) }
        p.note {
            @if let Some(log) = document.log.as_ref().filter(|log| !log.currency.is_empty()) {
                (reader.say(["Amounts in", "Belopp i", "Bedragen in"])) " " (log.currency) ". "
            }
            (reader.say([
                "pp: percentage points. p: how often chance alone would show so much.",
                "pe: procentenheter. p: hur ofta slumpen ensam skulle visa så mycket.",
                "pp: procentpunten. p: hoe vaak toeval alleen zo veel zou tonen.",
            ])) " "
            (reader.say(["Intervals by the rule", "Intervall enligt regeln", "Intervallen volgens de regel"]))
            " “" (rule(reader, &document.interval)) "”; "
            (reader.say([
                "goals share the level between them, and their p-values are corrected for their number (Holm).",
                "målen delar på nivån, och deras p-värden är korrigerade för antalet (Holm).",
                "doelen delen het niveau, en hun p-waarden zijn gecorrigeerd voor hun aantal (Holm).",
            ]))
        }
        h3 { (reader.say(["Goals", "Mål", "Doelen"])) }
        (table(reader, reader.say(["Goals", "Mål", "Doelen"]), document, comparison, &of("success")))
        @let others = of("informative");
        @if !others.is_empty() {
            h3 { (reader.say(["Also counted, not part of the verdict", "Räknas också, ingår inte i utslaget", "Ook geteld, geen deel van het oordeel"])) }
            (table(reader, reader.say(["Also counted", "Räknas också", "Ook geteld"]), document, comparison, &others))
        }
    }
}

pub(super) fn rule(reader: &Reader, rule: &str) -> &'static str {
    match rule {
        "sequential" => reader.lang.say([
            "safe to look every day",
            "säkert att titta varje dag",
            "veilig om elke dag te kijken",
        ]),
        "fixed" => reader.lang.say([
            "one look at the end",
            "en titt vid slutet",
            "één blik aan het eind",
        ]),
        _ => reader.lang.say([
            "safe to look every day, sharpest at the planned end",
            "säkert att titta varje dag, skarpast vid planerat slut",
            "veilig om elke dag te kijken, scherpst aan het geplande eind",
        ]),
    }
}

/// Ends of an interval as lifts, if the control is not zero.
fn lifts(metric: &Metric) -> Option<[f64; 2]> {
    let [low, high] = metric.judged.ci_lift?;
    Some([
        low.unwrap_or(f64::NEG_INFINITY),
        high.unwrap_or(f64::INFINITY),
    ])
}

fn table(
    reader: &Reader,
    label: &str,
    document: &Document,
    comparison: &Comparison,
    metrics: &[&Metric],
) -> Markup {
    let lang = reader.lang;
    let alpha = metrics
        .first()
        .map_or(document.alpha, |metric| metric.judged.alpha);
    let level = lang.level(1.0 - alpha, decimals_of(alpha));
    let ends = metrics.iter().filter_map(|metric| lifts(metric)).flatten();
    let scale = Span::of(ends.map(|end| end.clamp(-1.0, 1.0)).chain([0.0])).padded(0.06);
    let plot = reader.say([
        "Relative change (line = no change)",
        "Relativ ändring (linje = ingen)",
        "Relatieve verandering (lijn = geen)",
    ]);
    scroll(
        label,
        &html! {
            table.stack {
                thead { tr {
                    th scope="col" { (reader.say(["Measure", "Mått", "Maat"])) }
                    th.n scope="col" { (document.control) }
                    th.n scope="col" { (comparison.treatment) }
                    th.n scope="col" { (reader.say(["Change", "Ändring", "Verandering"])) }
                    th.n scope="col" { (level) }
                    th scope="col" { (plot) }
                    th.n scope="col" { "p" }
                    th scope="col" { (reader.say(["Reading", "Tolkning", "Lezing"])) }
                } }
                tbody {
                    @for metric in metrics {
                        @let unit = words::unit(metric);
                        @let (tone, symbol, reading) = reading(reader, metric);
                        tr {
                            th scope="row" { (words::name(lang, &metric.name)) small { (totals(reader, metric)) } }
                            td.n data-label=(document.control) { (unit.level(lang, metric.mean_c)) }
                            td.n data-label=(comparison.treatment) { (unit.level(lang, metric.mean_t)) }
                            td.n data-label=(reader.say(["Change", "Ändring", "Verandering"])) {
                                (unit.difference(lang, metric.judged.diff, metric.mean_c))
                                @if let Some(lift) = metric.judged.lift { small { (lang.signed_percent(lift, 1)) } }
                            }
                            td.n data-label=(reader.say(["Interval", "Intervall", "Interval"])) {
                                (unit.interval(lang, metric.judged.ci, metric.mean_c))
                                @if metric.judged.estimate != "raw" { small { (estimate(reader, &metric.judged.estimate)) } }
                            }
                            td.plot {
                                @if let (Some([low, high]), Some(lift)) = (lifts(metric), metric.judged.lift) {
                                    (whisker(scale, low, lift, high, tone))
                                }
                            }
                            td.n data-label="p" { (lang.p(metric.p_holm.unwrap_or(metric.judged.p))) }
                            td class=(tone.class()) { span aria-hidden="true" { (symbol) " " } (reading) }
                        }
                    }
                }
            }
        },
    )
}

/// The name of an estimate.
pub(super) fn estimate(reader: &Reader, estimate: &str) -> &'static str {
    let words = match estimate {
        "winsorised" => [
            "extremes capped",
            "extremvärden kapade",
            "uitschieters afgetopt",
        ],
        "lin_hc2" => [
            "adjusted for before",
            "justerat för tiden före",
            "gecorrigeerd voor ervoor",
        ],
        "winsorised_lin_hc2" => [
            "extremes capped, adjusted for before",
            "extremvärden kapade, justerat för tiden före",
            "uitschieters afgetopt, gecorrigeerd voor ervoor",
        ],
        _ => ["as observed", "som observerat", "zoals waargenomen"],
    };
    reader.lang.say(words)
}

fn totals(reader: &Reader, metric: &Metric) -> String {
    let lang = reader.lang;
    let whole = |value: f64| lang.number(value, 0);
    let sums = match (metric.denominator_c, metric.denominator_t) {
        (Some(c), Some(t)) => format!(
            "{} {} {}; {} {} {}",
            whole(metric.total_c),
            lang.say(["of", "av", "van"]),
            whole(c),
            whole(metric.total_t),
            lang.say(["of", "av", "van"]),
            whole(t)
        ),
        _ => format!("{} / {}", whole(metric.total_c), whole(metric.total_t)),
    };
    let missing = metric.missing_c + metric.missing_t;
    let unknown = if missing > 0 {
        format!(
            "; {} {}",
            lang.count(missing),
            lang.say(["unknown", "okända", "onbekend"])
        )
    } else {
        String::new()
    };
    format!(
        "{sums}; {} + {} {}{unknown}",
        whole(metric.n_c),
        whole(metric.n_t),
        lang.say(["customers", "kunder", "klanten"])
    )
}

pub(super) fn guardrails(reader: &Reader, document: &Document, comparison: &Comparison) -> Markup {
    let lang = reader.lang;
    let metrics = comparison.metrics.0.iter();
    let guarded: Vec<_> = metrics
        .filter_map(|(_, metric)| Some((metric, metric.guardrail.as_ref()?)))
        .collect();
    if guarded.is_empty() {
        return html! {};
    }
    let label = reader.say([
        "Guardrails: is it shown not to be worse?",
        "Skyddsmått: är det visat att det inte är sämre?",
        "Vangrails: is aangetoond dat het niet slechter is?",
    ]);
    html! {
        h2 { (label) }
        p.note { (reader.say([
            "Each must be shown to lose less than was allowed before the start. “Room left” is what remains of that allowance at worst.",
            "Vart och ett ska visas förlora mindre än vad som tilläts före starten. ”Marginal kvar” är vad som i värsta fall återstår.",
            "Voor elk moet zijn aangetoond dat het minder verliest dan vooraf was toegestaan. ‘Ruimte over’ is wat er in het slechtste geval van resteert.",
        ])) }
        (scroll(label, &html! {
            table.stack {
                thead { tr {
                    th scope="col" { (reader.say(["Measure", "Mått", "Maat"])) }
                    th.n scope="col" { (document.control) }
                    th.n scope="col" { (comparison.treatment) }
                    th.n scope="col" { (reader.say(["Change", "Ändring", "Verandering"])) }
                    th.n scope="col" { (reader.say(["Allowed loss", "Tillåten förlust", "Toegestaan verlies"])) }
                    th.n scope="col" { (reader.say(["Room left, at worst", "Marginal kvar, i värsta fall", "Ruimte over, op zijn slechtst"])) }
                    th.n scope="col" { "p" }
                    th scope="col" { (reader.say(["Reading", "Tolkning", "Lezing"])) }
                } }
                tbody {
                    @for (metric, guardrail) in &guarded {
                        @let unit = words::unit(metric);
                        @let (tone, words) = state(reader, guardrail.state);
                        tr {
                            th scope="row" {
                                (words::name(lang, &metric.name))
                                small { (lang.number(metric.n_c, 0)) " + " (lang.number(metric.n_t, 0)) " " (reader.say(["customers", "kunder", "klanten"])) }
                            }
                            td.n data-label=(document.control) { (unit.level(lang, metric.mean_c)) }
                            td.n data-label=(comparison.treatment) { (unit.level(lang, metric.mean_t)) }
                            td.n data-label=(reader.say(["Change", "Ändring", "Verandering"])) {
                                (unit.difference(lang, metric.absolute.diff, metric.mean_c))
                            }
                            td.n data-label=(reader.say(["Allowed loss", "Tillåten förlust", "Toegestaan verlies"])) { (allowed(reader, unit, guardrail.margin, &guardrail.margin_kind, metric.mean_c)) }
                            td.n data-label=(reader.say(["Room left, at worst", "Marginal kvar, i värsta fall", "Ruimte over, op zijn slechtst"])) {
                                (unit.difference(lang, guardrail.bound, metric.mean_c))
                                small { (reader.say(["estimate", "skattning", "schatting"])) " " (unit.difference(lang, guardrail.room, metric.mean_c)) }
                            }
                            td.n data-label="p" { (lang.p(guardrail.p)) }
                            td class=(tone.class()) { span aria-hidden="true" { (tone.symbol()) " " } (words) }
                        }
                    }
                }
            }
        }))
        p.note {
            (reader.say(["One-sided level of each:", "Ensidig nivå för vart och ett:", "Eenzijdig niveau van elk:"])) " "
            (lang.percent(guarded[0].1.alpha, 1)) ". "
            (reader.say([
                "Guardrails need no correction for their number, because all of them must hold.",
                "Skyddsmått behöver ingen korrigering för antalet, eftersom alla måste hålla.",
                "Vangrails vragen geen correctie voor hun aantal, omdat ze allemaal moeten gelden.",
            ]))
        }
    }
}

fn allowed(reader: &Reader, unit: Unit, margin: f64, kind: &str, size: f64) -> String {
    let lang = reader.lang;
    match kind {
        "relative" => lang.percent(margin, 1),
        _ => unit
            .difference(lang, margin, size)
            .trim_start_matches('+')
            .to_owned(),
    }
}

fn state(reader: &Reader, state: GuardrailState) -> (Tone, &'static str) {
    match state {
        GuardrailState::Safe => (Tone::Good, reader.lang.say(["safe", "säkert", "veilig"])),
        GuardrailState::NotYetShownSafe => (
            Tone::Warn,
            reader.lang.say([
                "not yet shown safe",
                "ännu inte visat säkert",
                "nog niet aangetoond veilig",
            ]),
        ),
        GuardrailState::Harmful => (
            Tone::Bad,
            reader.lang.say(["harmful", "skadligt", "schadelijk"]),
        ),
    }
}

/// Decimals that a level needs: 95 %, but 97.5 %.
fn decimals_of(alpha: f64) -> usize {
    let percent = 100.0 * alpha;
    usize::from((percent - percent.round()).abs() > 1e-9)
}
