//! Conditions on a row: `{status} >= 1`.

use super::number::{Decimal, Marks};
use std::cmp::Ordering;

/// How the two sides must stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Longer signs first, so that `>=` is not read as `>`.
const SIGNS: [(&str, Relation); 6] = [
    (" == ", Relation::Equal),
    (" != ", Relation::Unequal),
    (" <= ", Relation::AtMost),
    (" >= ", Relation::AtLeast),
    (" < ", Relation::Less),
    (" > ", Relation::More),
];

/// Splits a condition into its left side, relation and right side.
pub(super) fn split(text: &str) -> Result<(&str, Relation, &str), String> {
    SIGNS
        .iter()
        .find_map(|&(sign, relation)| {
            let (left, right) = text.split_once(sign)?;
            Some((left.trim(), relation, right.trim()))
        })
        .ok_or_else(|| {
            format!("`{text}` is no condition; write two sides with ==, !=, <, <=, > or >= between blanks")
        })
}

/// Whether the relation holds. Numbers are compared as numbers, anything else only for equality;
/// an unknown side equals nothing but an unknown one, and is neither less nor more.
pub(super) fn holds(
    left: &str,
    relation: Relation,
    right: &str,
    marks: Marks,
) -> Result<bool, String> {
    let numbers = (Decimal::parse(left, marks), Decimal::parse(right, marks));
    let order = match (numbers, left == right) {
        ((Ok(left), Ok(right)), _) => Some(left.compare(right)),
        (_, true) => Some(Ordering::Equal),
        ((a, b), false) => match relation {
            Relation::Equal | Relation::Unequal => None,
            _ if left.is_empty() || right.is_empty() => None,
            _ => return Err(a.err().or(b.err()).unwrap_or_default()),
        },
    };
    let known = !left.is_empty() && !right.is_empty();
    Ok(match relation {
        Relation::Equal => order == Some(Ordering::Equal),
        Relation::Unequal => order != Some(Ordering::Equal),
        Relation::Less => known && order == Some(Ordering::Less),
        Relation::AtMost => known && matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Relation::More => known && order == Some(Ordering::Greater),
        Relation::AtLeast => known && matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn judged(text: &str) -> Result<bool, String> {
        let marks = Marks {
            decimal: '.',
            thousands: None,
        };
        let (left, relation, right) = split(text).unwrap();
        holds(left, relation, right, marks)
    }

    #[test]
    fn numbers_are_numbers_and_texts_are_texts() {
        for (text, expected) in [
            ("2 >= 10", false),
            ("-1 < 0", true),
            ("1.0 == 1", true),
            ("Yes == Yes", true),
            ("Yes != No", true),
        ] {
            assert_eq!(judged(text), Ok(expected), "{text}");
        }
        assert!(judged("Yes < 3").unwrap_err().contains("`Yes`"));
        assert!(split("{a} = 1").is_err());
    }

    #[test]
    fn unknown_is_neither_less_nor_more() {
        for (text, expected) in [
            (" < 3", false),
            (" >= 0", false),
            (" != 0", true),
            (" == 0", false),
        ] {
            assert_eq!(judged(text), Ok(expected), "{text}");
        }
    }
}
