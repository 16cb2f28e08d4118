//! The same twenty features by other programs, and whether they come to the same numbers.

use super::super::child::{self, Cost};
use super::world;
use crate::cli::answer::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

const SCRIPTS: [(&str, &str); 2] = [
    ("Polars", include_str!("polars_peer.py")),
    ("DuckDB", include_str!("duckdb_peer.py")),
];
const COMPARE: &str = include_str!("compare.py");

/// Another program.
#[derive(Debug, Serialize)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) cost: Cost,
    found: Comparison,
}

#[derive(Debug, Serialize, Deserialize)]
struct Comparison {
    rows: u64,
    /// Rows that lagom does not have.
    stray: i64,
    /// Cells that differ, by column.
    differing: BTreeMap<String, u64>,
}

impl Peer {
    pub(super) fn is_equal(&self) -> bool {
        self.found.rows > 0 && self.found.stray == 0 && self.found.differing.is_empty()
    }

    pub(super) fn verdict(&self) -> String {
        if self.is_equal() {
            return format!("all cells of {} rows are equal", self.found.rows);
        }
        let cells: Vec<String> = self
            .found
            .differing
            .iter()
            .map(|(column, cells)| format!("{column} in {cells}"))
            .collect();
        format!(
            "of {} rows differ: {}; {} rows more",
            self.found.rows,
            cells.join(", "),
            self.found.stray
        )
    }
}

/// Why the peers cannot run, if they cannot.
pub(super) fn missing(python: &Path) -> Option<String> {
    let import = Command::new(python)
        .args(["-c", "import polars, duckdb"])
        .stdin(Stdio::null())
        .output();
    match import {
        Ok(tried) if tried.status.success() => None,
        Ok(_) => Some(format!(
            "{} has not both; pip install polars duckdb, or name another with --python",
            python.display()
        )),
        Err(error) => Some(format!("{}: {error}", python.display())),
    }
}

/// Runs both over the tables in `data`, where lagom's matrix is already.
pub(super) fn run(python: &Path, data: &Path) -> Result<Vec<Peer>, Failure> {
    let compare = data.join("compare.py");
    std::fs::write(&compare, COMPARE)?;
    let mut peers = Vec::new();
    for (name, script) in SCRIPTS {
        let (file, out) = (data.join("peer.py"), data.join("peer.parquet"));
        std::fs::write(&file, script)?;
        let mut command = Command::new(python);
        command.arg(&file).arg(data.join("events.parquet"));
        command.arg(data.join(world::POINTS)).arg(&out);
        let (cost, _) = child::run(command)?;
        let mut command = Command::new(python);
        command.arg(&compare).arg(data.join("twenty.parquet"));
        command.arg(&out);
        let (_, printed) = child::run(command)?;
        let found = serde_json::from_str(&printed)?;
        peers.push(Peer { name, cost, found });
    }
    Ok(peers)
}
