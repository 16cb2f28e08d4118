//! For whom, by what, how surely, and would other estimates say the same?

use super::document::{ArmLog, Comparison, Document, Interval, Metric, Segmentation, Step};
use super::effects::estimate;
use super::words;
use crate::pages::chart::{Hue, Span, share, whisker};
use crate::pages::shell::{Tone, scroll};
use crate::pages::{Reader, actions};
use maud::{Markup, html};

/// Actions of an arm that are listed.
const LISTED: usize = 8;

fn success(comparison: &Comparison) -> impl Iterator<Item = &Metric> {
    let metrics = comparison.metrics.0.iter().map(|(_, metric)| metric);
    metrics.filter(|metric| metric.role == "success")
}

pub(super) fn segments(reader: &Reader, document: &Document, comparison: &Comparison) -> Markup {
    let shown: Vec<(&Metric, &Segmentation)> = success(comparison)
        .flat_map(|metric| metric.segments.iter().map(move |one| (metric, one)))
        .filter(|(_, one)| !one.by_segment.0.is_empty())
        .collect();
    if shown.is_empty() {
        return html! {};
    }
    html! {
        h2 { (reader.say(["For whom?", "För vem?", "Voor wie?"])) }
        @for (metric, segmentation) in shown { (segmented(reader, document, comparison, metric, segmentation)) }
    }
}

fn segmented(
    reader: &Reader,
    document: &Document,
    comparison: &Comparison,
    metric: &Metric,
    segmentation: &Segmentation,
) -> Markup {
    let lang = reader.lang;
    let unit = words::unit(metric);
    let name = words::name(lang, &metric.name);
    let differ = segmentation.heterogeneity.as_ref().map(|test| {
        let words = if test.p < 0.05 {
            reader.say([
                "The groups of customers differ",
                "Kundgrupperna skiljer sig",
                "De klantgroepen verschillen",
            ])
        } else {
            reader.say([
                "No sign that groups of customers differ",
                "Inga tecken på att kundgrupperna skiljer sig",
                "Geen teken dat klantgroepen verschillen",
            ])
        };
        format!(
            "{words} (Q {}, p {}, I² {}).",
            lang.number(test.q, 2),
            lang.p(test.p),
            lang.percent(test.i2, 0)
        )
    });
    let ends = segmentation
        .by_segment
        .0
        .iter()
        .filter_map(|(_, effect)| effect.absolute.z.as_ref())
        .flat_map(|test| test.ci);
    let scale = Span::of(ends.flatten().chain([0.0])).padded(0.06);
    html! {
        h3 { (name) ", " (by(reader, &segmentation.column)) }
        @if let Some(differ) = differ { p { (differ) } }
        (scroll(&name, &html! {
            table.stack {
                thead { tr {
                    th scope="col" { (reader.say(["Segment", "Segment", "Segment"])) }
                    th.n scope="col" { (document.control) " / " (comparison.treatment) }
                    th.n scope="col" { (reader.say(["Change", "Ändring", "Verandering"])) }
                    th.n scope="col" { (lang.level(1.0 - document.alpha, 0)) }
                    th scope="col" { (reader.say(["Line = no change", "Linje = ingen ändring", "Lijn = geen verandering"])) }
                    th.n scope="col" { "p (Holm)" }
                } }
                tbody {
                    @for (place, (segment, effect)) in segmentation.by_segment.0.iter().enumerate() {
                        @let ci = effect.absolute.z.as_ref().map(|test| test.ci);
                        tr {
                            th scope="row" { (segment) }
                            td.n data-label=(reader.say(["Customers", "Kunder", "Klanten"])) { (lang.number(effect.n_c, 0)) " / " (lang.number(effect.n_t, 0)) }
                            td.n data-label=(reader.say(["Change", "Ändring", "Verandering"])) { (unit.difference(lang, effect.absolute.diff, metric.mean_c)) }
                            td.n data-label=(reader.say(["Interval", "Intervall", "Interval"])) { @if let Some(ci) = ci { (unit.interval(lang, ci, metric.mean_c)) } @else { "–" } }
                            td.plot { @if let Some([Some(low), Some(high)]) = ci { (whisker(scale, low, effect.absolute.diff, high, Tone::Quiet)) } }
                            td.n data-label="p" { (segmentation.holm.get(place).map_or_else(String::new, |p| lang.p(*p))) }
                        }
                    }
                }
            }
        }))
        @if !segmentation.hidden.is_empty() {
            p.note {
                (reader.say(["Too small to show", "För små för att visas", "Te klein om te tonen"])) ": "
                @for (place, hidden) in segmentation.hidden.iter().enumerate() {
                    @if place > 0 { ", " }
                    (hidden.segment) " (" (lang.count(hidden.n_c)) " / " (lang.count(hidden.n_t)) ")"
                }
            }
        }
    }
}

/// How customers were divided.
fn by(reader: &Reader, column: &str) -> String {
    let words = match column {
        "segment" => ["by segment", "per segment", "per segment"],
        "product" => ["by product", "per produkt", "per product"],
        "audience" => ["by audience", "per målgrupp", "per doelgroep"],
        "country" => ["by country", "per land", "per land"],
        other => {
            let by = reader.say(["by", "per", "per"]);
            return format!("{by} {}", other.replace('_', " "));
        }
    };
    reader.say(words).to_owned()
}

pub(super) fn done(reader: &Reader, document: &Document) -> Markup {
    let Some(log) = &document.log else {
        return html! {};
    };
    html! {
        h2 { (reader.say(["What was done", "Vad som gjordes", "Wat er is gedaan"])) }
        p.note { (reader.say([
            "How often each step was taken. Customers who got a step differ from those who did not, so these counts alone say nothing about what a step does.",
            "Hur ofta varje steg togs. Kunder som fick ett steg skiljer sig från dem som inte fick det, så antalen säger inget om vad ett steg gör.",
            "Hoe vaak elke stap is gezet. Klanten die een stap kregen verschillen van wie die niet kregen, dus deze aantallen zeggen niets over wat een stap doet.",
        ])) }
        div.pair { @for (name, arm) in &log.arms.0 { div { (mix(reader, name, arm)) } } }
        @for (name, arm) in &log.arms.0 {
            @if !arm.steps.is_empty() { (added(reader, name, &log.currency, &arm.steps)) }
        }
    }
}

/// What one arm did, how far by chance, and how often something else had to decide.
fn mix(reader: &Reader, name: &str, arm: &ArmLog) -> Markup {
    let lang = reader.lang;
    let part = |count: u64| count as f64 / arm.decisions.max(1) as f64;
    let listed = arm.actions.0.iter().take(LISTED);
    let rest: u64 = arm.actions.0.iter().skip(LISTED).map(|(_, n)| n).sum();
    html! {
        h3 { (name) }
        p.note {
            (lang.count(arm.decisions)) " " (reader.say(["decisions", "beslut", "beslissingen"]))
            @if let Some(mean) = arm.mean_probability { "; " (reader.say(["mean probability of what was chosen", "genomsnittlig sannolikhet för det valda", "gemiddelde kans van het gekozene"])) " " (lang.percent(mean, 0)) }
            @if arm.fallbacks > 0 {
                "; " (reader.say([
                    "made by the rules because the group's own policy could not, as before it had learnt anything",
                    "fattade av reglerna för att gruppens egen policy inte kunde, som innan den lärt sig något",
                    "door de regels genomen omdat het eigen beleid van de groep het niet kon, zoals voordat het iets had geleerd",
                ])) ": " (lang.count(arm.fallbacks)) " (" (lang.percent(part(arm.fallbacks), 0)) ")"
            }
        }
        (scroll(name, &html! {
            table {
                thead { tr {
                    th scope="col" { (reader.say(["Step", "Steg", "Stap"])) }
                    th scope="col" { (reader.say(["Share of decisions", "Andel av besluten", "Aandeel van de beslissingen"])) }
                } }
                tbody {
                    @for (action, count) in listed {
                        tr {
                            th scope="row" { (actions::words(lang, action)) small { (lang.count(*count)) } }
                            td { (share(part(*count), &lang.percent(part(*count), 1), Hue::First)) }
                        }
                    }
                    @if rest > 0 {
                        tr {
                            th scope="row" { (reader.say(["All others", "Alla andra", "Alle andere"])) small { (lang.count(rest)) } }
                            td { (share(part(rest), &lang.percent(part(rest), 1), Hue::Quiet)) }
                        }
                    }
                }
            }
        }))
    }
}

/// What the steps of an arm add over waiting, by adaptive scores, beside the plain difference.
fn added(reader: &Reader, arm: &str, currency: &str, steps: &[Step]) -> Markup {
    let lang = reader.lang;
    let label = format!(
        "{} “{arm}” ({currency})",
        reader.say([
            "What a message adds over waiting, in",
            "Vad ett meddelande tillför mot att vänta, i",
            "Wat een bericht toevoegt boven wachten, in",
        ])
    );
    let ends = steps.iter().flat_map(|one| one.added);
    let scale = Span::of(ends.chain([0.0])).padded(0.06);
    let money = |value: f64| lang.signed(value, words::decimals(value));
    html! {
        (scroll(&label, &html! {
            table.stack {
                caption { (label) }
                thead { tr {
                    th scope="col" { (reader.say(["Channel, tone", "Kanal, ton", "Kanaal, toon"])) }
                    th.n scope="col" { (reader.say(["Adds per decision", "Tillför per beslut", "Voegt toe per beslissing"])) }
                    th.n scope="col" { (lang.level(0.95, 0)) }
                    th scope="col" { (reader.say(["Line = adds nothing", "Linje = tillför inget", "Lijn = voegt niets toe"])) }
                    th.n scope="col" { (reader.say(["Plain difference", "Rå skillnad", "Kaal verschil"])) }
                } }
                tbody {
                    @for one in steps {
                        @let [diff, low, high] = one.added;
                        @let tone = if low > 0.0 { Tone::Good } else if high < 0.0 { Tone::Bad } else { Tone::Quiet };
                        tr {
                            th scope="row" { (actions::words(lang, &one.step)) small { (lang.count(one.decisions)) " " (reader.say(["chosen of", "valda av", "gekozen van"])) " " (lang.count(one.comparable)) } }
                            td.n data-label=(reader.say(["Adds", "Tillför", "Voegt toe"])) { (money(diff)) }
                            td.n data-label=(reader.say(["Interval", "Intervall", "Interval"])) { (money(low)) " " (reader.say(["to", "till", "tot"])) " " (money(high)) }
                            td.plot { (whisker(scale, low, diff, high, tone)) }
                            td.n data-label=(reader.say(["Plain difference", "Rå skillnad", "Kaal verschil"])) { (money(one.naive)) }
                        }
                    }
                }
            }
        }))
        p.note { (reader.say([
            "Compared by the logged probabilities among decisions that could also have waited, with weights for a policy that learns. The plain difference beside it misleads: a message goes to those who seem to need it.",
            "Jämfört med de loggade sannolikheterna bland beslut som också kunde ha väntat, med vikter för en policy som lär sig. Den råa skillnaden bredvid vilseleder: ett meddelande går till dem som verkar behöva det.",
            "Vergeleken via de gelogde kansen onder beslissingen die ook hadden kunnen wachten, met gewichten voor een lerend beleid. Het kale verschil ernaast misleidt: een bericht gaat naar wie het nodig lijkt te hebben.",
        ])) }
    }
}

pub(super) fn power(reader: &Reader, document: &Document, comparison: &Comparison) -> Markup {
    let lang = reader.lang;
    let reached = document.customers;
    let planned = document.planned_customers;
    let label = reader.say([
        "How much can this show?",
        "Hur mycket kan detta visa?",
        "Hoeveel kan dit aantonen?",
    ]);
    html! {
        h2 { (label) }
        p {
            (lang.count(comparison.customers_c)) " + " (lang.count(comparison.customers_t)) " "
            (reader.say(["customers compared", "jämförda kunder", "vergeleken klanten"]))
            @if planned > 0 { "; " (reader.say(["planned in all", "planerat totalt", "in totaal gepland"])) " " (lang.count(planned)) " (" (lang.percent(reached as f64 / planned as f64, 0)) ")" }
            @if let Some(days) = to_go(document) {
                "; " (reader.say(["at this pace about {} days to go", "i denna takt ungefär {} dagar kvar", "in dit tempo nog ongeveer {} dagen"]).replace("{}", &lang.count(days)))
            }
            @if planned == 0 { "; " (reader.say(["no size was planned", "ingen storlek planerades", "er was geen omvang gepland"])) }
            "."
        }
        (scroll(label, &html! {
            table {
                caption { (reader.say(["Smallest change that this many customers would show, with the planned power", "Minsta ändring som så många kunder skulle visa, med planerad styrka", "Kleinste verandering die zo veel klanten zouden tonen, met het geplande vermogen"])) }
                thead { tr {
                    th scope="col" { (reader.say(["Goal", "Mål", "Doel"])) }
                    th.n scope="col" { (reader.say(["Detectable", "Upptäckbart", "Aantoonbaar"])) }
                    th.n scope="col" { (reader.say(["Seen", "Sett", "Gezien"])) }
                } }
                tbody {
                    @for metric in success(comparison) {
                        @let unit = words::unit(metric);
                        tr {
                            th scope="row" { (words::name(lang, &metric.name)) }
                            td.n { (unit.difference(lang, metric.judged.mde, metric.mean_c).trim_start_matches('+')) @if let Some(lift) = metric.judged.mde_lift { small { (lang.percent(lift, 1)) } } }
                            td.n { (unit.difference(lang, metric.judged.diff, metric.mean_c)) }
                        }
                    }
                }
            }
        }))
    }
}

/// Days until the planned number of customers is there, if they come as they came so far.
fn to_go(document: &Document) -> Option<u64> {
    let (reached, days) = (document.customers, document.days()?);
    let missing = document.planned_customers.checked_sub(reached)?;
    if missing == 0 || reached == 0 || days == 0 {
        return None;
    }
    Some((missing * days).div_ceil(reached))
}

/// An estimate: its name, the change, its interval, its p-value.
type Other = (String, f64, Option<Interval>, Option<f64>);

pub(super) fn sensitivity(reader: &Reader, comparison: &Comparison) -> Markup {
    let lang = reader.lang;
    let label = reader.say([
        "Would other estimates say the same?",
        "Skulle andra skattningar säga samma sak?",
        "Zouden andere schattingen hetzelfde zeggen?",
    ]);
    let judged = comparison
        .metrics
        .0
        .iter()
        .map(|(_, metric)| metric)
        .filter(|metric| metric.role != "informative");
    html! {
        h2 { (label) }
        (scroll(label, &html! {
            table.stack {
                thead { tr {
                    th scope="col" { (reader.say(["Measure", "Mått", "Maat"])) }
                    th scope="col" { (reader.say(["Estimate", "Skattning", "Schatting"])) }
                    th.n scope="col" { (reader.say(["Change", "Ändring", "Verandering"])) }
                    th.n scope="col" { (reader.say(["Interval", "Intervall", "Interval"])) }
                    th.n scope="col" { "p" }
                } }
                tbody {
                    @for metric in judged {
                        @let unit = words::unit(metric);
                        @for (place, (name, diff, ci, p)) in others(reader, metric).into_iter().enumerate() {
                            tr {
                                @if place == 0 { th scope="row" { (words::name(lang, &metric.name)) } } @else { td { span.soft { (words::name(lang, &metric.name)) } } }
                                td { (name) }
                                td.n data-label=(reader.say(["Change", "Ändring", "Verandering"])) { (unit.difference(lang, diff, metric.mean_c)) }
                                td.n data-label=(reader.say(["Interval", "Intervall", "Interval"])) { @if let Some(ci) = ci { (unit.interval(lang, ci, metric.mean_c)) } @else { "–" } }
                                td.n data-label="p" { @if let Some(p) = p { (lang.p(p)) } @else { "–" } }
                            }
                        }
                    }
                }
            }
        }))
    }
}

fn others(reader: &Reader, metric: &Metric) -> Vec<Other> {
    let judged = &metric.judged;
    let mut rows = vec![(
        format!(
            "{}: {}",
            reader.say(["the plan's", "planens", "die van het plan"]),
            estimate(reader, &judged.estimate)
        ),
        judged.diff,
        Some(judged.ci),
        Some(judged.p),
    )];
    let mut fixed = |name: &str, difference: &super::document::Difference| {
        let test = difference.z.as_ref();
        rows.push((
            name.to_owned(),
            difference.diff,
            test.map(|test| test.ci),
            test.map(|test| test.p),
        ));
    };
    fixed(
        reader.say([
            "as observed, one look",
            "som observerat, en titt",
            "zoals waargenomen, één blik",
        ]),
        &metric.absolute,
    );
    if let Some(winsorised) = &metric.winsorised {
        let caps: Vec<String> = winsorised
            .caps
            .iter()
            .map(|cap| {
                format!(
                    "{} ({})",
                    reader.lang.number(cap.cap, 0),
                    reader.lang.percent(cap.share_capped, 1)
                )
            })
            .collect();
        fixed(
            &format!(
                "{} {}",
                reader.say([
                    "extremes capped at",
                    "extremvärden kapade vid",
                    "uitschieters afgetopt op"
                ]),
                caps.join(", ")
            ),
            &winsorised.absolute,
        );
    }
    if let Some(adjusted) = &metric.adjusted {
        fixed(
            &format!(
                "CUPED (−{} {})",
                reader.lang.percent(adjusted.cuped.variance_reduction, 0),
                reader.say(["variance", "varians", "variantie"])
            ),
            &adjusted.cuped.absolute,
        );
        fixed("Lin HC2", &adjusted.lin_hc2);
    }
    rows.push((
        reader
            .say([
                "as observed, safe to look every day",
                "som observerat, säkert att titta varje dag",
                "zoals waargenomen, veilig om elke dag te kijken",
            ])
            .to_owned(),
        metric.absolute.diff,
        Some(metric.asymp_cs.ci),
        Some(metric.asymp_cs.p),
    ));
    rows
}
