//! Can the numbers be trusted? Before any effect.

use super::document::{Document, Isolation};
use super::{agreement, words};
use crate::pages::Reader;
use crate::pages::shell::{Tone, card};
use maud::{Markup, html};

/// A standardised mean difference that is worth a look.
const NOTABLE: f64 = 0.1;
/// The level of the test of shares.
const SRM_ALPHA: f64 = 0.001;

pub(super) fn section(reader: &Reader, document: &Document) -> Markup {
    html! {
        h2 { (reader.say(["Can the numbers be trusted?", "Går siffrorna att lita på?", "Zijn de cijfers te vertrouwen?"])) }
        @for failure in &document.integrity_failures {
            p.bad { strong { "✗ " (words::failure(reader, failure)) } }
        }
        ul.cards {
            (shares(reader, document))
            (mixed(reader, document))
            (balance(reader, document))
            (maturity(reader, document))
            (plan(reader, document))
            (isolation(reader, document))
            (agreement::cards(reader, document))
            (logging(reader, document))
        }
        (agreement::details(reader, document))
    }
}

fn shares(reader: &Reader, document: &Document) -> Markup {
    let lang = reader.lang;
    let srm = &document.srm;
    let sizes: Vec<String> = srm.observed.iter().map(|n| lang.count(*n)).collect();
    let mut note = format!(
        "{} {}; {} p {} ({} {})",
        sizes.join(" / "),
        reader.say(["customers", "kunder", "klanten"]),
        reader.say(["by chance:", "av en slump:", "bij toeval:"]),
        lang.p(srm.p),
        reader.say(["alarming below", "oroande under", "zorgelijk onder"]),
        lang.number(SRM_ALPHA, 3),
    );
    if let Some(watched) = &document.seq_srm {
        note += &format!(
            "; {} p {}",
            reader.say(["watched daily", "dagligen bevakat", "dagelijks gevolgd"]),
            lang.p(watched.running_min_p)
        );
    }
    if srm.leak_units > 0 {
        note += &format!(
            "; {} {}",
            lang.count(srm.leak_units),
            reader.say(["leaked", "läckta", "gelekt"])
        );
    }
    let good = srm.p >= SRM_ALPHA && srm.leak_units == 0;
    let (tone, value) = if good {
        (Tone::Good, ["as planned", "som planerat", "zoals gepland"])
    } else {
        (
            Tone::Bad,
            ["not as planned", "inte som planerat", "niet zoals gepland"],
        )
    };
    card(
        tone,
        reader.say([
            "Split between groups",
            "Fördelning mellan grupper",
            "Verdeling over groepen",
        ]),
        reader.say(value),
        &note,
    )
}

fn mixed(reader: &Reader, document: &Document) -> Markup {
    let n = document.exclusions.mixed_customers;
    let tone = if n == 0 { Tone::Good } else { Tone::Warn };
    card(
        tone,
        reader.say([
            "Customers in two groups",
            "Kunder i två grupper",
            "Klanten in twee groepen",
        ]),
        &reader.lang.count(n),
        reader.say([
            "they would be left out",
            "de skulle utelämnas",
            "zij zouden worden weggelaten",
        ]),
    )
}

fn balance(reader: &Reader, document: &Document) -> Markup {
    let lang = reader.lang;
    let label = reader.say([
        "Alike before the start",
        "Lika före starten",
        "Gelijk vóór de start",
    ]);
    let all = document
        .comparisons
        .0
        .iter()
        .flat_map(|(_, c)| &c.balance.0);
    let worst = all.max_by(|(_, a), (_, b)| a.smd.abs().total_cmp(&b.smd.abs()));
    let Some((name, worst)) = worst else {
        return card(
            Tone::Quiet,
            label,
            reader.say(["not known", "inte känt", "niet bekend"]),
            reader.say([
                "the plan names nothing from before the start",
                "planen nämner inget från före starten",
                "het plan noemt niets van vóór de start",
            ]),
        );
    };
    let (tone, value) = if worst.smd.abs() < NOTABLE {
        (Tone::Good, ["yes", "ja", "ja"])
    } else {
        (
            Tone::Warn,
            ["look closer", "se närmare", "kijk nauwkeuriger"],
        )
    };
    let note = format!(
        "{}: {} {} ({} ±{})",
        words::name(lang, name),
        reader.say([
            "standardised difference",
            "standardiserad skillnad",
            "gestandaardiseerd verschil"
        ]),
        lang.signed(worst.smd, 3),
        reader.say(["fine within", "bra inom", "goed binnen"]),
        lang.number(NOTABLE, 1)
    );
    card(tone, label, reader.say(value), &note)
}

fn maturity(reader: &Reader, document: &Document) -> Markup {
    let lang = reader.lang;
    let waiting = document.exclusions.immature;
    let all = document.customers + waiting;
    #[expect(clippy::cast_precision_loss, reason = "counts of customers")]
    let share = document.customers as f64 / all.max(1) as f64;
    let tone = if waiting == 0 {
        Tone::Good
    } else {
        Tone::Quiet
    };
    let note = if waiting == 0 {
        reader
            .say([
                "nobody is left out as too recent",
                "ingen utelämnas som för ny",
                "niemand is te recent",
            ])
            .to_owned()
    } else {
        format!(
            "{} {}",
            lang.count(waiting),
            reader.say([
                "are too recent and not counted yet",
                "är för nya och räknas inte än",
                "zijn te recent en tellen nog niet mee"
            ])
        )
    };
    card(
        tone,
        reader.say([
            "Customers watched long enough",
            "Kunder som följts tillräckligt länge",
            "Klanten lang genoeg gevolgd",
        ]),
        &lang.percent(share, 0),
        &note,
    )
}

/// Was the plan written down before the start, and kept?
fn plan(reader: &Reader, document: &Document) -> Markup {
    let Some(design) = document.log.as_ref().and_then(|log| log.design.as_ref()) else {
        return html! {};
    };
    let last = design.phases.last();
    let (tone, value) = match (last, design.plan_changed) {
        (_, true) => (
            Tone::Bad,
            ["changed since", "ändrad sedan dess", "sindsdien gewijzigd"],
        ),
        (Some(_), false) => (Tone::Good, ["kept", "hålls", "aangehouden"]),
        (None, false) => (
            Tone::Warn,
            ["not written down", "inte nedskriven", "niet vastgelegd"],
        ),
    };
    let mut note = last.map_or_else(String::new, |last| {
        format!(
            "{} {}, {} {}, {}",
            reader.say(["phase", "fas", "fase"]),
            last.number,
            reader.say(["from", "från", "vanaf"]),
            reader.lang.day(&last.started_at),
            last.digest.get(..12).unwrap_or(&last.digest),
        )
    });
    if design.earlier_customers > 0 {
        note += &format!(
            "; {} {}",
            reader.lang.count(design.earlier_customers),
            reader.say([
                "customers of earlier shares left out",
                "kunder från tidigare andelar utelämnade",
                "klanten van eerdere aandelen weggelaten",
            ])
        );
    }
    card(
        tone,
        reader.say([
            "Plan agreed before the start",
            "Plan bestämd före starten",
            "Plan van vóór de start",
        ]),
        reader.say(value),
        &note,
    )
}

/// Had the reviewed policy learnt from those it is judged on?
fn isolation(reader: &Reader, document: &Document) -> Markup {
    let Some(design) = document.log.as_ref().and_then(|log| log.design.as_ref()) else {
        return html! {};
    };
    let (tone, value) = match design.isolation.state.as_str() {
        "isolated" => (Tone::Good, ["yes", "ja", "ja"]),
        "not_isolated" => (Tone::Bad, ["no", "nej", "nee"]),
        _ => (
            Tone::Warn,
            ["cannot tell", "går inte att säga", "niet te zeggen"],
        ),
    };
    card(
        tone,
        reader.say([
            "Learning kept apart",
            "Inlärningen hållen isär",
            "Leren gescheiden gehouden",
        ]),
        reader.say(value),
        &kept_apart(reader, &design.isolation),
    )
}

/// Why, as the document says it in English; where all is well in the reader's language.
fn kept_apart(reader: &Reader, found: &Isolation) -> String {
    if found.state != "isolated" {
        return found.why.clone();
    }
    let models = found.models.len() as u64;
    if found.generations + models == 0 {
        let nobody = [
            "nobody who learns decided for these customers",
            "ingen som lär sig beslutade om dessa kunder",
            "niemand die leert besliste over deze klanten",
        ];
        return reader.say(nobody).to_owned();
    }
    let lang = reader.lang;
    reader
        .say([
            "{} generations of the policy and {} model versions decided; none had learnt from these customers",
            "{} generationer av policyn och {} modellversioner beslutade; ingen hade lärt sig av dessa kunder",
            "{} generaties van het beleid en {} modelversies beslisten; geen had van deze klanten geleerd",
        ])
        .replacen("{}", &lang.count(found.generations), 1)
        .replacen("{}", &lang.count(models), 1)
}

fn logging(reader: &Reader, document: &Document) -> Markup {
    let lang = reader.lang;
    let Some(log) = &document.log else {
        return html! {};
    };
    let decisions: u64 = log.arms.0.iter().map(|(_, arm)| arm.decisions).sum();
    let open: u64 = log.arms.0.iter().map(|(_, arm)| arm.without_outcome).sum();
    let note = format!(
        "{} {}, {} {}",
        lang.count(decisions),
        reader.say(["decisions", "beslut", "beslissingen"]),
        lang.count(open),
        reader.say([
            "with their outcome still open",
            "vars utfall ännu är öppet",
            "met een nog open uitkomst"
        ])
    );
    card(
        Tone::Quiet,
        reader.say(["Log read until", "Logg läst till", "Logboek gelezen tot"]),
        &lang.day(&log.as_of),
        &note,
    )
}
