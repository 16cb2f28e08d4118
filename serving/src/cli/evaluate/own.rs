//! `lagom evaluate --data`: a candidate valued on lagom's own log.

mod confounding;

use crate::cli::answer::{Answer, Failure};
use crate::cli::named::{Maker, Named, hindsight, table};
use crate::cli::output::Output;
use crate::config::Config;
use lagom_features::domain::Timestamp;
use lagom_model::decide::Snapshot;
use lagom_model::objective::Objective;
use lagom_model::ope::gate::GateSpec;
use lagom_model::ope::valuation::{self, Judged, Point, Valuation};
use lagom_training::registry::Registry;
use lagom_training::valuation::{OwnLog, Policy, ValuationOptions};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Weights tried along the frontier: how much losing a customer and angering one count, as
/// multiples of the configured weights.
const SWEEP: [f64; 6] = [0.0, 0.5, 1.0, 2.0, 4.0, 8.0];

#[derive(Debug, clap::Args)]
pub(crate) struct Own {
    /// Folder of canonical tables with decisions, as lagom export writes them.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Folder of the registry; what is found of a version is kept there.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// The candidate: id of a model version (with the bandit), bandit (without a model), ladder,
    /// uniform, logged, or shadow: the version that decided in shadow, by the chances it gave then.
    #[arg(long, value_name = "ID|NAME", requires = "data")]
    policy: Option<String>,
    /// The incumbent, named likewise; the current version if there is one, else logged.
    #[arg(long, value_name = "ID|NAME", requires = "data")]
    against: Option<String>,
    /// Configuration of strategy, objective and bandit; the defaults if none is named.
    #[arg(long, value_name = "FILE", requires = "data")]
    config: Option<PathBuf>,
    /// Judged are invoices first decided about from here on; the bandit learns from what had
    /// matured before. The middle of the log if not given.
    #[arg(long, value_name = "T", requires = "data", value_parser = crate::cli::parse_time)]
    from: Option<Timestamp>,
    /// Days of an invoice's life that are counted, from its first decision.
    #[arg(long, value_name = "DAYS", default_value_t = 60)]
    horizon: u16,
    /// By how many minor units a life must be better for the gate.
    #[arg(long, value_name = "MINOR", default_value_t = 0.0)]
    margin: f64,
    /// Instead: what contacting does against waiting, naively, adjusted, and by the logged chances.
    #[arg(long, requires = "data", conflicts_with_all = ["policy", "against", "frontier"])]
    confounding: bool,
    /// Also values the candidate under other weights of churn and complaints.
    #[arg(long, requires = "data")]
    frontier: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    candidate: String,
    against: String,
    #[serde(flatten)]
    valuation: Valuation,
    /// The candidate under other weights, valued in cash, churn, contacts, complaints and cases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    frontier: Vec<Point>,
}

pub(super) fn run(args: &Own, data: &Path, out: &mut Output) -> Result<Answer, Failure> {
    let log = OwnLog::read(data)?;
    if args.confounding {
        return confounding::run(&log, args.from, out);
    }
    let Some(candidate) = args.policy.as_deref() else {
        return Err("name the candidate with --policy, or ask for --confounding".into());
    };
    let config = Config::load(args.config.as_deref())?;
    let objective = config.objective.clone();
    let from = args.from.unwrap_or_else(|| log.middle());
    let maker = Maker {
        data,
        log: &log,
        config,
        registry: Registry::at(&args.models),
        from,
    };
    let current = maker.registry.pointers()?.current;
    let (candidate, new) = maker.make(candidate)?;
    let against = args
        .against
        .clone()
        .or(current.filter(|id| *id != candidate));
    let (against, old) = maker.make(against.as_deref().unwrap_or("logged"))?;
    let options = ValuationOptions {
        from,
        until: None,
        horizon_days: args.horizon,
        half: None,
        gate: GateSpec {
            margin: args.margin,
            ..GateSpec::default()
        },
        objections: hindsight(&candidate, &new, from),
    };
    let found = log.value(new.policy(), old.policy(), &objective, &options)?;
    let mut frontier = Vec::new();
    if args.frontier
        && let Named::Of(snapshot, kind, _) = &new
    {
        for weight in SWEEP {
            let weighed = weighed(snapshot, &objective, weight)?;
            let policy = Policy::Of(&weighed, *kind);
            // Judged by the configured objective, so that the points can be compared.
            let valuation = log.value(policy, old.policy(), &objective, &options)?;
            frontier.push(Point {
                weight,
                episode: valuation.episode,
            });
        }
    }
    let judged = Judged {
        format: valuation::FORMAT,
        candidate,
        against,
        ways: new.ways(),
        valuation: found,
        frontier,
    };
    let is_version = matches!(&new, Named::Of(_, _, Some(_)) | Named::Shadowed(_));
    if is_version {
        maker.registry.keep(&judged)?;
    }
    let report = Report {
        candidate: judged.candidate,
        against: judged.against,
        valuation: judged.valuation,
        frontier: judged.frontier,
    };
    out.report(&report, || text(&report))?;
    let passed = report.valuation.verdict.passed;
    if passed && is_version {
        out.next(format_args!(
            "lagom promote {} --models {}",
            report.candidate,
            args.models.display()
        ));
    }
    Ok(if passed { Answer::Yes } else { Answer::No })
}

fn weighed(snapshot: &Snapshot, objective: &Objective, weight: f64) -> Result<Snapshot, Failure> {
    let mut parts = snapshot.parts().clone();
    parts.objective = Objective {
        churn: objective.churn * weight,
        complaint_minor: objective.complaint_minor * weight,
        support_contact_minor: objective.support_contact_minor * weight,
        ..objective.clone()
    };
    Ok(Snapshot::new(parts)?)
}

fn text(report: &Report) -> String {
    let Report {
        candidate, against, ..
    } = report;
    let found = &report.valuation;
    let mut text = format!(
        "{candidate} against {against}\n{} lives of invoices first decided about from {} on, {} \
         decisions, {} customers; {} days each\n",
        found.lives, found.from, found.decisions, found.customers, found.horizon_days
    );
    text += &table(
        "episode: every decision of a life, per life",
        &found.episode,
        ["candidate", "incumbent"],
    );
    if let Some(one_step) = &found.one_step {
        text += &table(
            "one step: one decision replaced, per decision",
            one_step,
            ["candidate", "incumbent"],
        );
    }
    for segment in &found.episode.segments {
        text += &format!(
            "segment {}: {} lives, value {:+.1} ({:+.1} to {:+.1})\n",
            segment.name, segment.lives, segment.value, segment.interval.low, segment.interval.high
        );
    }
    if !report.frontier.is_empty() {
        text += &frontier(&report.frontier);
    }
    for check in &found.verdict.checks {
        let mark = if check.passed { "yes" } else { "NO " };
        text += &format!("{mark} {}: {}\n", check.name, check.words);
    }
    text + &found.verdict.words
}

fn frontier(points: &[Point]) -> String {
    let shown = [
        "collected",
        "churned",
        "contacts",
        "complaints",
        "collection_cases",
    ];
    let mut text = format!("{:<8}", "weight");
    for name in shown {
        text += &format!(" {name:>30}");
    }
    text += "\n";
    for point in points {
        text += &format!("{:<8}", point.weight);
        for name in shown {
            let one = &point.episode.candidate[name];
            let cell = format!(
                "{:.3} ({:.3} to {:.3})",
                one.value, one.interval.low, one.interval.high
            );
            text += &format!(" {cell:>30}");
        }
        text += "\n";
    }
    text + "\n"
}
