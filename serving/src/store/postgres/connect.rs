//! Which database, and connections to it.

use crate::store::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A parameter of a statement.
pub(super) type Part<'a> = &'a (dyn ToSql + Sync);

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(3);
/// How long the network may be silent about what was sent before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(10);

/// A commit is on disk before it is reported, and a replica that has vanished in the middle of a
/// transaction gives the head free again. Everything is looked up by key or read in the order of one.
pub(super) const SETTINGS: &str = "SET synchronous_commit = on; \
                                   SET idle_in_transaction_session_timeout = '5s'; \
                                   SET lock_timeout = '4s'; \
                                   SET enable_seqscan = off; \
                                   SET jit = off";

/// A database and how to reach it.
#[derive(Clone)]
pub struct Database {
    url: String,
    ca: Option<PathBuf>,
    config: Config,
}

impl PartialEq for Database {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url && self.ca == other.ca
    }
}

impl Eq for Database {}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without password and options.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let ports = self.config.get_ports();
        let ports = ports.iter().map(|port| format!(":{port}"));
        let hosts: Vec<String> = hosts
            .zip(ports.chain(std::iter::repeat(String::new())))
            .map(|(host, port)| host + &port)
            .collect();
        let name = self.config.get_dbname().unwrap_or_default();
        write!(f, "postgres://{}/{name}", hosts.join(","))
    }
}

impl Database {
    pub(in crate::store) fn read(url: &str, ca: Option<PathBuf>) -> Result<Self, String> {
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let reason = why(&error);
            format!("{reason}; write postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=require")
        })?;
        config
            .application_name("lagom")
            .connect_timeout(CONNECT)
            .keepalives_idle(SILENCE)
            .tcp_user_timeout(SILENCE);
        Ok(Self {
            url: url.to_owned(),
            ca,
            config,
        })
    }

    /// A new connection, with nothing prepared.
    pub(crate) async fn connect(&self) -> Result<Client, StoreError> {
        let tls = MakeRustlsConnect::new(self.certificates()?);
        let connecting = tokio::time::timeout(CONNECT, self.config.connect(tls)).await;
        let (client, connection) = connecting
            .map_err(|_| self.unreachable("it does not answer"))?
            .map_err(|error| self.unreachable(&why(&error)))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = why(&error), "a connection to the database ended");
            }
        });
        let set = client.batch_execute(SETTINGS);
        let set = tokio::time::timeout(CONNECT, set).await;
        set.map_err(|_| self.unreachable("it does not answer"))?
            .map_err(|error| self.unreachable(&why(&error)))?;
        Ok(client)
    }

    fn unreachable(&self, reason: &str) -> StoreError {
        StoreError::Io {
            doing: "connecting to the database",
            reason: format!("{self}: {reason}"),
        }
    }

    /// What the server's certificate is checked against: the system's authorities and `ca`.
    fn certificates(&self) -> Result<ClientConfig, StoreError> {
        let mut roots = RootCertStore::empty();
        if self.config.get_ssl_mode() != SslMode::Disable {
            let system = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(system.certs);
            if let Some(path) = &self.ca {
                add(&mut roots, path).map_err(|reason| StoreError::Io {
                    doing: "reading [store] ca",
                    reason: format!("{}: {reason}", path.display()),
                })?;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| StoreError::io("preparing TLS", &error))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    for certificate in read {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// What the database or the network said.
pub(super) fn why(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return said.message().to_owned();
    }
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// As what a failed statement is reported.
pub(super) fn failed(doing: &'static str) -> impl Fn(tokio_postgres::Error) -> StoreError {
    move |error| StoreError::Io {
        doing,
        reason: why(&error),
    }
}
