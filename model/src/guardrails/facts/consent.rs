//! Whom a company may write to, over which channel and what for.

use lagom_features::domain::{Channel, EventType, Kind};
use lagom_features::{Known, View};

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The payment itself.
    Payment,
    /// Selling something: an event's reason is `marketing`.
    Marketing,
}

impl Purpose {
    /// What messages of this kind are for.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::DiscountOffer | Kind::AutopayOffer => Self::Marketing,
            _ => Self::Payment,
        }
    }

    /// The one purpose that an event is about; none where it is about every purpose.
    #[must_use]
    pub fn stated(event: Known<'_>) -> Option<Self> {
        (event.reason() == Some("marketing")).then_some(Self::Marketing)
    }
}

/// What has been withdrawn, by channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consent {
    payment: [bool; Channel::ALL.len()],
    marketing: [bool; Channel::ALL.len()],
}

impl Consent {
    /// Folds grants and withdrawals in order; one that names no channel is about all of them,
    /// and one that names no purpose known here about every purpose.
    #[must_use]
    pub fn of(view: &View<'_>) -> Self {
        let mut consent = Self::default();
        for event in view.events() {
            let withdrawn = match event.kind() {
                EventType::ConsentWithdrawn => true,
                EventType::ConsentGranted => false,
                _ => continue,
            };
            let marketing_only = Purpose::stated(event).is_some();
            for &channel in Channel::ALL {
                if event.channel().is_none_or(|one| one == channel) {
                    consent.marketing[channel.index()] = withdrawn;
                    if !marketing_only {
                        consent.payment[channel.index()] = withdrawn;
                    }
                }
            }
        }
        consent
    }

    /// Whether messages for this purpose over this channel are no longer wanted.
    #[must_use]
    pub const fn is_withdrawn(&self, channel: Channel, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Payment => self.payment[channel.index()],
            Purpose::Marketing => self.marketing[channel.index()],
        }
    }
}
