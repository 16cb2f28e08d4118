//! Every number of the A/B reference file, recomputed from the customers and invoices it was made of.
//!
//! The reference was evaluated by formula in 50-digit arithmetic, and most of it confirmed by
//! gbstats, spotify-confidence, confseq, scipy, statsmodels, tea-tasting, savvi and lifelines.
//! Numbers agree to 1e-9 relative; p-values below 1e-12 in logarithm to 1e-6. The file has a second,
//! four-armed data set only in its description: neither its rows nor its numbers are shared, so
//! nothing of it is checked here.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

mod agreement;
mod fixed;
mod tables;
mod two_arm;

use std::path::PathBuf;

use agreement::Agreement;
use serde_json::{Value, json};

/// Leaves of the reference file; a file with more has something this test does not know.
const LEAVES: usize = 2043;

/// The folder with the reference, if this machine has it.
fn reference_folder() -> Option<PathBuf> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("LAGOM_SHARED")
        .map(PathBuf::from)
        .into_iter()
        .chain(["../../shared", "../shared", "../../../shared"].map(|up| manifest.join(up)))
        .map(|shared| shared.join("oracles/ab"))
        .find(|folder| folder.join("oracle.json").is_file())
}

#[test]
fn every_key_of_the_reference_is_equalled() {
    let Some(folder) = reference_folder() else {
        println!("skipped: no folder with oracles/ab/oracle.json; set LAGOM_SHARED to check");
        return;
    };
    let reference: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("oracle.json")).unwrap())
            .unwrap();
    let customers = tables::Customers::read(&folder.join("two_arm_customers.csv"));
    let invoices = tables::Invoices::read(&folder.join("two_arm_invoices.csv"));
    let ours = json!({
        "two_arm": two_arm::all(&customers, &invoices),
        "fixed": fixed::all(&reference["fixed"]),
    });
    let mut agreement = Agreement::default();
    agreement.walk("", &reference, &ours);
    println!(
        "{} leaves checked, largest relative difference {:.2e} at {}",
        agreement.checked, agreement.worst, agreement.worst_at
    );
    assert!(
        agreement.missing.is_empty(),
        "not reached: {:#?}",
        agreement.missing
    );
    assert!(agreement.wrong.is_empty(), "differ: {:#?}", agreement.wrong);
    assert_eq!(agreement.checked, LEAVES);
}
