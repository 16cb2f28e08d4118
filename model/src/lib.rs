//! Skeleton.

pub mod calibration;
pub mod linear;
pub mod metrics;
