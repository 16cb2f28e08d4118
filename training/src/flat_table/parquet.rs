//! Parquet files as flat columns: numbers and booleans become numbers, text stays text, dates and timestamps
//! become ISO 8601 text.

use std::fs::File;
use std::path::Path;

use polars::prelude::{Column as Series, DataType, ParquetReader, PolarsError, SerReader};

use super::{Column, FlatTable, FlatTableError, Values};
use crate::tables::cell::Cell;
use crate::tables::source::micros;

pub(super) fn read(path: &Path) -> Result<FlatTable, FlatTableError> {
    let file = path.display().to_string();
    let undecodable = |error: PolarsError| FlatTableError::Parquet {
        file: file.clone(),
        reason: error.to_string(),
    };
    let source = File::open(path).map_err(|error| FlatTableError::io(path, error))?;
    let frame = ParquetReader::new(source).finish().map_err(undecodable)?;
    let columns = frame
        .columns()
        .iter()
        .map(|series| {
            Ok(Column {
                name: series.name().to_string(),
                values: values(&file, series)?,
            })
        })
        .collect::<Result<Vec<Column>, FlatTableError>>()?;
    FlatTable::new(columns)
}

fn values(file: &str, series: &Series) -> Result<Values, FlatTableError> {
    let unsupported = || FlatTableError::UnsupportedType {
        file: file.to_owned(),
        column: series.name().to_string(),
        found: series.dtype().to_string(),
    };
    match series.dtype() {
        DataType::Null => Ok(Values::Number(vec![f64::NAN; series.len()])),
        DataType::Datetime(unit, Some(_)) => {
            let instants = series.as_materialized_series().datetime();
            let ticks = &instants.map_err(|_| unsupported())?.phys;
            let text = |ticks| Cell::Instant(micros(ticks, *unit)).to_text().into_owned();
            Ok(Values::Text(
                ticks.iter().map(|cell| cell.map(text)).collect(),
            ))
        }
        DataType::String | DataType::Date | DataType::Datetime(..) => {
            let text = series.cast(&DataType::String).map_err(|_| unsupported())?;
            let cells = text.str().map_err(|_| unsupported())?;
            let trimmed = |cell: Option<&str>| {
                cell.map(str::trim)
                    .filter(|cell| !cell.is_empty())
                    .map(str::to_owned)
            };
            Ok(Values::Text(cells.iter().map(trimmed).collect()))
        }
        dtype if dtype.is_primitive_numeric() || dtype.is_bool() => {
            let numbers = series.cast(&DataType::Float64).map_err(|_| unsupported())?;
            let cells = numbers.f64().map_err(|_| unsupported())?;
            let cells: Vec<f64> = cells.iter().map(|cell| cell.unwrap_or(f64::NAN)).collect();
            match cells.iter().position(|cell| cell.is_infinite()) {
                Some(row) => Err(FlatTableError::Infinite {
                    file: file.to_owned(),
                    row,
                    column: series.name().to_string(),
                    cell: cells[row].to_string(),
                }),
                None => Ok(Values::Number(cells)),
            }
        }
        _ => Err(unsupported()),
    }
}
