//! The pages: the same numbers everywhere, a verdict only where it can be trusted, and pages that a
//! browser finds in order.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "pages/browser.rs"]
mod browser;
#[path = "pages/policies.rs"]
mod policies;
#[path = "pages/review.rs"]
mod review;
#[path = "pages/served.rs"]
mod served;
