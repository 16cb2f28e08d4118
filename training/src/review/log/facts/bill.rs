//! An invoice, and the money that moved on it.

use lagom_features::domain::Timestamp;

use super::gather::NONE;

/// The currency of an invoice that is not described yet.
pub(super) const UNDESCRIBED: u16 = u16::MAX;

/// An invoice of somebody who is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bill {
    pub(super) customer: u32,
    /// Who was asked about it first, and when.
    pub(super) person: u32,
    pub(super) asked: Timestamp,
    pub(super) recorded_at: Timestamp,
    pub(super) issued_at: Timestamp,
    pub(super) amount_minor: i64,
    pub(super) currency: u16,
}

/// Money that came on an invoice, or went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Move {
    pub(super) bill: u32,
    pub(super) at: Timestamp,
    pub(super) minor: i64,
}

impl Bill {
    pub(super) const fn of(customer: u32) -> Self {
        Self {
            customer,
            person: NONE,
            asked: Timestamp::MAX,
            recorded_at: Timestamp::MIN,
            issued_at: Timestamp::MIN,
            amount_minor: 0,
            currency: UNDESCRIBED,
        }
    }
}

/// Where the moves of each bill start, and where those of the last end.
pub(super) fn starts(moves: &[Move], bills: usize) -> Vec<u32> {
    let mut starts = Vec::with_capacity(bills + 1);
    let mut next = 0;
    for bill in 0..bills {
        starts.push(next as u32);
        while moves.get(next).is_some_and(|one| one.bill as usize == bill) {
            next += 1;
        }
    }
    starts.push(next as u32);
    starts
}
