//! Money: whole minor units of a currency. Never a float, never added across currencies.

use super::fault::Fault;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why money could not be read or added.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not three capital letters.
    #[error("`{0}` is not an ISO 4217 currency: three capital letters such as SEK are needed")]
    Currency(String),
    /// Two currencies in one sum.
    #[error("cannot add {right} to {left}: lagom never converts currencies")]
    Mixed {
        /// Currency of the first amount.
        left: Currency,
        /// Currency of the second amount.
        right: Currency,
    },
    /// The sum has more than 63 bits.
    #[error("the sum of {left} and {right} minor units does not fit in 64 bits")]
    Overflow {
        /// First amount.
        left: i64,
        /// Second amount.
        right: i64,
    },
}

/// An ISO 4217 code. The list of currencies changes; its form does not, so the form is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Swedish crowns, the currency of the built-in worlds and prices.
    pub const SEK: Self = Self(*b"SEK");

    /// Takes three capital ASCII letters.
    ///
    /// # Errors
    /// [`MoneyError::Currency`] for any other text.
    pub fn new(code: &str) -> Result<Self, MoneyError> {
        match code.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(MoneyError::Currency(code.to_owned())),
        }
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency is three ASCII letters")
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::new(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.as_str().to_owned()
    }
}

/// An amount in minor units (öre, cents) of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Whole minor units; negative where a sum may be.
    pub minor_units: i64,
    /// Of this currency.
    pub currency: Currency,
}

/// Largest amount of one invoice or event, in minor units: a hundred million millions of a currency with
/// cents. The sum of nine hundred fits in 64 bits.
pub const MOST_MINOR_UNITS: i64 = 10_000_000_000_000_000;

/// Why an amount is more than one invoice or event may have, if it is.
pub(super) fn too_large(field: &'static str, minor_units: i64) -> Option<Fault> {
    (!(-MOST_MINOR_UNITS..=MOST_MINOR_UNITS).contains(&minor_units)).then(|| {
        let reason = format!(
            "{minor_units} is beyond {MOST_MINOR_UNITS} minor units; are they minor units of this currency?"
        );
        Fault::new(field, reason)
    })
}

impl Money {
    /// `minor_units` of `currency`.
    #[must_use]
    pub const fn new(minor_units: i64, currency: Currency) -> Self {
        Self {
            minor_units,
            currency,
        }
    }

    /// The sum, where both are of one currency and it fits.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] and [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed {
                left: self.currency,
                right: other.currency,
            });
        }
        let minor_units =
            self.minor_units
                .checked_add(other.minor_units)
                .ok_or(MoneyError::Overflow {
                    left: self.minor_units,
                    right: other.minor_units,
                })?;
        Ok(Self::new(minor_units, self.currency))
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} minor units of {}", self.minor_units, self.currency)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn money_adds_within_a_currency_only() {
        let eur = Currency::new("EUR").unwrap();
        assert_eq!(
            Money::new(5, eur).checked_add(Money::new(-7, eur)),
            Ok(Money::new(-2, eur))
        );
        assert!(matches!(
            Money::new(5, eur).checked_add(Money::new(1, Currency::SEK)),
            Err(MoneyError::Mixed { .. })
        ));
        assert!(matches!(
            Money::new(i64::MAX, eur).checked_add(Money::new(1, eur)),
            Err(MoneyError::Overflow { .. })
        ));
        assert!(Currency::new("sek").is_err());
    }
}
