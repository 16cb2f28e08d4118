//! A server that speaks Spark Connect, runs nothing and remembers what it was told.

#![allow(clippy::unwrap_used)]

use super::messages::{
    CONFIG, ConfigRequest, ConfigResponse, EXECUTE, ExecutePlanRequest, ExecutePlanResponse,
    RELEASE, ReleaseSessionRequest, ReleaseSessionResponse, UserContext,
};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

type Answers = tokio_stream::Iter<std::vec::IntoIter<Result<ExecutePlanResponse, Status>>>;

/// What was told: settings (`key = value`) and statements, the caller and its token before the first,
/// `released` at the end.
#[derive(Clone, Default)]
pub(super) struct Fake {
    pub(super) told: Arc<Mutex<Vec<String>>>,
    /// The statement that holds this is answered so.
    pub(super) refuses: Option<(&'static str, Status)>,
}

impl Fake {
    /// Serves on a free port of this machine until the runtime ends.
    pub(super) fn serve(self, runtime: &tokio::runtime::Runtime) -> SocketAddr {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
            tokio::spawn(
                Server::builder()
                    .add_service(self)
                    .serve_with_incoming(incoming),
            );
            address
        })
    }

    pub(super) fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    fn tell(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }

    fn greet<M>(&self, request: &Request<M>, user: Option<UserContext>) {
        if self.told().is_empty() {
            let token = request.metadata().get("authorization");
            let user = user.unwrap_or_default().user_id;
            self.tell(format!("{user} {token:?}"));
        }
    }
}

impl NamedService for Fake {
    const NAME: &'static str = "spark.connect.SparkConnectService";
}

impl Service<http::Request<Body>> for Fake {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let fake = self.clone();
        Box::pin(async move {
            Ok(match request.uri().path() {
                EXECUTE => {
                    let codec = ProstCodec::<ExecutePlanResponse, ExecutePlanRequest>::default();
                    Grpc::new(codec).server_streaming(fake, request).await
                }
                CONFIG => {
                    let codec = ProstCodec::<ConfigResponse, ConfigRequest>::default();
                    Grpc::new(codec).unary(fake, request).await
                }
                RELEASE => {
                    let codec =
                        ProstCodec::<ReleaseSessionResponse, ReleaseSessionRequest>::default();
                    Grpc::new(codec).unary(fake, request).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

impl ServerStreamingService<ExecutePlanRequest> for Fake {
    type Response = ExecutePlanResponse;
    type ResponseStream = Answers;
    type Future = Ready<Result<Response<Answers>, Status>>;

    fn call(&mut self, request: Request<ExecutePlanRequest>) -> Self::Future {
        self.greet(&request, request.get_ref().user_context.clone());
        let request = request.into_inner();
        let command = request.plan.and_then(|plan| plan.command?.sql_command);
        let sql = command.and_then(|command| command.input?.sql);
        let sql = sql.unwrap_or_default().query;
        self.tell(sql.clone());
        let answer = match &self.refuses {
            Some((word, status)) if sql.contains(word) => Err(status.clone()),
            _ => Ok(ExecutePlanResponse {}),
        };
        ready(Ok(Response::new(tokio_stream::iter(vec![answer]))))
    }
}

impl UnaryService<ConfigRequest> for Fake {
    type Response = ConfigResponse;
    type Future = Ready<Result<Response<ConfigResponse>, Status>>;

    fn call(&mut self, request: Request<ConfigRequest>) -> Self::Future {
        self.greet(&request, request.get_ref().user_context.clone());
        let operation = request.into_inner().operation.unwrap_or_default();
        for pair in operation.set.unwrap_or_default().pairs {
            self.tell(format!("{} = {}", pair.key, pair.value));
        }
        ready(Ok(Response::new(ConfigResponse {})))
    }
}

impl UnaryService<ReleaseSessionRequest> for Fake {
    type Response = ReleaseSessionResponse;
    type Future = Ready<Result<Response<ReleaseSessionResponse>, Status>>;

    fn call(&mut self, _: Request<ReleaseSessionRequest>) -> Self::Future {
        self.tell("released".to_owned());
        ready(Ok(Response::new(ReleaseSessionResponse {})))
    }
}
