//! What of a batch is written, once the head is locked and it is known what others have written.

use super::super::Base;
use crate::store::chain::Tail;
use crate::store::jobs::Answer;
use crate::store::keys::{Encoded, HOUSE, Index};
use crate::store::{Kind, StoreError};
use std::collections::HashSet;
use tokio_postgres::Row;

/// What a transaction is about to commit.
pub(super) struct Plan<'a> {
    pub(super) answers: Vec<Answer>,
    pub(super) first: i64,
    pub(super) tail: Tail,
    pub(super) rows: Vec<(Tail, &'a Encoded)>,
}

impl<'a> Plan<'a> {
    /// Which jobs may be written, and what the others are answered.
    pub(super) fn of(
        base: &Base,
        jobs: &'a [Vec<Encoded>],
        head: &Row,
        used: &[Row],
        unseen: &[Row],
    ) -> Self {
        let leader: Option<&str> = head.get(2);
        let leads = leader.is_none_or(|leader| leader == base.me);
        let mut tail = Tail {
            seq: head.get(0),
            crc: u32::try_from(head.get::<_, i64>(1)).unwrap_or(0),
        };
        let first = tail.seq + 1;
        let used = used.iter().map(|row| (row.get(0), row.get(1)));
        let mut used: HashSet<(i16, &str)> = used.collect();
        let overtaken: HashSet<&str> = {
            let taken = base.taken();
            let unseen = unseen.iter().filter(|row| !taken.has(row.get(1)));
            unseen.map(|row| row.get(0)).collect()
        };
        let (mut answers, mut rows) = (Vec::with_capacity(jobs.len()), Vec::new());
        for job in jobs {
            let keys = job.iter().flat_map(|one| one.key.rows());
            let keys: Vec<(Index, &str)> = keys.collect();
            // Of the two keys of a decision callers know that of the request.
            let taken = keys.iter().rev();
            let taken = taken
                .clone()
                .find(|(index, key)| used.contains(&(*index as i16, *key)));
            let mut abouts = job.iter().filter_map(|one| one.about.as_deref());
            let learnt = job
                .iter()
                .any(|one| matches!(one.kind, Kind::Matured | Kind::Published));
            answers.push(if let Some((index, key)) = taken {
                Err(StoreError::Duplicate {
                    key: index.said(key),
                })
            } else if learnt && !leads {
                Err(StoreError::NotLeading)
            } else if abouts.any(|about| overtaken.contains(about) || overtaken.contains(HOUSE)) {
                Err(StoreError::Overtaken)
            } else {
                used.extend(keys.into_iter().map(|(index, key)| (index as i16, key)));
                for record in job {
                    tail = tail.extended(record.kind as u8, &record.body);
                    rows.push((tail, record));
                }
                Ok(())
            });
        }
        Self {
            answers,
            first,
            tail,
            rows,
        }
    }
}
