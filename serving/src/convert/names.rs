//! The closed lists of the interface and of the domain, member by member; the compiler refuses a
//! member that one side lacks.

use lagom_features::domain::{Channel, CustomerKind, EventType, Kind, Tone};
use lagom_proto::v1;

/// A closed list that both sides have.
pub trait Named: Sized + Copy {
    /// Its form in the interface.
    type Proto: TryFrom<i32> + Into<i32>;

    /// As the interface writes it.
    fn to_proto(self) -> Self::Proto;

    /// As the domain has it; none for the unspecified member.
    fn from_proto(proto: Self::Proto) -> Option<Self>;

    /// The number on the wire and in the store.
    fn number(self) -> i32 {
        self.to_proto().into()
    }

    /// The member of a number; none for 0 and for numbers that this version does not know.
    fn from_number(number: i32) -> Option<Self> {
        Self::Proto::try_from(number)
            .ok()
            .and_then(Self::from_proto)
    }
}

macro_rules! named {
    ($domain:ident: $($member:ident),+ $(,)?) => {
        impl Named for $domain {
            type Proto = v1::$domain;

            fn to_proto(self) -> v1::$domain {
                match self { $( Self::$member => v1::$domain::$member ),+ }
            }

            fn from_proto(proto: v1::$domain) -> Option<Self> {
                match proto {
                    v1::$domain::Unspecified => None,
                    $( v1::$domain::$member => Some(Self::$member), )+
                }
            }
        }
    };
}

named!(Channel: Email, Sms, Letter, AppPush, DigitalMailbox, Phone);
named!(Tone: Friendly, Neutral, Firm, Final);
named!(CustomerKind: Consumer, Business);
named!(
    Kind: Wait, PreDueNotice, DueDateNotice, Reminder, InvoiceRedelivery, PlanOffer,
    DiscountOffer, FeeWaiver, AutopayOffer, RetryDebit, CollectionClaim, HumanReview,
);
named!(
    EventType: InvoiceDelivered, InvoiceOpened, InvoiceViewed, LinkClicked, DeliveryFailed,
    PaymentInitiated, PaymentSucceeded, PaymentFailed, PaymentRefunded, PaymentUnmatched,
    CreditIssued, DueDateChanged, DisputeOpened, DisputeResolved, PromiseMade, PlanStarted,
    PlanEnded, ContactSent, ContactSkipped, SupportContacted, ComplaintMade, ConsentGranted,
    ConsentWithdrawn, MoratoriumStarted, MoratoriumEnded, CustomerDeceased, CustomerBankrupt,
    FeedbackGiven, AutopayEnabled, AutopayDisabled, HoldPlaced, HoldReleased,
    VulnerabilityFlagged, CollectionOpened, CollectionRecalled, CustomerChurned,
    CustomerReturned, WrittenOff,
);

#[cfg(test)]
mod tests {
    use super::*;

    /// `CHANNEL_APP_PUSH` is `app_push`: one spelling, in files and on the wire.
    #[test]
    fn both_sides_spell_every_name_alike() {
        for &one in EventType::ALL {
            let wire = format!("EVENT_TYPE_{}", one.name().to_uppercase());
            assert_eq!(one.to_proto().as_str_name(), wire);
            assert_eq!(EventType::from_number(one.number()), Some(one));
        }
        for &one in Kind::ALL {
            let wire = format!("KIND_{}", one.name().to_uppercase());
            assert_eq!(one.to_proto().as_str_name(), wire);
        }
        for &one in Channel::ALL {
            let wire = format!("CHANNEL_{}", one.name().to_uppercase());
            assert_eq!(one.to_proto().as_str_name(), wire);
        }
        for &one in Tone::ALL {
            let wire = format!("TONE_{}", one.name().to_uppercase());
            assert_eq!(one.to_proto().as_str_name(), wire);
        }
        assert_eq!(Tone::from_number(0), None);
        assert_eq!(Tone::from_number(99), None);
    }
}
