//! A value of a row, worked out as the mapping says.

use super::mapping::{Condition, Template, Unit, Value};
use super::moment::{Clock, Moment};
use super::number::{Decimal, Marks, minor_digits};
use super::template::{Piece, ROW};
use super::{condition, error::ImportError};
use crate::tables::cell::Cell;
use crate::tables::nearest::hint;
use crate::tables::schema::Kind;
use crate::tables::source::Row;
use std::borrow::Cow;
use std::path::Path;

/// The entries at hand of a rule's lists, worked out for the row; each in the order of its keys.
pub(super) type Variables<'a> = &'a [&'a [String]];

/// What a rule is bound to.
pub(super) struct Scope<'a> {
    pub(super) file: &'a Path,
    pub(super) columns: &'a [String],
    /// Keys of each of the rule's lists.
    pub(super) variables: Vec<&'a [String]>,
    pub(super) rule: &'a str,
}

impl Scope<'_> {
    /// The list and the key that a name stands for; the innermost list first.
    fn variable(&self, name: &str) -> Option<(usize, usize)> {
        let lists = self.variables.iter().enumerate().rev();
        let place = |keys: &[String]| keys.iter().position(|key| key == name);
        lists
            .filter_map(|(list, keys)| Some((list, place(keys)?)))
            .next()
    }
}

enum Part {
    Literal(String),
    Column(usize),
    /// The rule's list, and the key in it.
    Variable(usize, usize),
    Row,
}

/// A template whose holes are found in the input.
pub(super) struct Bound(Vec<Part>);

/// Cells, variables and the ways to read them.
pub(super) struct Context<'a> {
    pub(super) row: &'a Row<'a>,
    pub(super) variables: Variables<'a>,
    pub(super) missing: &'a [String],
    pub(super) marks: Marks,
    pub(super) clock: &'a Clock,
}

impl Bound {
    pub(super) fn new(template: &Template, scope: &Scope<'_>) -> Result<Self, ImportError> {
        let part = |piece: &Piece| match piece {
            Piece::Literal(text) => Ok(Part::Literal(text.clone())),
            Piece::Hole(name) => {
                if let Some((list, key)) = scope.variable(name) {
                    return Ok(Part::Variable(list, key));
                }
                let place = scope.columns.iter().position(|column| column == name);
                match place {
                    Some(place) => Ok(Part::Column(place)),
                    None if name == ROW => Ok(Part::Row),
                    None => Err(ImportError::NoSuchColumn {
                        file: scope.file.to_owned(),
                        column: name.clone(),
                        rule: scope.rule.to_owned(),
                        hint: hint(name, scope.columns.iter().map(String::as_str)),
                    }),
                }
            }
        };
        template
            .0
            .iter()
            .map(part)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The text; empty, which is unknown, as soon as one hole is.
    pub(super) fn text<'c>(&self, context: &Context<'c>) -> Cow<'c, str> {
        match self.0.as_slice() {
            [Part::Column(place)] => return context.cell(*place),
            [Part::Variable(list, key)] => {
                return Cow::Borrowed(context.variables[*list][*key].as_str());
            }
            _ => {}
        }
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Row => text.push_str(&(context.row.number - 1).to_string()),
                Part::Column(place) => match context.cell(*place) {
                    cell if cell.is_empty() => return Cow::Borrowed(""),
                    cell => text.push_str(&cell),
                },
                Part::Variable(list, key) => match &context.variables[*list][*key] {
                    value if value.is_empty() => return Cow::Borrowed(""),
                    value => text.push_str(value),
                },
            }
        }
        Cow::Owned(text)
    }

    fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().filter_map(|part| match part {
            Part::Column(place) => Some(*place),
            _ => None,
        })
    }
}

impl<'c> Context<'c> {
    fn cell(&self, place: usize) -> Cow<'c, str> {
        let text = match self.row.cell(place) {
            Cell::Text(text) => Cow::Borrowed(text.trim()),
            other => other.to_text(),
        };
        if self.missing.iter().any(|missing| *missing == text) {
            Cow::Borrowed("")
        } else {
            text
        }
    }
}

/// A value bound to an input.
pub(super) struct BoundValue {
    from: Bound,
    minus: Option<Bound>,
    spec: Value,
}

impl BoundValue {
    pub(super) fn new(value: &Value, scope: &Scope<'_>) -> Result<Self, ImportError> {
        let minus = value.minus.as_ref();
        Ok(Self {
            from: Bound::new(&value.from, scope)?,
            minus: minus.map(|minus| Bound::new(minus, scope)).transpose()?,
            spec: value.clone(),
        })
    }

    /// The only column that the value reads, if there is just one.
    pub(super) fn column(&self) -> Option<usize> {
        let minus = self.minus.iter().flat_map(Bound::places);
        let mut places = self.from.places().chain(minus);
        places.next().filter(|_| places.next().is_none())
    }

    /// The value as a canonical text file would hold it; empty is unknown.
    ///
    /// `kind` is the column's type, `currency` the record's currency where amounts are asked for.
    pub(super) fn text(
        &self,
        context: &Context<'_>,
        kind: Option<Kind>,
        currency: &str,
    ) -> Result<String, String> {
        let text = self.from.text(context);
        if text.is_empty() {
            return Ok(String::new());
        }
        if let Some(map) = &self.spec.map {
            let found = map.get(text.as_ref()).or(self.spec.other.as_ref());
            return found.cloned().ok_or_else(|| {
                let known: Vec<_> = map.keys().map(String::as_str).collect();
                format!(
                    "`{text}` is not in the map, which knows {}",
                    known.join(", ")
                )
            });
        }
        if let Some(bands) = &self.spec.bands {
            return band(Decimal::parse(&text, context.marks)?, bands, context.marks);
        }
        let shifted = self.spec.months != 0 || self.spec.days != 0;
        let counted = self.minus.is_some() || self.spec.at_least.is_some();
        match kind {
            Some(Kind::Instant | Kind::Day) => self.time(&text, context, kind),
            Some(Kind::Whole) => match self.number(&text, context)? {
                Some(number) => self.whole(number, &text, currency),
                None => Ok(String::new()),
            },
            _ if shifted => self.time(&text, context, kind),
            _ if counted => {
                let number = self.number(&text, context)?;
                Ok(number.map_or_else(String::new, |number| number.text(context.marks)))
            }
            _ => Ok(text.into_owned()),
        }
    }

    fn time(
        &self,
        text: &str,
        context: &Context<'_>,
        kind: Option<Kind>,
    ) -> Result<String, String> {
        let own = self.spec.format.as_ref().map(|format| Clock {
            format: Some(format.clone()),
            zone: context.clock.zone.clone(),
        });
        let clock = own.as_ref().unwrap_or(context.clock);
        let moment = match clock.read(text) {
            Ok(moment) => moment,
            // A constant of the mapping is written as lagom writes times, whatever the input's form.
            Err(reason) => context.clock.plain().read(text).map_err(|_| reason)?,
        };
        let moment = clock.later(moment, self.spec.months, self.spec.days)?;
        match (kind, moment) {
            (Some(Kind::Instant), _) | (None, Moment::Instant(_)) => clock.instant(moment),
            _ => Ok(clock.day(moment)),
        }
    }

    /// The number that the value comes to; nothing where a part of it is unknown.
    fn number(&self, text: &str, context: &Context<'_>) -> Result<Option<Decimal>, String> {
        let marks = context.marks;
        let mut number = Decimal::parse(text, marks)?;
        if let Some(minus) = &self.minus {
            let minus = minus.text(context);
            if minus.is_empty() {
                return Ok(None);
            }
            number = number.minus(Decimal::parse(&minus, marks)?);
        }
        if let Some(floor) = &self.spec.at_least {
            number = number.max(Decimal::parse(floor, marks)?);
        }
        Ok(Some(number))
    }

    /// The number as the whole one that a column holds.
    fn whole(&self, number: Decimal, text: &str, currency: &str) -> Result<String, String> {
        let digits = match self.spec.unit {
            Some(Unit::Major) => minor_digits(currency),
            Some(Unit::Minor) | None => 0,
        };
        let whole = number.in_units(digits).map(|whole| whole.to_string());
        whole.ok_or_else(|| match self.spec.unit {
            Some(Unit::Major) => {
                format!("`{text}` has more than the {digits} decimals of {currency}")
            }
            _ => format!(
                "`{text}` is not a whole number; an amount in crowns or euros needs unit = \"major\""
            ),
        })
    }
}

/// `below_B1`, `B1_to_B2`, …, `from_Bn`.
fn band(number: Decimal, bounds: &[i64], marks: Marks) -> Result<String, String> {
    let mut above = None;
    for &bound in bounds {
        if number
            .compare(Decimal::parse(&bound.to_string(), marks)?)
            .is_lt()
        {
            return Ok(above.map_or_else(
                || format!("below_{bound}"),
                |above: i64| format!("{above}_to_{bound}"),
            ));
        }
        above = Some(bound);
    }
    Ok(above.map_or_else(String::new, |above| format!("from_{above}")))
}

/// A condition bound to an input.
pub(super) struct BoundCondition {
    left: Bound,
    right: Bound,
    spec: Condition,
}

impl BoundCondition {
    pub(super) fn new(condition: &Condition, scope: &Scope<'_>) -> Result<Self, ImportError> {
        Ok(Self {
            left: Bound::new(&condition.left, scope)?,
            right: Bound::new(&condition.right, scope)?,
            spec: condition.clone(),
        })
    }

    pub(super) fn holds(&self, context: &Context<'_>) -> Result<bool, String> {
        let (left, right) = (self.left.text(context), self.right.text(context));
        condition::holds(&left, self.spec.relation, &right, context.marks)
    }

    /// The first column that the condition reads.
    pub(super) fn column(&self) -> Option<usize> {
        self.left.places().chain(self.right.places()).next()
    }
}
