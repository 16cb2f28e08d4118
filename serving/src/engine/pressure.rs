//! Whether the store keeps up. Where it does not, learning waits first, then the ladder decides: its
//! decisions are smaller and need less of everything; and each says why.
//!
//! Only by the wall clock: on the events' clock time is what is told, and the same requests give the same
//! decisions however fast the disk is.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An append usually takes a millisecond; from here on learning waits.
const SLOW: Duration = Duration::from_millis(100);
/// From here on the ladder decides, until it takes less than half of this.
const DEGRADED: Duration = Duration::from_millis(400);
/// How much an append counts beside those before it.
const SHARE: f64 = 0.2;
/// After as long without an append nothing is known to be slow.
const FORGOTTEN: Duration = Duration::from_secs(2);

/// Why the ladder decides.
pub(super) const REASON: &str = "the store is slow; the ladder decides";

/// How long appends take.
#[derive(Debug)]
pub(super) struct Pressure(Mutex<State>);

#[derive(Debug)]
struct State {
    /// A moving mean, in seconds.
    mean: f64,
    under_way: usize,
    /// When an append last ended, or began where none was under way.
    last: Instant,
    degraded: bool,
}

impl Pressure {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            mean: 0.0,
            under_way: 0,
            last: now,
            degraded: false,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An append begins.
    pub(super) fn begun(&self, now: Instant) {
        let mut state = self.state();
        state.forget(now);
        if state.under_way == 0 {
            state.last = now;
        }
        state.under_way += 1;
    }

    /// An append that began at `began` has ended, whatever came of it.
    pub(super) fn ended(&self, began: Instant, now: Instant) {
        let took = now.saturating_duration_since(began).as_secs_f64();
        let mut state = self.state();
        state.mean += SHARE * (took - state.mean);
        state.under_way = state.under_way.saturating_sub(1);
        state.last = now;
    }

    /// Whether learning should wait.
    pub(super) fn is_slow(&self, now: Instant) -> bool {
        self.state().takes(now) >= SLOW
    }

    /// Whether the ladder should decide.
    pub(super) fn is_degraded(&self, now: Instant) -> bool {
        let mut state = self.state();
        let least = if state.degraded {
            DEGRADED / 2
        } else {
            DEGRADED
        };
        let degraded = state.takes(now) >= least;
        if degraded != state.degraded {
            state.degraded = degraded;
            tracing::warn!(degraded, "how fast the store is has changed");
        }
        degraded
    }
}

impl State {
    fn forget(&mut self, now: Instant) {
        let idle = now.saturating_duration_since(self.last);
        if self.under_way == 0 && idle >= FORGOTTEN {
            self.mean = 0.0;
        }
    }

    /// How long an append takes; one that does not end counts from when the last one did.
    fn takes(&mut self, now: Instant) -> Duration {
        self.forget(now);
        let mean = Duration::from_secs_f64(self.mean);
        if self.under_way == 0 {
            return mean;
        }
        mean.max(now.saturating_duration_since(self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appends of `millis` one after the other from `start`; when the last has ended.
    fn appends(pressure: &Pressure, start: Instant, millis: u64, count: u32) -> Instant {
        let took = Duration::from_millis(millis);
        for n in 0..count {
            pressure.begun(start + took * n);
            pressure.ended(start + took * n, start + took * (n + 1));
        }
        start + took * count
    }

    #[test]
    fn learning_waits_before_the_ladder_decides_and_both_end() {
        let start = Instant::now();
        let pressure = Pressure::new(start);
        let now = appends(&pressure, start, 2, 50);
        assert!(!pressure.is_slow(now) && !pressure.is_degraded(now));
        let now = appends(&pressure, now, 200, 50);
        assert!(pressure.is_slow(now) && !pressure.is_degraded(now));
        let now = appends(&pressure, now, 600, 50);
        assert!(pressure.is_slow(now) && pressure.is_degraded(now));
        let now = appends(&pressure, now, 300, 50);
        assert!(pressure.is_degraded(now), "not back and forth");
        let now = appends(&pressure, now, 2, 50);
        assert!(!pressure.is_slow(now) && !pressure.is_degraded(now));
    }

    #[test]
    fn an_append_that_does_not_end_counts_and_silence_does_not() {
        let start = Instant::now();
        let pressure = Pressure::new(start);
        pressure.begun(start);
        let later = start + Duration::from_millis(450);
        assert!(pressure.is_degraded(later));
        pressure.ended(start, later);
        let now = appends(&pressure, later, 600, 20);
        assert!(pressure.is_degraded(now));
        assert!(!pressure.is_degraded(now + FORGOTTEN));
    }
}
