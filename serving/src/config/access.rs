//! Who may call: certificates and tokens, raw and valid.

use lagom_features::domain::TenantId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// `[server.tls]`: files in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSpec {
    /// The server's certificate, and those between it and the root.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// Whoever cannot show a certificate signed by this one is turned away; anyone may call if empty.
    #[serde(default)]
    pub client_ca: String,
}

/// One of `[[server.tokens]]`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// For messages and logs; never secret.
    pub name: String,
    /// The secret itself, at least 16 characters.
    #[serde(default)]
    pub token: String,
    /// Or the BLAKE3 digest of the secret, in 64 hexadecimal digits.
    #[serde(default)]
    pub blake3: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whose data it reaches.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Calls a second; any number if absent.
    #[serde(default)]
    pub per_second: Option<u32>,
}

impl fmt::Debug for TokenSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSpec({})", self.name)
    }
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Ask, confirm, explain.
    Decide,
    /// Record events.
    Ingest,
    /// Read models, experiments and explanations.
    Review,
    /// Promote, pause, export and erase.
    Admin,
}

impl Scope {
    /// As it is written in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Ingest => "ingest",
            Self::Review => "review",
            Self::Admin => "admin",
        }
    }
}

/// A token without faults. Of the secret only a digest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// For messages and logs.
    pub name: String,
    /// Digest of the secret; its comparison takes constant time.
    pub digest: blake3::Hash,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whose data it reaches.
    pub tenant: TenantId,
    /// Calls a second.
    pub per_second: Option<u32>,
}

const SHORTEST: usize = 16;

impl Token {
    /// Checks a token.
    ///
    /// # Errors
    /// What is wrong with it; never the secret.
    pub fn read(spec: &TokenSpec) -> Result<Self, String> {
        let name = &spec.name;
        let fault = |what: &str| Err(format!("[[server.tokens]] `{name}`: {what}"));
        let digest = match (spec.token.as_str(), spec.blake3.as_str()) {
            ("", "") => return fault("neither token nor blake3 is given"),
            ("", digest) => match blake3::Hash::from_hex(digest) {
                Ok(digest) => digest,
                Err(_) => return fault("blake3 is not 64 hexadecimal digits"),
            },
            (token, "") if token.len() < SHORTEST => {
                return fault("token is shorter than 16 characters; make it of 32 random ones");
            }
            (token, "") => blake3::hash(token.as_bytes()),
            _ => return fault("give token or blake3, not both"),
        };
        if spec.scopes.is_empty() {
            return fault("scopes is empty; known are decide, ingest, review, admin");
        }
        if spec.per_second == Some(0) {
            return fault("per_second = 0 lets nobody in; leave it out for no limit");
        }
        let tenant = match &spec.tenant {
            None => TenantId::default(),
            Some(tenant) => match file_name(tenant) {
                Some(tenant) => tenant,
                None => {
                    return fault(
                        "tenant must be of letters, digits, `-` and `_`, 1 to 64 of them",
                    );
                }
            },
        };
        Ok(Self {
            name: name.clone(),
            digest,
            scopes: spec.scopes.clone(),
            tenant,
            per_second: spec.per_second,
        })
    }
}

/// A tenant has files of its own, so that its id must be fit for a file's name.
fn file_name(tenant: &str) -> Option<TenantId> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let fits = tenant.len() <= 64 && tenant.bytes().all(fit);
    fits.then(|| TenantId::new(tenant).ok()).flatten()
}

/// Certificates, read.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// Certificate chain of the server in PEM.
    pub certificate: Vec<u8>,
    /// Its key in PEM.
    pub key: Vec<u8>,
    /// Whose clients are let in; anyone's if absent.
    pub client_ca: Option<Vec<u8>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls(mutual: {})", self.client_ca.is_some())
    }
}

impl Tls {
    /// Reads the files, whose paths start at `folder`.
    ///
    /// # Errors
    /// Which file cannot be read.
    pub fn read(spec: &TlsSpec, folder: &Path) -> Result<Self, String> {
        let read = |key: &str, path: &str, what: &str| {
            let path: PathBuf = folder.join(path);
            let bytes = std::fs::read(&path);
            let bytes = bytes.map_err(|error| error.to_string()).and_then(|bytes| {
                let marker = format!("-----BEGIN {what}");
                let pem = String::from_utf8_lossy(&bytes);
                // Keys say `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`.
                let fits =
                    pem.contains(&marker) || what == "KEY" && pem.contains("PRIVATE KEY-----");
                fits.then_some(bytes)
                    .ok_or_else(|| format!("holds no PEM block of a {}", what.to_lowercase()))
            });
            bytes.map_err(|error| format!("[server.tls] {key}: {}: {error}", path.display()))
        };
        let client_ca = match spec.client_ca.as_str() {
            "" => None,
            path => Some(read("client_ca", path, "CERTIFICATE")?),
        };
        Ok(Self {
            certificate: read("certificate", &spec.certificate, "CERTIFICATE")?,
            key: read("key", &spec.key, "KEY")?,
            client_ca,
        })
    }
}
