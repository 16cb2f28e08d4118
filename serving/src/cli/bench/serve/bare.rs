//! The floor: the same transport and the same message sizes, and nothing behind them.

use crate::server::{Transport, serve};
use lagom_proto::v1;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};
use v1::decision_service_server::{DecisionService, DecisionServiceServer};

/// Answers every question with one answer made before.
#[derive(Debug, Clone)]
struct Bare(Arc<v1::NextBestActionResponse>);

type Streamed = tokio_stream::Empty<Result<v1::StreamNextBestActionsResponse, Status>>;

#[tonic::async_trait]
impl DecisionService for Bare {
    type StreamNextBestActionsStream = Streamed;

    async fn next_best_action(
        &self,
        _: Request<v1::NextBestActionRequest>,
    ) -> Result<Response<v1::NextBestActionResponse>, Status> {
        Ok(Response::new(v1::NextBestActionResponse::clone(&self.0)))
    }

    async fn stream_next_best_actions(
        &self,
        _: Request<Streaming<v1::NextBestActionRequest>>,
    ) -> Result<Response<Streamed>, Status> {
        Err(Status::unimplemented("only unary calls are the floor"))
    }

    async fn confirm_action(
        &self,
        _: Request<v1::ConfirmActionRequest>,
    ) -> Result<Response<v1::ConfirmActionResponse>, Status> {
        Err(Status::unimplemented("only unary calls are the floor"))
    }

    async fn explain_decision(
        &self,
        _: Request<v1::ExplainDecisionRequest>,
    ) -> Result<Response<v1::ExplainDecisionResponse>, Status> {
        Err(Status::unimplemented("only unary calls are the floor"))
    }
}

/// Serves `answer` until the sender is dropped.
pub(super) async fn start(
    answer: v1::NextBestActionResponse,
) -> std::io::Result<(SocketAddr, watch::Sender<bool>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let routes = Routes::new(DecisionServiceServer::new(Bare(Arc::new(answer))));
    tokio::spawn(async move {
        let transport = Transport::plain(Duration::from_secs(10));
        serve(Arc::new(listener), routes, transport, stopped).await;
    });
    Ok((address, stop))
}
