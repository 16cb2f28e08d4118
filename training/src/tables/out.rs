//! A row on its way into a file.

use super::schema::Column;
use lagom_features::domain::{Date, Timestamp};
use std::borrow::Cow;

/// A value on its way into a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Empty,
    Text(Cow<'a, str>),
    Whole(i64),
    Count(u64),
    Real(f64),
    Flag(bool),
    Instant(Timestamp),
    Day(Date),
    Texts(Vec<Cow<'a, str>>),
    Reals(Cow<'a, [f64]>),
}

macro_rules! into_value {
    ($($type:ty => $make:expr),+ $(,)?) => {$(
        impl<'a> From<$type> for Value<'a> {
            fn from(value: $type) -> Self {
                $make(value)
            }
        }
    )+};
}
into_value! {
    &'a str => |text: &'a str| Self::Text(Cow::Borrowed(text)),
    &'a String => |text: &'a String| Self::Text(Cow::Borrowed(text)),
    String => |text: String| Self::Text(Cow::Owned(text)),
    i64 => Self::Whole,
    u16 => |n: u16| Self::Whole(n.into()),
    u32 => |n: u32| Self::Whole(n.into()),
    u64 => Self::Count,
    f64 => Self::Real,
    bool => Self::Flag,
    Timestamp => Self::Instant,
    Date => Self::Day,
    &'a [f64] => |reals: &'a [f64]| Self::Reals(Cow::Borrowed(reals)),
    Vec<f64> => |reals: Vec<f64>| Self::Reals(Cow::Owned(reals)),
    Vec<Cow<'a, str>> => Self::Texts,
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

/// The values of one row, put in the order of the table's columns.
#[doc(hidden)]
pub struct OutRow<'a> {
    columns: &'static [Column],
    values: Vec<Value<'a>>,
}

impl<'a> OutRow<'a> {
    pub(super) fn new(columns: &'static [Column]) -> Self {
        Self {
            columns,
            values: Vec::with_capacity(columns.len()),
        }
    }

    /// Puts the next column; its name is given so that code and schema cannot drift apart.
    pub(super) fn put(&mut self, name: &'static str, value: impl Into<Value<'a>>) {
        let expected = self.columns.get(self.values.len()).map(|c| c.name);
        assert_eq!(expected, Some(name), "columns are put in the table's order");
        let value = value.into();
        // Empty is unknown in every format, so that a text file and a Parquet file agree.
        let empty = matches!(&value, Value::Text(text) if text.is_empty());
        self.values.push(if empty { Value::Empty } else { value });
    }

    pub(super) fn values(&self) -> &[Value<'a>] {
        debug_assert_eq!(self.values.len(), self.columns.len());
        &self.values
    }
}
