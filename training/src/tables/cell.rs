//! One cell of a file from outside, and what it may become.

use lagom_features::domain::{
    ActionId, Channel, Country, Currency, CustomerId, CustomerKind, Date, DecisionId, EventId,
    EventType, InvoiceId, Kind, RequestId, TenantId, Timestamp, Tone, Zone,
};
use std::borrow::Cow;

/// Largest whole number up to which every whole number is a float.
const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// A cell as its file holds it: a text file knows only texts, a Parquet file knows types.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Nothing: unknown.
    Empty,
    /// A text; never empty.
    Text(&'a str),
    /// A whole number.
    Whole(i128),
    /// A number that is not NaN.
    Real(f64),
    /// Yes or no.
    Flag(bool),
    /// Microseconds since 1970, UTC.
    Instant(i64),
    /// Days since 1970.
    Day(i32),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of numbers; NaN is unknown.
    Reals(Vec<f64>),
}

impl<'a> Cell<'a> {
    /// A text cell, or nothing where the text is empty.
    pub(crate) fn of_text(text: &'a str) -> Self {
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Text(text)
        }
    }

    /// The cell as a person would write it; lists as JSON.
    pub(crate) fn to_text(&self) -> Cow<'a, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Whole(number) => number.to_string().into(),
            Self::Real(number) => number.to_string().into(),
            Self::Flag(flag) => flag.to_string().into(),
            Self::Instant(micros) => Timestamp::from_micros(*micros)
                .map_or_else(|_| micros.to_string(), |t| t.to_string())
                .into(),
            Self::Day(days) => Date::from_days(*days).to_string().into(),
            Self::Texts(texts) => super::list::texts_to_json(texts).into(),
            Self::Reals(reals) => super::list::reals_to_json(reals).into(),
        }
    }
}

/// What a cell can be read as. Never called with [`Cell::Empty`].
pub(crate) trait FromCell: Sized {
    /// The value, or why the cell is not one.
    fn from_cell(cell: &Cell<'_>) -> Result<Self, String>;
}

fn not_a(cell: &Cell<'_>, what: &str) -> String {
    format!("`{}` is not {what}", cell.to_text())
}

impl FromCell for String {
    fn from_cell(cell: &Cell<'_>) -> Result<Self, String> {
        match cell {
            Cell::Text(text) => Ok((*text).to_owned()),
            Cell::Whole(number) => Ok(number.to_string()),
            other => Err(not_a(other, "a text")),
        }
    }
}

fn whole(cell: &Cell<'_>) -> Result<i128, String> {
    match cell {
        Cell::Whole(number) => Ok(*number),
        Cell::Real(number) if number.fract() == 0.0 && number.abs() <= EXACT_FLOAT => {
            Ok(*number as i128)
        }
        Cell::Text(text) => text.parse().map_err(|_| not_a(cell, "a whole number")),
        other => Err(not_a(other, "a whole number")),
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        impl FromCell for $type {
            fn from_cell(cell: &Cell<'_>) -> Result<Self, String> {
                let number = whole(cell)?;
                Self::try_from(number).map_err(|_| {
                    format!("{number} is not between {} and {}", Self::MIN, Self::MAX)
                })
            }
        }
    )+};
}
whole_numbers!(i64, u16, u32, u64);

impl FromCell for f64 {
    fn from_cell(cell: &Cell<'_>) -> Result<Self, String> {
        let number = match cell {
            Cell::Real(number) => *number,
            Cell::Whole(number) => *number as Self,
            Cell::Text(text) => text.parse().map_err(|_| not_a(cell, "a number"))?,
            other => return Err(not_a(other, "a number")),
        };
        if number.is_finite() {
            Ok(number)
        } else {
            Err(not_a(cell, "a finite number"))
        }
    }
}

impl FromCell for bool {
    fn from_cell(cell: &Cell<'_>) -> Result<Self, String> {
        match cell {
            Cell::Flag(flag) => Ok(*flag),
            Cell::Text(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Cell::Text(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            other => Err(not_a(other, "true or false")),
        }
    }
}

impl FromCell for Timestamp {
    fn from_cell(cell: &Cell<'_>) -> Result<Self, String> {
        match cell {
            Cell::Instant(micros) => Self::from_micros(*micros).map_err(|e| e.to_string()),
            Cell::Day(_) => Ok(Date::from_cell(cell)?.start(&Zone::utc())),
            Cell::Text(text) => Self::parse(text).map_err(|e| e.to_string()),
            other => Err(not_a(other, "a time; write 2026-03-31T08:00:00Z")),
        }
    }
}

impl FromCell for Date {
    fn from_cell(cell: &Cell<'_>) -> Result<Self, String> {
        match cell {
            Cell::Day(days) => {
                let date = Self::from_days(*days);
                if date.days() == *days {
                    Ok(date)
                } else {
                    Err(format!(
                        "{days} days since 1970 lies outside the years 1900 to 2200"
                    ))
                }
            }
            Cell::Instant(_) => {
                let instant = Timestamp::from_cell(cell)?;
                let date = instant.date(&Zone::utc());
                if date.start(&Zone::utc()) == instant {
                    Ok(date)
                } else {
                    Err(format!("{instant} is an instant within a day, not a date"))
                }
            }
            Cell::Text(text) => Self::parse(text).map_err(|e| e.to_string()),
            other => Err(not_a(other, "a date; write 2026-03-31")),
        }
    }
}

macro_rules! by_constructor {
    ($($type:ty => $read:expr),+ $(,)?) => {$(
        impl FromCell for $type {
            fn from_cell(cell: &Cell<'_>) -> Result<Self, String> {
                let text = String::from_cell(cell)?;
                $read(text).map_err(|error| error.to_string())
            }
        }
    )+};
}
by_constructor! {
    TenantId => TenantId::new,
    CustomerId => CustomerId::new,
    InvoiceId => InvoiceId::new,
    EventId => EventId::new,
    DecisionId => DecisionId::new,
    RequestId => RequestId::new,
    ActionId => ActionId::try_from,
    Currency => Currency::try_from,
    Country => Country::try_from,
    Zone => Zone::try_from,
    Channel => |text: String| text.parse::<Channel>(),
    CustomerKind => |text: String| text.parse::<CustomerKind>(),
    EventType => |text: String| text.parse::<EventType>(),
    Kind => |text: String| text.parse::<Kind>(),
    Tone => |text: String| text.parse::<Tone>(),
}

impl FromCell for Vec<String> {
    fn from_cell(cell: &Cell<'_>) -> Result<Self, String> {
        match cell {
            Cell::Texts(texts) => Ok(texts.clone()),
            Cell::Reals(reals) if reals.is_empty() => Ok(Self::new()),
            Cell::Text(json) => super::list::texts_from_json(json),
            other => Err(not_a(other, "a list of texts")),
        }
    }
}

impl FromCell for Vec<f64> {
    fn from_cell(cell: &Cell<'_>) -> Result<Self, String> {
        match cell {
            Cell::Reals(reals) => Ok(reals.clone()),
            Cell::Texts(texts) if texts.is_empty() => Ok(Self::new()),
            Cell::Text(json) => super::list::reals_from_json(json),
            other => Err(not_a(other, "a list of numbers")),
        }
    }
}
