//! `lagom fit`: a model of any flat table, judged on rows it has not seen.

use super::answer::{Answer, Failure};
use super::output::Output;
use lagom_training::fit::{Direction, Form};
use lagom_training::fit_table::{FitTable, FitTableReport, fit_table};
use std::path::PathBuf;

/// Fits a calibrated logistic model of one column of a table on the others, and judges it on rows
/// that it has not seen.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lagom fit --table churn.csv --target Churn --positive Yes \
                        --drop customerID --split split.csv --predictions p.csv --json"
)]
pub(crate) struct Args {
    /// CSV, CSV.gz or Parquet, one row an example.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// The column to predict.
    #[arg(long, value_name = "COL")]
    target: String,
    /// Its value that counts as the outcome; 1, yes and true go without saying.
    #[arg(long, value_name = "VALUE")]
    positive: Option<String>,
    /// Columns not to use.
    #[arg(long, value_name = "COL,…", value_delimiter = ',')]
    drop: Vec<String>,
    /// A table row_id,fold (predictions out of fold) or row_id,split (predictions for `test`).
    #[arg(long, value_name = "FILE")]
    split: Option<PathBuf>,
    /// When each row was known: a number, date or time, or row_id for a file in time order.
    #[arg(long, value_name = "COL")]
    time: Option<String>,
    /// Whose row it is; one's rows are never on both sides of a split.
    #[arg(long, value_name = "COL")]
    group: Option<String>,
    /// A number that may move the log-odds one way only, as in late_rate=falling.
    #[arg(long, value_name = "COL=rising|falling,…", value_delimiter = ',', value_parser = direction)]
    monotone: Vec<(String, Direction)>,
    /// Where to write row_id,p.
    #[arg(long, value_name = "OUT.csv")]
    predictions: Option<PathBuf>,
    /// Straight lines and levels only, with this penalty C, as scikit-learn defines it.
    #[arg(long, value_name = "C")]
    plain: Option<f64>,
    /// The byte between fields; found if not given.
    #[arg(long, value_name = "CHAR")]
    separator: Option<char>,
    /// Of splits that neither a file nor a time decides.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let request = FitTable {
        separator: args.separator.map(|one| one as u8),
        positive: args.positive.clone(),
        drop: args.drop.clone(),
        split: args.split.clone(),
        time: args.time.clone(),
        group: args.group.clone(),
        monotone: args.monotone.clone(),
        predictions: args.predictions.clone(),
        form: if args.plain.is_some() {
            Form::Plain
        } else {
            Form::default()
        },
        c: args.plain,
        seed: args.seed,
        ..FitTable::new(args.table.clone(), args.target.clone())
    };
    let (report, _) = fit_table(&request)?;
    out.report(&report, || text(&report))?;
    Ok(Answer::Yes)
}

fn direction(text: &str) -> Result<(String, Direction), String> {
    let (name, direction) = match text.rsplit_once('=') {
        Some((name, "rising")) => (name, Direction::Rising),
        Some((name, "falling")) => (name, Direction::Falling),
        _ => return Err("write COLUMN=rising or COLUMN=falling".to_owned()),
    };
    Ok((name.to_owned(), direction))
}

fn text(report: &FitTableReport) -> String {
    let auc = report.auc.map_or_else(
        || "none: one outcome only".to_owned(),
        |auc| format!("{auc:.4}"),
    );
    let mut text = format!(
        "{} predictions ({}), {:.2} % positive ({})\n\
         AUC {auc}, log-loss {:.4}, Brier {:.4}, ECE {:.4}, fitted in {:.1} s\n\
         {} features: {}\n",
        report.rows,
        report.split,
        100.0 * report.base_rate,
        report.positive,
        report.log_loss,
        report.brier,
        report.ece,
        report.fit_seconds,
        report.features.len(),
        report.features.join(", "),
    );
    for left_out in &report.left_out {
        text += &format!("left out: {}: {}\n", left_out.column, left_out.reason);
    }
    text
}
