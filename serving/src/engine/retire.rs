//! Erasing, once a day, the customers who have not been heard of for as long as data is kept.

use super::Engine;
use crate::learner::Request;
use crate::store::StoreError;
use lagom_features::domain::{CustomerId, Days, Timestamp};
use std::time::Duration;
use tokio::sync::oneshot;

/// Customers erased together: the log is read twice for them, and learnt anew once.
const TOGETHER: usize = 2_000;
/// How often is looked whether it is time.
const LOOK: Duration = Duration::from_millis(250);

impl Engine {
    /// Erases until `stop`: at the start, and then after each day of the clock. Of several replicas the
    /// one does it that learns.
    pub(crate) fn retire(&self, stop: &dyn Fn() -> bool) {
        let mut next = Timestamp::MIN;
        while !stop() {
            std::thread::sleep(LOOK);
            let now = self.clock.now();
            let Some(days) = self.config().retention.idle_days else {
                continue;
            };
            if now < next || !self.leads() {
                continue;
            }
            next = now + Days::whole(1);
            let before = now - Days::whole(i64::from(days));
            if let Err(error) = self.retire_since(before, stop) {
                tracing::warn!(%error, "idle customers are not erased; it is tried again in a day");
            }
        }
    }

    fn retire_since(
        &self,
        before: Timestamp,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), super::Failure> {
        let idle = self.customers.idle(before)?;
        for some in idle.chunks(TOGETHER) {
            if stop() {
                break;
            }
            let (done, answer) = oneshot::channel();
            let some: Vec<CustomerId> = some.to_vec();
            let closed = || StoreError::Closed;
            let request = Request::EraseIdle(some, before, done);
            self.requests.blocking_send(request).map_err(|_| closed())?;
            answer.blocking_recv().map_err(|_| closed())??;
        }
        Ok(())
    }
}
