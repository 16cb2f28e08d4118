//! The card as one HTML page: no script, no request, readable in print.

mod scrutiny;

use lagom_model::artefact::PolicyOrigin;
use lagom_model::card::{Card, Gate, Part};
use lagom_model::hazard::AtDay;
use lagom_model::ope::gate::Check;
use std::fmt::Write;

/// Terms listed of a model.
const MOST_TERMS: usize = 25;
/// Side of the calibration plot, and its margin, in pixels.
const SIDE: f64 = 320.0;
const MARGIN: f64 = 40.0;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
padding:0 1rem;color:#1a1a1a;background:#fff}table{border-collapse:collapse;margin:.5rem 0}\
th,td{padding:.2rem .7rem;border-bottom:1px solid #bbb;text-align:right}\
th:first-child,td:first-child{text-align:left}code{overflow-wrap:anywhere}\
.scroll{overflow-x:auto}svg{color:#1a1a1a}\
@media(prefers-color-scheme:dark){body,svg{color:#eee}body{background:#161616}}";

/// `text` with what HTML would read as its own made harmless.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

/// A table: heads, then rows of cells that are HTML already.
fn table(label: &str, heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table><thead><tr>",
        safe(label)
    );
    for head in heads {
        out += &format!("<th scope=\"col\">{}</th>", safe(head));
    }
    out += "</tr></thead><tbody>";
    for row in rows {
        out += "<tr>";
        for cell in row {
            out += &format!("<td>{cell}</td>");
        }
        out += "</tr>\n";
    }
    out + "</tbody></table></div>\n"
}

/// How the policy learns that may lie beside a version, in a word.
pub(super) fn policy(origin: Option<&PolicyOrigin>) -> String {
    let Some(PolicyOrigin { ways, anchored }) = origin else {
        return "as configured".to_owned();
    };
    let how = if *anchored {
        "held to the ladder as far as the log can prove"
    } else {
        "goes its own way"
    };
    format!("{how}, ways {ways}")
}

/// The page, a pure function of the card.
pub(super) fn html(card: &Card) -> String {
    let id = safe(&card.model_id);
    let lineage = &card.lineage;
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>Model {id} · lagom</title>\
         <style>{STYLE}</style></head><body><main>\n<h1>Model version</h1>\n<p><code>{id}</code></p>\n"
    );
    let facts = [
        (
            "Trained on what was recorded before",
            lineage.as_of.to_string(),
        ),
        ("Digest of the tables", lineage.data_digest.clone()),
        ("Digest of the configuration", lineage.config_digest.clone()),
        (
            "Features",
            format!("{} ({} columns)", card.feature_fingerprint, card.columns),
        ),
        ("Seed", lineage.seed.to_string()),
        ("lagom", lineage.code_version.clone()),
        (
            "Version before",
            lineage.parent.clone().unwrap_or_else(|| "none".to_owned()),
        ),
        ("How its policy learns", policy(lineage.policy.as_ref())),
    ];
    let facts: Vec<Vec<String>> = facts
        .iter()
        .map(|(name, value)| vec![safe(name), format!("<code>{}</code>", safe(value))])
        .collect();
    out += &table("Where it came from", &["", "value"], &facts);
    out += "<h2>Figures on later decisions</h2>\n";
    let rows: Vec<Vec<String>> = card.parts.iter().filter_map(figures).collect();
    let heads = [
        "probability of",
        "rows",
        "share",
        "judged",
        "from",
        "AUC",
        "log-loss",
        "Brier",
        "ECE",
    ];
    out += &table("Figures", &heads, &rows);
    time_to_payment(&mut out, &card.time_to_payment);
    if let Some(found) = &card.gate {
        gate(&mut out, found);
    }
    if !card.compared.is_empty() {
        out += "<h2>Beside the version before</h2>\n<p>Each on its own later decisions.</p>\n";
        let row = |one: &lagom_model::card::Compared| {
            vec![safe(&one.figure), figure(one.before), figure(one.now)]
        };
        let rows: Vec<Vec<String>> = card.compared.iter().map(row).collect();
        out += &table(
            "Beside the version before",
            &["figure", "before", "now"],
            &rows,
        );
    }
    for part in &card.parts {
        scrutiny::scrutiny(&mut out, part);
        terms(&mut out, part);
    }
    for (title, items) in [
        ("Limits", &card.limits),
        (
            "Ways to see the future that are ruled out",
            &card.leaks_ruled_out,
        ),
    ] {
        out += &format!("<h2>{title}</h2>\n<ul>\n");
        items
            .iter()
            .for_each(|item| out += &format!("<li>{}</li>\n", safe(item)));
        out += "</ul>\n";
    }
    out + "</main></body></html>\n"
}

/// What the gate said, question by question.
fn gate(out: &mut String, gate: &Gate) {
    let said = if gate.passed {
        "✓ passed"
    } else {
        "✗ stopped"
    };
    *out += &format!(
        "<h2>The gate</h2>\n<p>{said}, against <code>{}</code> on {} lives of invoices from {} \
         on.</p>\n<p>{}</p>\n",
        safe(&gate.against),
        gate.lives,
        gate.from,
        safe(&gate.words)
    );
    let row = |check: &Check| {
        let answer = if check.passed { "✓ yes" } else { "✗ no" };
        vec![safe(&check.name), answer.to_owned(), safe(&check.words)]
    };
    let rows: Vec<Vec<String>> = gate.checks.iter().map(row).collect();
    *out += &table("The gate", &["asked", "holds", "found"], &rows);
}

fn figures(part: &Part) -> Option<Vec<String>> {
    let held_out = part.held_out.as_ref()?;
    let m = &held_out.metrics;
    Some(vec![
        safe(&part.target),
        part.rows.to_string(),
        figure(part.base_rate),
        m.rows.to_string(),
        held_out.judged_from.to_string(),
        figure(m.auc),
        figure(Some(m.log_loss)),
        figure(Some(m.brier)),
        figure(Some(m.ece)),
    ])
}

fn terms(out: &mut String, part: &Part) {
    *out += &format!("<h2>What moves “{}”</h2>\n", safe(&part.target));
    *out += "<p>Log-odds between the lowest and the highest that each term can add; of a line, per \
             standard deviation.</p>\n";
    let rows: Vec<Vec<String>> = part
        .strengths
        .iter()
        .take(MOST_TERMS)
        .map(|one| {
            vec![
                safe(&one.feature),
                safe(&one.form),
                format!("{:+.3}", one.low),
                format!("{:+.3}", one.high),
            ]
        })
        .collect();
    *out += &table(
        &part.target,
        &["feature", "form", "lowest", "highest"],
        &rows,
    );
    if part.strengths.len() > MOST_TERMS {
        let more = part.strengths.len() - MOST_TERMS;
        *out += &format!("<p>And {more} weaker ones, in card.json.</p>\n");
    }
}

fn time_to_payment(out: &mut String, all: &[AtDay]) {
    if all.is_empty() {
        return;
    }
    *out += "<h2>Time to payment</h2>\n<p>P(settled by a day), quoted on later decisions and \
             compared with what came. Worst tenth: the largest distance between quoted and seen in \
             a tenth of the decisions.</p>\n";
    let row = |at: &AtDay| {
        vec![
            at.days.to_string(),
            at.metrics.rows.to_string(),
            figure(Some(at.metrics.base_rate)),
            figure(Some(at.metrics.log_loss)),
            figure(Some(at.metrics.ece)),
            figure(Some(at.worst_decile)),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let heads = [
        "by day",
        "decisions",
        "share",
        "log-loss",
        "ECE",
        "worst tenth",
    ];
    *out += &table("Time to payment", &heads, &rows);
    for at in all {
        plot(out, at);
    }
}

/// Quoted against seen in each tenth, with 95 % intervals.
fn plot(out: &mut String, at: &AtDay) {
    let place = |p: f64| MARGIN + p * (SIDE - 2.0 * MARGIN);
    let up = |p: f64| SIDE - place(p);
    let mut draw = |text: String| {
        writeln!(out, "{text}").expect("writing to a string cannot fail");
    };
    draw(format!(
        "<svg role=\"img\" width=\"{SIDE}\" height=\"{SIDE}\" viewBox=\"0 0 {SIDE} {SIDE}\" \
         aria-label=\"Calibration by day {days}: quoted against seen\" fill=\"currentColor\" \
         stroke=\"currentColor\"><title>Settled by day {days}</title>",
        days = at.days
    ));
    draw(format!(
        "<path d=\"M{a:.1} {b:.1}H{c:.1}M{a:.1} {b:.1}V{d:.1}\" fill=\"none\"/>\
         <path d=\"M{a:.1} {b:.1}L{c:.1} {d:.1}\" fill=\"none\" stroke-dasharray=\"4 4\"/>",
        a = place(0.0),
        b = up(0.0),
        c = place(1.0),
        d = up(1.0)
    ));
    for bin in &at.bins {
        let x = place(bin.mean_predicted);
        draw(format!(
            "<path d=\"M{x:.1} {:.1}V{:.1}\"/><circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3\"/>",
            up(bin.low),
            up(bin.high),
            up(bin.observed)
        ));
    }
    draw(format!(
        "<g stroke=\"none\" font-size=\"12\" text-anchor=\"middle\"><text x=\"{:.0}\" y=\"{:.0}\">quoted, \
         settled by day {}</text><text transform=\"rotate(-90)\" x=\"{:.0}\" y=\"14\">seen</text>\
         <text x=\"{:.0}\" y=\"{:.0}\">0</text><text x=\"{:.0}\" y=\"{:.0}\">1</text></g></svg>",
        SIDE / 2.0,
        SIDE - 8.0,
        at.days,
        -SIDE / 2.0,
        place(0.0),
        SIDE - 24.0,
        place(1.0),
        SIDE - 24.0
    ));
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(safe("a<b & \"c\">"), "a&lt;b &amp; &quot;c&quot;&gt;");
    }
}
