//! `lagom ledger`: what lagom caused, against the customers it leaves alone.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::config::Config;
use crate::pages::{self, Lang, Reader};
use lagom_features::domain::{CustomerId, Timestamp};
use lagom_training::flat_table::{FlatTable, ReadOptions};
use lagom_training::tables::Tables;
use lagom_training::uplift::{Drawn, Ledger, ledger};
use std::path::{Path, PathBuf};

/// Writes what lagom caused, month by month, against the permanent holdout: money, churn, contacts,
/// complaints and ratings, by segment, product and audience; beside it the naive number.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom ledger --data data --csv ledger.csv")]
pub(crate) struct Args {
    /// What `lagom export` wrote.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Configuration with the objective's weights.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What was known then; the end of the tables by default.
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
    as_of: Option<Timestamp>,
    /// Writes every month, cut and measure, one a line.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Writes the ledger as one HTML file that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let drawn = drawn(&args.data.join("assignments.csv"))?;
    let tables = Tables::read(&args.data)?;
    let last = tables.events.iter().map(|one| one.recorded_at).max();
    let as_of = args.as_of.or(last).unwrap_or(Timestamp::MIN);
    let ledger = ledger(&tables, &drawn, &config.objective, as_of)?;
    let write = |file: &PathBuf, text: &str| {
        std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
    };
    if let Some(file) = &args.csv {
        write(file, &ledger.csv())?;
    }
    if let Some(file) = &args.html {
        let json = serde_json::to_string(&ledger)?;
        let page = pages::ledger::render(&Reader::of_file(Lang::En), &json)?;
        write(file, &page.into_string())?;
    }
    out.report(&ledger, || words(&ledger))?;
    Ok(Answer::Yes)
}

/// Who was drawn into the holdout, and who was not.
fn drawn(file: &Path) -> Result<Drawn, Failure> {
    if !file.exists() {
        return Err(format!(
            "{}: is not there; run lagom export with a server that has a [holdout]",
            file.display()
        )
        .into());
    }
    let table = FlatTable::read(file, &ReadOptions::default())?;
    let column = |name: &str| table.column(name).map(|column| &column.values);
    let (id, experiment) = (column("customer_id")?, column("experiment")?);
    let (arm, at) = (column("arm")?, column("assigned_at")?);
    let mut drawn = Drawn::new();
    for row in 0..table.rows() {
        if experiment.text(row).as_deref() == Some(crate::experiment::HOLDOUT) {
            let held = arm.text(row).as_deref() == Some(crate::experiment::HOLDOUT);
            let id = CustomerId::new(id.text(row).unwrap_or_default())?;
            let at = Timestamp::parse(&at.text(row).unwrap_or_default())?;
            drawn.entry(id).or_insert((held, at));
        }
    }
    Ok(drawn)
}

fn words(ledger: &Ledger) -> String {
    let mut text = format!(
        "what lagom caused, known by {}, amounts in {}\n\n{:<8} {:<18} {:>10} {:>10} {:>10} {:>22} \
         {:>12}\n",
        ledger.as_of,
        ledger.currency,
        "month",
        "per customer",
        "holdout",
        "lagom",
        "naive",
        "difference, 95 %",
        "in all"
    );
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"));
    for row in ledger.rows.iter().filter(|row| row.cut == "all") {
        for one in &row.measures {
            let found = one.difference.map_or_else(
                || "–".to_owned(),
                |[found, low, high]| format!("{found:.3} ({low:.3} to {high:.3})"),
            );
            text += &format!(
                "{:<8} {:<18} {:>10} {:>10} {:>10} {:>22} {:>12}\n",
                row.month,
                one.name,
                number(one.holdout),
                number(one.lagom),
                number(one.naive),
                found,
                number(one.caused)
            );
        }
    }
    for (month, decisions) in &ledger.awaited {
        text += &format!(
            "{month}: {decisions} decisions have their outcome still open: their fees and what they cost are \
             not in the numbers yet\n"
        );
    }
    for step in &ledger.steps {
        let [added, low, high] = step.added;
        text += &format!(
            "{} against waiting: {added:.2} a decision ({low:.2} to {high:.2}), naive {:.2}, {} \
             decisions\n",
            step.step, step.naive, step.decisions
        );
    }
    text
}
