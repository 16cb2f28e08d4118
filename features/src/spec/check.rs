//! From a feature as written to a feature as checked. A key that would have no effect is a fault.

mod aggregate;
mod pooled;
mod shape;

use super::error::{SpecFault, line_of};
use super::feature::{Attribute, Definition, Feature, PairOp, Rows, Subject};
use super::raw::{Key, RawFeature, Words};
use crate::domain::EventType;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;
use toml::Spanned;

/// Reads one feature; collects every fault.
pub(super) struct Checker<'a> {
    text: &'a str,
    raw: &'a RawFeature,
    earlier: &'a [String],
    used: Vec<&'static str>,
    faults: Vec<SpecFault>,
}

impl<'a> Checker<'a> {
    /// Of `raw` in `text`, behind features whose columns are `earlier`.
    pub(super) fn new(text: &'a str, raw: &'a RawFeature, earlier: &'a [String]) -> Self {
        Self {
            text,
            raw,
            earlier,
            used: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The feature, or everything that is wrong with it.
    pub(super) fn feature(mut self) -> Result<Feature, Vec<SpecFault>> {
        self.check_name();
        let definition = self.definition();
        let clip = self.clip();
        let transform = self.transform(definition.as_ref());
        let missing = self.missing();
        if self.faults.is_empty() {
            self.refuse_unused();
        }
        let line = line_of(self.text, self.raw.name.span().start);
        match definition {
            Some(definition) if self.faults.is_empty() => Ok(Feature {
                name: self.raw.name.get_ref().clone(),
                columns: shape::column_names(self.raw.name.get_ref(), &transform),
                definition,
                clip,
                transform,
                missing,
                unit: words_of(self.raw.unit.as_ref()),
                owner: words_of(self.raw.owner.as_ref()),
                description: words_of(self.raw.description.as_ref()),
                line,
            }),
            _ => Err(self.faults),
        }
    }

    fn fault(&mut self, at: Range<usize>, reason: impl Into<String>) {
        self.faults.push(SpecFault {
            line: line_of(self.text, at.start),
            feature: Some(self.raw.name.get_ref().clone()),
            reason: reason.into(),
        });
    }

    fn take<T>(&mut self, name: &'static str, key: &'a Key<T>) -> Option<&'a Spanned<T>> {
        self.used.push(name);
        key.as_ref()
    }

    fn need<T>(
        &mut self,
        name: &'static str,
        key: &'a Key<T>,
        why: &str,
    ) -> Option<&'a Spanned<T>> {
        let found = self.take(name, key);
        if found.is_none() {
            self.fault(
                self.raw.name.span(),
                format!("{why} needs the key `{name}`"),
            );
        }
        found
    }

    fn word<T: FromStr<Err: Display>>(&mut self, text: &str, at: Range<usize>) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(at, error.to_string());
                None
            }
        }
    }

    fn named<T: FromStr<Err: Display>>(&mut self, word: &Spanned<String>) -> Option<T> {
        self.word(word.get_ref(), word.span())
    }

    fn check_name(&mut self) {
        let name = self.raw.name.get_ref();
        let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 64
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !well_formed {
            self.fault(
                self.raw.name.span(),
                "a name has at most 64 small letters, digits and underscores, a letter first",
            );
        }
    }

    fn definition(&mut self) -> Option<Definition> {
        let source = &self.raw.source;
        match source.get_ref().as_str() {
            "customer" => self.attribute(Subject::Customer),
            "invoice" => self.attribute(Subject::Invoice),
            "calendar" => self.attribute(Subject::Calendar),
            "features" => self.pair(),
            "events" => {
                let types = self.need("types", &self.raw.types, "source `events`")?;
                let types = self.event_types(types);
                self.aggregate(Rows::Events(types))
            }
            "contacts" => self.aggregate(Rows::Contacts),
            "settlements" => self.aggregate(Rows::Settlements),
            "dues" => self.aggregate(Rows::Dues),
            "invoices" => self.aggregate(Rows::Invoices),
            other => {
                let reason = format!(
                    "`{other}` is not a source; known are events, contacts, settlements, dues, \
                     invoices, customer, invoice, calendar, features"
                );
                self.fault(source.span(), reason);
                None
            }
        }
    }

    fn event_types(&mut self, types: &Spanned<Words>) -> Vec<EventType> {
        let list = types.get_ref().list();
        if list.is_empty() {
            self.fault(types.span(), "`types` names at least one event type");
        }
        let mut kinds: Vec<EventType> = list
            .iter()
            .filter_map(|word| self.word(word, types.span()))
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    fn attribute(&mut self, subject: Subject) -> Option<Definition> {
        let why = "a source that is no list of rows";
        let word = self.need("attribute", &self.raw.attribute, why)?;
        let attribute: Attribute = self.named(word)?;
        if attribute.subject() != subject {
            let source = self.raw.source.get_ref();
            self.fault(
                word.span(),
                format!("source `{source}` has no `{attribute}`"),
            );
        }
        let mut days = Vec::new();
        if attribute.needs_days() {
            let list = self.need("days", &self.raw.days, "a pay-day attribute")?;
            days = list
                .get_ref()
                .iter()
                .map(|&day| day.clamp(0, 32) as i8)
                .collect();
            days.sort_unstable();
            days.dedup();
            if days.is_empty() || days.iter().any(|day| !(1..=31).contains(day)) {
                self.fault(list.span(), "`days` lists days of the month, 1 to 31");
            }
        }
        Some(Definition::Attribute { attribute, days })
    }

    fn pair(&mut self) -> Option<Definition> {
        let why = "source `features`";
        let op = self.need("op", &self.raw.op, why)?;
        let op: PairOp = self.named(op)?;
        let left = self.need("left", &self.raw.left, why);
        let right = self.need("right", &self.raw.right, why);
        let (left, right) = (self.place(left?)?, self.place(right?)?);
        Some(Definition::Pair { op, left, right })
    }

    fn place(&mut self, name: &Spanned<String>) -> Option<usize> {
        let found = self
            .earlier
            .iter()
            .position(|other| other == name.get_ref());
        if found.is_none() {
            let reason = format!(
                "no feature above this one has a column `{}`",
                name.get_ref()
            );
            self.fault(name.span(), reason);
        }
        found
    }

    fn refuse_unused(&mut self) {
        macro_rules! present {
            ($($name:literal = $field:ident),* $(,)?) => {
                [$(($name, self.raw.$field.as_ref().map(Spanned::span))),*]
            };
        }
        let present = present!(
            "types" = types,
            "key" = key,
            "where" = filter,
            "scope" = scope,
            "window" = window,
            "op" = op,
            "column" = column,
            "of" = of,
            "q" = q,
            "prior" = prior,
            "strength" = strength,
            "half_life" = half_life,
            "attribute" = attribute,
            "levels" = levels,
            "days" = days,
            "left" = left,
            "right" = right,
            "clip" = clip,
            "transform" = transform,
            "period" = period,
            "edges" = edges,
            "knots" = knots,
        );
        for (name, at) in present {
            if let Some(at) = at
                && !self.used.contains(&name)
            {
                self.fault(at, format!("the key `{name}` would have no effect here"));
            }
        }
    }
}

fn words_of(key: Option<&Spanned<String>>) -> String {
    key.map_or_else(String::new, |key| key.get_ref().clone())
}
