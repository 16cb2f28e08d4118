//! Single fields: times, money, ids and closed lists, each with its path.

use super::names::Named;
use lagom_features::domain::{Currency, Money, Timestamp};
use lagom_proto::v1;
use prost_types::Timestamp as WireTime;
use std::fmt::Display;
use thiserror::Error;

/// A field of a message that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {reason}")]
pub struct FieldFault {
    /// Where, such as `events[3].fact.amount.minor_units`.
    pub path: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl FieldFault {
    /// A fault at `path`, explained by `reason`.
    pub fn new(path: impl Into<String>, reason: impl Display) -> Self {
        Self {
            path: path.into(),
            reason: reason.to_string(),
        }
    }
}

/// Turns an error into a fault at `path`, where the path is only written if it is needed.
pub(crate) trait At<T> {
    fn at(self, path: impl FnOnce() -> String) -> Result<T, FieldFault>;
}

impl<T, E: Display> At<T> for Result<T, E> {
    fn at(self, path: impl FnOnce() -> String) -> Result<T, FieldFault> {
        self.map_err(|error| FieldFault::new(path(), error))
    }
}

/// Microseconds of a wire time; parts of a microsecond are dropped.
pub(crate) fn time(wire: WireTime, path: impl FnOnce() -> String) -> Result<Timestamp, FieldFault> {
    if !(0..1_000_000_000).contains(&wire.nanos) {
        let reason = format!("{} nanoseconds do not lie within a second", wire.nanos);
        return Err(FieldFault::new(path(), reason));
    }
    let micros = wire
        .seconds
        .saturating_mul(1_000_000)
        .saturating_add(i64::from(wire.nanos / 1_000));
    Timestamp::from_micros(micros).at(path)
}

/// A time that must be there.
pub(crate) fn required_time(
    wire: Option<WireTime>,
    path: impl FnOnce() -> String,
) -> Result<Timestamp, FieldFault> {
    match wire {
        Some(wire) => time(wire, path),
        None => Err(FieldFault::new(path(), "is required")),
    }
}

/// The wire form of a time.
pub(crate) fn wire_time(at: Timestamp) -> WireTime {
    let micros = at.micros();
    WireTime {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1_000)
            .expect("less than a second of nanoseconds fits"),
    }
}

/// Money of a well-formed currency; its sign is judged by whoever uses it.
pub(crate) fn money(wire: &v1::Money, path: impl FnOnce() -> String) -> Result<Money, FieldFault> {
    let currency = Currency::new(&wire.currency).at(|| format!("{}.currency", path()))?;
    Ok(Money::new(wire.minor_units, currency))
}

/// The wire form of money.
pub(crate) fn wire_money(money: Money) -> v1::Money {
    v1::Money {
        minor_units: money.minor_units,
        currency: money.currency.as_str().to_owned(),
    }
}

/// A member of a closed list; none if unspecified, a fault if this version does not know it.
pub(crate) fn member<T: Named>(
    number: i32,
    path: impl FnOnce() -> String,
) -> Result<Option<T>, FieldFault> {
    match (number, T::from_number(number)) {
        (0, _) => Ok(None),
        (_, Some(member)) => Ok(Some(member)),
        (unknown, None) => Err(FieldFault::new(
            path(),
            format!("{unknown} is no member of this list"),
        )),
    }
}

/// The number of a member, 0 where there is none.
pub(crate) fn wire_member<T: Named>(member: Option<T>) -> i32 {
    member.map_or(0, T::number)
}

/// An empty text is an absent one.
pub(crate) fn text(wire: String) -> Option<String> {
    (!wire.is_empty()).then_some(wire)
}

/// Longest free text that is accepted, in bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 1_000;

/// A free text of at most [`MAX_TEXT_BYTES`].
pub(crate) fn short_text(
    wire: String,
    path: impl FnOnce() -> String,
) -> Result<Option<String>, FieldFault> {
    if wire.len() > MAX_TEXT_BYTES {
        let reason = format!(
            "has {} bytes; at most {MAX_TEXT_BYTES} are kept",
            wire.len()
        );
        return Err(FieldFault::new(path(), reason));
    }
    Ok(text(wire))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn path() -> String {
        "as_of".to_owned()
    }

    #[test]
    fn times_before_and_after_1970_come_back() {
        for text in ["1969-12-31T23:59:59.999999Z", "2026-03-01T10:00:00.000001Z"] {
            let at = Timestamp::parse(text).unwrap();
            assert_eq!(time(wire_time(at), path).unwrap(), at);
        }
        let far = WireTime {
            seconds: i64::MAX,
            nanos: 0,
        };
        assert_eq!(time(far, path).unwrap_err().path, "as_of");
        let odd = WireTime {
            seconds: 0,
            nanos: -1,
        };
        assert!(time(odd, path).is_err());
    }

    #[test]
    fn a_currency_is_blamed_by_its_own_path() {
        let wire = v1::Money {
            minor_units: 1,
            currency: "kr".to_owned(),
        };
        let fault = money(&wire, || "fee".to_owned()).unwrap_err();
        assert_eq!(fault.path, "fee.currency");
    }
}
