//! `ModelService`.

use crate::convert::scalar::wire_time;
use crate::engine::{ChangeError, Engine};
use crate::registry::{self, Pointers, RegistryError};
use crate::tenants::Tenants;
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
pub(crate) struct Models(pub(crate) Arc<Tenants>);

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
    if let Some(metrics) = version.quoted() {
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
        RegistryError::Version { .. }
        | RegistryError::WarmStart { .. }
        | RegistryError::Forecast { .. } => Status::data_loss(error.to_string()),
        RegistryError::Io { .. } | RegistryError::Pointers { .. } => {
            Status::unavailable(error.to_string())
        }
    })
}

fn is_current(engine: &Engine, id: &str) -> bool {
    engine.snapshot().model_id() == Some(id)
}

fn dir(engine: &Engine) -> PathBuf {
    engine.config().models.clone()
}

/// Decides with `version` from now on, and from every later start. What does not fit is not
/// pointed at.
async fn put_in_force(
    engine: &Engine,
    version: ModelVersion,
    point: impl FnOnce(&Path) -> Result<Pointers, RegistryError> + Send + 'static,
) -> Result<Response<v1::Model>, Status> {
    let refused = |error: ChangeError| Status::failed_precondition(error.to_string());
    let answer = wire(&version, true);
    let model: Arc<dyn Predictor> = Arc::new(version);
    engine.fits(Some(Arc::clone(&model))).map_err(refused)?;
    let dir = dir(engine);
    on_disk(move || point(&dir)).await?;
    engine.adopt(Some(&model)).map_err(refused)?;
    tracing::info!(model = answer.model_id, "another model decides");
    Ok(Response::new(answer))
}

async fn pause(engine: &Engine, paused: bool, reason: String) -> Result<v1::PolicyState, Status> {
    let change = engine.pause(paused, reason).await?;
    let snapshot = engine.snapshot();
    Ok(v1::PolicyState {
        paused,
        policy: snapshot.policy().name().to_owned(),
        policy_generation: snapshot.parts().generation.number(),
        since: Some(wire_time(change.at)),
    })
}

#[tonic::async_trait]
impl ModelService for Models {
    async fn get_model(
        &self,
        request: Request<v1::GetModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let engine = self.0.of(&request)?;
        let mut id = request.into_inner().model_id;
        if id.is_empty() {
            let snapshot = engine.snapshot();
            let current = snapshot
                .model_id()
                .ok_or_else(|| Status::not_found("no model is in force; train and promote one"))?;
            id = current.to_owned();
        }
        let (dir, current) = (dir(&engine), is_current(&engine, &id));
        let version = on_disk(move || registry::version(&dir, &id)).await?;
        Ok(Response::new(wire(&version, current)))
    }

    async fn list_models(
        &self,
        request: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let engine = self.0.of(&request)?;
        let dir = dir(&engine);
        let versions = on_disk(move || registry::list(&dir)).await?;
        let models = versions
            .iter()
            .map(|one| wire(one, is_current(&engine, one.id())));
        Ok(Response::new(v1::ListModelsResponse {
            models: models.collect(),
        }))
    }

    async fn promote_model(
        &self,
        request: Request<v1::PromoteModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let engine = self.0.of(&request)?;
        let id = request.into_inner().model_id;
        let dir = dir(&engine);
        let version = on_disk(move || registry::version(&dir, &id)).await?;
        let objections = registry::objections(&version);
        if !objections.is_empty() {
            let id = version.id();
            let reason = format!("model `{id}` is not promoted: {}", objections.join("; "));
            return Err(Status::failed_precondition(reason));
        }
        let id = version.id().to_owned();
        put_in_force(&engine, version, move |dir| registry::promote(dir, &id)).await
    }

    async fn rollback_model(
        &self,
        request: Request<v1::RollbackModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let engine = self.0.of(&request)?;
        let dir = dir(&engine);
        let version = on_disk(move || {
            let previous = registry::pointers(&dir)?.previous;
            let previous = previous.ok_or(RegistryError::NoPrevious)?;
            registry::version(&dir, &previous)
        })
        .await?;
        put_in_force(&engine, version, registry::rollback).await
    }

    async fn pause_policy(
        &self,
        request: Request<v1::PausePolicyRequest>,
    ) -> Result<Response<v1::PolicyState>, Status> {
        let engine = self.0.of(&request)?;
        let state = pause(&engine, true, request.into_inner().reason).await?;
        Ok(Response::new(state))
    }

    async fn resume_policy(
        &self,
        request: Request<v1::ResumePolicyRequest>,
    ) -> Result<Response<v1::PolicyState>, Status> {
        let engine = self.0.of(&request)?;
        let state = pause(&engine, false, request.into_inner().reason).await?;
        Ok(Response::new(state))
    }
}
