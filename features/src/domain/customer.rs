//! Who is invoiced: what a company may tell lagom about a customer, and nothing that it may not.

use super::fault::Fault;
use super::ids::{CustomerId, TenantId};
use super::money::{Currency, too_large};
use super::named::named_enum;
use super::time::Timestamp;
use super::zone::Zone;
use serde::{Deserialize, Serialize};

named_enum! {
    /// Whose money it is: consumer and business law differ.
    pub enum CustomerKind as "customer kind" {
        /// A person.
        Consumer = "consumer",
        /// A company.
        Business = "business",
    }
}

/// An ISO 3166-1 alpha-2 code; the form is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country([u8; 2]);

impl Country {
    /// Takes two capital ASCII letters.
    ///
    /// # Errors
    /// A [`Fault`] of `country` for any other text.
    pub fn new(code: &str) -> Result<Self, Fault> {
        match code.as_bytes() {
            &[a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([a, b])),
            _ => Err(Fault::new(
                "country",
                format!("`{code}` is not an ISO 3166 code: two capital letters such as SE"),
            )),
        }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a country is two ASCII letters")
    }
}

impl TryFrom<String> for Country {
    type Error = Fault;
    fn try_from(code: String) -> Result<Self, Fault> {
        Self::new(&code)
    }
}

impl From<Country> for String {
    fn from(country: Country) -> String {
        country.as_str().to_owned()
    }
}

/// A customer as last described. There is no field for a name, an address or a protected
/// attribute, so none can be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Namespace.
    pub tenant: TenantId,
    /// Key.
    pub customer_id: CustomerId,
    /// When the customer became one.
    pub created_at: Timestamp,
    /// Consumer or business.
    pub kind: Option<CustomerKind>,
    /// Where; decides which law applies.
    pub country: Option<Country>,
    /// Decides what hour it is for the customer; unknown means only hours safe everywhere.
    pub time_zone: Option<Zone>,
    /// BCP 47 tag of the customer's language.
    pub language: Option<String>,
    /// The company's own segment.
    pub segment: Option<String>,
    /// Whether invoices are paid automatically.
    pub autopay: Option<bool>,
    /// What the customer is worth a year, in minor units of `currency`.
    pub annual_margin_minor: Option<i64>,
    /// Of the margin.
    pub currency: Option<Currency>,
    /// Flagged as vulnerable: soft tones only, no fee, no escalation.
    pub vulnerable: Option<bool>,
    /// Under age: never contacted.
    pub minor: Option<bool>,
}

impl Customer {
    /// A customer of whom nothing but the key is known.
    #[must_use]
    pub fn unknown(tenant: TenantId, customer_id: CustomerId, created_at: Timestamp) -> Self {
        Self {
            tenant,
            customer_id,
            created_at,
            kind: None,
            country: None,
            time_zone: None,
            language: None,
            segment: None,
            autopay: None,
            annual_margin_minor: None,
            currency: None,
            vulnerable: None,
            minor: None,
        }
    }

    /// The customer's zone, or UTC where it is unknown.
    #[must_use]
    pub fn zone_or_utc(&self) -> Zone {
        self.time_zone.clone().unwrap_or_else(Zone::utc)
    }

    /// Every fault that the types alone cannot exclude.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.annual_margin_minor.is_some() && self.currency.is_none() {
            faults.push(Fault::new(
                "currency",
                "is needed beside annual_margin_minor",
            ));
        }
        let margin = self.annual_margin_minor;
        faults.extend(margin.and_then(|minor| too_large("annual_margin_minor", minor)));
        faults
    }
}
