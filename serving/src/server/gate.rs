//! The door of the gRPC server: who may come in, to do what, how often, and how many at once.
//! Everything is judged by the head of a call, before its message is read.

mod bucket;
mod patience;
mod tokens;

pub(crate) use tokens::Tokens;

use crate::services::{Pushback, shed};
use crate::telemetry;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use lagom_features::domain::TenantId;
use patience::Patience;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::Status;

/// What callers are allowed.
#[derive(Debug)]
pub(super) struct Gate {
    tokens: Tokens,
    room: Semaphore,
    patience: Patience,
}

/// A call that may go on. Dropped, it makes room for the next.
struct Admitted<'a> {
    tenant: TenantId,
    _room: Option<SemaphorePermit<'a>>,
}

impl Gate {
    /// At most `at_once` calls at once, by these tokens.
    pub(super) fn new(tokens: Tokens, at_once: usize) -> Self {
        Self {
            tokens,
            room: Semaphore::new(at_once.min(Semaphore::MAX_PERMITS)),
            patience: Patience::new(Instant::now()),
        }
    }

    fn admit(&self, request: &Request) -> Result<Admitted<'_>, Status> {
        let path = request.uri().path();
        // Orchestrators ask for health without a token, and a full house must not look dead.
        if path.starts_with("/grpc.health.v1.Health/") {
            return Ok(Admitted {
                tenant: TenantId::default(),
                _room: None,
            });
        }
        let tenant = self.tokens.admit(request.headers(), path)?;
        let now = Instant::now();
        let room = self.room.try_acquire().map_err(|_| {
            shed(
                "too many calls are under way; come again in a moment",
                Pushback(self.patience.refused(now)),
            )
        })?;
        self.patience.admitted(now);
        Ok(Admitted {
            tenant,
            _room: Some(room),
        })
    }
}

/// Lets a call through, with the tenant it belongs to, or answers in its place. A stream counts
/// until it has begun; from there it is slowed by its own flow control.
pub(super) async fn pass(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    let admitted = match gate.admit(&request) {
        Ok(admitted) => admitted,
        Err(status) => return status.into_http(),
    };
    request.extensions_mut().insert(admitted.tenant.clone());
    telemetry::called(request, next).await
}
