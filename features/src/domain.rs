//! The words of the trade as types: ids, money, time, customers, invoices, events, actions.
//!
//! A value of these types is well formed; what arrives from outside becomes one through a
//! constructor that names the fault. Unknown is `None`, never zero.

pub mod action;
pub mod customer;
pub mod event;
pub mod fault;
pub mod ids;
pub mod invoice;
pub mod money;
pub(crate) mod named;
pub mod time;
pub mod zone;

pub use action::{Action, ActionId, Channel, Kind, PartOfDay, Timing, Tone};
pub use customer::{Country, Customer, CustomerKind};
pub use event::{Event, EventRow, EventType};
pub use fault::Fault;
pub use ids::{CustomerId, DecisionId, EventId, InvoiceId, RequestId, TenantId};
pub use invoice::Invoice;
pub use money::{Currency, MOST_MINOR_UNITS, Money};
pub use named::UnknownName;
pub use time::{Date, Days, Timestamp};
pub use zone::Zone;
