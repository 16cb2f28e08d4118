//! Who chooses among the actions that the rules allow.
//!
//! * [`ladder`]: the rules that a careful person would follow; the baseline of every comparison,
//!   and the fallback of every other policy.
//! * [`uniform`]: chance, for the measurement of everything else.
//! * [`catalogue`], [`context`], [`heads`]: what the bandit sees of actions, cases and outcomes.
//! * [`gentle`]: harsher steps only where softer ones are credibly worth less.
//! * [`explain`]: why the bandit valued a step as it did, exactly.
//! * [`learning`]: the bandit's memory.
//! * [`scarcity`]: shadow prices of channels of which there is not enough.
//! * [`warm_start`]: what was learnt from history, to begin with and to be added up.

pub mod catalogue;
pub mod context;
pub mod explain;
pub mod gentle;
pub mod heads;
pub mod ladder;
pub mod learning;
pub mod scarcity;
pub mod uniform;
pub mod warm_start;
