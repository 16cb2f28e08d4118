//! Confidence sequences: intervals that may be looked at after every decision.
//!
//! An interval for a fixed number of rounds covers the truth with its stated
//! probability *once*; watched continuously it fails ever more often (a 95 %
//! interval peeked at a thousand times fails one time in three). A confidence
//! sequence covers at all times at once with its stated probability.
//!
//! | sequence | guarantee | width |
//! |---|---|---|
//! | [`empirical_bernstein`] | any number of rounds, rewards in a known range | wide with large weights |
//! | [`wealth`] | the same, importance sampling only | often narrower above |
//! | [`asymptotic()`](fn@asymptotic) | many rounds | narrowest; for live pages |

pub mod asymptotic;
pub mod empirical_bernstein;
pub mod wealth;

pub use asymptotic::asymptotic;
pub use empirical_bernstein::EmpiricalBernstein;
pub use wealth::Wealth;
