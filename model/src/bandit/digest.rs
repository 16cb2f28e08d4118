//! Content digests: two things with the same digest are the same, bit for bit.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A BLAKE3 digest of 256 bits, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Digest({self})")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        blake3::Hash::from_hex(text.as_bytes())
            .map(|hash| Self(*hash.as_bytes()))
            .map_err(|_| format!("`{text}` is not a digest of 64 hexadecimal digits"))
    }
}

/// Writes values into a digest, each with its length, so that no two different contents
/// write the same bytes. The bits of a number count, not its value: `0.0` and `-0.0` differ.
pub(super) struct DigestWriter(blake3::Hasher);

impl DigestWriter {
    /// Starts a digest in its own domain.
    pub(super) fn new(domain: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(domain))
    }

    pub(super) fn count(&mut self, count: usize) {
        self.0.update(&(count as u64).to_le_bytes());
    }

    pub(super) fn number(&mut self, number: f64) {
        self.0.update(&number.to_bits().to_le_bytes());
    }

    pub(super) fn numbers(&mut self, numbers: &[f64]) {
        self.count(numbers.len());
        for &number in numbers {
            self.number(number);
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    pub(super) fn texts(&mut self, texts: &[String]) {
        self.count(texts.len());
        for text in texts {
            self.text(text);
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}
