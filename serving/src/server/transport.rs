//! How calls come in: in the clear or by TLS, about health alone while the log is read, then about
//! everything.

use super::ServerError;
use super::incoming::Incoming;
use crate::config::Config;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

/// Streams of one connection that may be open at once.
const STREAMS: u32 = 1_024;
/// How long callers who asked about health while the log was read may keep their connections.
const HANDOVER: Duration = Duration::from_millis(500);

/// How calls come in.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    deadline: Duration,
    tls: Option<ServerTlsConfig>,
}

impl Transport {
    /// In the clear, for a floor to measure against.
    #[cfg(feature = "training")]
    pub(crate) fn plain(deadline: Duration) -> Self {
        Self {
            deadline,
            tls: None,
        }
    }

    pub(super) fn of(config: &Config) -> Result<Self, ServerError> {
        let tls = config.tls.as_ref().map(|tls| {
            let identity = Identity::from_pem(&tls.certificate, &tls.key);
            let served = ServerTlsConfig::new().identity(identity);
            match &tls.client_ca {
                Some(root) => served.client_ca_root(Certificate::from_pem(root)),
                None => served,
            }
        });
        let transport = Self {
            deadline: config.deadline,
            tls,
        };
        // Certificates that cannot be used are found now and not by the first caller.
        transport.server().map_err(ServerError::Tls)?;
        Ok(transport)
    }

    fn server(&self) -> Result<tonic::transport::Server, tonic::transport::Error> {
        let server = tonic::transport::Server::builder()
            .timeout(self.deadline)
            .max_concurrent_streams(STREAMS);
        match &self.tls {
            Some(tls) => server.tls_config(tls.clone()),
            None => Ok(server),
        }
    }
}

/// A server that answers about health alone while the log is read.
pub(super) struct Booting {
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

pub(super) fn booting(
    listener: &Arc<TcpListener>,
    health: Routes,
    transport: Transport,
) -> Booting {
    let (stop, stopped) = watch::channel(false);
    let served = serve(Arc::clone(listener), health, transport, stopped);
    Booting {
        stop,
        server: tokio::spawn(served),
    }
}

impl Booting {
    /// Its callers connect anew to what comes after it.
    pub(super) async fn end(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(HANDOVER, &mut self.server)
            .await
            .is_err()
        {
            self.server.abort();
        }
    }
}

pub(crate) async fn serve(
    listener: Arc<TcpListener>,
    routes: Routes,
    transport: Transport,
    mut stop: watch::Receiver<bool>,
) {
    let stopped = async move {
        // An error means that the server was dropped, which ends it too.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let served = async {
        let mut server = transport.server()?;
        server
            .add_routes(routes)
            .serve_with_incoming_shutdown(Incoming(listener), stopped)
            .await
    };
    if let Err(error) = served.await {
        tracing::error!(%error, "the gRPC server has ended");
    }
}
