//! A model version for people: what it predicts, how well, and from what.

mod html;

use lagom_model::artefact::{Head, ModelVersion};
use lagom_model::card::{Card, Gate};
use lagom_model::ope::valuation::Judged;
use std::fmt::Write;

const MARKDOWN: &str = "card.md";
const JSON: &str = "card.json";
const HTML: &str = "card.html";

/// The card in short, as JSON, and as one HTML page: the name of each file and its text.
pub(super) fn documents(
    version: &ModelVersion,
    before: Option<&ModelVersion>,
    judged: Option<&Judged>,
) -> [(&'static str, String); 3] {
    let card = Card::of(version, before).with_gate(judged);
    let mut json = serde_json::to_string_pretty(&card).expect("texts and finite numbers");
    json.push('\n');
    [
        (MARKDOWN, markdown(version, card.gate.as_ref())),
        (JSON, json),
        (HTML, html::html(&card)),
    ]
}

fn markdown(version: &ModelVersion, gate: Option<&Gate>) -> String {
    let parts = version.parts();
    let lineage = &parts.lineage;
    let mut out = format!("# Model version {}\n\n", version.id());
    let mut line = |text: String| writeln!(out, "{text}").expect("writing to a string cannot fail");
    line(format!(
        "- Trained on what was recorded before {}",
        lineage.as_of
    ));
    line(format!(
        "- Features {}: {} columns",
        parts.feature_fingerprint,
        version.spec().width()
    ));
    line(format!("- Tables {}", lineage.data_digest));
    line(format!(
        "- Configuration {}, seed {}",
        lineage.config_digest, lineage.seed
    ));
    line(format!("- lagom {}", lineage.code_version));
    let parent = lineage.parent.as_deref().unwrap_or("none");
    line(format!("- Parent {parent}"));
    let policy = html::policy(lineage.policy.as_ref());
    line(format!("- Policy {policy}\n"));
    line("| probability of | rows | share | judged on | AUC | log-loss | Brier | ECE |".to_owned());
    line("| --- | --- | --- | --- | --- | --- | --- | --- |".to_owned());
    let heads = [
        Some(&parts.propensity),
        parts.lateness.as_ref(),
        parts.churn.as_ref(),
    ];
    for head in heads.into_iter().flatten() {
        line(row(head));
    }
    line(
        "\nFigures are of a twin fitted on the earlier decisions only and judged on later ones."
            .to_owned(),
    );
    if let Some(head) = &parts.hazard {
        line(format!(
            "\nTime to payment: a discrete-time hazard on {} person-period rows.\n",
            head.rows
        ));
        line(
            "| settled by day | decisions | share | log-loss | ECE | worst tenth off by |"
                .to_owned(),
        );
        line("| --- | --- | --- | --- | --- | --- |".to_owned());
        for at in &head.held_out {
            let m = &at.metrics;
            line(format!(
                "| {} | {} | {:.3} | {:.3} | {:.3} | {:.3} |",
                at.days, m.rows, m.base_rate, m.log_loss, m.ece, at.worst_decile
            ));
        }
    }
    if let Some(gate) = gate {
        line(format!(
            "\nThe gate, against {}: {}",
            gate.against, gate.words
        ));
    }
    out
}

fn row(head: &Head) -> String {
    let known = format!(
        "| {} | {} | {:.3} |",
        head.target, head.rows, head.base_rate
    );
    let Some(held_out) = &head.held_out else {
        return format!("{known} not judged | | | | |");
    };
    let metrics = &held_out.metrics;
    let auc = metrics
        .auc
        .map_or_else(|| "–".to_owned(), |auc| format!("{auc:.3}"));
    format!(
        "{known} {} rows of invoices from {} | {auc} | {:.3} | {:.3} | {:.3} |",
        metrics.rows, held_out.judged_from, metrics.log_loss, metrics.brier, metrics.ece
    )
}
