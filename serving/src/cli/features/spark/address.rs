//! `sc://HOST:PORT/;KEY=VALUE;…`: where a Spark Connect server is and how it is spoken to.

use std::fmt;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};

/// Where a server listens that was not told otherwise.
const PORT: u16 = 15002;
/// Whom a session is of, unless the address says.
const USER: &str = "lagom";

const FORM: &str = "write sc://HOST:15002, or sc://HOST:443/;use_ssl=true;token=TOKEN";

/// A server; shown without what is secret.
#[derive(Clone)]
pub(super) struct Address {
    host: String,
    port: u16,
    tls: bool,
    user: String,
    metadata: MetadataMap,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sc://{}:{}", self.host, self.port)
    }
}

impl Address {
    /// Reads a connection string as Spark's own clients do. A token is sent encrypted, except to
    /// this machine. Keys that begin with `x-` become headers of each call.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("sc://") else {
            let scheme = text.split("://").next().filter(|_| text.contains("://"));
            let found = scheme.map_or_else(String::new, |scheme| format!(", not `{scheme}://`"));
            return Err(format!(
                "--remote of --engine spark begins with `sc://`{found}; {FORM}"
            ));
        };
        let (place, keys) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = host_and_port(place)?;
        let mut address = Self {
            host,
            port,
            tls: false,
            user: USER.to_owned(),
            metadata: MetadataMap::new(),
        };
        if !keys.is_empty() && !keys.starts_with(';') {
            return Err(format!(
                "--remote {address}: what follows the `/` begins with `;`; {FORM}"
            ));
        }
        let mut token = false;
        for pair in keys.split(';').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("--remote {address}: a key has no `=value`; {FORM}"))?;
            let value = decoded(value).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| {
                format!("--remote {address}: `{key}` has no value that can be read")
            })?;
            match key {
                "use_ssl" => {
                    address.tls = value.parse().map_err(|_| {
                        format!("--remote {address}: `use_ssl` is true or false, not `{value}`")
                    })?;
                }
                "token" => {
                    token = true;
                    address.header("authorization", &format!("Bearer {value}"), key)?;
                }
                "user_id" => address.user = value,
                header if header.starts_with("x-") => address.header(header, &value, header)?,
                other => {
                    return Err(format!(
                        "--remote {address}: the key `{other}` is not known; there are token, \
                         use_ssl, user_id and headers that begin with x-"
                    ));
                }
            }
        }
        let here = ["localhost", "127.0.0.1", "[::1]"].contains(&address.host.as_str());
        address.tls |= token && !here;
        Ok(address)
    }

    /// Adds a header, which the key `of` the address asks for.
    fn header(&mut self, key: &str, value: &str, of: &str) -> Result<(), String> {
        let name = AsciiMetadataKey::from_bytes(key.as_bytes());
        let name = name.map_err(|_| format!("--remote {self}: `{key}` is no name of a header"))?;
        let mut value = AsciiMetadataValue::try_from(value).map_err(|_| {
            format!("--remote {self}: the value of `{of}` holds signs that cannot be sent")
        })?;
        value.set_sensitive(true);
        self.metadata.insert(name, value);
        Ok(())
    }

    /// As gRPC has it.
    pub(super) fn uri(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }

    /// Whether it is spoken to in TLS.
    pub(super) const fn is_encrypted(&self) -> bool {
        self.tls
    }

    /// Whom a session is of.
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// What is sent along with each call.
    pub(super) const fn metadata(&self) -> &MetadataMap {
        &self.metadata
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn host_and_port(place: &str) -> Result<(String, u16), String> {
    let wrong = || format!("--remote `sc://{place}` names no host and port; {FORM}");
    // Who writes a password here must not read it in an error.
    if place.contains('@') {
        return Err(format!(
            "--remote of --engine spark has no user before the host; {FORM}"
        ));
    }
    let end_of_v6 = place.find(']').map_or(0, |end| end + 1);
    let (host, port) = match place[end_of_v6..].split_once(':') {
        None => (place, PORT),
        Some((more, port)) => {
            let host = &place[..end_of_v6 + more.len()];
            (host, port.parse().map_err(|_| wrong())?)
        }
    };
    let letter = |one: char| one.is_ascii_alphanumeric() || "-._[]:".contains(one);
    if host.is_empty() || !host.chars().all(letter) {
        return Err(wrong());
    }
    Ok((host.to_owned(), port))
}

/// A value with its `%XX`; none where it is not UTF-8 or an escape is broken.
fn decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Address;

    fn read(text: &str) -> Address {
        Address::read(text).unwrap_or_else(|reason| panic!("{text}: {reason}"))
    }

    #[test]
    fn an_address_is_read_as_sparks_own_clients_read_it() {
        for (text, uri) in [
            ("sc://spark", "http://spark:15002"),
            ("sc://spark/", "http://spark:15002"),
            ("sc://spark:1/;user_id=ada", "http://spark:1"),
            ("sc://spark/;use_ssl=true", "https://spark:15002"),
            ("sc://spark/;token=t", "https://spark:15002"),
            ("sc://spark/;token=t;use_ssl=false", "https://spark:15002"),
            ("sc://localhost/;token=t", "http://localhost:15002"),
            (
                "sc://localhost/;token=t;use_ssl=true",
                "https://localhost:15002",
            ),
            ("sc://[::1]:7", "http://[::1]:7"),
            ("sc://[fe80::1]", "http://[fe80::1]:15002"),
        ] {
            assert_eq!(read(text).uri(), uri, "{text}");
        }
        let all = read("sc://spark/;user_id=ada%20l;token=a%3Db;x-cluster=7");
        assert_eq!(all.user(), "ada l");
        assert_eq!(all.metadata().get("authorization").unwrap(), "Bearer a=b");
        assert_eq!(all.metadata().get("x-cluster").unwrap(), "7");
        assert_eq!(read("sc://spark").user(), "lagom");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_secrets() {
        for (text, said) in [
            ("spark://host:7077", "begins with `sc://`, not `spark://`"),
            ("host:15002", "begins with `sc://`;"),
            ("sc://", "no host"),
            ("sc://host:port", "no host and port"),
            ("sc://ho st", "no host and port"),
            ("sc://ada:secret@host", "no user before the host"),
            ("sc://host/path;token=secret", "begins with `;`"),
            ("sc://host/;token", "no `=value`"),
            ("sc://host/;token=", "`token` has no value"),
            ("sc://host/;token=%zz", "`token` has no value"),
            ("sc://host/;token=secret%0A", "`token`"),
            ("sc://host/;use_ssl=yes", "true or false, not `yes`"),
            (
                "sc://host/;token=secret;usessl=true",
                "`usessl` is not known",
            ),
        ] {
            let reason = Address::read(text)
                .err()
                .unwrap_or_else(|| panic!("{text}"));
            assert!(reason.contains(said), "{text}: {reason}");
            assert!(!reason.contains("secret"), "{text}: {reason}");
        }
        let shown = read("sc://host/;token=secret").to_string();
        assert_eq!(shown, "sc://host:15002");
    }
}
