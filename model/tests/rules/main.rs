//! Do the rules refuse what they must, and nothing else? A naive second implementation, legal
//! cases by date, packs that cannot be read, and the ladder that climbs between the rules.

#![allow(clippy::unwrap_used)]

mod case;
mod caution;
mod decisions;
mod ladder;
mod legal;
mod naive;
mod packs;
mod property;
mod segments;
mod stops;
mod worlds;
