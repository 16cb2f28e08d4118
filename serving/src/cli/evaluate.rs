//! `lagom evaluate`: what another policy would have been worth, from logged decisions.

mod own;

use super::answer::{Answer, Failure};
use super::output::Output;
use lagom_model::ope::support::NEAR_ZERO;
use lagom_training::logged_table::{Propensity, TableOptions, TableReport, evaluate_table};
use lagom_training::rounds::{RoundsOptions, RoundsReport, evaluate_rounds};
use std::path::PathBuf;

/// Values policies from logged decisions, before anyone is touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    lagom evaluate --data log --models models --policy 3f2a\n  \
    lagom evaluate --data log --confounding\n  \
    lagom evaluate --rounds rounds/ --json\n  \
    lagom evaluate --table log.csv --action arm --reward visit --propensity 0.3333 --drop spend")]
pub(crate) struct Args {
    /// A folder of rounds: log.csv and pi_e.csv, and pi_b.csv, q_hat.csv, actions.csv if known.
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present_any = ["table", "data"],
        conflicts_with_all = ["table", "data"]
    )]
    rounds: Option<PathBuf>,
    /// One row a logged decision; CSV, CSV.gz or Parquet. Learns a policy on the train rows and
    /// values it on the test rows.
    #[arg(
        long,
        value_name = "FILE",
        requires = "action",
        requires = "reward",
        conflicts_with = "data"
    )]
    table: Option<PathBuf>,
    /// Column of the action taken.
    #[arg(long, value_name = "COL")]
    action: Option<String>,
    /// Column of the reward.
    #[arg(long, value_name = "COL")]
    reward: Option<String>,
    /// Probability of the logged action: a column, or one number for all. Without it the shares
    /// of the train rows, which is right only where actions were drawn regardless of context.
    #[arg(long, value_name = "COL|VALUE")]
    propensity: Option<String>,
    /// Columns that are no context: ids, other outcomes.
    #[arg(long, value_name = "COL,…", value_delimiter = ',')]
    drop: Vec<String>,
    /// Column of the customer, where one has several rows.
    #[arg(long, value_name = "COL")]
    customer: Option<String>,
    /// A table row_id,split with train and test; otherwise half the rows are drawn.
    #[arg(long, value_name = "FILE")]
    split: Option<PathBuf>,
    /// The byte between fields; found if not given.
    #[arg(long, value_name = "CHAR")]
    separator: Option<char>,
    #[command(flatten)]
    own: own::Own,
    /// Of splits, folds and resamples.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    if let Some(folder) = &args.rounds {
        let options = RoundsOptions {
            seed: args.seed,
            ..RoundsOptions::default()
        };
        let report = evaluate_rounds(folder, &options)?;
        out.report(&report, || rounds_text(&report))?;
        return Ok(Answer::Yes);
    }
    if let Some(data) = &args.own.data {
        return own::run(&args.own, data, out);
    }
    let (Some(table), Some(action), Some(reward)) = (&args.table, &args.action, &args.reward)
    else {
        return Err(
            "give --data DIR, --rounds DIR, or --table FILE with --action and --reward".into(),
        );
    };
    let options = TableOptions {
        propensity: args
            .propensity
            .as_deref()
            .map_or(Propensity::Shares, Propensity::parse),
        drop: args.drop.clone(),
        customer: args.customer.clone(),
        split: args.split.clone(),
        separator: args.separator.map(|one| one as u8),
        seed: args.seed,
        ..TableOptions::new(action, reward)
    };
    let report = evaluate_table(table, &options)?;
    out.report(&report, || table_text(&report))?;
    Ok(Answer::Yes)
}

fn rounds_text(report: &RoundsReport) -> String {
    let inner = &report.report;
    let mut text = format!(
        "{} rounds, {} actions; logged value {:.6}; effective sample size {:.0}; largest weight \
         {:.2}\n\n{:<28} {:>10}  {:>23}\n",
        inner.rounds,
        inner.actions,
        inner.logged_value,
        inner.ess,
        inner.max_weight,
        "estimator",
        "value",
        "interval"
    );
    for (name, value) in &inner.value {
        let interval = inner.interval.get(name).map_or_else(String::new, |one| {
            format!("{:.6} to {:.6}", one.low, one.high)
        });
        text += &format!("{name:<28} {value:>10.6}  {interval:>23}\n");
    }
    let support = &inner.support;
    if support.near_zero_rounds > 0 {
        text += &format!(
            "warning: {} rounds have a propensity below {NEAR_ZERO}, the smallest {:e}, and hold {:.1} % of \
             all weight: values that rest on them are reported, not to be believed\n",
            support.near_zero_rounds,
            support.least_propensity,
            100.0 * support.near_zero_weight_share,
        );
    }
    if let Some(mass) = support.unsupported_mass.filter(|mass| *mass > 0.0) {
        text += &format!(
            "warning: {:.2} % of what the policy would do is what the log could never have done: no \
             weighting sees it\n",
            100.0 * mass
        );
    }
    for left_out in &inner.left_out {
        text += &format!("{:<28} left out: {}\n", left_out.name, left_out.reason);
    }
    text
}

fn table_text(report: &TableReport) -> String {
    let mut text = format!(
        "{} train rows, {} test rows; logged value {:.6}\n\n{:<28} {:>10}  {:>23}\n",
        report.train_rows,
        report.test_rows,
        report.logged_value,
        "policy (doubly robust)",
        "value",
        "interval"
    );
    let fixed = report
        .fixed
        .iter()
        .map(|(name, value)| (name.clone(), value));
    let policies = [
        ("uniform".to_owned(), &report.uniform),
        (
            format!("best fixed: {}", report.best_fixed_action),
            &report.best_fixed,
        ),
        ("learnt".to_owned(), &report.learnt),
        ("learnt less best fixed".to_owned(), &report.difference),
    ];
    for (name, value) in fixed.chain(policies) {
        let estimate = value
            .value
            .get("dr")
            .map_or_else(|| "none".to_owned(), |one| format!("{one:.6}"));
        let interval = value.interval.get("dr").map_or_else(String::new, |one| {
            format!("{:.6} to {:.6}", one.low, one.high)
        });
        text += &format!("{name:<28} {estimate:>10}  {interval:>23}\n");
    }
    for note in &report.notes {
        text += &format!("note: {note}\n");
    }
    text
}
