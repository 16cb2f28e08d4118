//! `lagom features`: what the models see.

use super::answer::{Answer, Failure};
use super::output::Output;
use lagom_features::spec::FeatureSpec;
use serde::Serialize;
use std::path::PathBuf;

/// Lists the features of a spec: name, unit, what unknown means, and what it says.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom features --spec my-features.toml --json")]
pub(crate) struct Args {
    /// A feature spec; the built-in one if none is named.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    columns: &'a [String],
    unit: &'a str,
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
    let listing = Listing {
        fingerprint: spec.fingerprint(),
        features: spec
            .features()
            .iter()
            .map(|one| Row {
                name: &one.name,
                columns: &one.columns,
                unit: &one.unit,
                description: &one.description,
            })
            .collect(),
    };
    out.report(&listing, || text(&listing))?;
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
