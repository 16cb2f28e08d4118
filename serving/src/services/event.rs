//! `EventService`.

use crate::convert::scalar::time;
use crate::convert::{decision::too_many, event};
use crate::engine::{Failure, Offer, Recorded, Rejected};
use crate::tenants::Tenants;
use lagom_features::domain::TenantId;
use lagom_proto::v1;
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming};
use v1::event_service_server::EventService;

/// Events of a stream that are written together.
const TOGETHER: usize = 256;
/// Rejections that a stream's answer lists.
const LISTED: usize = 1_000;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct Events(pub(crate) Arc<Tenants>);

fn offer(wire: v1::Event, place: u64, tenant: &TenantId) -> Offer {
    let path = format!("events[{place}]");
    let event_id = wire.event_id.clone();
    let read = event::read(wire, &path, tenant);
    let event = read.and_then(|recording| {
        event::check(&recording, &path)?;
        Ok(recording)
    });
    Offer {
        event_id,
        path,
        event,
    }
}

fn wire(rejected: Rejected) -> v1::RejectedEvent {
    v1::RejectedEvent {
        event_id: rejected.event_id,
        field: rejected.fault.path,
        reason: rejected.fault.reason,
    }
}

/// Adds what became of one batch to what became of the stream so far.
fn add(sum: &mut v1::StreamEventsResponse, recorded: Recorded) {
    sum.accepted += recorded.accepted;
    sum.duplicates += recorded.duplicates;
    sum.rejected_total += recorded.rejected.len() as u64;
    let room = LISTED.saturating_sub(sum.rejected.len());
    let listed = recorded.rejected.into_iter().take(room).map(wire);
    sum.rejected.extend(listed);
}

#[tonic::async_trait]
impl EventService for Events {
    async fn record_events(
        &self,
        request: Request<v1::RecordEventsRequest>,
    ) -> Result<Response<v1::RecordEventsResponse>, Status> {
        let engine = self.0.of(&request)?;
        let request = request.into_inner();
        too_many(request.events.len()).map_err(Failure::from)?;
        let as_of = request.as_of.map(|wire| time(wire, || "as_of".to_owned()));
        let as_of = as_of.transpose().map_err(Failure::from)?;
        let offers = (0..).zip(request.events);
        let offers = offers.map(|(place, one)| offer(one, place, engine.tenant()));
        let recorded = engine.record(offers.collect(), as_of).await?;
        Ok(Response::new(v1::RecordEventsResponse {
            accepted: recorded.accepted,
            duplicates: recorded.duplicates,
            rejected: recorded.rejected.into_iter().map(wire).collect(),
        }))
    }

    async fn stream_events(
        &self,
        request: Request<Streaming<v1::StreamEventsRequest>>,
    ) -> Result<Response<v1::StreamEventsResponse>, Status> {
        let engine = self.0.of(&request)?;
        let mut events = request.into_inner();
        let mut sum = v1::StreamEventsResponse::default();
        let mut batch = Vec::with_capacity(TOGETHER);
        let mut place = 0;
        while let Some(message) = events.message().await? {
            let one = message.event.unwrap_or_default();
            batch.push(offer(one, place, engine.tenant()));
            place += 1;
            if batch.len() == TOGETHER {
                add(
                    &mut sum,
                    engine.record(std::mem::take(&mut batch), None).await?,
                );
            }
        }
        add(&mut sum, engine.record(batch, None).await?);
        Ok(Response::new(sum))
    }
}
