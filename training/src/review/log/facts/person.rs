//! A customer in one arm.

use lagom_features::domain::{EventType, Timestamp};

use super::BEFORE_DAYS;

/// A customer in one arm.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) customer: u32,
    pub(super) arm: u16,
    /// The same customer in another arm.
    pub(super) other: u32,
    pub(super) exposed: Timestamp,
    /// When the description was recorded that is held to be of the time of exposure.
    pub(super) described: Option<Timestamp>,
    pub(super) segment: Option<u16>,
    pub(super) annual_margin_minor: Option<i64>,
    pub(super) fees_minor: i64,
    pub(super) cost_minor: i64,
    pub(super) billed_before_minor: i64,
    pub(super) paid_before_minor: i64,
    pub(super) messages: u32,
    pub(super) support: u32,
    pub(super) collections: u32,
    pub(super) complaint: bool,
    pub(super) churn: bool,
    pub(super) opt_out: bool,
}

impl Person {
    /// Somebody of whom nothing more is known than that an arm asked at `exposed`, and who the same
    /// customer is in another arm.
    pub(super) const fn new(customer: u32, arm: u16, exposed: Timestamp, other: u32) -> Self {
        Self {
            customer,
            arm,
            other,
            exposed,
            described: None,
            segment: None,
            annual_margin_minor: None,
            fees_minor: 0,
            cost_minor: 0,
            billed_before_minor: 0,
            paid_before_minor: 0,
            messages: 0,
            support: 0,
            collections: 0,
            complaint: false,
            churn: false,
            opt_out: false,
        }
    }

    /// Counts what happened within the window.
    pub(super) const fn met(&mut self, kind: EventType) {
        use EventType as E;
        match kind {
            E::ContactSent => self.messages += 1,
            E::SupportContacted => self.support += 1,
            E::ComplaintMade => self.complaint = true,
            E::CustomerChurned => self.churn = true,
            E::ConsentWithdrawn => self.opt_out = true,
            E::CollectionOpened => self.collections += 1,
            _ => {}
        }
    }

    /// The last description before the exposure holds, since a later one may be an effect; where
    /// there is none, the first after it.
    pub(super) fn is_described_by(&self, recorded_at: Timestamp) -> bool {
        match self.described {
            None => true,
            Some(held) if recorded_at <= self.exposed => held > self.exposed || recorded_at >= held,
            Some(held) => held > self.exposed && recorded_at < held,
        }
    }

    pub(super) fn was_before(&self, at: Timestamp) -> bool {
        let days = self.exposed.days_since(at);
        days > 0.0 && days <= BEFORE_DAYS
    }
}
