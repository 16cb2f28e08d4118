//! Where the reference numbers lie, and how they are read.

use std::{
    env,
    io::Read,
    path::{Path, PathBuf},
};

use lagom_model::ope::{Facets, Rounds};
use ndarray::Array2;
use serde_json::Value;

/// The folder of reference numbers, or none where it was not handed over.
pub(crate) fn shared() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = env::var_os("LAGOM_SHARED")
        .map(PathBuf::from)
        .into_iter()
        .chain([
            here.join("../../shared"),
            here.join("../shared"),
            here.join("../../../shared"),
        ])
        .find(|folder| folder.join("oracles").is_dir());
    if found.is_none() {
        println!("skipped: no folder of reference numbers (set LAGOM_SHARED)");
    }
    found
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A table of numbers with its header, from CSV or CSV.gz.
pub(crate) fn table(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let bytes = std::fs::read(path).unwrap();
    let mut text = Vec::new();
    if path.extension().is_some_and(|end| end == "gz") {
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_end(&mut text)
            .unwrap();
    } else {
        text = bytes;
    }
    let mut reader = csv::Reader::from_reader(&text[..]);
    let header = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let rows = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    (header, rows)
}

pub(crate) fn matrix(path: &Path) -> Array2<f64> {
    let (header, rows) = table(path);
    let values: Vec<f64> = rows
        .iter()
        .flatten()
        .map(|cell| cell.parse().unwrap())
        .collect();
    Array2::from_shape_vec((rows.len(), header.len()), values).unwrap()
}

pub(crate) fn column<T: std::str::FromStr>(path: &Path, name: &str) -> Vec<T>
where
    T::Err: std::fmt::Debug,
{
    let (header, rows) = table(path);
    let position = header.iter().position(|known| known == name).unwrap();
    rows.iter()
        .map(|row| row[position].parse().unwrap())
        .collect()
}

/// The synthetic rounds, with everything.
pub(crate) fn synth(folder: &Path) -> Rounds {
    let synth = folder.join("oracles/ope/synth");
    let log = synth.join("log.csv");
    let actions = synth.join("actions.csv");
    let facets = ["channel", "timing", "tone"]
        .map(|name| (name.to_owned(), column::<u32>(&actions, name)))
        .to_vec();
    Rounds::new(
        column(&log, "action"),
        column(&log, "reward"),
        column(&log, "pscore"),
        matrix(&synth.join("pi_e.csv")),
    )
    .unwrap()
    .with_logging(matrix(&synth.join("pi_b.csv")))
    .unwrap()
    .with_predicted(matrix(&synth.join("q_hat.csv")))
    .unwrap()
    .with_facets(Facets::new(facets).unwrap())
    .unwrap()
}

pub(crate) fn assert_close(name: &str, found: f64, expected: f64, tolerance: f64) {
    let distance = (found - expected).abs() / expected.abs().max(1e-300);
    assert!(
        distance <= tolerance,
        "{name}: found {found:.17}, expected {expected:.17}, relative difference {distance:e}"
    );
}
