//! `lagom review`: is it really better, by the rule agreed before the start?

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::pages::{self, Lang, Reader};
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
    /// Writes the review as one HTML file that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Language of the HTML file.
    #[arg(long, default_value = "en", value_parser = language)]
    lang: Lang,
}

fn language(code: &str) -> Result<Lang, String> {
    Lang::of(code).ok_or_else(|| "not one of en, sv, nl".to_owned())
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let options = ReadOptions {
        separator: args.separator.map(|one| one as u8),
    };
    let review = review_files(&args.facts, &args.plan, &options)?;
    if let Some(file) = &args.html {
        let recompute = format!(
            "lagom review --facts {} --plan {} --json",
            args.facts.display(),
            args.plan.display()
        );
        let json = serde_json::to_string_pretty(&review)?;
        let page = pages::review::render(&Reader::of_file(args.lang), &json, &recompute)?;
        std::fs::write(file, page.into_string())
            .map_err(|error| format!("{}: cannot be written: {error}", file.display()))?;
    }
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
