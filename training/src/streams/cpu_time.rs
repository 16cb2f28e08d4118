//! Time this thread has spent computing, which a busy machine does not stretch.

use std::time::Instant;

/// A stopwatch of CPU seconds; of wall seconds where the system does not count a thread's.
pub(super) struct Stopwatch {
    started: Instant,
    cpu_started: Option<f64>,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
            cpu_started: thread_seconds(),
        }
    }

    pub(super) fn seconds(&self) -> f64 {
        match (self.cpu_started, thread_seconds()) {
            (Some(from), Some(to)) if to > from => to - from,
            _ => self.started.elapsed().as_secs_f64(),
        }
    }
}

/// The scheduler's count for this thread: its first field is nanoseconds on a processor.
fn thread_seconds() -> Option<f64> {
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = counts.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds * 1e-9)
}
