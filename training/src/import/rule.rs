//! A rule bound to an input: a row in, records of one table out.

use super::error::ImportError;
use super::lists::{Lists, Worked};
use super::mapping::{Mapping, Rule, line_of};
use super::value::{BoundCondition, BoundValue, Context, Scope};
use crate::tables::fields::{Fields, Layout};
use crate::tables::nearest::hint;
use crate::tables::source::Row;
use crate::tables::{CellFault, Column, Faults, Record};
use std::collections::HashSet;
use std::marker::PhantomData;
use std::path::Path;
use toml::Spanned;

/// The mapping with the names of files that its faults need.
pub(super) struct Written<'m> {
    pub(super) mapping: &'m Mapping,
    pub(super) file: &'m Path,
    pub(super) text: &'m str,
}

pub(super) struct BoundRule<T> {
    conditions: Vec<BoundCondition>,
    /// Places of the rule's lists.
    lists: Vec<usize>,
    /// In the order of the table's columns.
    values: Vec<Option<BoundValue>>,
    once: bool,
    kind: PhantomData<fn() -> T>,
}

impl<T: Record> BoundRule<T> {
    /// Binds a rule to the columns of an input.
    pub(super) fn new(
        rule: &Spanned<Rule>,
        written: &Written<'_>,
        lists: &Lists,
        input: &Path,
        columns: &[String],
    ) -> Result<Self, ImportError> {
        let fault = |byte: usize, reason: String| {
            ImportError::mapping(written.file, line_of(written.text, byte), reason)
        };
        let line = line_of(written.text, rule.span().start);
        let name = format!("the rule for {} at line {line}", T::TABLE);
        let rule = rule.get_ref();
        let mut scope = Scope {
            file: input,
            columns,
            variables: Vec::new(),
            rule: &name,
        };
        let mut places = Vec::new();
        for each in &rule.each {
            let Some((place, keys)) = lists.find(each.get_ref()) else {
                let known = written.mapping.each.keys().map(String::as_str);
                let hint = hint(each.get_ref(), known);
                let reason = format!("there is no list each.{}{hint}", each.get_ref());
                return Err(fault(each.span().start, reason));
            };
            places.push(place);
            scope.variables.push(keys);
        }
        for field in rule.fields.keys() {
            if !T::COLUMNS
                .iter()
                .any(|column| column.name == field.get_ref())
            {
                let hint = hint(field.get_ref(), T::COLUMNS.iter().map(|column| column.name));
                let reason = format!("{} has no column `{}`{hint}", T::TABLE, field.get_ref());
                return Err(fault(field.span().start, reason));
            }
        }
        let value = |column: &Column| {
            let mut fields = rule.fields.iter();
            let found = fields.find(|(name, _)| name.get_ref() == column.name);
            if found.is_none() && column.needed {
                let reason = format!("{} needs the field {}", T::TABLE, column.name);
                return Err(ImportError::mapping(written.file, line, reason));
            }
            found
                .map(|(_, value)| BoundValue::new(value, &scope))
                .transpose()
        };
        Ok(Self {
            conditions: rule
                .when
                .iter()
                .map(|condition| BoundCondition::new(condition, &scope))
                .collect::<Result<_, _>>()?,
            values: T::COLUMNS.iter().map(value).collect::<Result<_, _>>()?,
            lists: places,
            once: rule.once,
            kind: PhantomData,
        })
    }

    /// Appends the records of a row; faults are noted with the input's columns.
    pub(super) fn records(
        &self,
        at: &At<'_>,
        context: &Context<'_>,
        worked: &Worked,
        faults: &mut Vec<CellFault>,
        out: &mut Vec<(T, bool)>,
    ) {
        let lists = self.lists.iter().map(|&place| worked[place].as_slice());
        let lists: Vec<_> = lists.collect();
        combinations(&lists, &mut Vec::new(), &mut |variables| {
            let context = Context {
                variables,
                ..*context
            };
            if let Some(record) = self.record(at, &context, faults) {
                out.push((record, self.once));
            }
        });
    }

    fn record(&self, at: &At<'_>, context: &Context<'_>, faults: &mut Vec<CellFault>) -> Option<T> {
        for condition in &self.conditions {
            match condition.holds(context) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(reason) => {
                    faults.push(at.fault(condition.column(), "when", reason));
                    return None;
                }
            }
        }
        let text = |place: usize, currency: &str| match &self.values[place] {
            Some(value) => value.text(context, Some(T::COLUMNS[place].kind), currency),
            None => Ok(String::new()),
        };
        let place = T::COLUMNS
            .iter()
            .position(|column| column.name == "currency");
        let currency = place
            .and_then(|place| text(place, "").ok())
            .unwrap_or_default();
        let mut made = csv::StringRecord::new();
        let before = faults.len();
        for (place, column) in T::COLUMNS.iter().enumerate() {
            match text(place, &currency) {
                Ok(text) => made.push_field(&text),
                Err(reason) => {
                    let source = self.values[place].as_ref().and_then(BoundValue::column);
                    faults.push(at.fault(source, column.name, reason));
                    made.push_field("");
                }
            }
        }
        if faults.len() > before {
            return None;
        }
        self.read(at, &made, faults)
    }

    /// Reads the record as from a canonical file, and gives its faults the input's columns.
    fn read(
        &self,
        at: &At<'_>,
        made: &csv::StringRecord,
        faults: &mut Vec<CellFault>,
    ) -> Option<T> {
        let layout = Layout {
            file: at.file,
            columns: T::COLUMNS,
            places: (0..T::COLUMNS.len()).map(Some).collect(),
        };
        let row = Row::made_of(made, at.row);
        let mut found = Faults::default();
        let record = T::read(&mut Fields::new(&layout, &row, &mut found));
        if let Some(record) = &record {
            let mut fields = Fields::new(&layout, &row, &mut found);
            record
                .row_faults()
                .into_iter()
                .for_each(|fault| fields.note(fault));
        }
        for fault in found.as_slice() {
            let place = T::COLUMNS.iter().position(|c| c.name == fault.column);
            let value = place.and_then(|place| self.values[place].as_ref());
            let source = value.and_then(BoundValue::column);
            faults.push(at.fault(source, &fault.column, fault.reason.clone()));
        }
        record.filter(|_| found.as_slice().is_empty())
    }
}

/// Hands over every combination of one entry of each list, the last list running fastest.
fn combinations<'w>(
    lists: &[&'w [Vec<String>]],
    chosen: &mut Vec<&'w [String]>,
    visit: &mut impl FnMut(&[&[String]]),
) {
    let Some((first, rest)) = lists.split_first() else {
        return visit(chosen);
    };
    for entry in *first {
        chosen.push(entry);
        combinations(rest, chosen, visit);
        chosen.pop();
    }
}

/// Where in the inputs the import is.
pub(super) struct At<'a> {
    pub(super) file: &'a Path,
    pub(super) columns: &'a [String],
    pub(super) row: &'a Row<'a>,
}

impl At<'_> {
    /// A fault of the source column where there is one, else of the field itself.
    pub(super) fn fault(&self, source: Option<usize>, field: &str, reason: String) -> CellFault {
        let source = source.map(|place| self.columns[place].as_str());
        CellFault {
            file: self.file.to_owned(),
            row: self.row.number,
            line: self.row.line,
            column: source.unwrap_or(field).to_owned(),
            reason: match source {
                Some(source) if source != field => format!("as {field}: {reason}"),
                _ => reason,
            },
        }
    }
}

/// Keys that were met, to find the second record of one key.
pub(super) type Keys = HashSet<String>;
