//! One invoice after the first question about it.

use lagom_features::domain::Timestamp;

use super::bill::Move;

/// What was owed and what came of it.
#[derive(Debug)]
pub(super) struct Paid {
    /// Owed when it was asked about, in minor units.
    pub(super) owed: f64,
    /// Collected in the days it is followed.
    pub(super) collected: f64,
    /// What was owed, by how long.
    pub(super) amount_days: f64,
    /// Days until nothing was owed, as far as is known.
    pub(super) in_full_after: Option<f64>,
}

impl Paid {
    /// `moves` by time.
    pub(super) fn of(amount_minor: i64, moves: &[Move], asked: Timestamp, followed: f64) -> Self {
        let (before, after) = moves.split_at(moves.partition_point(|one| one.at < asked));
        let before: i64 = before.iter().map(|one| one.minor).sum();
        let owed = (amount_minor - before) as f64;
        let mut paid = Self {
            owed,
            collected: 0.0,
            amount_days: 0.0,
            in_full_after: None,
        };
        let (mut left, mut last) = (owed, 0.0);
        for one in after {
            let (day, sum) = (one.at.days_since(asked), one.minor as f64);
            if day < followed {
                paid.amount_days += left.max(0.0) * (day - last);
                last = day;
                paid.collected += sum;
            }
            left -= sum;
            if left <= 0.0 {
                paid.in_full_after.get_or_insert(day);
            }
        }
        paid.amount_days += (owed - paid.collected).max(0.0) * (followed - last);
        paid.collected = paid.collected.clamp(0.0, owed.max(0.0));
        paid
    }
}

/// Times since the exposure, evenly spread over the window, at which the collected is looked at.
pub(super) const TIMES: usize = 8;

/// What had come by each of these times, in minor units.
#[derive(Debug, Default)]
pub(in crate::review::log) struct SoFar([f64; TIMES]);

impl SoFar {
    /// The day of a time, from 0.
    pub(in crate::review::log) fn day(time: usize, window_days: f64) -> f64 {
        window_days * (time + 1) as f64 / TIMES as f64
    }

    /// Adds an invoice that was asked about, to the days that it is followed.
    pub(super) fn add(
        &mut self,
        (moves, owed): (&[Move], f64),
        (asked, exposed): (Timestamp, Timestamp),
        window_days: f64,
    ) {
        let after = &moves[moves.partition_point(|one| one.at < asked)..];
        for (time, sum) in self.0.iter_mut().enumerate() {
            let until = Self::day(time, window_days);
            let in_time = |one: &&Move| {
                one.at.days_since(asked) < window_days / 2.0 && one.at.days_since(exposed) < until
            };
            let came: i64 = after.iter().take_while(in_time).map(|one| one.minor).sum();
            *sum += (came as f64).clamp(0.0, owed);
        }
    }

    pub(super) fn sums(&self) -> [f64; TIMES] {
        self.0
    }
}

/// Cash of one customer, in minor units.
#[derive(Debug, Default)]
pub(super) struct Cash {
    pub(super) invoices: f64,
    pub(super) billed: f64,
    pub(super) collected: f64,
    pub(super) paid: f64,
    pub(super) amount_days: f64,
}

impl Cash {
    pub(super) fn add(&mut self, paid: &Paid) {
        self.invoices += 1.0;
        self.billed += paid.owed;
        self.collected += paid.collected;
        self.paid += f64::from(u8::from(paid.collected >= paid.owed));
        self.amount_days += paid.amount_days;
    }
}
