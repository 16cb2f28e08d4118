//! `ModelService`.

use crate::convert::scalar::wire_time;
use crate::engine::{ChangeError, Engine};
use crate::registry::{self, Pointers, RegistryError};
use lagom_model::artefact::ModelVersion;
use lagom_model::decide::Predictor;
use lagom_proto::v1;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tonic::{Request, Response, Status};
use v1::model_service_server::ModelService;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct Models(pub(crate) Arc<Engine>);

fn wire(version: &ModelVersion, current: bool) -> v1::Model {
    let parts = version.parts();
    let lineage = &parts.lineage;
    let mut card = HashMap::from([
        ("data_digest".to_owned(), lineage.data_digest.clone()),
        ("config_digest".to_owned(), lineage.config_digest.clone()),
        ("code_version".to_owned(), lineage.code_version.clone()),
        ("seed".to_owned(), lineage.seed.to_string()),
    ]);
    if let Some(parent) = &lineage.parent {
        card.insert("parent".to_owned(), parent.clone());
    }
    if let Some(held_out) = &parts.propensity.held_out {
        let metrics = &held_out.metrics;
        card.insert("propensity_ece".to_owned(), metrics.ece.to_string());
        if let Some(auc) = metrics.auc {
            card.insert("propensity_auc".to_owned(), auc.to_string());
        }
    }
    v1::Model {
        model_id: version.id().to_owned(),
        current,
        as_of: Some(wire_time(lineage.as_of)),
        feature_fingerprint: parts.feature_fingerprint.clone(),
        card,
    }
}

/// Reads or changes the registry on a thread that may wait for the disk.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, Status> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| Status::internal(error.to_string()))?;
    done.map_err(|error| match error {
        RegistryError::Unknown(_) => Status::not_found(error.to_string()),
        RegistryError::NoPrevious => Status::failed_precondition(error.to_string()),
        RegistryError::Version { .. } => Status::data_loss(error.to_string()),
        RegistryError::Io { .. } | RegistryError::Pointers { .. } => {
            Status::unavailable(error.to_string())
        }
    })
}

impl Models {
    fn is_current(&self, id: &str) -> bool {
        self.0.snapshot().model_id() == Some(id)
    }

    fn dir(&self) -> PathBuf {
        self.0.config().models.clone()
    }

    /// Decides with `version` from now on, and from every later start. What does not fit is not
    /// pointed at.
    async fn put_in_force(
        &self,
        version: ModelVersion,
        point: impl FnOnce(&Path) -> Result<Pointers, RegistryError> + Send + 'static,
    ) -> Result<Response<v1::Model>, Status> {
        let refused = |error: ChangeError| Status::failed_precondition(error.to_string());
        let answer = wire(&version, true);
        let model: Arc<dyn Predictor> = Arc::new(version);
        self.0.fits(Some(Arc::clone(&model))).map_err(refused)?;
        let dir = self.dir();
        on_disk(move || point(&dir)).await?;
        self.0.adopt(Some(model)).map_err(refused)?;
        tracing::info!(model = answer.model_id, "another model decides");
        Ok(Response::new(answer))
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

#[tonic::async_trait]
impl ModelService for Models {
    async fn get_model(
        &self,
        request: Request<v1::GetModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let mut id = request.into_inner().model_id;
        if id.is_empty() {
            let snapshot = self.0.snapshot();
            let current = snapshot
                .model_id()
                .ok_or_else(|| Status::not_found("no model is in force; train and promote one"))?;
            id = current.to_owned();
        }
        let (dir, current) = (self.dir(), self.is_current(&id));
        let version = on_disk(move || registry::version(&dir, &id)).await?;
        Ok(Response::new(wire(&version, current)))
    }

    async fn list_models(
        &self,
        _: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let dir = self.dir();
        let versions = on_disk(move || registry::list(&dir)).await?;
        let models = versions
            .iter()
            .map(|one| wire(one, self.is_current(one.id())));
        Ok(Response::new(v1::ListModelsResponse {
            models: models.collect(),
        }))
    }

    async fn promote_model(
        &self,
        request: Request<v1::PromoteModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let id = request.into_inner().model_id;
        let dir = self.dir();
        let version = on_disk(move || registry::version(&dir, &id)).await?;
        let objections = registry::objections(&version);
        if !objections.is_empty() {
            let id = version.id();
            let reason = format!("model `{id}` is not promoted: {}", objections.join("; "));
            return Err(Status::failed_precondition(reason));
        }
        let id = version.id().to_owned();
        self.put_in_force(version, move |dir| registry::promote(dir, &id))
            .await
    }

    async fn rollback_model(
        &self,
        _: Request<v1::RollbackModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let dir = self.dir();
        let version = on_disk(move || {
            let previous = registry::pointers(&dir)?.previous;
            let previous = previous.ok_or(RegistryError::NoPrevious)?;
            registry::version(&dir, &previous)
        })
        .await?;
        self.put_in_force(version, registry::rollback).await
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
