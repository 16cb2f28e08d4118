//! A rate limit: a bucket that fills steadily and holds a second's worth.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Calls that may be made at a rate, a second's worth of them at once.
#[derive(Debug)]
pub(super) struct Bucket {
    per_second: f64,
    level: Mutex<(f64, Instant)>,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second);
        Self {
            per_second,
            level: Mutex::new((per_second, now)),
        }
    }

    /// Takes one call out, or says how long it is until there is one.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *level;
        let gained = now.saturating_duration_since(since).as_secs_f64() * self.per_second;
        let left = (left + gained).min(self.per_second);
        if left >= 1.0 {
            *level = (left - 1.0, now);
            return Ok(());
        }
        *level = (left, now);
        Err(Duration::from_secs_f64((1.0 - left) / self.per_second))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_bucket_holds_a_second_and_fills_at_its_rate() {
        let start = Instant::now();
        let bucket = Bucket::new(10, start);
        for _ in 0..10 {
            bucket.take(start).unwrap();
        }
        let wait = bucket.take(start).unwrap_err();
        assert!((wait.as_secs_f64() - 0.1).abs() < 1e-9, "{wait:?}");
        bucket.take(start + Duration::from_millis(101)).unwrap();
        bucket.take(start + Duration::from_millis(102)).unwrap_err();
        let later = start + Duration::from_secs(60);
        assert_eq!((0..100).filter(|_| bucket.take(later).is_ok()).count(), 10);
    }
}
