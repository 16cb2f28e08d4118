//! What time it is: by the wall, or by the largest time seen, so that years can be replayed
//! through the real server in seconds. Every timer of lagom asks here.

use lagom_features::domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Where time comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The machine's clock.
    #[default]
    Wall,
    /// The largest time in requests and events.
    Events,
}

/// A clock that never runs backwards.
#[derive(Debug)]
pub struct Clock {
    source: Source,
    micros: AtomicI64,
    moved: watch::Sender<()>,
}

impl Clock {
    /// A clock that has already shown `last`.
    #[must_use]
    pub fn new(source: Source, last: Timestamp) -> Self {
        Self {
            source,
            micros: AtomicI64::new(last.micros()),
            moved: watch::Sender::new(()),
        }
    }

    /// Where time comes from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// The time; at least as late as every time it has shown or, on the events' clock, seen.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self.source {
            Source::Events => instant(self.micros.load(Ordering::Acquire)),
            Source::Wall => {
                let wall = wall_micros();
                instant(self.micros.fetch_max(wall, Ordering::AcqRel).max(wall))
            }
        }
    }

    /// Takes note of a time in a request or event; only the events' clock is moved by it.
    pub fn observe(&self, seen: Timestamp) {
        if self.source == Source::Events
            && self.micros.fetch_max(seen.micros(), Ordering::AcqRel) < seen.micros()
        {
            self.moved.send_replace(());
        }
    }

    /// Is notified whenever the events' clock has moved.
    #[must_use]
    pub fn moved(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }
}

fn instant(micros: i64) -> Timestamp {
    let within = micros.clamp(Timestamp::MIN.micros(), Timestamp::MAX.micros());
    Timestamp::from_micros(within).expect("clamped to the years that are accepted")
}

/// The machine's clock, for what is done to the registry.
#[must_use]
pub fn wall() -> Timestamp {
    instant(wall_micros())
}

fn wall_micros() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn t(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_events_clock_is_the_largest_time_seen() {
        let clock = Clock::new(Source::Events, t("2026-01-01"));
        let mut moved = clock.moved();
        clock.observe(t("2025-01-01"));
        assert_eq!(clock.now(), t("2026-01-01"));
        assert!(!moved.has_changed().unwrap());
        clock.observe(t("2026-02-01"));
        assert_eq!(clock.now(), t("2026-02-01"));
        assert!(moved.has_changed().unwrap());
        moved.mark_unchanged();
    }

    #[test]
    fn the_wall_clock_ignores_events_and_never_runs_backwards() {
        let ahead = t("2150-01-01");
        let clock = Clock::new(Source::Wall, ahead);
        assert_eq!(clock.now(), ahead);
        clock.observe(t("2160-01-01"));
        assert_eq!(clock.now(), ahead);
        let now = Clock::new(Source::Wall, Timestamp::MIN).now();
        assert!(now > t("2020-01-01") && now < t("2100-01-01"));
    }
}
