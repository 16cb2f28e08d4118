//! `lagom plan`: what an experiment of this design would find, on this history.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::config::Config;
use lagom_features::domain::Timestamp;
use lagom_training::review::{
    Plan, PlanAsk, PlanReport, WINDOW_DAYS, default_plan, history, plan_report,
};
use lagom_training::tables::Tables;
use std::path::PathBuf;

/// Says what an experiment can find before it starts: the smallest effect, how many days it takes,
/// and how often this plan would be wrong, simulated by drawing your own customers into its arms.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom plan --data data --experiment spring --config lagom.toml")]
pub(crate) struct Args {
    /// Canonical tables of the time before.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Name of the experiment, in the configuration if it has one.
    #[arg(long, value_name = "NAME")]
    experiment: String,
    /// Configuration with the experiment's arms, shares and plan, and the objective's weights.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The plan; that of the configuration, else the default plan, if none is named.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Days for which each customer is followed.
    #[arg(long, value_name = "DAYS", default_value_t = WINDOW_DAYS)]
    window: f64,
    /// The end of the history; that of the tables by default.
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
    as_of: Option<Timestamp>,
    /// Experiments to simulate, without and with an effect.
    #[arg(long, value_name = "N", default_value_t = 500)]
    replications: u32,
    /// Looks at each of them, the last at the planned end.
    #[arg(long, value_name = "N", default_value_t = 4)]
    looks: u32,
    /// Of everything drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let spec = config.experiments.spec(&args.experiment);
    let shares = config.experiments.shares(&args.experiment);
    let control = ["ladder", "control"]
        .into_iter()
        .find(|name| shares.iter().any(|(arm, _)| arm == name))
        .map(str::to_owned)
        .or_else(|| shares.first().map(|(arm, _)| arm.clone()))
        .unwrap_or_else(|| "control".to_owned());
    let agreed = spec.map(|spec| spec.plan_text.as_str());
    let (name, text) = match (&args.plan, agreed.filter(|text| !text.is_empty())) {
        (Some(file), _) => {
            let read = std::fs::read_to_string(file);
            let text = read.map_err(|error| format!("{}: {error}", file.display()))?;
            (file.display().to_string(), text)
        }
        (None, Some(text)) => ("the plan".to_owned(), text.to_owned()),
        (None, None) => (
            "the default plan".to_owned(),
            default_plan(&args.experiment, &control, &shares),
        ),
    };
    let plan = Plan::parse(&name, &text)?;
    let mut tables = Tables::read(&args.data)?;
    tables
        .decisions
        .iter_mut()
        .for_each(|one| one.features.clear());
    let history = history(&tables, args.as_of, args.window, &config.objective)?;
    let ask = PlanAsk {
        replications: args.replications,
        looks: args.looks,
        seed: args.seed,
        per_day: history.per_day,
        share: spec.map_or(1.0, |spec| spec.share),
        window_days: args.window,
    };
    let mut report = plan_report(history.facts.table(), &plan, &ask)?;
    report.plan_digest = blake3::hash(text.as_bytes()).to_hex().to_string();
    out.report(&report, || words(&report))?;
    Ok(Answer::Yes)
}

fn words(report: &PlanReport) -> String {
    let mut text = format!(
        "experiment {}: {} customers ({} in the history), {:.0} days until all are in and \
         followed\n\n{:<20} {:<10} {:>12} {:>16} {:>10}\n",
        report.experiment,
        report.customers,
        report.history_customers,
        report.days,
        "metric",
        "part",
        "now",
        "smallest effect",
        "of it"
    );
    for one in &report.metrics {
        text += &format!(
            "{:<20} {:<10} {:>12.4} {:>16.4} {:>8.1} %\n",
            one.name,
            one.role,
            one.mean,
            one.minimal_detectable_effect,
            100.0 * one.relative
        );
    }
    text += &format!(
        "\nsimulated on these customers, {} experiments each, {} looks:\n\
         nothing to find:  a goal called better in {:.1} %, shipped in {:.1} %\n\
         effects as above: a goal called better in {:.1} %, shipped in {:.1} %\n",
        report.replications,
        report.looks,
        100.0 * report.false_positive_rate,
        100.0 * report.false_ship_rate,
        100.0 * report.power,
        100.0 * report.ship_rate,
    );
    text
}
