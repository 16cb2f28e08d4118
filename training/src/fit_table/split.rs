//! Which rows are fitted on and which are judged.

use std::collections::BTreeSet;
use std::path::Path;

use super::{FitTable, FitTableError};
use crate::fit::deal;
use crate::flat_table::{FlatTable, ReadOptions, Values};

/// Folds where nothing else is asked for.
const FOLDS: usize = 5;
/// Share of the rows, by time, that is fitted on when only a time is given.
const EARLIER: f64 = 0.75;

/// Rows to fit on and rows to judge.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) name: String,
    pub(super) train: Vec<usize>,
    pub(super) test: Vec<usize>,
}

/// A row and the fold or side that the split file gives it.
struct Labelled {
    row: usize,
    label: String,
}

/// Every fold.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) folds: Vec<Fold>,
    pub(super) described: String,
    pub(super) rows_of_test_groups: usize,
}

/// The folds that the request asks for. Rows of a group that is judged are never fitted on.
pub(super) fn plan(
    request: &FitTable,
    rows: usize,
    times: Option<&[f64]>,
    groups: Option<&[usize]>,
) -> Result<Plan, FitTableError> {
    let (mut folds, described) = match (&request.split, times) {
        (Some(path), _) => from_file(path, rows)?,
        (None, Some(times)) => by_time(times),
        (None, None) => {
            let parts = deal(rows, groups, FOLDS, request.seed);
            let label = |(row, part): (usize, &usize)| Labelled {
                row,
                label: part.to_string(),
            };
            let all: Vec<Labelled> = parts.iter().enumerate().map(label).collect();
            (
                out_of_fold(&all),
                format!("{FOLDS} folds by seed {}", request.seed),
            )
        }
    };
    let mut left = 0;
    for fold in &mut folds {
        if let Some(groups) = groups {
            let mut judged: Vec<usize> = fold.test.iter().map(|row| groups[*row]).collect();
            judged.sort_unstable();
            judged.dedup();
            let before = fold.train.len();
            fold.train
                .retain(|row| judged.binary_search(&groups[*row]).is_err());
            left += before - fold.train.len();
        }
        if fold.train.is_empty() || fold.test.is_empty() {
            return Err(FitTableError::EmptySide {
                train: fold.train.len(),
                test: fold.test.len(),
                hint: if groups.is_some() {
                    "; rows to fit on whose group is judged are left out"
                } else {
                    ""
                },
            });
        }
    }
    Ok(Plan {
        folds,
        described,
        rows_of_test_groups: left,
    })
}

fn by_time(times: &[f64]) -> (Vec<Fold>, String) {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (EARLIER * sorted.len() as f64) as usize;
    let start = sorted.get(at).copied().unwrap_or(f64::INFINITY);
    let (train, test) = (0..times.len()).partition(|row| times[*row] < start);
    let fold = Fold {
        name: "latest quarter".to_owned(),
        train,
        test,
    };
    (
        vec![fold],
        "fitted on the earlier three quarters, judged on the latest".to_owned(),
    )
}

fn from_file(path: &Path, rows: usize) -> Result<(Vec<Fold>, String), FitTableError> {
    let table = FlatTable::read(path, &ReadOptions::default())?;
    let file = path.display().to_string();
    let row_ids = row_ids(&table, &file, rows)?;
    let labelled = |name: &str| -> Result<Vec<Labelled>, FitTableError> {
        let values: &Values = &table.column(name)?.values;
        let labels = (0..table.rows()).filter_map(|line| {
            let label = values.text(line)?;
            let row = row_ids[line];
            Some(Labelled { row, label })
        });
        Ok(labels.collect())
    };
    if table.column("fold").is_ok() {
        return Ok((
            out_of_fold(&labelled("fold")?),
            format!("the folds of {file}"),
        ));
    }
    if table.column("split").is_ok() {
        let all = labelled("split")?;
        let side = |name: &str| {
            let rows = all.iter().filter(|labelled| labelled.label == name);
            rows.map(|labelled| labelled.row).collect()
        };
        let fold = Fold {
            name: "test".to_owned(),
            train: side("train"),
            test: side("test"),
        };
        return Ok((vec![fold], format!("the train and test rows of {file}")));
    }
    Err(FitTableError::SplitColumns {
        file,
        columns: table.columns().iter().map(|c| c.name.clone()).collect(),
    })
}

fn row_ids(table: &FlatTable, file: &str, rows: usize) -> Result<Vec<usize>, FitTableError> {
    let values = &table.column(super::ROW_ID)?.values;
    let mut seen = vec![false; rows];
    (0..table.rows())
        .map(|line| {
            let text = values.text(line).unwrap_or_default();
            let row = text.parse::<usize>().ok().filter(|row| *row < rows);
            let row = row.ok_or_else(|| FitTableError::SplitRow {
                file: file.to_owned(),
                line,
                row_id: text,
                last: rows.saturating_sub(1),
            })?;
            if std::mem::replace(&mut seen[row], true) {
                return Err(FitTableError::SplitTwice {
                    file: file.to_owned(),
                    line,
                    row_id: row,
                });
            }
            Ok(row)
        })
        .collect()
}

/// Each label's rows are judged by a fit on the rows of all others.
fn out_of_fold(rows: &[Labelled]) -> Vec<Fold> {
    let labels: BTreeSet<&str> = rows
        .iter()
        .map(|labelled| labelled.label.as_str())
        .collect();
    let side = |name: &str, judged: bool| -> Vec<usize> {
        let rows = rows
            .iter()
            .filter(|labelled| (labelled.label == name) == judged);
        rows.map(|labelled| labelled.row).collect()
    };
    labels
        .into_iter()
        .map(|name| Fold {
            name: name.to_owned(),
            train: side(name, false),
            test: side(name, true),
        })
        .collect()
}
