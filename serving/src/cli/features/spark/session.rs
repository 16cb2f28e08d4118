//! A session on a Spark Connect server: statements one after the other.

use super::address::Address;
use super::messages::{
    CONFIG, ConfigRequest, ConfigResponse, EXECUTE, ExecutePlanRequest, ExecutePlanResponse,
    RELEASE, ReleaseSessionRequest, ReleaseSessionResponse, UserContext, set, statement,
};
use crate::cli::answer::{Failure, in_one_line};
use std::error::Error as _;
use std::pin::Pin;
use std::time::Duration;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How often a silent connection is tried, so that firewalls leave it open and its end is noticed.
const ALIVE: Duration = Duration::from_secs(30);
/// Letters of what Spark says that are passed on: it can quote a whole query.
const SAID: usize = 600;

/// An open session; [`Self::release`] ends it on the server.
pub(super) struct Session {
    grpc: Grpc<Channel>,
    address: Address,
    id: String,
    /// Ready once somebody has asked to stop, be it between two statements.
    stop: Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>,
}

impl Session {
    /// Connects; the server makes the session with the first statement.
    pub(super) async fn open(address: Address) -> Result<Self, Failure> {
        let mut endpoint = Endpoint::from_shared(address.uri())?
            .user_agent(concat!("lagom/", env!("CARGO_PKG_VERSION")))?
            .tcp_keepalive(Some(ALIVE));
        if address.is_encrypted() {
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?;
        }
        let reason = match tokio::time::timeout(CONNECT, endpoint.connect()).await {
            Ok(Ok(channel)) => {
                return Ok(Self {
                    grpc: Grpc::new(channel),
                    address,
                    id: uuid::Uuid::now_v7().to_string(),
                    stop: Box::pin(asked_to_stop()),
                });
            }
            Ok(Err(error)) => in_one_line(&error),
            Err(_) => format!("no answer within {} s", CONNECT.as_secs()),
        };
        let tls = if address.is_encrypted() {
            "speaks TLS with a certificate that this machine trusts (SSL_CERT_FILE names others)"
        } else {
            "speaks without TLS (else add /;use_ssl=true)"
        };
        Err(format!(
            "--remote {address}: cannot be reached: {reason}; see that Spark Connect runs there and \
             {tls}, or leave --engine out, and lagom computes the same features itself"
        )
        .into())
    }

    /// Runs a statement to its end, or until the user asks to stop.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.call(async |session| session.execute(sql).await).await
    }

    /// Sets what the session goes by.
    pub(super) async fn set(&mut self, settings: &[(&str, &str)]) -> Result<(), Failure> {
        self.call(async |session| session.configure(settings).await)
            .await
    }

    async fn call(
        &mut self,
        ask: impl AsyncFnOnce(&mut Self) -> Result<(), Status>,
    ) -> Result<(), Failure> {
        let mut stop = std::mem::replace(&mut self.stop, Box::pin(std::future::pending()));
        let ran = tokio::select! {
            ran = ask(self) => ran,
            _ = &mut stop => return Err("stopped; nothing was written".into()),
        };
        self.stop = stop;
        ran.map_err(|status| self.failure(&status).into())
    }

    async fn execute(&mut self, sql: &str) -> Result<(), Status> {
        let message = ExecutePlanRequest {
            session_id: self.id.clone(),
            user_context: Some(self.user()),
            plan: Some(statement(sql)),
            client_type: "lagom".to_owned(),
        };
        let request = self.request(message);
        self.ready().await?;
        let codec = ProstCodec::<ExecutePlanRequest, ExecutePlanResponse>::default();
        let path = PathAndQuery::from_static(EXECUTE);
        let answer = self.grpc.server_streaming(request, path, codec).await?;
        let mut answer = answer.into_inner();
        while answer.message().await?.is_some() {}
        Ok(())
    }

    async fn configure(&mut self, settings: &[(&str, &str)]) -> Result<(), Status> {
        let message = ConfigRequest {
            session_id: self.id.clone(),
            user_context: Some(self.user()),
            operation: Some(set(settings)),
            client_type: "lagom".to_owned(),
        };
        let request = self.request(message);
        self.ready().await?;
        let codec = ProstCodec::<ConfigRequest, ConfigResponse>::default();
        let path = PathAndQuery::from_static(CONFIG);
        self.grpc.unary(request, path, codec).await.map(|_| ())
    }

    /// Ends the session and what still runs in it.
    pub(super) async fn release(&mut self) -> Result<(), Status> {
        let message = ReleaseSessionRequest {
            session_id: self.id.clone(),
            user_context: Some(self.user()),
            client_type: "lagom".to_owned(),
        };
        let request = self.request(message);
        self.ready().await?;
        let codec = ProstCodec::<ReleaseSessionRequest, ReleaseSessionResponse>::default();
        let path = PathAndQuery::from_static(RELEASE);
        self.grpc.unary(request, path, codec).await.map(|_| ())
    }

    async fn ready(&mut self) -> Result<(), Status> {
        let ready = self.grpc.ready().await;
        ready.map_err(|error| Status::from_error(Box::new(error)))
    }

    fn user(&self) -> UserContext {
        UserContext {
            user_id: self.address.user().to_owned(),
        }
    }

    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.address.metadata().clone();
        request
    }

    fn failure(&self, status: &Status) -> String {
        let (address, said) = (&self.address, said(status.message()));
        // Where there is a cause, it is not the server's word: the connection broke under the call.
        if let Some(cause) = status.source() {
            return format!(
                "--remote {address}: the connection broke ({}); nothing was written: run it again, or see \
                 that Spark Connect listens there and whether it wants TLS (/;use_ssl=true)",
                in_one_line(cause)
            );
        }
        match status.code() {
            Code::Unimplemented => format!(
                "--remote {address}: answers, but not as Spark Connect does ({said}); name the port of \
                 Spark Connect, 15002 unless set otherwise"
            ),
            Code::Unauthenticated | Code::PermissionDenied => format!(
                "--remote {address}: does not let this caller in ({said}); add /;token=TOKEN, or \
                 another user by user_id"
            ),
            Code::Unavailable | Code::Cancelled => format!(
                "--remote {address}: the connection was lost ({said}); nothing was written, run it \
                 again"
            ),
            code => format!("Spark at {address} says ({code:?}): {said}"),
        }
    }
}

/// Ready once the user (Ctrl-C) or the system (SIGTERM) asks to stop.
async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut ended = signal(SignalKind::terminate())?;
        tokio::select! {
            asked = tokio::signal::ctrl_c() => asked,
            _ = ended.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// The head of what a server says, in one line.
fn said(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    let text = words.join(" ");
    match text.char_indices().nth(SAID) {
        None => text,
        Some((end, _)) => format!("{} …", &text[..end]),
    }
}
