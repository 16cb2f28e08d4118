//! `ModelService`.

use crate::convert::FieldFault;
use crate::convert::scalar::wire_time;
use crate::engine::{ChangeError, Engine, Failure};
use crate::registry::{self, RegistryError};
use crate::tenants::Tenants;
use lagom_model::artefact::ModelVersion;
use lagom_model::decide::Predictor;
use lagom_model::ope::valuation::Judged;
use lagom_model::rollout::{Pointers, Stage, StepError, Target};
use lagom_proto::v1;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tonic::{Request, Response, Status};
use v1::model_service_server::ModelService;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct Models(pub(crate) Arc<Tenants>);

fn wire(version: &ModelVersion, engine: &Engine, judged: Option<&Judged>) -> v1::Model {
    let current = engine.snapshot().model_id() == Some(version.id());
    let candidate = engine.candidate().filter(|one| one.id == version.id());
    let stage = match candidate.as_ref().map(|one| one.stage) {
        Some(Stage::Shadow) => v1::RolloutStage::Shadow,
        Some(Stage::Canary { .. }) => v1::RolloutStage::Canary,
        None if current => v1::RolloutStage::Live,
        None => v1::RolloutStage::Unspecified,
    };
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
    if let Some(judged) = judged {
        let verdict = &judged.valuation.verdict;
        card.insert("gate".to_owned(), verdict.words.clone());
        card.insert("gate_passed".to_owned(), verdict.passed.to_string());
        card.insert("gate_against".to_owned(), judged.against.clone());
    }
    v1::Model {
        model_id: version.id().to_owned(),
        current,
        as_of: Some(wire_time(lineage.as_of)),
        feature_fingerprint: parts.feature_fingerprint.clone(),
        card,
        stage: stage.into(),
        share: candidate.map_or(0.0, |one| one.stage.share()),
    }
}

/// A version and what the gate said of it.
fn with_verdict(dir: &Path, id: &str) -> Result<(ModelVersion, Option<Judged>), RegistryError> {
    Ok((registry::version(dir, id)?, registry::judged(dir, id)?))
}

/// Reads or changes the registry on a thread that may wait for the disk.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, Status> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| Status::internal(error.to_string()))?;
    done.map_err(|error| match error {
        RegistryError::Unknown(_) => Status::not_found(error.to_string()),
        RegistryError::Step(_) => Status::failed_precondition(error.to_string()),
        RegistryError::Version { .. }
        | RegistryError::Verdict { .. }
        | RegistryError::WarmStart { .. }
        | RegistryError::Forecast { .. } => Status::data_loss(error.to_string()),
        RegistryError::Io { .. } | RegistryError::Pointers { .. } => {
            Status::unavailable(error.to_string())
        }
    })
}

fn dir(engine: &Engine) -> PathBuf {
    engine.config().models.clone()
}

/// Where a request wants a version to be put.
fn target(request: &v1::PromoteModelRequest) -> Result<Target, FieldFault> {
    let share = request.share;
    match request.stage() {
        v1::RolloutStage::Unspecified | v1::RolloutStage::Live => Ok(Target::Live),
        v1::RolloutStage::Shadow => Ok(Target::Stage(Stage::Shadow)),
        v1::RolloutStage::Canary if share > 0.0 && share < 1.0 => {
            Ok(Target::Stage(Stage::Canary { share }))
        }
        v1::RolloutStage::Canary => {
            let reason = format!("{share} must lie in (0, 1): the share of the customers");
            Err(FieldFault::new("share", reason))
        }
    }
}

/// Takes a step in the registry where `version` can decide here, and follows it at once: so does
/// every later start.
async fn put(
    engine: &Engine,
    (version, judged): (ModelVersion, Option<Judged>),
    step: impl FnOnce(&Path) -> Result<Pointers, RegistryError> + Send + 'static,
) -> Result<Response<v1::Model>, Status> {
    let model: Arc<dyn Predictor> = Arc::new(version.clone());
    let refused = |error: ChangeError| Status::failed_precondition(error.to_string());
    engine.fits(Some(model)).map_err(refused)?;
    let dir = dir(engine);
    on_disk(move || step(&dir)).await?;
    engine.follow().await.map_err(Failure::from)?;
    Ok(Response::new(wire(&version, engine, judged.as_ref())))
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
        let dir = dir(&engine);
        let (version, judged) = on_disk(move || with_verdict(&dir, &id)).await?;
        Ok(Response::new(wire(&version, &engine, judged.as_ref())))
    }

    async fn list_models(
        &self,
        request: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let engine = self.0.of(&request)?;
        let dir = dir(&engine);
        let versions = on_disk(move || {
            let versions = registry::list(&dir)?;
            // A verdict that cannot be read is an error where the version is asked for itself.
            let judged = |one: &ModelVersion| registry::judged(&dir, one.id()).ok().flatten();
            let both = versions.into_iter().map(|one| (judged(&one), one));
            Ok(both.collect::<Vec<_>>())
        })
        .await?;
        let models = versions
            .iter()
            .map(|(judged, one)| wire(one, &engine, judged.as_ref()));
        Ok(Response::new(v1::ListModelsResponse {
            models: models.collect(),
        }))
    }

    async fn promote_model(
        &self,
        request: Request<v1::PromoteModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let engine = self.0.of(&request)?;
        let request = request.into_inner();
        let target = target(&request).map_err(Failure::from)?;
        let v1::PromoteModelRequest {
            model_id, in_spite, ..
        } = request;
        let in_spite = Some(in_spite).filter(|reason| !reason.is_empty());
        let place = dir(&engine);
        let (found, against, why) = on_disk(move || {
            let found = with_verdict(&place, &model_id)?;
            let mut against = registry::reasons_against(&place, &found.0, target)?;
            against.retain(|_| in_spite.is_none());
            let why = registry::why(&place, &model_id, target, in_spite.as_deref())?;
            Ok((found, against, why))
        })
        .await?;
        let id = found.0.id().to_owned();
        if !against.is_empty() {
            let reason = format!("model `{id}` is not promoted: {}", against.join("; "));
            return Err(Status::failed_precondition(reason));
        }
        put(&engine, found, move |dir| {
            registry::put(dir, &id, target, &why)
        })
        .await
    }

    async fn rollback_model(
        &self,
        request: Request<v1::RollbackModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let engine = self.0.of(&request)?;
        let mut reason = request.into_inner().reason;
        if reason.is_empty() {
            reason.push_str("asked for");
        }
        let dir = dir(&engine);
        let found = on_disk(move || {
            let pointers = registry::pointers(&dir)?;
            let back = match pointers.candidate {
                Some(_) => pointers.current,
                None => pointers.previous,
            };
            with_verdict(&dir, &back.ok_or(StepError::NoPrevious)?)
        })
        .await?;
        put(&engine, found, move |dir| registry::rollback(dir, &reason)).await
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
