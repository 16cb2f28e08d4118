//! `lagom train`: from canonical tables to a new model version.

mod partition;

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::config::Config;
use lagom_features::domain::Timestamp;
use lagom_features::spec::FeatureSpec;
use lagom_model::artefact::PolicyOrigin;
use lagom_model::decide::{Predictor, Snapshot};
use lagom_model::log::{LoggedRound, join};
use lagom_model::metrics::Metrics;
use lagom_model::ope::gate::GateSpec;
use lagom_model::policy::learning::Learning;
use lagom_training::pipeline::{EarlyReport, TrainOptions, TrainReport, TrainingConfig, train};
use lagom_training::registry::Registry;
use lagom_training::tables::Tables;
use lagom_training::valuation::{Anchoring, AnchoringPlan, OwnLog, TILTS_MINOR, choose};
use partition::Part;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Days of an invoice's life that are counted where the policy is held to the ladder.
const HORIZON_DAYS: u16 = 60;

/// Fits propensity and churn models to canonical tables, judges them on later invoices, and stores
/// an immutable version with its card. Nothing is promoted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom train --data data --models models")]
pub(crate) struct Args {
    /// Folder of the canonical tables.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of the registry.
    #[arg(long, value_name = "DIR")]
    models: PathBuf,
    /// A file whose [training] table says how; defaults if none is named.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A feature spec; the built-in one if none is named.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Nothing recorded from this instant on is read.
    #[arg(long, value_name = "T", value_parser = crate::cli::parse_time)]
    as_of: Option<Timestamp>,
    /// Hold the policy to the rules ladder, explored as in [bandit.cold_start], as far as the decision log
    /// can prove: for a log that the ladder wrote, which says little of a policy far from it.
    #[arg(long)]
    anchor: bool,
    /// Of everything drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Trains no version: writes what a part of the customers, such as 3/8, teaches the policy of one that
    /// is there; `lagom merge` adds the parts up.
    #[arg(long, value_name = "K/N", requires_all = ["model", "out"], conflicts_with_all = ["anchor", "as_of", "seed", "spec"])]
    partition: Option<Part>,
    /// The version for whose policy a part is learnt.
    #[arg(long, value_name = "ID", requires = "partition")]
    model: Option<String>,
    /// Where what was learnt from a part is written.
    #[arg(long, value_name = "FILE", requires = "partition")]
    out: Option<PathBuf>,
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    if let (Some(part), Some(id), Some(into)) = (args.partition, &args.model, &args.out) {
        let config = Config::load(args.config.as_deref())?;
        return partition::run((&args.data, &args.models, id), part, into, &config, out);
    }
    let in_file = |path: &Path, error: &dyn std::fmt::Display| -> Failure {
        format!("{}: {error}", path.display()).into()
    };
    let spec = match &args.spec {
        None => FeatureSpec::built_in(),
        Some(path) => FeatureSpec::parse(&read(path)?).map_err(|error| in_file(path, &error))?,
    };
    let config = match &args.config {
        None => TrainingConfig::parse("", spec)?,
        Some(path) => {
            TrainingConfig::parse(&read(path)?, spec).map_err(|error| in_file(path, &error))?
        }
    };
    let served = Config::load(args.config.as_deref())?;
    let untaught = served.nothing_learnt(config.spec.fingerprint())?;
    let report = train(&TrainOptions {
        data: args.data.clone(),
        models: args.models.clone(),
        config,
        as_of: args.as_of,
        seed: args.seed,
        excluded: served.experiments.isolated(),
        policy: Some(PolicyOrigin {
            ways: untaught.generation().ways(),
            anchored: args.anchor,
        }),
    })?;
    let warm = warm_start(args, &served, &untaught, &report)?;
    out.report(&report, || text(&report) + &warm)?;
    let (id, models) = (&report.model_id, args.models.display());
    match &report.parent {
        Some(current) if current != id => out.next(format_args!(
            "lagom evaluate --data {} --models {models} --policy {id} --against {current}",
            args.data.display()
        )),
        _ => out.next(format_args!("lagom promote {id} --models {models}")),
    }
    Ok(Answer::Yes)
}

/// Logged rounds of a folder whose outcome had matured by `as_of`, without those of the experiments named.
fn rounds(data: &Path, excluded: &[String], as_of: Timestamp) -> Result<Vec<LoggedRound>, Failure> {
    let mut tables = Tables::read(data)?;
    let decisions = std::mem::take(&mut tables.decisions);
    let (mut rounds, _) = join(decisions, tables.outcomes);
    rounds.retain(|round| {
        let of = round.decision.experiment.as_ref();
        let left_out = of.is_some_and(|name| excluded.contains(name));
        round.outcome.matured_at < as_of && !left_out
    });
    Ok(rounds)
}

/// Lets the policy learn from the logged decisions, where the tables have any, and stores what it
/// learnt beside the version. What was recorded from `--as-of` on is not read.
fn warm_start(
    args: &Args,
    config: &Config,
    untaught: &Learning,
    report: &TrainReport,
) -> Result<String, Failure> {
    let isolated = config.experiments.isolated();
    let rounds = rounds(&args.data, &isolated, report.as_of)?;
    if rounds.is_empty() {
        return Ok(
            "policy: the tables hold no decision whose outcome has matured; it begins cold\n"
                .to_owned(),
        );
    }
    let mut learning = untaught.clone();
    let read = rounds.len();
    for round in &rounds {
        learning.fold(round)?;
    }
    let mut words = String::new();
    if args.anchor && learning.rounds() > 0 {
        let found = anchoring(args, config, (untaught, &isolated), report)?;
        words = tried(&found);
        learning = learning.anchored(found.anchor())?;
    }
    let Some(warm) = learning.warm_start() else {
        return Ok(format!(
            "policy: none of {read} logged rounds has these features and this catalogue; it begins cold\n"
        ));
    };
    Registry::at(&args.models).put_policy(&report.model_id, &warm)?;
    Ok(format!(
        "policy: learnt from {} of {read} logged rounds, up to {}\n{words}",
        learning.rounds(),
        warm.through
    ))
}

/// How far from the ladder the log can prove something of the policy.
fn anchoring(
    args: &Args,
    config: &Config,
    (untaught, isolated): (&Learning, &[String]),
    report: &TrainReport,
) -> Result<Anchoring, Failure> {
    let mut tables = Tables::read(&args.data)?;
    tables.decisions.retain(|decision| {
        let of = decision.experiment.as_ref();
        !of.is_some_and(|name| isolated.contains(name))
    });
    let log = OwnLog::of(tables)?;
    let model: Arc<dyn Predictor> = Arc::new(Registry::at(&args.models).get(&report.model_id)?);
    let snapshot = |generation| Snapshot::new(config.parts(Some(Arc::clone(&model)), generation));
    let plan = AnchoringPlan {
        untaught,
        snapshot: &snapshot,
        objective: &config.objective,
        exploration: config.cold_start.exploration,
        until: report.as_of,
        horizon_days: HORIZON_DAYS,
        gate: GateSpec::default(),
        tilts_minor: &TILTS_MINOR,
    };
    Ok(choose(&log, &plan)?)
}

fn tried(found: &Anchoring) -> String {
    let Some(anchor) = found.anchor() else {
        return String::new();
    };
    let mut text = format!(
        "held to the ladder, explored {:.0} %: a step worth so much more is taken twice as often\n{:>10} \
         {:>34} {:>8}\n",
        100.0 * anchor.exploration,
        "so much",
        "a life gains, minor units",
        "ESS"
    );
    for one in &found.tried {
        let (low, high) = (one.interval.low, one.interval.high);
        let gain = format!("{:+.1} ({low:+.1} to {high:+.1})", one.gain);
        let chosen = if one.anchor == anchor { "  chosen" } else { "" };
        text += &format!(
            "{:>10} {gain:>34} {:>8.0}{chosen}",
            one.anchor.tilt_minor, one.ess
        );
        if !one.objections.is_empty() {
            text += &format!("  {}", one.objections.join(", "));
        }
        text.push('\n');
    }
    if found.chosen.is_none() {
        text += "every one was objected to; the policy stays as near the ladder as was tried\n";
    }
    text
}

/// Early risk, and how it did beside what else could have told.
fn early(report: &EarlyReport) -> String {
    let what = "late at all, of a customer with at most one earlier invoice";
    if let Some(note) = &report.note {
        return format!("{what}: not fitted: {note}\n");
    }
    let share = 100.0 * report.base_rate.unwrap_or(f64::NAN);
    let mut text = format!("{what}: {} decisions, {share:.1} % of them\n", report.rows);
    for figures in &report.held_out {
        let told = |metrics: &Metrics| {
            let auc = metrics.auc;
            let auc = auc.map_or_else(|| "none".to_owned(), |auc| format!("{auc:.4}"));
            format!(
                "AUC {auc}, log-loss {:.4}, ECE {:.4}",
                metrics.log_loss, metrics.ece
            )
        };
        text += &format!(
            "  held out, {}: {} decisions: {}\n    segment rate alone: {}\n",
            figures.on,
            figures.early.rows,
            told(&figures.early),
            told(&figures.segment_rate)
        );
        if let Some(curve) = &figures.curve {
            text += &format!("    the curve of payment: {}\n", told(curve));
        }
    }
    if report.by_curve {
        text += "  quoted: the curve of payment, which did better\n";
    }
    text
}

/// What came of a training, for a person.
pub(crate) fn text(report: &TrainReport) -> String {
    let mut text = format!(
        "model {} from {} customers, {} invoices ({:.0} % looked at), {} decision points, {} \
         feature columns\n",
        report.model_id,
        report.customers,
        report.invoices,
        100.0 * report.invoice_share,
        report.points,
        report.columns
    );
    for head in &report.heads {
        text += &format!(
            "{}: {} decisions, {:.1} % of them\n",
            head.words,
            head.rows,
            100.0 * head.base_rate
        );
        if let Some(held_out) = &head.held_out {
            let metrics = &held_out.metrics;
            let or_none = |figure: Option<f64>| {
                figure.map_or_else(|| "none".to_owned(), |figure| format!("{figure:.4}"))
            };
            text += &format!(
                "  held out, issued from {}: AUC {} (late rate alone {}), log-loss {:.4}, Brier \
                 {:.4}, ECE {:.4}\n",
                held_out.judged_from,
                or_none(metrics.auc),
                or_none(head.floor_auc),
                metrics.log_loss,
                metrics.brier,
                metrics.ece,
            );
        }
        if let Some(note) = &head.note {
            text += &format!("  {note}\n");
        }
    }
    let leaving = &report.leaving;
    if let Some(note) = &leaving.note {
        text += &format!("leaving, as a hazard: not fitted: {note}\n");
    } else {
        text += &format!(
            "leaving, as a hazard: {} periods, {} decisions whose outcome is still open among them\n",
            leaving.rows, leaving.censored
        );
    }
    if let Some(held_out) = &leaving.held_out {
        let metrics = &held_out.metrics;
        text += &format!(
            "  held out, issued from {}: AUC {}, log-loss {:.4}, ECE {:.4}\n",
            held_out.judged_from,
            metrics
                .auc
                .map_or_else(|| "none".to_owned(), |auc| format!("{auc:.4}")),
            metrics.log_loss,
            metrics.ece
        );
    }
    text += &early(&report.early);
    let hazard = &report.hazard;
    if let Some(note) = &hazard.note {
        text += &format!("time to payment: not fitted: {note}\n");
    } else {
        text += &format!("time to payment: {} person-period rows\n", hazard.rows);
    }
    for at in &hazard.held_out {
        let metrics = &at.metrics;
        text += &format!(
            "  held out, settled by day {}: {} decisions, {:.1} % of them, log-loss {:.4}, ECE \
             {:.4}, worst tenth off by {:.4}\n",
            at.days,
            metrics.rows,
            100.0 * metrics.base_rate,
            metrics.log_loss,
            metrics.ece,
            at.worst_decile,
        );
    }
    text
}
