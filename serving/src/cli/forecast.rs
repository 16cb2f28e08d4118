//! `lagom forecast`: expected cash by week, tried against the past.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::registry::FORECAST;
use lagom_features::domain::Timestamp;
use lagom_model::forecast::{
    Basis, Coverage, DiscountEffect, Expected, Forecast, LEAST, LEVEL, Together, Unissued, Week,
    common_error,
};
use lagom_training::forecast::{discount_effects, forecast};
use lagom_training::pipeline::TrainingConfig;
use lagom_training::registry::Registry;
use lagom_training::tables::Tables;
use std::path::{Path, PathBuf};

/// Weeks that are forecast, unless another number is asked for.
pub(super) const WEEKS: u32 = 8;

/// Expected cash in per week from the invoices that are open, and apart from it from those that are not
/// issued yet but expected by each customer's own rhythm, and of both together, with intervals, expected
/// churn and collection cases, and how such forecasts would have done in the past. Intervals are as wide
/// as past errors make them, and are judged by errors that were known before. The page /forecast shows
/// the last one of the version in force.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom forecast --data data --models models --weeks 8")]
pub(crate) struct Args {
    /// Folder of the canonical tables.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of the registry.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// The version whose curve is used; the current one if none is named.
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// Weeks, at most 12.
    #[arg(long, value_name = "N", default_value_t = WEEKS)]
    weeks: u32,
    /// A file whose [training] table says how the twins that are tried are trained.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Nothing recorded from this instant on is read.
    #[arg(long, value_name = "T", value_parser = crate::cli::parse_time)]
    as_of: Option<Timestamp>,
    /// Of everything drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let registry = Registry::at(&args.models);
    let version = match &args.model {
        Some(id) => registry.get(id)?,
        None => registry.current()?.ok_or_else(|| {
            format!(
                "no version is in force in {}; name one with --model, or run lagom promote",
                args.models.display()
            )
        })?,
    };
    let text_of = match &args.config {
        None => String::new(),
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?
        }
    };
    let config = TrainingConfig::parse(&text_of, version.spec().clone())?;
    let mut tables = Tables::read(&args.data)?;
    let histories = tables.take_histories();
    let mut found = forecast(
        &histories, &version, args.weeks, args.as_of, &config, args.seed,
    )?;
    found.discounts = discount_effects(&histories, &tables.decisions, found.as_of);
    keep(&args.models, &found)?;
    out.report(&found, || text(&found))?;
    Ok(Answer::Yes)
}

/// Leaves a forecast beside its version in the registry `models`, where the page finds it.
pub(super) fn keep(models: &Path, found: &Forecast) -> Result<(), Failure> {
    let path = models.join(&found.model_id).join(FORECAST);
    let written = std::fs::write(&path, serde_json::to_vec_pretty(found)?);
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(())
}

/// An amount of minor units as major ones, without a currency's own number of decimals.
fn major(minor: f64) -> String {
    format!("{:.0}", minor / 100.0)
}

fn band(one: &Expected, write: impl Fn(f64) -> String) -> String {
    format!(
        "{} ({} to {})",
        write(one.expected),
        write(one.low),
        write(one.high)
    )
}

fn text(found: &Forecast) -> String {
    let mut text = format!(
        "{} open invoices, {} {} owed, as of {}, model {}\n\nweek from    cash in {} ({:.0} % interval)\n",
        found.invoices,
        major(found.owed_minor as f64),
        found.currency,
        found.as_of,
        found.model_id,
        found.currency,
        100.0 * LEVEL
    );
    text += &by_week(&found.weeks);
    let counted = |value: f64| format!("{value:.1}");
    if let Some(churn) = &found.churn {
        text += &format!("\ncustomers expected to leave: {}\n", band(churn, counted));
    }
    if let Some(cases) = &found.cases {
        text += &format!("collection cases expected: {}\n", band(cases, counted));
    }
    text += &held(&found.coverage, found.common_error);
    text += &found.unissued.as_ref().map_or_else(String::new, unissued);
    text += &found.together.as_ref().map_or_else(String::new, together);
    if !found.associations.is_empty() {
        text += "\ndays to payment against all others (association, 95 % interval)\n";
        for one in &found.associations {
            let days = band(&one.days, |value| format!("{value:+.1}"));
            text += &format!(
                "{} = {} ({} invoices): {days}\n",
                one.option, one.value, one.invoices
            );
        }
    }
    found
        .discounts
        .iter()
        .for_each(|one| text += &discount(one));
    if !found.early.is_empty() {
        text += "\nopen invoices of new customers, not late yet, by early risk\ntenth  invoices  P(late at all)  owed\n";
        for one in &found.early {
            text += &format!(
                "{:>5}  {:>8}  {:>14.3}  {}\n",
                one.tenth,
                one.invoices,
                one.risk,
                major(one.owed_minor as f64)
            );
        }
    }
    for note in &found.notes {
        text += &format!("\n{note}\n");
    }
    text
}

/// Past forecasts against what came.
fn held(coverage: &[Coverage], common_error: f64) -> String {
    if coverage.is_empty() {
        return String::new();
    }
    let mut text = "\nheld against the past, each interval made of errors known before it\n\
                    weeks ahead  forecasts  judged  inside  said      came\n"
        .to_owned();
    for row in coverage {
        let inside = match row.forecasts {
            0 => "-".to_owned(),
            judged => format!("{:.0}%", 100.0 * row.inside as f64 / judged as f64),
        };
        text += &format!(
            "{:>11}  {:>9}  {:>6}  {inside:>6}  {:<8}  {}\n",
            row.ahead,
            row.known,
            row.forecasts,
            major(row.said_minor),
            major(row.came_minor)
        );
    }
    let (inside, judged) = coverage.iter().fold((0, 0), |(inside, judged), row| {
        (inside + row.inside, judged + row.forecasts)
    });
    if judged == 0 {
        return text + &format!("none has {LEAST} earlier errors to make its interval of\n");
    }
    text + &format!(
        "all: {:.0} % inside, {:.0} % wanted; common error {common_error:.3}\n",
        100.0 * inside as f64 / judged as f64,
        100.0 * LEVEL,
    )
}

/// Cash by week.
fn by_week(weeks: &[Week]) -> String {
    let line = |week: &Week| {
        let from = &week.from.to_string()[..10];
        format!("{from}   {}\n", band(&week.cash_minor, major))
    };
    weeks.iter().map(line).collect()
}

/// Open invoices and those that are not issued yet.
fn together(found: &Together) -> String {
    let head = format!(
        "\nopen and not issued yet together\nweek from    cash in ({:.0} % interval)\n",
        100.0 * LEVEL
    );
    let common = common_error(&found.widening);
    head + &by_week(&found.weeks) + &held(&found.coverage, common)
}

/// Invoices that are not issued yet.
fn unissued(found: &Unissued) -> String {
    let mut text = format!(
        "\nnot issued yet: {:.0} invoices of {} expected of {} customers in rhythm, each of whom is invoiced again with probability {:.3}\nweek from    cash in ({:.0} % interval), beside that of open invoices\n",
        found.invoices,
        major(found.billed_minor),
        found.customers,
        found.go_on,
        100.0 * LEVEL
    );
    text += &by_week(&found.weeks);
    text += &held(&found.coverage, found.common_error);
    if let Some(share) = found.share_of_later {
        text += &format!(
            "of the cash from invoices issued after those forecasts, {:.0} % was of customers in rhythm\n",
            100.0 * share
        );
    }
    text
}

/// Offers of a discount against all else.
fn discount(found: &DiscountEffect) -> String {
    let what = match found.basis {
        Basis::Randomised => {
            "effect: they were drawn with known chances; of one offer, whatever followed"
        }
        Basis::Association => {
            "association, not effect: a rule chose whom to offer one, perhaps those who pay anyway"
        }
    };
    let mut text = format!(
        "\noffers of a discount for paying soon ({what})\n{} offers among {} decisions over {} customers, worth {:.0} of equal chance\n",
        found.offers, found.decisions, found.customers, found.effective_offers
    );
    for one in &found.contrasts {
        text += &format!(
            "{}: {:.3} with, {:.3} without, {} (95 % interval by customer)\n",
            one.measure,
            one.offered,
            one.otherwise,
            band(&one.difference, |value| format!("{value:+.3}"))
        );
    }
    text
}
