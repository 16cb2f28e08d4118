//! What processes that write one log owe each other.
//!
//! The log has one order. Each process takes in what others append, one record after the other, and
//! may write about a customer only if it has taken in everything that is in the log about that
//! customer: so no decision is made on a history that an earlier record would have changed, and a
//! budget that one has spent is spent for all. One process at a time holds the lease of learning.

use super::{Appending, Entry, StoreError};
use lagom_features::domain::CustomerId;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

/// Completes with what was read.
pub type Reading<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// A log that other processes may write.
pub trait Shared: Send + Sync {
    /// The next records that others have appended and that have not been taken in, in order; none
    /// where everything has been.
    fn news(&self) -> Reading<Vec<(i64, Entry)>>;

    /// Whether a record has been taken in; what this process has appended has been.
    fn has(&self, seq: i64) -> bool;

    /// Remembers that a record has been taken in.
    fn took(&self, seq: i64);

    /// Remembers that every record up to this one has been taken in.
    fn took_all(&self, seq: i64);

    /// Whether everything about a customer has been taken in; for answers that append nothing.
    fn unchanged(&self, customer: &CustomerId) -> Appending;

    /// Takes or keeps the lease of learning: if nobody else holds it, or `from_others` too. Returns
    /// whether it is held.
    fn lead(&self, from_others: bool) -> Reading<bool>;

    /// Whether the lease was held when it was last asked for.
    fn leads(&self) -> bool;
}

/// Which records have been taken in: all up to one, and ranges beyond it.
#[derive(Debug, Default)]
pub(super) struct Taken {
    upto: i64,
    /// First to last.
    beyond: BTreeMap<i64, i64>,
}

impl Taken {
    pub(super) fn upto(&self) -> i64 {
        self.upto
    }

    pub(super) fn has(&self, seq: i64) -> bool {
        let before = self.beyond.range(..=seq).next_back();
        seq <= self.upto || before.is_some_and(|(_, last)| *last >= seq)
    }

    /// Records `first` to `last` have been taken in.
    pub(super) fn add(&mut self, first: i64, last: i64) {
        let (mut first, mut last) = (first, last);
        let touching = self.beyond.range(..=last + 1).rev();
        let touching = touching.take_while(|(_, end)| **end + 1 >= first);
        let touching: Vec<(i64, i64)> = touching.map(|(start, end)| (*start, *end)).collect();
        for (start, end) in touching {
            self.beyond.remove(&start);
            first = first.min(start);
            last = last.max(end);
        }
        if first <= self.upto + 1 {
            self.upto = self.upto.max(last);
        } else {
            self.beyond.insert(first, last);
        }
    }

    /// The ranges up to `head` that have not been taken in, a bounded number of them.
    pub(super) fn gaps(&self, head: i64, most: usize) -> Vec<(i64, i64)> {
        let mut gaps = Vec::new();
        let mut next = self.upto + 1;
        for (&start, &end) in &self.beyond {
            if gaps.len() == most || start > head {
                break;
            }
            if next < start {
                gaps.push((next, start - 1));
            }
            next = next.max(end + 1);
        }
        if next <= head && gaps.len() < most {
            gaps.push((next, head));
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::Taken;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// As a set of numbers would do it.
        #[test]
        fn ranges_are_a_set(ranges in prop::collection::vec((1_i64..60, 0_i64..6), 0..30)) {
            let (mut taken, mut set) = (Taken::default(), BTreeSet::new());
            for (first, more) in ranges {
                taken.add(first, first + more);
                set.extend(first..=first + more);
            }
            for seq in 1..80 {
                prop_assert_eq!(taken.has(seq), set.contains(&seq));
            }
            let gaps = taken.gaps(70, usize::MAX);
            let missing: Vec<i64> = gaps.iter().flat_map(|(a, b)| *a..=*b).collect();
            let expected: Vec<i64> = (1..=70).filter(|seq| !set.contains(seq)).collect();
            prop_assert_eq!(missing, expected);
            prop_assert!((1..=taken.upto()).all(|seq| set.contains(&seq)));
            prop_assert!(!set.contains(&(taken.upto() + 1)));
        }
    }
}
