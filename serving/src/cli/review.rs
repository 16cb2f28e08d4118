//! `lagom review`: is it really better, by the rule agreed before the start?

use super::answer::{Answer, Failure};
use super::output::Output;
use lagom_training::flat_table::ReadOptions;
use lagom_training::review::{Review, review_files};
use std::path::PathBuf;

/// Reviews an experiment from a table with one row a customer and a plan written beforehand.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom review --facts customers.csv --plan plan.toml --json")]
pub(crate) struct Args {
    /// One row a customer with its arm; CSV, CSV.gz or Parquet.
    #[arg(long, value_name = "FILE")]
    facts: PathBuf,
    /// The plan: arm and customer columns, control, metrics, margins, covariates, segments.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// The byte between fields; found if not given.
    #[arg(long, value_name = "CHAR")]
    separator: Option<char>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let options = ReadOptions {
        separator: args.separator.map(|one| one as u8),
    };
    let review = review_files(&args.facts, &args.plan, &options)?;
    out.report(&review, || text(&review))?;
    Ok(Answer::Yes)
}

fn text(review: &Review) -> String {
    let mut text = format!(
        "experiment {}, control {}, {} customers, interval: {:?} at {}\n",
        review.experiment, review.control, review.customers, review.interval, review.alpha
    );
    for failure in &review.integrity_failures {
        text += &format!("integrity: {failure:?}\n");
    }
    for (_, comparison) in &review.comparisons {
        text += &format!("\n{}\n\n", comparison.sentence);
        text += &format!(
            "{:<32} {:>12} {:>12} {:>12}  interval\n",
            "metric", review.control, comparison.treatment, "difference"
        );
        for (name, metric) in &comparison.metrics {
            let judged = &metric.effects.judged;
            text += &format!(
                "{name:<32} {:>12.4} {:>12.4} {:>12.4}  {:.4} to {:.4}\n",
                metric.effects.raw.mean_c,
                metric.effects.raw.mean_t,
                judged.diff,
                judged.ci.low,
                judged.ci.high
            );
        }
    }
    text
}
