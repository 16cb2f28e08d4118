//! What `key = "segment"` asks of a feature of rows: that it is the same number for every customer of
//! the segment, and that of many customers it follows from sums of each.

use super::super::feature::{Aggregate, Key, Op, Scope, Window};
use super::Checker;
use std::ops::Range;
use toml::Spanned;

impl Checker<'_> {
    /// Whose rows count; none where the word is no key.
    pub(super) fn key(&mut self) -> Option<Key> {
        match self.take("key", &self.raw.key) {
            Some(word) => self.named(word),
            None => Some(Key::Customer),
        }
    }

    /// Refuses what cannot be pooled.
    pub(super) fn poolable(&mut self, aggregate: &Aggregate) {
        let name = self.raw.name.span();
        let at = |key: Option<Range<usize>>| key.unwrap_or_else(|| name.clone());
        if !aggregate.op.pools() {
            let word = self.raw.op.as_ref();
            let op = word.map_or("", |word| word.get_ref().as_str());
            let reason = format!(
                "op `{op}` cannot be pooled by segment; those that can are count, any, sum, mean, rate"
            );
            self.fault(at(word.map(Spanned::span)), reason);
        }
        if aggregate.scope != Scope::Customer {
            let reason = format!(
                "scope `{}` is about the invoice in question, which a segment does not have; leave it out",
                aggregate.scope
            );
            self.fault(at(self.raw.scope.as_ref().map(Spanned::span)), reason);
        }
        if matches!(aggregate.window, Window::SinceDue | Window::SinceIssue) {
            let reason = "a window that begins with the invoice in question cannot be pooled by \
                          segment; write 90d, 12h, last 5 or lifetime";
            self.fault(at(self.raw.window.as_ref().map(Spanned::span)), reason);
        }
        let of = match &aggregate.op {
            Op::Rate(of, _) => of.within_hours,
            _ => None,
        };
        let filters = [&self.raw.filter, &self.raw.of];
        for (filter, hours) in filters.into_iter().zip([aggregate.filter.within_hours, of]) {
            if hours.is_some() {
                let key = filter
                    .as_ref()
                    .and_then(|raw| raw.get_ref().within_hours.as_ref());
                let reason = "`within_hours` is about the hour of the decision, and a segment is \
                              pooled once a week; leave it out";
                self.fault(at(key.map(Spanned::span)), reason);
            }
        }
    }
}
