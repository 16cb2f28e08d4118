//! Which customers have been watched long enough to be compared.
//!
//! A policy that only makes people pay *sooner* looks like one that makes them pay *more* for as
//! long as some customers' windows are open. The primary analysis therefore keeps customers whose
//! whole window has passed, and counts events of that window only.

use super::StatisticsError;

/// A window of observation that starts at a customer's **first exposure**.
///
/// The same anchor serves the gate and the events; two anchors would let a customer in whose
/// events are cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    days: f64,
}

impl Window {
    /// A window of `days` days.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] unless `days` is above zero and finite.
    pub fn of_days(days: f64) -> Result<Self, StatisticsError> {
        if days.is_finite() && days > 0.0 {
            Ok(Self { days })
        } else {
            Err(StatisticsError::OutOfRange {
                what: "the window in days",
                range: "(0, ∞)",
                value: days,
            })
        }
    }

    /// Length in days.
    #[must_use]
    pub fn days(self) -> f64 {
        self.days
    }

    /// Whether a customer first exposed on day `exposed` has been watched for the whole window on
    /// day `as_of`. A missing (NaN) exposure is never mature.
    #[must_use]
    pub fn is_mature(self, exposed: f64, as_of: f64) -> bool {
        exposed + self.days <= as_of
    }

    /// Whether an event on day `occurred` belongs to the window of a customer first exposed on day
    /// `exposed`: from the exposure (included) to its end (excluded).
    #[must_use]
    pub fn holds(self, exposed: f64, occurred: f64) -> bool {
        exposed <= occurred && occurred < exposed + self.days
    }
}
