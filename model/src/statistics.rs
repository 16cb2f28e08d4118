//! The statistics of experiments: is one arm really better than another?
//!
//! Everything here is a pure function from numbers to numbers; the unit of every sample is the
//! **customer**, because a customer has many invoices and many contacts that resemble each other.
//!
//! | question | module |
//! | --- | --- |
//! | what was seen, in sums that merge | [`moments`], [`estimate`] |
//! | how far apart are two arms, absolutely and relatively | [`difference`], [`relative`], [`effect`] |
//! | the same with less noise | [`cuped`], [`regression`], [`winsor`] |
//! | may the numbers be trusted | [`srm`], [`balance`], [`drift`], [`maturity`], [`agreement`] |
//! | may they be looked at every day | [`asymptotic_cs`], [`msprt`], [`anytime_t`], [`hybrid`] |
//! | is the new arm not worse than a margin | [`non_inferiority`], [`proportions`] |
//! | several questions at once | [`multiplicity`], [`heterogeneity`], [`decision`] |
//! | how large must an experiment be | [`power`] |
//! | how long until an invoice is paid | [`survival`] |
//! | what single actions do inside a policy that learns | [`adaptive`] |
//! | an alternative reading for people who prefer it | [`bayes`] |
//!
//! Nothing here reads a table, knows a metric by name or draws a picture. Functions that can be
//! asked for the impossible return [`StatisticsError`]; a quantity that does not exist for the
//! given numbers (a lift over a control mean of zero) is `None`, never a made-up value.

pub mod adaptive;
pub mod agreement;
pub mod anytime_t;
pub mod asymptotic_cs;
pub mod balance;
pub mod bayes;
pub mod cuped;
pub mod decision;
pub mod difference;
pub mod drift;
pub mod effect;
pub mod error;
pub mod estimate;
pub mod event_share;
pub mod heterogeneity;
pub mod hybrid;
pub mod level;
pub mod maturity;
pub mod moments;
pub mod msprt;
pub mod multiplicity;
pub mod non_inferiority;
pub mod power;
pub mod proportions;
pub mod quantile;
pub mod regression;
pub mod relative;
pub mod running;
pub mod special;
pub mod srm;
pub mod survival;
pub mod test_result;
pub mod winsor;

pub use error::StatisticsError;
pub use estimate::ArmEstimate;
pub use level::Alpha;
pub use moments::Moments;
pub use test_result::{Interval, TestResult};
