//! Distribution functions with tails that stay exact where p-values live.
//!
//! Every distribution offers `sf(x) = P(X > x)`, never `1 - cdf`: the complement loses all digits
//! below 1e-16, where the p-values of a large experiment are. `ln_sf` goes on where a double
//! underflows (p < 1e-308).

pub mod chi_squared;
pub mod kolmogorov;
pub mod lambert;
pub mod normal;
pub mod student_t;

pub(super) mod root;
