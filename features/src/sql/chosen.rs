//! Which events a feature takes, as far as the event alone decides it.

use super::Dialect;
use crate::domain::EventType;
use crate::spec::feature::{Filter, Rows};

/// What is true of every row.
pub(super) const ALL: &str = "1 = 1";

/// The types of events that `rows` are; none where they are invoices.
pub(super) fn types(rows: &Rows) -> Vec<EventType> {
    match rows {
        Rows::Events(types) => types.clone(),
        Rows::Contacts => vec![EventType::ContactSent],
        Rows::Settlements | Rows::Dues | Rows::Invoices => Vec::new(),
    }
}

/// `column` is one of `words`.
pub(super) fn one_of<'a>(
    dialect: Dialect,
    column: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> String {
    let words: Vec<String> = words.into_iter().map(|word| dialect.quoted(word)).collect();
    format!("{column} IN ({})", words.join(", "))
}

/// What the words of `filter` ask of an event, one by one.
pub(super) fn words(filter: &Filter, dialect: Dialect) -> Vec<String> {
    let mut all = Vec::new();
    let mut add = |column: &str, words: Vec<&str>| {
        if !words.is_empty() {
            all.push(one_of(dialect, column, words));
        }
    };
    add(
        "channel",
        filter.channel.iter().map(|one| one.name()).collect(),
    );
    add("tone", filter.tone.iter().map(|one| one.name()).collect());
    add("method", filter.method.iter().map(String::as_str).collect());
    add("device", filter.device.iter().map(String::as_str).collect());
    all
}

/// All of `conditions`.
pub(super) fn all(mut conditions: Vec<String>) -> String {
    conditions.retain(|one| one != ALL);
    if conditions.is_empty() {
        return ALL.to_owned();
    }
    conditions.join(" AND ")
}
