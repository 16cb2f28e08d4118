//! A customer's state as bytes, beside the log that it follows from.

use super::CustomerState;
use crate::store::{Entry, from_record, to_record};
use lagom_features::History;
use lagom_features::domain::{EventId, Timestamp};
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(bytes = "vec", tag = "1")]
    history: Vec<u8>,
    #[prost(sint64, optional, tag = "2")]
    last: Option<i64>,
    /// In order.
    #[prost(string, repeated, tag = "3")]
    described: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    records: Vec<Record>,
}

/// The same, read for nothing but when it was last changed.
#[derive(Clone, PartialEq, Message)]
struct Latest {
    #[prost(sint64, optional, tag = "2")]
    last: Option<i64>,
}

/// The same, read for nothing but what was recorded.
#[derive(Clone, PartialEq, Message)]
struct Past {
    #[prost(bytes = "vec", tag = "1")]
    history: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Record {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(bytes = "vec", tag = "2")]
    body: Vec<u8>,
}

impl Record {
    fn of(entry: &Entry) -> Self {
        let (kind, body) = to_record(entry);
        Self {
            kind: kind.into(),
            body,
        }
    }
}

impl CustomerState {
    /// The state as bytes: the same state, the same bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut described: Vec<String> = self.described.iter().map(ToString::to_string).collect();
        described.sort_unstable();
        let reserved = self.reservations.iter().cloned().map(Entry::Reserved);
        let assigned = self.assignments.iter().cloned().map(Entry::Assigned);
        let records = reserved.chain(assigned);
        let stored = Stored {
            history: self.history.to_bytes(),
            last: self.last.map(Timestamp::micros),
            described,
            records: records.map(|entry| Record::of(&entry)).collect(),
        };
        stored.encode_to_vec()
    }

    /// Whether the state that [`Self::to_bytes`] wrote is idle.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn bytes_are_idle(bytes: &[u8], before: Timestamp) -> Result<bool, String> {
        let latest = Latest::decode(bytes).map_err(|error| error.to_string())?;
        Ok(latest.last.is_some_and(|last| last < before.micros()))
    }

    /// The history in the state that [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn history_in(bytes: &[u8]) -> Result<History, String> {
        let past = Past::decode(bytes).map_err(|error| error.to_string())?;
        History::from_bytes(&past.history).map_err(|error| error.to_string())
    }

    /// The state that [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let stored = Stored::decode(bytes).map_err(|error| error.to_string())?;
        let mut state = Self {
            history: History::from_bytes(&stored.history).map_err(|error| error.to_string())?,
            ..Self::default()
        };
        let last = stored.last.map(Timestamp::from_micros).transpose();
        state.last = last.map_err(|error| error.to_string())?;
        for id in stored.described {
            let id = EventId::new(id).map_err(|error| error.to_string())?;
            state.described.insert(id);
        }
        for Record { kind, body } in stored.records {
            let kind = u8::try_from(kind).map_err(|error| error.to_string())?;
            match from_record(kind, &body)? {
                Entry::Reserved(one) => state.reservations.push(one),
                Entry::Assigned(one) => state.assignments.push(one),
                other => return Err(format!("a customer has no {:?}", other.kind())),
            }
        }
        Ok(state)
    }
}
