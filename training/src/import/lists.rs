//! The mapping's lists, worked out once a row for all rules.

use super::error::ImportError;
use super::mapping::Mapping;
use super::rule::At;
use super::value::{BoundValue, Context, Scope};
use crate::tables::CellFault;
use std::collections::BTreeSet;
use std::path::Path;

/// One list bound to an input.
struct List {
    name: String,
    /// Every name that some entry gives a value.
    keys: Vec<String>,
    /// For each entry, its values in the order of `keys`.
    entries: Vec<Vec<Option<BoundValue>>>,
}

/// The lists that the rules for an input use.
pub(super) struct Lists(Vec<List>);

/// For each list and entry, the texts in the order of the list's keys; empty is unknown.
pub(super) type Worked = Vec<Vec<Vec<String>>>;

impl Lists {
    /// Binds the lists that are named in `used`.
    pub(super) fn new(
        mapping: &Mapping,
        used: &BTreeSet<&str>,
        input: &Path,
        columns: &[String],
    ) -> Result<Self, ImportError> {
        let lists = mapping
            .each
            .iter()
            .filter(|(name, _)| used.contains(name.as_str()));
        let bind = |(name, entries): (&String, &Vec<_>)| {
            let scope = Scope {
                file: input,
                columns,
                variables: Vec::new(),
                rule: &format!("each.{name}"),
            };
            List::new(name, entries, &scope)
        };
        lists
            .map(bind)
            .collect::<Result<_, ImportError>>()
            .map(Self)
    }

    /// Place and keys of a list.
    pub(super) fn find(&self, name: &str) -> Option<(usize, &[String])> {
        let place = self.0.iter().position(|list| list.name == name)?;
        Some((place, &self.0[place].keys))
    }

    /// Works the lists out for a row; a value that cannot be is noted and unknown.
    pub(super) fn work_out(
        &self,
        at: &At<'_>,
        context: &Context<'_>,
        faults: &mut Vec<CellFault>,
    ) -> Worked {
        let mut text = |key: &String, value: &Option<BoundValue>| match value {
            None => String::new(),
            Some(value) => value.text(context, None, "").unwrap_or_else(|reason| {
                faults.push(at.fault(value.column(), key, reason));
                String::new()
            }),
        };
        let mut worked = Vec::with_capacity(self.0.len());
        for list in &self.0 {
            let mut entries = Vec::with_capacity(list.entries.len());
            for entry in &list.entries {
                let pairs = list.keys.iter().zip(entry);
                entries.push(pairs.map(|(key, value)| text(key, value)).collect());
            }
            worked.push(entries);
        }
        worked
    }
}

impl List {
    fn new(
        name: &str,
        entries: &[std::collections::BTreeMap<String, super::mapping::Value>],
        scope: &Scope<'_>,
    ) -> Result<Self, ImportError> {
        let keys: BTreeSet<&String> = entries.iter().flat_map(|entry| entry.keys()).collect();
        let mut bound = Vec::with_capacity(entries.len());
        for entry in entries {
            let value = |key: &&String| {
                let value = entry.get(*key);
                value.map(|value| BoundValue::new(value, scope)).transpose()
            };
            bound.push(keys.iter().map(value).collect::<Result<_, _>>()?);
        }
        Ok(Self {
            name: name.to_owned(),
            keys: keys.into_iter().cloned().collect(),
            entries: bound,
        })
    }
}
