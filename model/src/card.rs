//! A model version for its reviewers: data, features with their strength, figures, limits.
//!
//! A card is a pure function of the version, of the one it would replace, and of what the gate said
//! of it last, so the same evidence always makes the same card.

use crate::artefact::scrutiny::Scrutiny;
use crate::artefact::{Head, HeldOut, Lineage, ModelVersion};
use crate::early::EarlyFigures;
use crate::hazard::AtDay;
use crate::linear::{LinearModel, Term};
use crate::ope::gate::Check;
use crate::ope::valuation::Judged;
use lagom_features::domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Format of the document; grows when an old reader would misread a new one.
pub const FORMAT: u32 = 1;

/// What no figure on the card can say.
const LIMITS: [&str; 5] = [
    "Probabilities describe what happened under the steps that were taken then; they are not the \
     effect of a step.",
    "Figures are of a twin fitted on earlier decisions only; the stored models are fitted on \
     everything known.",
    "Decisions over one invoice share its outcome, so the counts overstate how much was seen.",
    "Strengths are of the fitted terms, not causes; related features share theirs.",
    "Not for credit scoring, and not to be used where the fingerprint of the features differs.",
];

/// What the making of every version rules out.
const LEAKS_RULED_OUT: [&str; 4] = [
    "Every vector is made from what was recorded before its decision, by the extractor that serves.",
    "An outcome is read only once its window has closed; time to payment is censored instead.",
    "The judged twin saw no outcome from after its last instant.",
    "Decisions over one invoice are never on both sides of a split.",
];

/// How strongly a term moves the log-odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strength {
    /// The feature, or pair of features.
    pub feature: String,
    /// `line`, `missing`, `curve`, `levels` or `pair`.
    pub form: String,
    /// Lowest log-odds that it can add; of a line, per standard deviation.
    pub low: f64,
    /// Highest.
    pub high: f64,
}

impl Strength {
    /// Distance from lowest to highest, in log-odds.
    #[must_use]
    pub fn span(&self) -> f64 {
        self.high - self.low
    }

    fn of(term: &Term, model: &LinearModel) -> Self {
        let (form, heights): (&str, Vec<f64>) = match term {
            Term::Linear(line) => ("line", vec![0.0, line.weight]),
            Term::Missing(missing) => ("missing", vec![0.0, missing.weight / missing.scale]),
            Term::Shape(shape) => ("curve", {
                let special = shape.special.iter().map(|one| one.weight);
                shape.heights.iter().copied().chain(special).collect()
            }),
            Term::Levels(levels) => {
                let weights = levels.levels.iter().map(|one| one.weight).collect();
                ("levels", weights)
            }
            Term::Pair(pair) => ("pair", pair.weights.clone()),
        };
        Self {
            feature: term.feature(model.parts()),
            form: form.to_owned(),
            low: heights.iter().copied().fold(f64::INFINITY, f64::min),
            high: heights.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// One model of the version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Probability of what.
    pub target: String,
    /// Rows that it was fitted on.
    pub rows: usize,
    /// Share of them with the outcome, where rows are decisions.
    pub base_rate: Option<f64>,
    /// Figures of its twin.
    pub held_out: Option<HeldOut>,
    /// Its terms, the strongest first.
    pub strengths: Vec<Strength>,
    /// How it holds over time and in every part of the customers.
    #[serde(default, skip_serializing_if = "Scrutiny::is_empty")]
    pub scrutiny: Scrutiny,
}

impl Part {
    fn of(head: &Head) -> Self {
        Self {
            target: head.target.clone(),
            rows: head.rows,
            base_rate: Some(head.base_rate),
            held_out: head.held_out.clone(),
            strengths: strengths(&head.model),
            scrutiny: head.scrutiny.clone(),
        }
    }
}

fn strengths(model: &LinearModel) -> Vec<Strength> {
    let terms = model.parts().terms.iter();
    let mut all: Vec<Strength> = terms.map(|term| Strength::of(term, model)).collect();
    all.retain(|one| one.span() > 0.0);
    all.sort_by(|a, b| {
        b.span()
            .total_cmp(&a.span())
            .then(a.feature.cmp(&b.feature))
    });
    all
}

/// A figure of this version beside the same of the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// Of which model, and what.
    pub figure: String,
    /// Of the version before; both are on their own later decisions.
    pub before: Option<f64>,
    /// Of this one.
    pub now: Option<f64>,
}

/// What the gate said of the version, last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Against whom it was valued: a version, or the name of a policy.
    pub against: String,
    /// On lives of invoices that began here or later.
    pub from: Timestamp,
    /// How many.
    pub lives: usize,
    /// Whether it may take over.
    pub passed: bool,
    /// Why, in a sentence or two.
    pub words: String,
    /// Every question.
    pub checks: Vec<Check>,
}

/// The card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// [`FORMAT`] of the document.
    pub format: u32,
    /// The version.
    pub model_id: String,
    /// Where it came from.
    pub lineage: Lineage,
    /// Fingerprint of the features.
    pub feature_fingerprint: String,
    /// Columns of a vector.
    pub columns: usize,
    /// The models.
    pub parts: Vec<Part>,
    /// P(settled by a day) on later decisions, with the reliability table.
    pub time_to_payment: Vec<AtDay>,
    /// Early risk on later decisions over new customers, beside what else could have told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub early: Vec<EarlyFigures>,
    /// Beside the version before; empty where there was none.
    pub compared: Vec<Compared>,
    /// The gate's verdict; none before it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// What to keep in mind.
    pub limits: Vec<String>,
    /// Ways to see the future that are ruled out.
    pub leaks_ruled_out: Vec<String>,
}

impl Card {
    /// The card of `version`, beside the version that was `before` it.
    #[must_use]
    pub fn of(version: &ModelVersion, before: Option<&ModelVersion>) -> Self {
        let parts = version.parts();
        let heads = [
            Some(&parts.propensity),
            parts.lateness.as_ref(),
            parts.churn.as_ref(),
        ];
        let mut cards: Vec<Part> = heads.into_iter().flatten().map(Part::of).collect();
        if let Some(head) = &parts.leaving {
            cards.push(Part {
                target: format!("left by day {}, hazard", head.leaving.horizon_days),
                rows: head.rows,
                base_rate: None,
                held_out: head.held_out.clone(),
                strengths: strengths(&head.leaving.model),
                scrutiny: Scrutiny::default(),
            });
        }
        if let Some(head) = &parts.early {
            let figures = head.held_out.first();
            let instants = head.fitted_before.zip(head.judged_from).zip(figures);
            cards.push(Part {
                target: "late at all, of a customer with at most one earlier invoice".to_owned(),
                rows: head.rows,
                base_rate: Some(head.base_rate),
                held_out: instants.map(|((fitted_before, judged_from), figures)| HeldOut {
                    fitted_before,
                    judged_from,
                    fitted_rows: head.fitted_rows,
                    metrics: figures.early,
                }),
                strengths: strengths(&head.early.model),
                scrutiny: Scrutiny::default(),
            });
        }
        if let Some(head) = &parts.hazard {
            cards.extend(head.hazard.models().map(|(name, model)| Part {
                target: name.to_owned(),
                rows: head.rows,
                base_rate: None,
                held_out: None,
                strengths: strengths(model),
                scrutiny: Scrutiny::default(),
            }));
        }
        let hazard = parts.hazard.as_ref();
        let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect();
        Self {
            format: FORMAT,
            model_id: version.id().to_owned(),
            lineage: parts.lineage.clone(),
            feature_fingerprint: parts.feature_fingerprint.clone(),
            columns: version.spec().width(),
            parts: cards,
            time_to_payment: hazard.map_or_else(Vec::new, |head| head.held_out.clone()),
            early: (parts.early.as_ref()).map_or_else(Vec::new, |head| head.held_out.clone()),
            compared: before.map_or_else(Vec::new, |before| compare(before, version)),
            gate: None,
            limits: texts(&LIMITS),
            leaks_ruled_out: texts(&LEAKS_RULED_OUT),
        }
    }

    /// The card with what the gate said of this version, where it was asked.
    #[must_use]
    pub fn with_gate(self, judged: Option<&Judged>) -> Self {
        let gate = judged.filter(|judged| judged.candidate == self.model_id);
        let gate = gate.map(|judged| Gate {
            against: judged.against.clone(),
            from: judged.valuation.from,
            lives: judged.valuation.lives,
            passed: judged.valuation.verdict.passed,
            words: judged.valuation.verdict.words.clone(),
            checks: judged.valuation.verdict.checks.clone(),
        });
        Self { gate, ..self }
    }
}

fn compare(before: &ModelVersion, now: &ModelVersion) -> Vec<Compared> {
    type Get = fn(&ModelVersion) -> Option<&Head>;
    let heads: [(&str, Get); 3] = [
        ("propensity", |one| Some(&one.parts().propensity)),
        ("lateness", |one| one.parts().lateness.as_ref()),
        ("churn", |one| one.parts().churn.as_ref()),
    ];
    let mut rows = Vec::new();
    for (name, head) in heads {
        let metrics = |one| head(one).and_then(|head| head.held_out.as_ref().map(|h| h.metrics));
        let (old, new) = (metrics(before), metrics(now));
        let mut row = |figure: &str, before, now| {
            rows.push(Compared {
                figure: format!("{name}, {figure}"),
                before,
                now,
            });
        };
        row("AUC", old.and_then(|m| m.auc), new.and_then(|m| m.auc));
        row("log-loss", old.map(|m| m.log_loss), new.map(|m| m.log_loss));
        row("ECE", old.map(|m| m.ece), new.map(|m| m.ece));
    }
    rows
}
