//! What waits for the writer of a log, whichever log it is.

use super::StoreError;
use super::keys::{Encoded, Key};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait; a caller that comes later is told to come back.
const WAITING: usize = 4_096;
/// Jobs that share a commit.
pub(super) const TOGETHER: usize = 256;
/// When as many as this shared the last commit, the next one waits a moment for others: under load a
/// commit costs more than the wait, and without load nobody waits.
pub(super) const CROWD: usize = 4;
pub(super) const GATHER: Duration = Duration::from_micros(400);

pub(super) type Answer = Result<(), StoreError>;

#[derive(Debug)]
pub(super) enum Work {
    Append(Vec<Encoded>),
    Erase(Vec<(i64, Key)>),
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// The callers' end.
#[derive(Debug)]
pub(super) struct Queue {
    jobs: Option<mpsc::Sender<Job>>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    /// A queue, the writer's end, and the count from which the writer takes what it has answered.
    pub(super) fn new() -> (Self, mpsc::Receiver<Job>, Arc<AtomicUsize>) {
        let (jobs, received) = mpsc::channel(WAITING);
        let waiting = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&waiting);
        let queue = Self {
            jobs: Some(jobs),
            waiting,
        };
        (queue, received, counter)
    }

    /// Queues work. The answer comes after its commit.
    pub(super) fn submit(&self, work: Work) -> Result<oneshot::Receiver<Answer>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        jobs.try_send(Job { work, reply }).map_err(|refused| {
            let waiting = self.waiting.fetch_sub(1, Ordering::Relaxed) - 1;
            match refused {
                mpsc::error::TrySendError::Full(_) => StoreError::Full { waiting },
                mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            }
        })?;
        Ok(answer)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Lets the writer end once it has written what waits.
    pub(super) fn close(&mut self) {
        self.jobs.take();
    }
}
