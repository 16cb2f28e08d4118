//! Whether the features that were served are those that the log gives when it is read again.
//!
//! A logged decision carries the vector that it was made on. The same extractor, given what the
//! exported tables say was known at that instant, must make the same bits; where it does not,
//! training sees another world than serving.

use crate::segments;
use crate::tables::{Partitions, TableError, Tables};
use lagom_features::{ExtractError, Extractor, FeatureSpec, History, Ledger, Scratch, Segments};
use lagom_model::log::Decision;
use rayon::prelude::*;
use serde::Serialize;
use std::path::Path;

/// What became of one feature column over all decisions that could be compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnParity {
    /// The column.
    pub column: String,
    /// The same bits, or unknown in both.
    pub equal: usize,
    /// Two numbers that differ.
    pub differs: usize,
    /// Known on one side only.
    pub missing: usize,
    /// The first decision that differs or misses, with the value served and that recomputed.
    pub example: Option<Example>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Example {
    /// Of which decision.
    pub decision_id: String,
    /// As logged; none is unknown.
    pub served: Option<f64>,
    /// As recomputed.
    pub recomputed: Option<f64>,
}

/// The comparison of a folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parity {
    /// Fingerprint of the features compared.
    pub feature_fingerprint: String,
    /// Decisions compared.
    pub compared: usize,
    /// Decisions made on features of another spec, which are not comparable.
    pub other_spec: usize,
    /// Decisions whose customer or invoice the tables do not know at that instant.
    pub unknown: usize,
    /// An example of those.
    pub unknown_example: Option<String>,
    /// By column, in the order of the vector.
    pub columns: Vec<ColumnParity>,
}

impl Parity {
    /// Whether every comparable decision has the vector it was served on.
    #[must_use]
    pub fn holds(&self) -> bool {
        let same = |column: &ColumnParity| column.differs == 0 && column.missing == 0;
        self.unknown == 0 && self.columns.iter().all(same)
    }
}

/// Compares every decision in `data` that was made on features of `spec`; `events_at_once` bounds
/// memory as it does for the matrix.
///
/// # Errors
/// [`TableError`]: a table that cannot be read.
pub fn parity(
    data: &Path,
    spec: &FeatureSpec,
    events_at_once: u64,
    mut progress: impl FnMut(usize, usize),
) -> Result<Parity, TableError> {
    let extractor = Extractor::new(spec);
    let column = |name: &str| ColumnParity {
        column: name.to_owned(),
        equal: 0,
        differs: 0,
        missing: 0,
        example: None,
    };
    let mut parity = Parity {
        feature_fingerprint: spec.fingerprint().to_owned(),
        compared: 0,
        other_spec: 0,
        unknown: 0,
        unknown_example: None,
        columns: spec.names().into_iter().map(column).collect(),
    };
    let parts = Partitions::of(data, events_at_once, &std::env::temp_dir())?;
    let served = |one: &Decision| one.feature_fingerprint == spec.fingerprint();
    let segments = segments::of_logged(spec, &parts, served)?;
    for (done, folder) in parts.folders().iter().enumerate() {
        progress(done, parts.folders().len());
        let mut tables = Tables::read(folder)?;
        let histories = tables.take_histories();
        let vectors: Vec<Option<Result<Vec<f64>, ExtractError>>> = tables
            .decisions
            .par_iter()
            .map_init(Scratch::new, |scratch, decision| {
                let history = histories.get(&decision.customer_id);
                let again = || again(&extractor, scratch, decision, history, &segments);
                served(decision).then(again)
            })
            .collect();
        for (decision, vector) in tables.decisions.iter().zip(vectors) {
            parity.take(decision, vector);
        }
    }
    Ok(parity)
}

fn again(
    extractor: &Extractor,
    scratch: &mut Scratch,
    decision: &Decision,
    history: Option<&History>,
    segments: &Segments,
) -> Result<Vec<f64>, ExtractError> {
    let nothing = History::new();
    let view = history.unwrap_or(&nothing).as_of(decision.decided_at);
    let ledger = Ledger::of(&view);
    let mut vector = Vec::with_capacity(extractor.width());
    let id = &decision.invoice_id;
    extractor.extract_among(scratch, &view, &ledger, id, segments, &mut vector)?;
    Ok(vector)
}

impl Parity {
    fn take(&mut self, decision: &Decision, vector: Option<Result<Vec<f64>, ExtractError>>) {
        let recomputed = match vector {
            None => {
                self.other_spec += 1;
                return;
            }
            Some(Err(error)) => {
                self.unknown += 1;
                let words = || format!("{}: {error}", decision.decision_id);
                self.unknown_example.get_or_insert_with(words);
                return;
            }
            Some(Ok(vector)) => vector,
        };
        self.compared += 1;
        for (place, column) in self.columns.iter_mut().enumerate() {
            let known = |values: &[f64]| values.get(place).copied().filter(|x| !x.is_nan());
            let (served, recomputed) = (known(&decision.features), known(&recomputed));
            match (served, recomputed) {
                (None, None) => column.equal += 1,
                (Some(a), Some(b)) if a.to_bits() == b.to_bits() => column.equal += 1,
                (Some(_), Some(_)) => column.differs += 1,
                _ => column.missing += 1,
            }
            if column.differs + column.missing == 1 {
                column.example.get_or_insert_with(|| Example {
                    decision_id: decision.decision_id.as_str().to_owned(),
                    served,
                    recomputed,
                });
            }
        }
    }
}
