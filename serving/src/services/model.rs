//! `ModelService`.

use crate::convert::scalar::wire_time;
use crate::engine::{Engine, Failure};
use lagom_proto::v1;
use std::collections::HashMap;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use v1::model_service_server::ModelService;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct Models(pub(crate) Arc<Engine>);

impl Models {
    /// The model that decides now, if one was trained.
    fn current(&self) -> Option<v1::Model> {
        let snapshot = self.0.snapshot();
        Some(v1::Model {
            model_id: snapshot.model_id()?.to_owned(),
            current: true,
            as_of: None,
            feature_fingerprint: snapshot.extractor().fingerprint().to_owned(),
            card: HashMap::new(),
        })
    }

    async fn pause(&self, paused: bool, reason: String) -> Result<v1::PolicyState, Status> {
        let change = self.0.pause(paused, reason).await?;
        let snapshot = self.0.snapshot();
        Ok(v1::PolicyState {
            paused,
            policy: snapshot.policy().name().to_owned(),
            policy_generation: snapshot.parts().generation.number(),
            since: Some(wire_time(change.at)),
        })
    }
}

const OFFLINE: &str = "versions are promoted and rolled back with lagom promote and lagom rollback";

#[tonic::async_trait]
impl ModelService for Models {
    async fn get_model(
        &self,
        request: Request<v1::GetModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let id = request.into_inner().model_id;
        let current = self.current();
        let wanted = current.filter(|model| id.is_empty() || model.model_id == id);
        let model = wanted.ok_or_else(|| Failure::unknown("model", &id))?;
        Ok(Response::new(model))
    }

    async fn list_models(
        &self,
        _: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let models = self.current().into_iter().collect();
        Ok(Response::new(v1::ListModelsResponse { models }))
    }

    async fn promote_model(
        &self,
        _: Request<v1::PromoteModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        Err(Status::unimplemented(OFFLINE))
    }

    async fn rollback_model(
        &self,
        _: Request<v1::RollbackModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        Err(Status::unimplemented(OFFLINE))
    }

    async fn pause_policy(
        &self,
        request: Request<v1::PausePolicyRequest>,
    ) -> Result<Response<v1::PolicyState>, Status> {
        let state = self.pause(true, request.into_inner().reason).await?;
        Ok(Response::new(state))
    }

    async fn resume_policy(
        &self,
        request: Request<v1::ResumePolicyRequest>,
    ) -> Result<Response<v1::PolicyState>, Status> {
        let state = self.pause(false, request.into_inner().reason).await?;
        Ok(Response::new(state))
    }
}
