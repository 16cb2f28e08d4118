//! `ExperimentService`.

use crate::convert::scalar::{time, wire_time};
use crate::engine::Failure;
use crate::experiment::ExperimentSpec;
use crate::reviews::review;
use crate::tenants::Tenants;
use lagom_proto::v1;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use v1::experiment_service_server::ExperimentService;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct ExperimentsService(pub(crate) Arc<Tenants>);

fn wire(spec: &ExperimentSpec) -> v1::Experiment {
    let arms = spec.arms.iter().map(|arm| v1::Arm {
        name: arm.name.clone(),
        share: arm.share * spec.share,
        policy: arm.policy.name().to_owned(),
        strategy_id: arm
            .own
            .as_ref()
            .map_or_else(String::new, |own| own.0.id().to_owned()),
    });
    v1::Experiment {
        name: spec.name.clone(),
        arms: arms.collect(),
    }
}

#[tonic::async_trait]
impl ExperimentService for ExperimentsService {
    async fn list_experiments(
        &self,
        request: Request<v1::ListExperimentsRequest>,
    ) -> Result<Response<v1::ListExperimentsResponse>, Status> {
        let running = self.0.of(&request)?.experiments();
        let experiments = running.specs().iter().map(wire).collect();
        Ok(Response::new(v1::ListExperimentsResponse { experiments }))
    }

    async fn review_experiment(
        &self,
        request: Request<v1::ReviewExperimentRequest>,
    ) -> Result<Response<v1::ReviewExperimentResponse>, Status> {
        let engine = self.0.of(&request)?;
        let asked = request.into_inner();
        let as_of = asked.as_of.map(|at| time(at, || "as_of".to_owned()));
        let as_of = as_of.transpose().map_err(Failure::from)?;
        let name = asked.name.clone();
        let reviewed = review(engine, name, as_of).await?;
        Ok(Response::new(v1::ReviewExperimentResponse {
            name: asked.name,
            as_of: Some(wire_time(reviewed.as_of)),
            review_json: reviewed.json,
        }))
    }
}
