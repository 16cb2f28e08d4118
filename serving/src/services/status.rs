//! The table from failures to statuses.

use crate::engine::Failure;
use crate::store::StoreError;
use std::time::Duration;
use tonic::{Code, Status};

/// How long a caller should wait before it tries again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pushback(pub(crate) Duration);

/// While too much waits for the disk.
const BUSY: Pushback = Pushback(Duration::from_millis(50));

/// While the store cannot be written.
const UNREACHABLE: Pushback = Pushback(Duration::from_millis(500));

/// `RESOURCE_EXHAUSTED`, with the advice when to try again.
pub(crate) fn shed(message: &str, pause: Pushback) -> Status {
    advise(Code::ResourceExhausted, message, pause)
}

/// A status with the advice when to try again that gRPC clients understand.
fn advise(code: Code, message: &str, pause: Pushback) -> Status {
    let mut status = Status::new(code, message);
    let millis = (pause.0.as_millis() + 1).to_string();
    if let Ok(millis) = millis.parse() {
        status
            .metadata_mut()
            .insert("grpc-retry-pushback-ms", millis);
    }
    status
}

pub(super) fn code(failure: &Failure) -> Code {
    match failure {
        Failure::Field(_) => Code::InvalidArgument,
        Failure::Unknown { .. } => Code::NotFound,
        Failure::Forbidden(_) => Code::FailedPrecondition,
        Failure::Store(StoreError::Full { .. }) => Code::ResourceExhausted,
        Failure::Store(StoreError::Damaged { .. } | StoreError::Misfiled { .. }) => Code::DataLoss,
        Failure::Store(StoreError::Duplicate { .. }) => Code::Aborted,
        Failure::Store(_) | Failure::Week(_) => Code::Unavailable,
        Failure::Internal(_) => Code::Internal,
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let code = code(&failure);
        match code {
            Code::ResourceExhausted => shed(&failure.to_string(), BUSY),
            Code::Unavailable => advise(code, &failure.to_string(), UNREACHABLE),
            _ => Status::new(code, failure.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::FieldFault;

    #[test]
    fn every_failure_has_its_status_and_keeps_its_words() {
        let io = StoreError::Io {
            doing: "writing the log",
            reason: "disk full".to_owned(),
        };
        for (failure, code, words) in [
            (
                FieldFault::new("events[3].fact.amount.minor_units", "-1 is negative").into(),
                Code::InvalidArgument,
                "events[3].fact.amount.minor_units: -1 is negative",
            ),
            (
                Failure::unknown("customer", &"c9"),
                Code::NotFound,
                "customer `c9` is not known",
            ),
            (
                Failure::Forbidden("SE.stage".to_owned()),
                Code::FailedPrecondition,
                "SE.stage",
            ),
            (io.into(), Code::Unavailable, "disk full"),
            (
                StoreError::Full { waiting: 4096 }.into(),
                Code::ResourceExhausted,
                "4096",
            ),
            (StoreError::Closed.into(), Code::Unavailable, "closed"),
        ] {
            let status = Status::from(failure);
            assert_eq!(status.code(), code);
            assert!(status.message().contains(words), "{status}");
            let advice = status.metadata().get("grpc-retry-pushback-ms").is_some();
            let waits = matches!(code, Code::ResourceExhausted | Code::Unavailable);
            assert_eq!(advice, waits);
        }
    }
}
