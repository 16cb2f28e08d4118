//! The training rows' columns as the designs need them: which are numbers, which are categories with few levels,
//! which categories have so many that they are encoded, and which are left out, with the reason.

use lagom_model::linear::{InputColumn, InputKind};

use super::columns::{Cells, Columns, Direction};
use super::folds::Order;
use super::newton::Bound;
use super::target_encoding;

/// Categories with more levels than this are read as encoded numbers.
pub(super) const MOST_LEVELS: usize = 40;
/// A text column whose levels hold fewer rows than this on average names rows rather than describes them.
const LEAST_ROWS_A_LEVEL: f64 = 2.0;

/// One column of the training rows.
#[derive(Debug, Clone)]
pub(super) enum Prepared {
    /// Numbers, `NaN` missing; an encoded category is one too.
    Number(Vec<f64>),
    /// Places in the ascending `levels`; `levels.len()` is missing.
    Category {
        levels: Vec<String>,
        index: Vec<usize>,
    },
    /// Not used, and why.
    LeftOut(String),
}

/// The training rows, column by column, and how a served row's cells must be read to mean the same.
pub(super) struct Preparation {
    pub(super) columns: Vec<Prepared>,
    pub(super) inputs: Vec<InputColumn>,
    /// On which side of zero a rise of each column may be.
    pub(super) bounds: Vec<Bound>,
    /// At how many quantiles the curve of each column bends, where that is declared.
    pub(super) knots: Vec<Option<usize>>,
}

/// Prepares `rows` of `columns`; `outcomes` (0 or 1) and `order` are those of the rows.
pub(super) fn prepare(
    columns: &Columns<'_>,
    rows: &[usize],
    outcomes: &[f64],
    order: &Order,
) -> Preparation {
    let mut prepared = Vec::with_capacity(columns.width());
    let mut inputs = Vec::with_capacity(columns.width());
    for index in 0..columns.width() {
        let (column, kind) = match columns.cells(index) {
            Cells::Number(cells) => {
                let numbers = rows.iter().map(|row| cells[*row]).collect();
                (number(numbers), InputKind::Number)
            }
            Cells::Text(cells) => {
                let texts: Vec<Option<&str>> =
                    rows.iter().map(|row| cells[*row].as_deref()).collect();
                text(&texts, outcomes, order)
            }
        };
        prepared.push(column);
        inputs.push(InputColumn {
            name: columns.name(index).to_owned(),
            kind,
        });
    }
    let bound = |index| match columns.direction(index) {
        None => Bound::Free,
        Some(Direction::Rising) => Bound::Positive,
        Some(Direction::Falling) => Bound::Negative,
    };
    Preparation {
        columns: prepared,
        inputs,
        bounds: (0..columns.width()).map(bound).collect(),
        knots: (0..columns.width())
            .map(|index| columns.knots(index))
            .collect(),
    }
}

fn number(numbers: Vec<f64>) -> Prepared {
    let mut known = numbers.iter().copied().filter(|number| !number.is_nan());
    let Some(first) = known.next() else {
        return Prepared::LeftOut("every cell is missing".to_owned());
    };
    let constant = known.all(|number| number == first);
    if constant && !numbers.iter().any(|number| number.is_nan()) {
        return Prepared::LeftOut(format!("every cell is {first}"));
    }
    Prepared::Number(numbers)
}

fn text(texts: &[Option<&str>], outcomes: &[f64], order: &Order) -> (Prepared, InputKind) {
    let mut levels: Vec<&str> = texts.iter().copied().flatten().collect();
    let known = levels.len();
    levels.sort_unstable();
    levels.dedup();
    if levels.is_empty() || (levels.len() == 1 && known == texts.len()) {
        let reason = match levels.first() {
            Some(level) => format!("every cell is `{level}`"),
            None => "every cell is missing".to_owned(),
        };
        return (Prepared::LeftOut(reason), InputKind::Category);
    }
    if levels.len() <= MOST_LEVELS {
        let place = |text: &Option<&str>| match text {
            Some(text) => levels.partition_point(|level| level < text),
            None => levels.len(),
        };
        let index = texts.iter().map(place).collect();
        let levels = levels.iter().map(|level| (*level).to_owned()).collect();
        return (Prepared::Category { levels, index }, InputKind::Category);
    }
    if (known as f64) < LEAST_ROWS_A_LEVEL * levels.len() as f64 {
        let reason = format!(
            "{} different texts in {known} cells: it names rows rather than describes them",
            levels.len()
        );
        return (Prepared::LeftOut(reason), InputKind::Category);
    }
    let (encoding, numbers) = target_encoding::encode(texts, outcomes, order);
    (Prepared::Number(numbers), InputKind::Encoded(encoding))
}
