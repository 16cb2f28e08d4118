//! A billing backend, as a company would write it: everything through gRPC.

use crate::cli::answer::Failure;
use crate::convert::event;
use crate::recording::{Recording, What};
use lagom_features::domain::{
    Action, Customer, DecisionId, Event, EventId, Invoice, InvoiceId, Timestamp,
};
use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::stream_next_best_actions_response::Result as Answered;
use lagom_proto::v1::{
    ConfirmActionRequest, ConfirmStatus, NextBestActionRequest, NextBestActionResponse,
    RecordEventsRequest,
};
use prost_types::Timestamp as WireTime;
use std::net::SocketAddr;
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tonic::transport::{Channel, Endpoint};

/// Events in one call, well below the size limit of a message.
const BATCH: usize = 1_000;
/// Confirmations under way at once.
const CONCURRENT: usize = 32;

/// One question for the next best action.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) customer_id: String,
    pub(super) invoice_id: InvoiceId,
    pub(super) as_of: Timestamp,
}

/// One answer, as far as a sender needs it.
#[derive(Debug, Clone)]
pub(super) struct Advice {
    pub(super) decision_id: DecisionId,
    pub(super) action: Action,
    pub(super) send_at: Timestamp,
    pub(super) next_evaluation_at: Timestamp,
    pub(super) generation: u64,
}

/// A connection to lagom.
#[derive(Debug, Clone)]
pub(super) struct Backend {
    decisions: DecisionServiceClient<Channel>,
    events: EventServiceClient<Channel>,
}

fn wire(at: Timestamp) -> WireTime {
    WireTime {
        seconds: at.micros().div_euclid(1_000_000),
        nanos: (at.micros().rem_euclid(1_000_000) * 1_000) as i32,
    }
}

fn time(wire: Option<WireTime>) -> Option<Timestamp> {
    let wire = wire?;
    Timestamp::from_micros(wire.seconds * 1_000_000 + i64::from(wire.nanos) / 1_000).ok()
}

impl Backend {
    /// Connects to the server at `address`.
    pub(super) async fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let channel = Endpoint::from_shared(format!("http://{address}"))?
            .connect()
            .await?;
        Ok(Self {
            decisions: DecisionServiceClient::new(channel.clone()),
            events: EventServiceClient::new(channel),
        })
    }

    /// Describes every customer.
    pub(super) async fn describe(
        &mut self,
        customers: impl Iterator<Item = &Customer>,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let mut records = Vec::new();
        for customer in customers {
            records.push(Recording {
                event_id: EventId::new(format!("customer-{}", customer.customer_id))?,
                occurred_at: at,
                recorded_at: at,
                what: What::Customer(customer.clone()),
            });
        }
        self.record(&records).await
    }

    /// Tells of invoices and of what happened.
    pub(super) async fn tell(
        &mut self,
        invoices: Vec<Invoice>,
        events: Vec<Event>,
    ) -> Result<(), Failure> {
        let mut records = Vec::with_capacity(invoices.len() + events.len());
        for invoice in invoices {
            records.push(Recording {
                event_id: EventId::new(format!("invoice-{}", invoice.invoice_id))?,
                occurred_at: invoice.issued_at,
                recorded_at: invoice.issued_at,
                what: What::Invoice(invoice),
            });
        }
        records.extend(events.into_iter().map(|event| Recording {
            event_id: event.event_id.clone(),
            occurred_at: event.occurred_at,
            recorded_at: event.recorded_at,
            what: What::Fact(event),
        }));
        self.record(&records).await
    }

    async fn record(&mut self, records: &[Recording]) -> Result<(), Failure> {
        for batch in records.chunks(BATCH) {
            let as_of = batch.iter().map(|one| one.occurred_at).max().map(wire);
            let request = RecordEventsRequest {
                events: batch.iter().map(event::write).collect(),
                as_of,
            };
            let answer = self.events.record_events(request).await?.into_inner();
            if let Some(rejected) = answer.rejected.first() {
                return Err(format!(
                    "event {} was rejected: {}: {}",
                    rejected.event_id, rejected.field, rejected.reason
                )
                .into());
            }
        }
        Ok(())
    }

    /// Asks for the next best action of many invoices at once, in order.
    pub(super) async fn ask(&mut self, questions: &[Question]) -> Result<Vec<Advice>, Failure> {
        let requests: Vec<NextBestActionRequest> = questions
            .iter()
            .map(|question| NextBestActionRequest {
                request_id: format!("{}-{}", question.invoice_id, question.as_of.micros()),
                customer_id: question.customer_id.clone(),
                invoice_id: question.invoice_id.to_string(),
                as_of: Some(wire(question.as_of)),
                ..NextBestActionRequest::default()
            })
            .collect();
        let stream = tokio_stream::iter(requests);
        let mut answers = self
            .decisions
            .stream_next_best_actions(stream)
            .await?
            .into_inner();
        let mut advice = Vec::with_capacity(questions.len());
        while let Some(answer) = answers.next().await {
            match answer?.result {
                Some(Answered::Decision(decision)) => advice.push(read(decision)?),
                Some(Answered::Error(error)) => {
                    return Err(format!("a decision was refused: {}", error.message).into());
                }
                None => return Err("a decision was answered with nothing".into()),
            }
        }
        Ok(advice)
    }

    /// Confirms advice right before it is carried out: for each, whether to proceed.
    pub(super) async fn confirm(&self, advice: &[Advice]) -> Result<Vec<bool>, Failure> {
        let mut proceed = vec![false; advice.len()];
        let mut calls = JoinSet::new();
        for (place, one) in advice.iter().enumerate() {
            if calls.len() == CONCURRENT
                && let Some(done) = calls.join_next().await
            {
                let (place, status): (usize, Result<bool, tonic::Status>) = done?;
                proceed[place] = status?;
            }
            let mut client = self.decisions.clone();
            let request = ConfirmActionRequest {
                decision_id: one.decision_id.to_string(),
                as_of: Some(wire(one.send_at)),
            };
            calls.spawn(async move {
                let answer = client.confirm_action(request).await;
                let go = |status: i32| status == i32::from(ConfirmStatus::Proceed);
                (place, answer.map(|answer| go(answer.into_inner().status)))
            });
        }
        while let Some(done) = calls.join_next().await {
            let (place, status) = done?;
            proceed[place] = status?;
        }
        Ok(proceed)
    }
}

fn read(decision: NextBestActionResponse) -> Result<Advice, Failure> {
    let action = decision.action.ok_or("a decision has no action")?;
    let next_evaluation_at =
        time(decision.next_evaluation_at).ok_or("a decision has no next evaluation")?;
    Ok(Advice {
        decision_id: DecisionId::new(decision.decision_id)?,
        action: action.action_id.parse()?,
        send_at: time(action.send_at)
            .or(time(decision.decided_at))
            .unwrap_or(next_evaluation_at),
        next_evaluation_at,
        generation: decision.policy_generation,
    })
}
