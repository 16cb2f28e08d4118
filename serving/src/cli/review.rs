//! `lagom review`: is it really better, by the rule agreed before the start?

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::config::Config;
use crate::pages::{self, Lang, Reader};
use lagom_features::domain::Timestamp;
use lagom_model::decide::Snapshot;
use lagom_training::flat_table::ReadOptions;
use lagom_training::review::{Design, LogReview, Review, WINDOW_DAYS, review_files, review_folder};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reviews an experiment from the log of decisions, or from any table with one row a customer, by
/// a plan written beforehand.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: lagom review --data data --experiment spring --html spring.html\n\
                        lagom review --facts customers.csv --plan plan.toml --json"
)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["data", "facts"]))]
pub(crate) struct Args {
    /// Canonical tables with decisions, outcomes and events.
    #[arg(long, value_name = "DIR", requires = "experiment")]
    data: Option<PathBuf>,
    /// Name of the experiment in the log.
    #[arg(long, value_name = "NAME", requires = "data")]
    experiment: Option<String>,
    /// The arm to compare with, where no plan names it; `ladder` or `control` by default.
    #[arg(long, value_name = "ARM", requires = "data", conflicts_with = "plan")]
    control: Option<String>,
    /// What was known then; the end of the tables by default.
    #[arg(long, value_name = "TIME", requires = "data", value_parser = time)]
    as_of: Option<Timestamp>,
    /// Days for which each customer is followed from the first decision.
    #[arg(long, value_name = "DAYS", default_value_t = WINDOW_DAYS, requires = "data")]
    window: f64,
    /// Configuration with the experiment's shares and the objective's weights.
    #[arg(long, value_name = "FILE", requires = "data")]
    config: Option<PathBuf>,
    /// Writes the facts of each customer, from which `--facts` makes the same numbers.
    #[arg(long, value_name = "FILE", requires = "data")]
    csv: Option<PathBuf>,
    /// One row a customer with its arm; CSV, CSV.gz or Parquet.
    #[arg(long, value_name = "FILE", requires = "plan")]
    facts: Option<PathBuf>,
    /// The plan: arm and customer columns, control, metrics, margins, covariates, segments.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The byte between fields; found if not given.
    #[arg(long, value_name = "CHAR", requires = "facts")]
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

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text)
        .or_else(|_| Timestamp::parse(&format!("{text}T00:00:00Z")))
        .map_err(|error| error.to_string())
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let (review, recompute) = match (&args.data, &args.facts, &args.plan) {
        (Some(data), ..) => from_log(args, data)?,
        (None, Some(facts), Some(plan)) => {
            let options = ReadOptions {
                separator: args.separator.map(|one| one as u8),
            };
            let command = format!(
                "lagom review --facts {} --plan {} --json",
                facts.display(),
                plan.display()
            );
            (review_files(facts, plan, &options)?, command)
        }
        _ => return Err("name --data and --experiment, or --facts and --plan".into()),
    };
    if let Some(file) = &args.html {
        let json = serde_json::to_string_pretty(&review)?;
        let page = pages::review::render(&Reader::of_file(args.lang), &json, &recompute)?;
        write(file, &page.into_string())?;
    }
    out.report(&review, || text(&review))?;
    if let (None, Some(data), Some(name)) = (&args.html, &args.data, &args.experiment) {
        out.next(format_args!(
            "lagom review --data {} --experiment {name} --html {name}.html",
            data.display()
        ));
    }
    Ok(Answer::Yes)
}

fn from_log(args: &Args, data: &Path) -> Result<(Review, String), Failure> {
    let name = args.experiment.as_deref().unwrap_or_default();
    let config = Config::load(args.config.as_deref())?;
    let plan = args.plan.as_deref().map(read).transpose()?;
    let design = agreed(data)?;
    let nothing_learnt = config.nothing_learnt(config.spec.fingerprint())?;
    let ladder = Snapshot::new(config.parts(None, Arc::clone(nothing_learnt.generation())))?;
    let ask = LogReview {
        experiment: name,
        plan: plan.as_deref(),
        control: args.control.as_deref(),
        shares: &config.experiments.shares(name),
        as_of: args.as_of,
        window_days: args.window,
        objective: &config.objective,
        design: design.as_ref(),
        ladder: Some(&ladder),
    };
    let (review, facts) = review_folder(data, &ask)?;
    if let Some(file) = &args.csv {
        let unwritable = |error| format!("{}: cannot be written: {error}", file.display());
        let opened = std::fs::File::create(file).map_err(unwritable)?;
        let mut out = std::io::BufWriter::new(opened);
        facts.write_csv(&mut out).map_err(unwritable)?;
        out.flush().map_err(unwritable)?;
    }
    let command = format!(
        "lagom review --data {} --experiment {name} --as-of {} --window {} --json",
        data.display(),
        review.log.as_ref().map_or("", |log| &log.as_of),
        args.window
    );
    Ok((review, command))
}

/// What was agreed before the start, where `lagom export` wrote it down.
fn agreed(data: &Path) -> Result<Option<Design>, Failure> {
    let file = data.join(super::export::DESIGN);
    if !file.exists() {
        return Ok(None);
    }
    serde_json::from_str(&read(&file)?)
        .map(Some)
        .map_err(|error| format!("{}: {error}; run lagom export again", file.display()).into())
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| format!("{}: cannot be read: {error}", file.display()).into())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text)
        .map_err(|error| format!("{}: cannot be written: {error}", file.display()).into())
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
