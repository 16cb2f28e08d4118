//! A refusal in an answer, written by hand: an answer names hundreds, in few words over and over, so
//! that on the one side they are shared and on the other cut out of what arrived. A `String` each
//! would be a fifth of the work of an answer.

use prost::DecodeError;
use prost::Message;
use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType, bytes, encode_key, encode_varint};
use prost::encoding::{encoded_len_varint, skip_field};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

const ACTION_ID: u32 = 1;
const RULE: u32 = 2;

/// `lagom.v1.BlockedAction`: an action that was refused, and the first rule that refused it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockedAction {
    /// kind.channel.tone.timing, perhaps with a fifth part for the wording.
    pub action_id: Text,
    /// Name of the rule.
    pub rule: Text,
}

impl Message for BlockedAction {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        self.action_id.encode(ACTION_ID, buf);
        self.rule.encode(RULE, buf);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            ACTION_ID => self.action_id.merge(wire_type, buf, ctx),
            RULE => self.rule.merge(wire_type, buf, ctx),
            _ => skip_field(wire_type, tag, buf, ctx),
        }
    }

    fn encoded_len(&self) -> usize {
        self.action_id.encoded_len() + self.rule.encoded_len()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Text that is copied by counting, not by copying.
#[derive(Clone)]
pub struct Text(Held);

#[derive(Clone)]
enum Held {
    /// Among the names of whoever sends it.
    Shared(Arc<str>),
    /// In the message that arrived; UTF-8.
    Arrived(Bytes),
}

impl Text {
    fn merge(
        &mut self,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        // Nothing is believed of text that is not UTF-8, also where the caller goes on after the error.
        let mut arrived = Bytes::new();
        bytes::merge(wire_type, &mut arrived, buf, ctx)?;
        if std::str::from_utf8(&arrived).is_err() {
            #[allow(deprecated)]
            return Err(DecodeError::new(
                "invalid string value: data is not UTF-8 encoded",
            ));
        }
        self.0 = Held::Arrived(arrived);
        Ok(())
    }

    fn held(&self) -> &[u8] {
        match &self.0 {
            Held::Shared(text) => text.as_bytes(),
            Held::Arrived(bytes) => bytes,
        }
    }

    fn encode(&self, tag: u32, buf: &mut impl BufMut) {
        let held = self.held();
        if !held.is_empty() {
            encode_key(tag, WireType::LengthDelimited, buf);
            encode_varint(held.len() as u64, buf);
            buf.put_slice(held);
        }
    }

    fn encoded_len(&self) -> usize {
        match self.held().len() {
            0 => 0,
            // The keys of both fields take one byte.
            length => 1 + encoded_len_varint(length as u64) + length,
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Held::Shared(text) => text,
            Held::Arrived(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Held::Arrived(Bytes::new()))
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self(Held::Shared(text))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Held::Shared(text.into()))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.held() == other.held()
    }
}

impl Eq for Text {}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The message as the generator would have written it.
    #[derive(Clone, PartialEq, Message)]
    struct Generated {
        #[prost(string, tag = "1")]
        action_id: String,
        #[prost(string, tag = "2")]
        rule: String,
    }

    #[test]
    fn it_is_the_message_that_the_generator_would_have_made() {
        let long = "x".repeat(300);
        for (action_id, rule) in [("", ""), ("wait", ""), ("", "SE.fee_cap"), (&*long, "ä")] {
            let own = BlockedAction {
                action_id: action_id.into(),
                rule: Arc::<str>::from(rule).into(),
            };
            let generated = Generated {
                action_id: action_id.to_owned(),
                rule: rule.to_owned(),
            };
            let bytes = generated.encode_to_vec();
            assert_eq!(own.encode_to_vec(), bytes);
            assert_eq!(own.encoded_len(), bytes.len());
            assert_eq!(BlockedAction::decode(&*bytes).unwrap(), own);
        }
    }

    #[test]
    fn fields_of_later_versions_are_skipped_and_bytes_that_are_no_text_refused() {
        let later = [0x1a, 2, 1, 2, 0x0a, 4, b'w', b'a', b'i', b't'];
        let read = BlockedAction::decode(&later[..]).unwrap();
        assert_eq!(read.action_id, "wait");
        assert_eq!(read.to_owned().rule, "");
        assert!(BlockedAction::decode(&[0x12, 2, 0xc3, 0x28][..]).is_err());
        assert!(BlockedAction::decode(&[0x12, 9, b'x'][..]).is_err());
        assert!(BlockedAction::decode(&[0x10, 1][..]).is_err());
    }
}
