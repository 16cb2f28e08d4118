//! When whoever is refused should come again: late enough that refusing costs little beside the work.
//!
//! A refusal costs about as much as a call of the transport without its message. Where many wait, a
//! fixed pause makes a server spend its time on saying no; so the pause follows what is seen:
//!
//! ```text
//! pause ← pause · refused / (admitted / 32)     each quarter of a second, by a factor of ¼ to 4
//! ```
//! and each caller is told another pause, half to one and a half times it, so that they do not all come
//! at once.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);
/// How long is counted before the pause is set anew.
const WINDOW: Duration = Duration::from_millis(250);
/// Calls that are admitted for one that may be refused.
const SHARE: f64 = 32.0;
/// Refusals of a window that are always cheap enough.
const FEW: f64 = 16.0;

/// What was seen, and the pause that follows from it.
#[derive(Debug)]
pub(super) struct Patience(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    pause: Duration,
    since: Instant,
    admitted: u32,
    refused: u32,
    /// For the spread of the pauses.
    turn: u32,
}

impl Patience {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Seen {
            pause: SHORTEST,
            since: now,
            admitted: 0,
            refused: 0,
            turn: 0,
        }))
    }

    /// A call was let in.
    pub(super) fn admitted(&self, now: Instant) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.look(now);
        seen.admitted += 1;
    }

    /// A call was refused: when it should come again.
    pub(super) fn refused(&self, now: Instant) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.look(now);
        seen.refused += 1;
        seen.turn = seen.turn.wrapping_add(1);
        // The golden ratio spreads any number of turns evenly.
        let spread = (f64::from(seen.turn) * 0.618_033_988_749_895).fract();
        seen.pause.mul_f64(0.5 + spread)
    }
}

impl Seen {
    fn look(&mut self, now: Instant) {
        let lasted = now.saturating_duration_since(self.since);
        if lasted < WINDOW {
            return;
        }
        let windows = lasted.as_secs_f64() / WINDOW.as_secs_f64();
        let affordable = (f64::from(self.admitted) / SHARE).max(FEW * windows);
        let factor = (f64::from(self.refused) / affordable).clamp(0.25, 4.0);
        self.pause = self.pause.mul_f64(factor).clamp(SHORTEST, LONGEST);
        (self.since, self.admitted, self.refused) = (now, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    /// So many callers who come again when they are told to, beside `admitted` calls a second: how many
    /// are refused in the last of `seconds`, and what pause they are told.
    fn refused(
        patience: &Patience,
        start: Instant,
        callers: usize,
        seconds: u64,
    ) -> (usize, Duration) {
        let micros = |n: u64| Duration::from_micros(n);
        let mut coming: BinaryHeap<Reverse<u64>> = (0..callers as u64).map(Reverse).collect();
        let (mut last, mut pause) = (0, Duration::ZERO);
        for now in (0..seconds * 1_000_000).step_by(125) {
            patience.admitted(start + micros(now));
            while coming.peek().is_some_and(|next| next.0 <= now) {
                coming.pop();
                pause = patience.refused(start + micros(now));
                coming.push(Reverse(now + pause.as_micros() as u64));
                last += usize::from(now >= (seconds - 1) * 1_000_000);
            }
        }
        (last, pause)
    }

    /// 8,000 calls a second are admitted; refusing is to cost little beside that.
    #[test]
    fn refusals_stay_few_however_many_wait() {
        for callers in [10, 576, 3_000] {
            let start = Instant::now();
            let (last, pause) = refused(&Patience::new(start), start, callers, 20);
            assert!(
                last <= 1_000,
                "{callers} callers: {last} refused, {pause:?}"
            );
            assert!(pause <= LONGEST.mul_f64(1.5), "{pause:?}");
        }
    }

    #[test]
    fn once_the_crowd_has_gone_the_pause_is_short_again() {
        let start = Instant::now();
        let patience = Patience::new(start);
        refused(&patience, start, 3_000, 10);
        for n in 0..8 {
            patience.admitted(start + Duration::from_secs(10) + WINDOW * n);
        }
        let pause = patience.refused(start + Duration::from_secs(13));
        assert!(pause <= SHORTEST.mul_f64(1.5), "{pause:?}");
    }
}
