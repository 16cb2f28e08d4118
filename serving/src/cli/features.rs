//! `lagom features`: what the models see.

#[cfg(feature = "training")]
mod compare;
#[cfg(feature = "training")]
mod engine;
#[cfg(feature = "training")]
mod matrix;
#[cfg(feature = "training")]
mod spark;

use super::answer::{Answer, Failure};
use super::output::Output;
use lagom_features::spec::FeatureSpec;
use serde::Serialize;
use std::path::PathBuf;

/// Lists the features of a spec: name, unit, what unknown means, and what it says; on a data set
/// also the values that each takes, the matrix as a file, whether what was served is what the log
/// gives, and what has moved.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lagom features                                      the built-in features
  lagom features --data data                          the same, with the values that they take
  lagom features --data data --out features.parquet   one row a decision point, for a notebook
  lagom features --data log --check                   served against recomputed, after lagom export
  lagom features --data data --drift 2026-06-01       which features have moved since
  lagom features --data data --out features.parquet --engine postgres --remote postgres://...
  lagom features --data data --out features.parquet --engine spark --remote sc://spark:15002
  lagom features --data data --points features.parquet --engine duckdb-sql --out features.sql")]
pub(crate) struct Args {
    /// A feature spec; the built-in one if none is named.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    #[cfg(feature = "training")]
    #[command(flatten)]
    on_data: matrix::Args,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    columns: &'a [String],
    unit: &'a str,
    owner: &'a str,
    description: &'a str,
}

#[derive(Debug, Serialize)]
struct Listing<'a> {
    fingerprint: &'a str,
    features: Vec<Row<'a>>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let spec = match &args.spec {
        None => FeatureSpec::built_in(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            FeatureSpec::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?
        }
    };
    #[cfg(feature = "training")]
    if let Some(data) = &args.on_data.data {
        return matrix::run(&args.on_data, data, &spec, out);
    }
    let listing = Listing {
        fingerprint: spec.fingerprint(),
        features: spec
            .features()
            .iter()
            .map(|one| Row {
                name: &one.name,
                columns: &one.columns,
                unit: &one.unit,
                owner: &one.owner,
                description: &one.description,
            })
            .collect(),
    };
    out.report(&listing, || text(&listing))?;
    out.next("lagom features --data DIR");
    Ok(Answer::Yes)
}

fn text(listing: &Listing<'_>) -> String {
    let mut text = format!(
        "{} features, fingerprint {}\n\n",
        listing.features.len(),
        listing.fingerprint
    );
    for row in &listing.features {
        let unit = row.unit;
        text += &format!("{:<24} {unit:<10} {}\n", row.name, row.description);
    }
    text
}
