//! `DecisionService`.

use super::status;
use super::stream::{Answers, answers};
use crate::convert::scalar::{At, time};
use crate::convert::{FieldFault, decision as convert};
use crate::engine::{Confirmation, Engine, Failure};
use crate::explain::explain;
use crate::tenants::Tenants;
use lagom_features::domain::DecisionId;
use lagom_proto::v1;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status, Streaming};
use v1::decision_service_server::DecisionService;
use v1::stream_next_best_actions_response::Result as Streamed;

/// Requests of one stream that are under way at once: enough to share a sync, few enough to make
/// a fast sender wait.
const UNDER_WAY: usize = 64;

type Answer = Result<v1::NextBestActionResponse, Failure>;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct Decisions(pub(crate) Arc<Tenants>);

async fn next(engine: Arc<Engine>, request: v1::NextBestActionRequest) -> Answer {
    let ask = convert::ask(request, engine.tenant())?;
    let dry_run = ask.dry_run;
    let decision = engine.next_best_action(ask).await?;
    let wording = engine.wording(&decision);
    let decision = Arc::unwrap_or_clone(decision);
    Ok(convert::answer(decision, wording, dry_run))
}

fn decision_id(text: String) -> Result<DecisionId, FieldFault> {
    DecisionId::new(text).at(|| "decision_id".to_owned())
}

fn streamed(request_id: String, answer: Answer) -> v1::StreamNextBestActionsResponse {
    let result = match answer {
        Ok(decision) => Streamed::Decision(decision),
        Err(failure) => Streamed::Error(v1::RequestError {
            code: status::code(&failure).into(),
            message: failure.to_string(),
        }),
    };
    v1::StreamNextBestActionsResponse {
        request_id,
        result: Some(result),
    }
}

#[tonic::async_trait]
impl DecisionService for Decisions {
    type StreamNextBestActionsStream = Answers<v1::StreamNextBestActionsResponse>;

    async fn next_best_action(
        &self,
        request: Request<v1::NextBestActionRequest>,
    ) -> Result<Response<v1::NextBestActionResponse>, Status> {
        let engine = self.0.of(&request)?;
        let answer = next(engine, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn stream_next_best_actions(
        &self,
        request: Request<Streaming<v1::NextBestActionRequest>>,
    ) -> Result<Response<Self::StreamNextBestActionsStream>, Status> {
        let engine = self.0.of(&request)?;
        let mut requests = request.into_inner();
        let (started, mut in_order) = mpsc::channel::<(String, JoinHandle<Answer>)>(UNDER_WAY);
        let (out, answered) = mpsc::channel(UNDER_WAY);
        let failed = out.clone();
        tokio::spawn(async move {
            loop {
                let request = match requests.message().await {
                    Ok(Some(request)) => request,
                    Ok(None) => return,
                    Err(status) => {
                        // Nobody listens any more if this fails.
                        let _ = failed.send(Err(status)).await;
                        return;
                    }
                };
                let id = request.request_id.clone();
                let work = tokio::spawn(next(Arc::clone(&engine), request));
                if started.send((id, work)).await.is_err() {
                    return;
                }
            }
        });
        tokio::spawn(async move {
            while let Some((id, work)) = in_order.recv().await {
                let answer = work
                    .await
                    .unwrap_or_else(|e| Err(Failure::Internal(e.to_string())));
                if out.send(Ok(streamed(id, answer))).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(answers(answered)))
    }

    async fn confirm_action(
        &self,
        request: Request<v1::ConfirmActionRequest>,
    ) -> Result<Response<v1::ConfirmActionResponse>, Status> {
        let engine = self.0.of(&request)?;
        let request = request.into_inner();
        let id = decision_id(request.decision_id).map_err(Failure::from)?;
        let as_of = request.as_of.map(|wire| time(wire, || "as_of".to_owned()));
        let as_of = as_of.transpose().map_err(Failure::from)?;
        let (status, rules) = match engine.confirm(&id, as_of).await? {
            Confirmation::Proceed => (v1::ConfirmStatus::Proceed, Vec::new()),
            Confirmation::Cancel(rules) => {
                let rules = rules.iter().map(ToString::to_string);
                (v1::ConfirmStatus::Cancel, rules.collect())
            }
        };
        Ok(Response::new(v1::ConfirmActionResponse {
            status: status.into(),
            rules,
        }))
    }

    async fn explain_decision(
        &self,
        request: Request<v1::ExplainDecisionRequest>,
    ) -> Result<Response<v1::ExplainDecisionResponse>, Status> {
        let engine = self.0.of(&request)?;
        let id = decision_id(request.into_inner().decision_id).map_err(Failure::from)?;
        let decision = engine.decision(&id).await?;
        let explained = engine.explained(&decision).await;
        Ok(Response::new(explain(
            &decision,
            engine.wording(&decision),
            &engine.snapshot(),
            explained.as_ref(),
        )))
    }
}
