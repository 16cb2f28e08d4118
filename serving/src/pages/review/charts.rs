//! Over time, and time to pay.

use super::document::{Comparison, Document, Metric, SinceExposure};
use super::words;
use crate::pages::Reader;
use crate::pages::chart::{Hue, Plot, Span};
use crate::pages::shell::scroll;
use maud::{Markup, html};

pub(super) fn over_time(reader: &Reader, comparison: &Comparison) -> Markup {
    let metrics = comparison.metrics.0.iter().map(|(_, metric)| metric);
    let watched: Vec<&Metric> = metrics
        .filter(|metric| metric.role == "success" && metric.daily_cs.len() > 1)
        .collect();
    if watched.is_empty() {
        return html! {};
    }
    html! {
        h2 { (reader.say(["Over time", "Över tid", "In de tijd"])) }
        p.note { (reader.say([
            "The change among all customers enrolled until each day. The band holds at all looks so far, so looking daily costs nothing; when it leaves zero, it is settled.",
            "Ändringen bland alla kunder som kommit med till och med varje dag. Bandet gäller vid alla tittar hittills, så att titta dagligen kostar inget; när det lämnar noll är det avgjort.",
            "De verandering onder alle klanten die tot en met elke dag meededen. De band geldt bij alle blikken tot nu, dus dagelijks kijken kost niets; verlaat hij nul, dan is het beslist.",
        ])) }
        div.pair { @for metric in watched { div { (daily(reader, metric)) } } }
    }
}

fn daily(reader: &Reader, metric: &Metric) -> Markup {
    let lang = reader.lang;
    let unit = words::unit(metric);
    let days = &metric.daily_cs;
    let name = words::name(lang, &metric.name);
    let (first, last) = (&days[0], &days[days.len() - 1]);
    // The first days are so wide that they would flatten all others.
    let settled = &days[days.len() / 4..];
    let ends = settled
        .iter()
        .flat_map(|day| [day.run_lo, day.run_hi, day.diff]);
    let y = Span::of(ends.chain([0.0])).padded(0.1);
    let x = Span::of([first.day as f64, last.day as f64]);
    let description = format!(
        "{} {}: {} ({})",
        reader.say(["On day", "Dag", "Op dag"]),
        last.day,
        unit.difference(lang, last.diff, metric.mean_c),
        unit.interval(lang, [Some(last.run_lo), Some(last.run_hi)], metric.mean_c)
    );
    let plot = Plot::new(&name, &description)
        .x(
            reader.say(["day of enrolment", "dag kunden kom med", "dag van deelname"]),
            x,
            |at, decimals| lang.number(at, decimals),
        )
        .y(y, |at, decimals| unit.tick(lang, at, decimals))
        .band(
            reader.say([
                "holds at all looks so far",
                "gäller vid alla tittar hittills",
                "geldt bij alle blikken tot nu",
            ]),
            days.iter()
                .map(|day| (day.day as f64, day.run_lo.min(day.run_hi), day.run_hi))
                .collect(),
            Hue::First,
        )
        .line(
            reader.say(["change", "ändring", "verandering"]),
            days.iter().map(|day| (day.day as f64, day.diff)).collect(),
            Hue::First,
        );
    html! { h3 { (name) } (plot.draw()) p.note { (description) } }
}

/// Each span of enrolment by itself, and the days after each customer's own start.
pub(super) fn newcomers(reader: &Reader, document: &Document, comparison: &Comparison) -> Markup {
    let metrics = comparison.metrics.0.iter().map(|(_, metric)| metric);
    let cut: Vec<&Metric> = metrics
        .filter(|metric| metric.role == "success" && metric.cohorts.len() > 1)
        .collect();
    let log = document.log.as_ref();
    let since = log.and_then(|log| {
        let all = log.since_exposure.0.iter();
        let theirs = |(arm, _): &&(String, _)| *arm == comparison.treatment;
        all.clone().find(theirs).map(|(_, days)| days)
    });
    html! {
        @if !cut.is_empty() {
            h2 { (reader.say(["Those who came early, and those who came late", "De som kom tidigt och de som kom sent", "Wie vroeg kwam en wie laat kwam"])) }
            p.note { (reader.say([
                "Every span of enrolment by itself. A change that only the first ones show may have been curiosity, a season or a fault.",
                "Varje period för sig. En ändring som bara de första visar kan ha varit nyfikenhet, en säsong eller ett fel.",
                "Elke periode op zichzelf. Een verandering die alleen de eersten tonen kan nieuwsgierigheid, een seizoen of een fout zijn geweest.",
            ])) }
            div.pair { @for metric in cut { div { (cohorts(reader, metric)) } } }
        }
        @if let Some(days) = since.filter(|days| days.len() > 1) { (since_exposure(reader, days)) }
    }
}

fn cohorts(reader: &Reader, metric: &Metric) -> Markup {
    let lang = reader.lang;
    let unit = words::unit(metric);
    let name = words::name(lang, &metric.name);
    let size = metric.mean_c;
    let points: Vec<(f64, f64, [f64; 2])> = metric
        .cohorts
        .iter()
        .filter_map(|one| {
            let [low, high] = one.ci;
            let middle = f64::midpoint(one.from_day as f64, one.to_day as f64);
            Some((middle, one.diff, [low?, high?]))
        })
        .collect();
    let (Some(first), Some(last)) = (metric.cohorts.first(), metric.cohorts.last()) else {
        return html! {};
    };
    let described: Vec<String> = metric
        .cohorts
        .iter()
        .map(|one| {
            format!(
                "{}–{}: {} ({})",
                one.from_day,
                one.to_day,
                unit.difference(lang, one.diff, size),
                unit.interval(lang, one.ci, size)
            )
        })
        .collect();
    let description = format!(
        "{} {}",
        reader.say([
            "By day of enrolment,",
            "Efter dag kunden kom med,",
            "Naar dag van deelname,"
        ]),
        described.join("; ")
    );
    let ends = points
        .iter()
        .flat_map(|(_, diff, ends)| [*diff, ends[0], ends[1]]);
    let plot = Plot::new(&name, &description)
        .x(
            reader.say(["day of enrolment", "dag kunden kom med", "dag van deelname"]),
            Span::of([first.from_day as f64, last.to_day as f64]),
            |at, decimals| lang.number(at, decimals),
        )
        .y(Span::of(ends.chain([0.0])).padded(0.1), |at, decimals| {
            unit.tick(lang, at, decimals)
        })
        .whiskers(
            points
                .iter()
                .map(|(at, _, ends)| (*at, ends[0], ends[1]))
                .collect(),
            Hue::First,
        )
        .dots(
            reader.say(["change", "ändring", "verandering"]),
            points.iter().map(|(at, diff, _)| (*at, *diff)).collect(),
            Hue::First,
        );
    html! { h3 { (name) } (plot.draw()) }
}

fn since_exposure(reader: &Reader, days: &[SinceExposure]) -> Markup {
    let lang = reader.lang;
    let title = reader.say([
        "Days after a customer's own start",
        "Dagar efter kundens egen start",
        "Dagen na de eigen start van een klant",
    ]);
    let unit = words::Unit::Share;
    let points: Vec<(f64, f64, f64, f64)> = days
        .iter()
        .filter_map(|one| Some((one.day, one.diff, one.ci[0]?, one.ci[1]?)))
        .collect();
    let last = &days[days.len() - 1];
    let sentence = format!(
        "{}: {} ({})",
        reader
            .say(["After {} days", "Efter {} dagar", "Na {} dagen"])
            .replace("{}", &lang.number(last.day, 0)),
        unit.difference(lang, last.diff, 1.0),
        unit.interval(lang, last.ci, 1.0)
    );
    let ends = points
        .iter()
        .flat_map(|(_, diff, low, high)| [*diff, *low, *high]);
    let plot = Plot::new(title, &sentence)
        .x(
            reader.say([
                "days after the first decision",
                "dagar efter första beslutet",
                "dagen na de eerste beslissing",
            ]),
            Span::of([0.0, last.day]),
            |at, decimals| lang.number(at, decimals),
        )
        .y(Span::of(ends.chain([0.0])).padded(0.1), |at, decimals| {
            unit.tick(lang, at, decimals)
        })
        .band(
            &lang.level(0.95, 0),
            points
                .iter()
                .map(|(day, _, low, high)| (*day, *low, *high))
                .collect(),
            Hue::First,
        )
        .line(
            reader.say(["change", "ändring", "verandering"]),
            points.iter().map(|(day, diff, ..)| (*day, *diff)).collect(),
            Hue::First,
        );
    html! {
        h2 { (title) }
        p.note { (reader.say([
            "Change in the share collected of what was billed. What rises early and falls back to zero is time gained, not money.",
            "Ändring i andelen inbetalt av fakturerat. Det som stiger tidigt och faller tillbaka till noll är vunnen tid, inte pengar.",
            "Verandering in het geïnde deel van het gefactureerde. Wat vroeg stijgt en naar nul terugvalt is gewonnen tijd, geen geld.",
        ])) }
        (plot.draw())
        p.note { (sentence) }
    }
}

pub(super) fn time_to_pay(reader: &Reader, document: &Document, comparison: &Comparison) -> Markup {
    let lang = reader.lang;
    let Some(log) = &document.log else {
        return html! {};
    };
    let arm = |name: &str| {
        log.arms
            .0
            .iter()
            .find(|(arm, _)| arm == name)
            .map(|(_, arm)| arm)
    };
    let (Some(control), Some(treatment)) = (arm(&document.control), arm(&comparison.treatment))
    else {
        return html! {};
    };
    let Some((_, rmst)) = log
        .rmst
        .0
        .iter()
        .find(|(arm, _)| *arm == comparison.treatment)
    else {
        return html! {};
    };
    let points = |arm: &super::document::ArmLog| {
        arm.curve
            .iter()
            .map(|(day, unpaid, _)| (*day, *unpaid))
            .collect::<Vec<_>>()
    };
    let title = reader.say(["Time to pay", "Tid till betalning", "Tijd tot betaling"]);
    let days = |value: f64| {
        format!(
            "{} {}",
            lang.number(value, 1),
            reader.say(["days", "dagar", "dagen"])
        )
    };
    let sentence = format!(
        "{}: {} {}, {} {}; {} {}",
        reader.say([
            "Mean days unpaid",
            "Obetalda dagar i snitt",
            "Gemiddeld onbetaalde dagen"
        ]),
        document.control,
        days(rmst.control.rmst),
        comparison.treatment,
        days(rmst.treatment.rmst),
        reader.say(["change", "ändring", "verandering"]),
        words::Unit::Days.difference(lang, rmst.diff, 1.0),
    );
    let interval = rmst.z.as_ref().map(|test| {
        format!(
            " ({}, p {})",
            words::Unit::Days.interval(lang, test.ci, 1.0),
            lang.p(test.p)
        )
    });
    let plot = Plot::new(title, &sentence)
        .x(
            reader.say([
                "days after the first question about the invoice",
                "dagar efter första frågan om fakturan",
                "dagen na de eerste vraag over de factuur",
            ]),
            Span::of([0.0, rmst.tau]),
            |at, decimals| lang.number(at, decimals),
        )
        .y(Span::of([0.0, 1.0]), |at, _| lang.percent(at, 0))
        .steps(&document.control, &points(control), Hue::Second)
        .steps(&comparison.treatment, &points(treatment), Hue::First);
    let marks: Vec<usize> = (0..5)
        .map(|k| k * control.curve.len().saturating_sub(1) / 4)
        .collect();
    html! {
        h2 { (title) }
        p.note { (reader.say([
            "Share of invoices still unpaid. Those not yet paid today count for as long as they were watched; the mean is cut off at the horizon, with customers as clusters.",
            "Andel fakturor som ännu är obetalda. De som inte är betalda i dag räknas så länge de följts; medelvärdet kapas vid horisonten, med kunder som kluster.",
            "Aandeel nog onbetaalde facturen. Wat vandaag nog niet betaald is telt mee zolang het is gevolgd; het gemiddelde stopt bij de horizon, met klanten als clusters.",
        ])) }
        (plot.draw())
        p { (sentence) @if let Some(interval) = interval { (interval) } }
        (scroll(reader.say(["Invoices watched", "Fakturor som följs", "Gevolgde facturen"]), &html! {
            table {
                caption { (reader.say(["Invoices still unpaid and watched", "Fakturor ännu obetalda och följda", "Nog onbetaalde en gevolgde facturen"])) }
                thead { tr {
                    th scope="col" { (reader.say(["Day", "Dag", "Dag"])) }
                    @for at in &marks { @if let Some((day, ..)) = control.curve.get(*at) { th.n scope="col" { (lang.number(*day, 0)) } } }
                } }
                tbody {
                    @for (name, arm, mean) in [(&document.control, control, &rmst.control), (&comparison.treatment, treatment, &rmst.treatment)] {
                        tr {
                            th scope="row" { (name) small { (lang.count(mean.n)) " " (reader.say(["invoices", "fakturor", "facturen"])) ", " (lang.percent(mean.survival_at_tau, 1)) " " (reader.say(["unpaid at the end", "obetalda vid slutet", "aan het eind onbetaald"])) } }
                            @for at in &marks { @if let Some((_, _, left)) = arm.curve.get(*at) { td.n { (lang.count(*left)) } } }
                        }
                    }
                }
            }
        }))
    }
}
