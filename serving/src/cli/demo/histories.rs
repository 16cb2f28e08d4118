//! The real part of the demonstration: payment histories of 30,000 credit-card clients (UCI,
//! CC BY 4.0), imported and trained on, or tables of the user's own.

use crate::cli::answer::Failure;
use crate::cli::output::Output;
use crate::cli::train;
use crate::registry;
use lagom_features::spec::FeatureSpec;
use lagom_training::import::{ImportOptions, run};
use lagom_training::pipeline::{TrainOptions, TrainingConfig, train as fit};
use lagom_training::tables::Format;
use std::path::Path;

const MAPPING: &str = include_str!("../../../../notebooks-data/uci-credit/mapping.toml");
const CLIENTS: &[u8] =
    include_bytes!("../../../../notebooks-data/uci-credit/UCI_Credit_Card.csv.gz");

/// Trains on `data`, or on the shipped histories, and makes the version current in `models`.
pub(super) fn train_on(
    data: Option<&Path>,
    folder: &Path,
    models: &Path,
    out: &mut Output,
) -> Result<(), Failure> {
    let imported = folder.join("clients");
    let data = match data {
        Some(data) => data,
        None => {
            import(folder, &imported, out)?;
            &imported
        }
    };
    let report = fit(&TrainOptions {
        data: data.to_owned(),
        models: models.to_owned(),
        config: TrainingConfig::parse("", FeatureSpec::built_in())?,
        as_of: None,
        seed: 1,
        excluded: Vec::new(),
        policy: None,
    })?;
    out.line(train::text(&report));
    registry::promote(models, &report.model_id, "the demo trained it")?;
    Ok(())
}

fn import(folder: &Path, into: &Path, out: &mut Output) -> Result<(), Failure> {
    let (mapping, clients) = (folder.join("mapping.toml"), folder.join("clients.csv.gz"));
    std::fs::write(&mapping, MAPPING)?;
    std::fs::write(&clients, CLIENTS)?;
    let report = run(&ImportOptions {
        mapping,
        inputs: vec![clients],
        out: into.to_owned(),
        format: Format::Parquet,
        max_rejects: 0,
    })?;
    out.line(format_args!(
        "imported {} rows: {} customers, {} invoices, {} events, {} rejected",
        report.rows, report.customers, report.invoices, report.events, report.rejected
    ));
    Ok(())
}
