//! Records as bytes: Protocol Buffers messages of the store's own, one a kind.
//!
//! Fields are only ever added, with new tags; what changes its meaning becomes a new kind. The
//! golden file beside the tests holds one record of every kind as format 1 wrote it.

mod catalogue;
mod catalogues;
mod decision;
mod experiment;
mod outcome;
mod plain;
mod rollout;

pub(super) use catalogues::{Catalogues, Naming};

use super::entry::{Entry, Kind};
use super::own::Depth;
use prost::Message;
use std::sync::Arc;

/// Why bytes do not read as a record.
pub(super) type Unreadable = String;

/// The body of a record.
pub(super) fn encode(entry: &Entry, catalogues: &Catalogues) -> Vec<u8> {
    match entry {
        Entry::Recorded(one) => plain::Recorded::of(one).encode_to_vec(),
        Entry::Catalogue(one) => catalogue::Catalogue::of(one).encode_to_vec(),
        Entry::Decided(one) | Entry::Shadowed(one) => {
            let catalogue = catalogues.get(&one.strategy_id);
            let actions = catalogue.as_ref().map(|one| one.actions.as_slice());
            decision::Decided::of(one, actions).encode_to_vec()
        }
        Entry::Reserved(one) => plain::Reserved::of(one).encode_to_vec(),
        Entry::Matured(one) => outcome::Matured::of(one).encode_to_vec(),
        Entry::Published(one) => plain::Published::of(one).encode_to_vec(),
        Entry::Policy(one) => plain::Policy::of(one).encode_to_vec(),
        Entry::Assigned(one) => experiment::Assigned::of(one).encode_to_vec(),
        Entry::Phase(one) => experiment::Began::of(one).encode_to_vec(),
        Entry::Staged(one) => rollout::Staged::of(one).encode_to_vec(),
        Entry::Forgotten { digest } => plain::Forgotten::of(*digest).encode_to_vec(),
    }
}

/// The entry that a body of this kind says.
pub(super) fn decode(
    kind: Kind,
    body: &[u8],
    catalogues: &Catalogues,
) -> Result<Entry, Unreadable> {
    decode_to(Depth::Whole, kind, body, catalogues)
}

/// The same, of decisions as much as is asked for.
pub(super) fn decode_to(
    depth: Depth,
    kind: Kind,
    body: &[u8],
    catalogues: &Catalogues,
) -> Result<Entry, Unreadable> {
    fn message<T: Message + Default>(body: &[u8]) -> Result<T, Unreadable> {
        T::decode(body).map_err(|error| error.to_string())
    }
    Ok(match kind {
        Kind::Recorded => Entry::Recorded(Box::new(message::<plain::Recorded>(body)?.read()?)),
        Kind::Catalogue => {
            Entry::Catalogue(Arc::new(message::<catalogue::Catalogue>(body)?.read()?))
        }
        Kind::Decided | Kind::Shadowed => {
            let record = message::<decision::Decided>(body)?;
            let record = match depth {
                Depth::Whole => record,
                Depth::Choice => record.choice(),
                Depth::Head => record.head(),
            };
            let catalogue = catalogues.get(&record.strategy_id);
            let actions = catalogue.as_ref().map(|one| one.actions.as_slice());
            let decision = Arc::new(record.read(actions)?);
            match kind {
                Kind::Shadowed => Entry::Shadowed(decision),
                _ => Entry::Decided(decision),
            }
        }
        Kind::Reserved => Entry::Reserved(message::<plain::Reserved>(body)?.read()?),
        Kind::Matured => Entry::Matured(Box::new(message::<outcome::Matured>(body)?.read()?)),
        Kind::Published => Entry::Published(message::<plain::Published>(body)?.read()?),
        Kind::Policy => Entry::Policy(message::<plain::Policy>(body)?.read()?),
        Kind::Assigned => Entry::Assigned(message::<experiment::Assigned>(body)?.read()?),
        Kind::Phase => Entry::Phase(Box::new(message::<experiment::Began>(body)?.read()?)),
        Kind::Staged => Entry::Staged(Box::new(message::<rollout::Staged>(body)?.read()?)),
        Kind::Forgotten => message::<plain::Forgotten>(body)?.read()?,
    })
}

/// Turns whatever is wrong with a field into its description.
fn field<T, E: std::fmt::Display>(name: &str, read: Result<T, E>) -> Result<T, Unreadable> {
    read.map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests;
