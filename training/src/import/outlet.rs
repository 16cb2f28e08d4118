//! Where the records of one table go: into a file that takes its place only at the end.

use super::error::ImportError;
use super::lists::{Lists, Worked};
use super::mapping::Rule;
use super::rule::{At, BoundRule, Keys, Written};
use super::value::Context;
use crate::tables::{self, CellFault, Finished, Format, Record, TableError, TableWriter};
use lagom_features::Recorded;
use std::path::Path;
use toml::Spanned;

/// The key of a record, which an import may meet only once.
pub(super) trait Keyed: Record {
    /// Its column.
    const KEY: &'static str;
    /// Its value.
    fn key(&self) -> &str;
}

impl Keyed for Recorded<lagom_features::domain::Customer> {
    const KEY: &'static str = "customer_id";
    fn key(&self) -> &str {
        self.value.customer_id.as_str()
    }
}

impl Keyed for Recorded<lagom_features::domain::Invoice> {
    const KEY: &'static str = "invoice_id";
    fn key(&self) -> &str {
        self.value.invoice_id.as_str()
    }
}

impl Keyed for lagom_features::domain::Event {
    const KEY: &'static str = "event_id";
    fn key(&self) -> &str {
        self.event_id.as_str()
    }
}

/// Rules, keys and file of one table.
pub(super) struct Outlet<T> {
    rules: Vec<BoundRule<T>>,
    keys: Keys,
    writer: Option<TableWriter<T>>,
    pending: Vec<(T, bool)>,
    written: u64,
}

impl<T: Keyed> Outlet<T> {
    /// An outlet into `dir`, if the mapping has rules for the table.
    pub(super) fn new(any: bool, dir: &Path, format: Format) -> Result<Self, TableError> {
        let writer = any
            .then(|| TableWriter::create(&tables::place::<T>(dir, format)?))
            .transpose()?;
        Ok(Self {
            rules: Vec::new(),
            keys: Keys::new(),
            writer,
            pending: Vec::new(),
            written: 0,
        })
    }

    /// Binds the rules that are for this input; how many there are.
    pub(super) fn bind(
        &mut self,
        rules: &[Spanned<Rule>],
        written: &Written<'_>,
        lists: &Lists,
        input: &Path,
        columns: &[String],
    ) -> Result<usize, ImportError> {
        self.rules = rules
            .iter()
            .filter(|rule| is_for(rule, input))
            .map(|rule| BoundRule::new(rule, written, lists, input, columns))
            .collect::<Result<_, _>>()?;
        Ok(self.rules.len())
    }

    /// Works out the row's records; they wait for [`Self::keep`].
    pub(super) fn take(
        &mut self,
        at: &At<'_>,
        context: &Context<'_>,
        worked: &Worked,
        faults: &mut Vec<CellFault>,
    ) {
        self.pending.clear();
        for rule in &self.rules {
            rule.records(at, context, worked, faults, &mut self.pending);
        }
        let mut fresh = Keys::new();
        let keys = &self.keys;
        self.pending.retain(|(record, once)| {
            let key = record.key();
            if !keys.contains(key) && fresh.insert(key.to_owned()) {
                return true;
            }
            if !once {
                let reason = format!("`{key}` occurs twice; `once = true` would keep the first");
                faults.push(at.fault(None, T::KEY, reason));
            }
            false
        });
    }

    /// Writes what the row gave.
    pub(super) fn keep(&mut self) -> Result<(), TableError> {
        for (record, _) in self.pending.drain(..) {
            self.keys.insert(record.key().to_owned());
            if let Some(writer) = &mut self.writer {
                writer.push(&record)?;
                self.written += 1;
            }
        }
        Ok(())
    }

    /// Completes the file.
    pub(super) fn finish(self) -> Result<(u64, Option<Finished>), TableError> {
        let finished = self.writer.map(TableWriter::finish).transpose()?;
        Ok((self.written, finished))
    }
}

/// Whether a rule is for an input, by the input's name.
pub(super) fn is_for(rule: &Spanned<Rule>, input: &Path) -> bool {
    let name = input.file_name().unwrap_or_default().to_string_lossy();
    let pattern = rule.get_ref().input.as_deref();
    pattern.is_none_or(|pattern| matches(pattern, &name))
}

/// Whether a name has the form of a pattern, in which `*` stands for any letters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|&at| rest.is_char_boundary(at))
                .any(|at| matches(tail, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_letters() {
        assert!(matches("pay*.csv", "payments.csv"));
        assert!(matches("*", "åäö"));
        assert!(!matches("pay*.csv", "payments.csv.gz"));
        assert!(!matches("payments", "payments.csv"));
    }
}
