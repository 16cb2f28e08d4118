//! Where a value stands in the text of a configuration.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// A step from a table or list to what is in it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Into<'a> {
    Key(&'a str),
    Place(usize),
}

/// The line, from 1, of a byte.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.bytes().take(offset);
    before.filter(|byte| *byte == b'\n').count() + 1
}

fn entry<'t>(
    table: &'t DeTable<'t>,
    name: &str,
) -> Option<(
    &'t Spanned<std::borrow::Cow<'t, str>>,
    &'t Spanned<DeValue<'t>>,
)> {
    let mut entries = table.iter();
    entries.find(|(key, _)| key.get_ref() == name)
}

/// Line of what lies at the end of `path`, or of the last on the way to it that is there. `None` where
/// not even the first is there.
pub(crate) fn line_of(text: &str, path: &[Into<'_>]) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut found = None;
    let mut table = Some(root.get_ref());
    let mut list: Option<&[Spanned<DeValue<'_>>]> = None;
    for &step in path {
        let (at, value) = match step {
            Into::Key(name) => {
                let Some((key, value)) = table.and_then(|table| entry(table, name)) else {
                    break;
                };
                (key.span().start, value)
            }
            Into::Place(place) => {
                let Some(value) = list.and_then(|list| list.get(place)) else {
                    break;
                };
                (value.span().start, value)
            }
        };
        found = Some(line_at(text, at));
        table = value.get_ref().as_table();
        list = value.get_ref().as_array().map(|array| &array[..]);
    }
    found
}

/// What is wrong with a section of the text, and the line on which it is, if the section cannot be read
/// as a `T`.
pub(crate) fn misreading<T: DeserializeOwned>(
    text: &str,
    section: &str,
) -> Option<(String, Option<usize>)> {
    let root = DeTable::parse(text).ok()?;
    let (_, value) = entry(root.get_ref(), section)?;
    let error = T::deserialize(ValueDeserializer::from(value.clone())).err()?;
    let line = error.span().map(|span| line_at(text, span.start));
    Some((error.message().to_owned(), line))
}
