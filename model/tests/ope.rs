//! Off-policy evaluation against other programs' numbers and against known truths.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "ope/checks.rs"]
mod checks;
#[path = "ope/coverage.rs"]
mod coverage;
#[path = "ope/open_bandit.rs"]
mod open_bandit;
#[path = "ope/oracle.rs"]
mod oracle;
#[path = "ope/ranking.rs"]
mod ranking;
#[path = "ope/reward_model.rs"]
mod reward_model;
#[path = "ope/sequences.rs"]
mod sequences;
#[path = "ope/synth.rs"]
mod synth;
