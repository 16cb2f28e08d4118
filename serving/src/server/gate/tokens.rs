//! Bearer tokens: each has scopes, a tenant and perhaps a rate. Without any, whoever reaches the
//! port may do everything, which is why the port is on the loopback unless it is configured.

use super::bucket::Bucket;
use crate::config::{Scope, Token};
use crate::services::{Pushback, shed};
use axum::http::{HeaderMap, header};
use lagom_features::domain::TenantId;
use std::time::Instant;
use tonic::Status;

/// The tokens that are accepted.
#[derive(Debug)]
pub(crate) struct Tokens(Vec<Known>);

#[derive(Debug)]
struct Known {
    token: Token,
    bucket: Option<Bucket>,
}

impl Tokens {
    pub(crate) fn new(tokens: &[Token]) -> Self {
        let now = Instant::now();
        let known = tokens.iter().map(|token| Known {
            bucket: token.per_second.map(|rate| Bucket::new(rate, now)),
            token: token.clone(),
        });
        Self(known.collect())
    }

    /// The tenant of whoever calls `path` with these headers.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `PERMISSION_DENIED` or `RESOURCE_EXHAUSTED`.
    pub(super) fn admit(&self, headers: &HeaderMap, path: &str) -> Result<TenantId, Status> {
        if self.0.is_empty() {
            return Ok(TenantId::default());
        }
        let known = self.find(headers)?;
        let needed = needed(path);
        let scopes = &known.token.scopes;
        if !needed.is_empty() && !needed.iter().any(|scope| scopes.contains(scope)) {
            let names: Vec<&str> = needed.iter().map(|scope| scope.name()).collect();
            return Err(Status::permission_denied(format!(
                "token `{}` lacks the scope {}",
                known.token.name,
                names.join(" or ")
            )));
        }
        if let Some(bucket) = &known.bucket {
            bucket.take(Instant::now()).map_err(|wait| {
                let message = format!(
                    "token `{}` may make {} calls a second; come again in {} ms",
                    known.token.name,
                    known.token.per_second.unwrap_or(0),
                    wait.as_millis() + 1
                );
                shed(&message, Pushback(wait))
            })?;
        }
        Ok(known.token.tenant.clone())
    }

    fn find(&self, headers: &HeaderMap) -> Result<&Known, Status> {
        let missing = || {
            Status::unauthenticated(
                "send metadata `authorization: Bearer TOKEN` with a known token",
            )
        };
        let given = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
        let given = given.as_bytes();
        let token = match given.get(..7) {
            Some(scheme) if scheme.eq_ignore_ascii_case(b"bearer ") => &given[7..],
            _ => return Err(missing()),
        };
        // Digests are compared, in constant time and with every token, so that nothing of a token
        // can be learnt from how long a refusal takes.
        let digest = blake3::hash(token);
        let mut found = None;
        for known in &self.0 {
            if known.token.digest == digest {
                found = Some(known);
            }
        }
        found.ok_or_else(missing)
    }
}

/// The scopes of which one is needed; none means that any token will do. What is not known here
/// needs the highest.
fn needed(path: &str) -> &'static [Scope] {
    let (service, method) = path
        .strip_prefix("/lagom.v1.")
        .and_then(|path| path.split_once('/'))
        .unwrap_or((path, ""));
    match (service, method) {
        ("DecisionService", "ExplainDecision") => &[Scope::Decide, Scope::Review],
        ("DecisionService", _) => &[Scope::Decide],
        ("EventService", _) => &[Scope::Ingest],
        ("ExperimentService", _) | ("ModelService", "GetModel" | "ListModels") => {
            &[Scope::Review, Scope::Admin]
        }
        (other, _) if other.starts_with("/grpc.reflection.") => &[],
        _ => &[Scope::Admin],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_needs_the_highest_scope() {
        for path in [
            "/lagom.v1.PrivacyService/EraseCustomer",
            "/lagom.v1.ModelService/PausePolicy",
            "/lagom.v1.NewService/Anything",
            "/other/Thing",
            "",
        ] {
            assert_eq!(needed(path), [Scope::Admin], "{path}");
        }
        assert_eq!(
            needed("/lagom.v1.EventService/RecordEvents"),
            [Scope::Ingest]
        );
        assert!(needed("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo").is_empty());
    }
}
