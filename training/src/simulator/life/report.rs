//! When a company learns of what happened: at once, days later, or never.

use super::Life;
use crate::simulator::noise::For;
use lagom_features::domain::{Event, EventType};

/// Local hour at which late reports arrive, after everything that they report.
const REPORTS_AT: i8 = 22;

impl Life {
    /// What is reported of `event` at once; a late report waits for its day.
    pub(super) fn report(&mut self, mut event: Event, who: usize) -> Option<Event> {
        let reporting = &self.world.reporting;
        let day = event.occurred_at.date(&self.world.time_zone);
        // One draw for both: its lower part says whether the report is lost, the rest how late it is.
        let key = day.days() ^ (event.kind as i32) << 24;
        let draw = self.noise.uniform(who, key, For::Report);
        if draw < reporting.lost_share {
            return None;
        }
        let [first, last] = if event.kind == EventType::PaymentSucceeded {
            reporting.payment_days
        } else {
            reporting.harm_days
        };
        let within = (draw - reporting.lost_share) / (1.0 - reporting.lost_share);
        let late = i32::from(first) + (within * f64::from(last - first + 1)) as i32;
        if late == 0 {
            return Some(event);
        }
        let on = day.plus_days(late);
        event.recorded_at = on.at(REPORTS_AT, &self.world.time_zone);
        self.unreported.entry(on).or_default().push(event);
        None
    }

    /// The late reports that arrive today.
    pub(super) fn reported_today(&mut self) -> Vec<Event> {
        self.unreported.remove(&self.today).unwrap_or_default()
    }
}
