//! `PrivacyService`.

use super::stream::{Answers, answers};
use crate::convert::scalar::At;
use crate::engine::Failure;
use crate::export::Table;
use crate::export::customer_records;
use crate::tenants::Tenants;
use lagom_features::domain::CustomerId;
use lagom_proto::v1;
use std::sync::Arc;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};
use v1::privacy_service_server::PrivacyService;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct Privacy(pub(crate) Arc<Tenants>);

fn wire(table: Table, json: String) -> v1::ExportCustomerResponse {
    v1::ExportCustomerResponse {
        table: table.name().to_owned(),
        json,
    }
}

#[tonic::async_trait]
impl PrivacyService for Privacy {
    type ExportCustomerStream = Answers<v1::ExportCustomerResponse>;

    async fn export_customer(
        &self,
        request: Request<v1::ExportCustomerRequest>,
    ) -> Result<Response<Self::ExportCustomerStream>, Status> {
        let engine = self.0.of(&request)?;
        let id = CustomerId::new(request.into_inner().customer_id);
        let id = id.at(|| "customer_id".to_owned()).map_err(Failure::from)?;
        if !engine.knows(&id) {
            return Err(Failure::unknown("customer", &id).into());
        }
        let (out, answered) = mpsc::channel(64);
        tokio::task::spawn_blocking(move || {
            let sent = customer_records(engine.store(), &id, &mut |table, json| {
                out.blocking_send(Ok(wire(table, json))).is_ok()
            });
            if let Err(error) = sent {
                // Nobody listens any more if this fails.
                let _ = out.blocking_send(Err(Failure::from(error).into()));
            }
        });
        Ok(Response::new(answers(answered)))
    }

    async fn erase_customer(
        &self,
        request: Request<v1::EraseCustomerRequest>,
    ) -> Result<Response<v1::EraseCustomerResponse>, Status> {
        let engine = self.0.of(&request)?;
        let id = CustomerId::new(request.into_inner().customer_id);
        let id = id.at(|| "customer_id".to_owned()).map_err(Failure::from)?;
        let records = engine.erase(&id).await?;
        Ok(Response::new(v1::EraseCustomerResponse { records }))
    }
}
