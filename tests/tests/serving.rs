//! The server over a real socket: what it promises to a billing backend.

#![allow(clippy::unwrap_used)]

#[path = "serving/access.rs"]
mod access;
#[path = "serving/advice.rs"]
mod advice;
#[path = "serving/arms.rs"]
mod arms;
#[path = "serving/changes.rs"]
mod changes;
#[path = "serving/confirm.rs"]
mod confirm;
#[path = "serving/damage.rs"]
mod damage;
#[path = "serving/faults.rs"]
mod faults;
#[path = "serving/fuzz.rs"]
mod fuzz;
#[path = "serving/house.rs"]
mod house;
#[path = "serving/learning.rs"]
mod learning;
#[path = "serving/refusals.rs"]
mod refusals;
#[path = "serving/repeated.rs"]
mod repeated;
#[path = "serving/retention.rs"]
mod retention;
#[path = "serving/rollout.rs"]
mod rollout;
#[path = "serving/standard.rs"]
mod standard;
#[path = "serving/traces.rs"]
mod traces;
#[path = "serving/versions.rs"]
mod versions;
#[path = "serving/warm.rs"]
mod warm;
