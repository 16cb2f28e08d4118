//! Pages and metrics over HTTP.

use crate::engine::{Engine, Failure};
use crate::explain::explain;
use crate::metrics::{self, Gauges};
use crate::pages::overview::{self, Overview};
use crate::pages::policies::{Policies, Version};
use crate::pages::{
    Reader, decision, experiments, forecast, ledger as ledger_page, model, policies, review, shell,
};
use crate::registry::{self, RegistryError};
use crate::reviews;
use crate::tenants::Tenants;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use lagom_features::domain::DecisionId;
use lagom_model::artefact::ModelVersion;
use lagom_model::card::Card;
use maud::Markup;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Who may come in.
#[derive(Debug, Clone)]
pub(super) enum Door {
    /// The logs are not read yet, or the server drains.
    Shut,
    /// The engines decide.
    Open(Arc<Tenants>),
    /// They still do, but callers are asked to go elsewhere.
    Leaving(Arc<Tenants>),
}

type Shared = State<watch::Receiver<Door>>;

/// Reviews by experiment, and the ledger, as they were shown last.
#[derive(Default)]
struct Reviews {
    experiments: reviews::Shown<reviews::Reviewed>,
    ledger: reviews::Shown<String>,
}

type Refusal = (StatusCode, &'static str);

const NOT_READY: Refusal = (StatusCode::SERVICE_UNAVAILABLE, "not ready\n");

pub(super) async fn serve(
    listener: TcpListener,
    door: watch::Receiver<Door>,
    mut stop: watch::Receiver<bool>,
) {
    let pages = Router::new()
        .route("/", get(front))
        .route("/ledger", get(ledger))
        .route("/experiments", get(list))
        .route("/ledger.json", get(ledger_numbers))
        .route("/experiments/{name}", get(experiment))
        .route("/experiments/{name}/review.json", get(review_numbers))
        .route("/decisions/{id}", get(decided))
        .route("/models/{id}", get(version))
        .route("/policies", get(all_policies))
        .route("/forecast", get(expected))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(numbers))
        .layer(Extension(Arc::new(Reviews::default())))
        .with_state(door);
    let stopped = async move {
        // An error means that the server was dropped, which ends it too.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let served = axum::serve(listener, pages).with_graceful_shutdown(stopped);
    if let Err(error) = served.await {
        tracing::error!(%error, "the pages have ended");
    }
}

fn tenants(door: &watch::Receiver<Door>) -> Result<Arc<Tenants>, Refusal> {
    match &*door.borrow() {
        Door::Open(tenants) | Door::Leaving(tenants) => Ok(Arc::clone(tenants)),
        Door::Shut => Err(NOT_READY),
    }
}

/// Pages show the tenant `default`; what they show of others would need to know who looks.
fn engine(door: &watch::Receiver<Door>) -> Result<Arc<Engine>, Refusal> {
    tenants(door).map(|tenants| Arc::clone(tenants.main()))
}

async fn ready(State(door): Shared) -> Result<&'static str, Refusal> {
    match &*door.borrow() {
        Door::Open(_) => Ok("ok\n"),
        Door::Leaving(_) | Door::Shut => Err(NOT_READY),
    }
}

fn gauges(engine: &Engine) -> Gauges {
    let now = engine.clock().now();
    let first = engine.pending().first().filter(|due| *due < now);
    let snapshot = engine.snapshot();
    let config = engine.config();
    let names = config.spec.names();
    Gauges {
        features: names.into_iter().map(str::to_owned).collect(),
        model: snapshot.model_id().map(str::to_owned),
        digest: snapshot.parts().generation.digest().to_string(),
        loaded_seconds: engine.loaded_at(),
        customers: engine.customers(),
        in_memory: engine.customers_in_memory(),
        degraded: engine.is_degraded(),
        pending: engine.pending().len(),
        waiting: engine.store().waiting(),
        generation: snapshot.parts().generation.number(),
        lag_seconds: first.map_or(0.0, |due| now.days_since(due) * 86_400.0),
        paused: snapshot.parts().paused,
        candidate: engine.candidate(),
        standing: engine.standing(),
    }
}

async fn numbers(State(door): Shared) -> Result<impl IntoResponse, Refusal> {
    let tenants = tenants(&door)?;
    let each = tenants.all().map(|engine| {
        let tenant = engine.tenant().as_str();
        (tenant, engine.metrics(), gauges(engine))
    });
    let text = metrics::text(each);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

/// A page, with the header that lets it load nothing.
fn reply(page: &Markup) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            shell::CONTENT_SECURITY_POLICY,
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::VARY, "accept-language"),
    ];
    (headers, page.clone().into_string()).into_response()
}

async fn front(State(door): Shared, reader: Reader) -> Result<Response, Refusal> {
    let engine = engine(&door)?;
    let gauges = gauges(&engine);
    let snapshot = engine.snapshot();
    let change = engine.policy_change().filter(|_| gauges.paused);
    let running = engine.experiments();
    let experiments = running.specs().iter().map(|spec| {
        let arms = spec.arms.iter();
        let arms = arms.map(|arm| (arm.name.clone(), arm.share * spec.share));
        (spec.name.clone(), arms.collect())
    });
    let now = Overview {
        now: engine.clock().now().to_string(),
        policy: snapshot.policy().name().to_owned(),
        paused: gauges
            .paused
            .then(|| change.map_or(String::new(), |change| change.reason)),
        generation: gauges.generation,
        model: snapshot.model_id().map(str::to_owned),
        guardrails: snapshot.guardrails().pack().to_owned(),
        actions: snapshot.strategy().catalogue().len(),
        customers: gauges.customers as u64,
        decisions: engine.metrics().decisions_total(),
        by_policy: engine.metrics().by_policy(),
        pending: gauges.pending as u64,
        lag_seconds: gauges.lag_seconds,
        blocked: engine.metrics().most_refusing(),
        holdout: running.holdout().share,
        experiments: experiments.collect(),
    };
    Ok(reply(&overview::render(&reader, &now)))
}

async fn list(State(door): Shared, reader: Reader) -> Result<Response, Refusal> {
    let engine = engine(&door)?;
    let page = experiments::render(&reader, engine.experiments().specs());
    Ok(reply(&page))
}

async fn ledger(
    State(door): Shared,
    Extension(shown): Extension<Arc<Reviews>>,
    reader: Reader,
) -> Result<Response, Refusal> {
    let engine = engine(&door)?;
    if engine.experiments().holdout().share == 0.0 {
        return Ok(reply(&ledger_page::without_holdout(&reader)));
    }
    let counted = shown.ledger.or("", reviews::ledger(engine)).await;
    let page =
        counted.and_then(|json| ledger_page::render(&reader, &json).map_err(Failure::Internal));
    Ok(match page {
        Ok(page) => reply(&page),
        Err(failure) => refuse(&reader, &failure),
    })
}

async fn experiment(
    State(door): Shared,
    Path(name): Path<String>,
    Extension(shown): Extension<Arc<Reviews>>,
    reader: Reader,
) -> Result<Response, Refusal> {
    let engine = engine(&door)?;
    let review = reviews::review(engine, name.clone(), None);
    let reviewed = shown.experiments.or(&name, review).await;
    let page = reviewed.and_then(|one| {
        review::render(&reader, &one.json, &one.recompute).map_err(Failure::Internal)
    });
    Ok(match page {
        Ok(page) => reply(&page),
        Err(failure) => refuse(&reader, &failure),
    })
}

/// The numbers of a page, byte by byte those that its digest stands for.
fn numbers_of(found: Result<String, Failure>) -> Response {
    match found {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(failure) => (status(&failure), failure.to_string()).into_response(),
    }
}

async fn ledger_numbers(
    State(door): Shared,
    Extension(shown): Extension<Arc<Reviews>>,
) -> Result<Response, Refusal> {
    let engine = engine(&door)?;
    Ok(numbers_of(
        shown.ledger.or("", reviews::ledger(engine)).await,
    ))
}

async fn review_numbers(
    State(door): Shared,
    Path(name): Path<String>,
    Extension(shown): Extension<Arc<Reviews>>,
) -> Result<Response, Refusal> {
    let review = reviews::review(engine(&door)?, name.clone(), None);
    let reviewed = shown.experiments.or(&name, review).await;
    Ok(numbers_of(reviewed.map(|one| one.json)))
}

async fn decided(
    State(door): Shared,
    Path(id): Path<String>,
    reader: Reader,
) -> Result<Response, Refusal> {
    let engine = engine(&door)?;
    let found = match DecisionId::new(&id) {
        Ok(id) => engine.decision(&id).await,
        Err(_) => Err(Failure::unknown("decision", &id)),
    };
    Ok(match found {
        Ok(found) => {
            let explained = engine.explained(&found).await;
            let why = explain(
                &found,
                engine.wording(&found),
                &engine.snapshot(),
                explained.as_ref(),
            );
            reply(&decision::render(&reader, &why))
        }
        Err(failure) => refuse(&reader, &failure),
    })
}

async fn version(
    State(door): Shared,
    Path(id): Path<String>,
    reader: Reader,
) -> Result<Response, Refusal> {
    let dir = engine(&door)?.config().models.clone();
    let name = id.clone();
    let read = tokio::task::spawn_blocking(move || {
        let version = registry::version(&dir, &id)?;
        let parent = version.parts().lineage.parent.as_deref();
        // What came before may have been cleared away; the card then stands alone.
        let before = parent.and_then(|id| registry::version(&dir, id).ok());
        let judged = registry::judged(&dir, &id)?;
        Ok(Card::of(&version, before.as_ref()).with_gate(judged.as_ref()))
    });
    let card = match read.await {
        Ok(Ok(card)) => Ok(card),
        Ok(Err(RegistryError::Unknown(_))) => Err(Failure::unknown("model", &name)),
        Ok(Err(error)) => Err(Failure::Internal(error.to_string())),
        Err(error) => Err(Failure::Internal(error.to_string())),
    };
    Ok(match card {
        Ok(card) => reply(&model::render(&reader, &card)),
        Err(failure) => refuse(&reader, &failure),
    })
}

async fn all_policies(State(door): Shared, reader: Reader) -> Result<Response, Refusal> {
    let engine = engine(&door)?;
    let dir = engine.config().models.clone();
    let standing = engine.standing();
    let read = tokio::task::spawn_blocking(move || {
        let version = |version: ModelVersion| {
            let id = version.id().to_owned();
            Ok(Version {
                as_of: version.parts().lineage.as_of,
                judged: registry::judged(&dir, &id)?,
                id,
            })
        };
        let versions = registry::list(&dir)?.into_iter().map(version);
        Ok::<_, RegistryError>(Policies {
            pointers: registry::pointers(&dir)?,
            versions: versions.collect::<Result<_, RegistryError>>()?,
            standing,
        })
    });
    let found = match read.await {
        Ok(found) => found.map_err(|error| Failure::Internal(error.to_string())),
        Err(error) => Err(Failure::Internal(error.to_string())),
    };
    Ok(match found {
        Ok(found) => reply(&policies::render(&reader, &found)),
        Err(failure) => refuse(&reader, &failure),
    })
}

async fn expected(State(door): Shared, reader: Reader) -> Result<Response, Refusal> {
    let dir = engine(&door)?.config().models.clone();
    let read = tokio::task::spawn_blocking(move || registry::last_forecast(&dir));
    let found = match read.await {
        Ok(found) => found.map_err(|error| Failure::Internal(error.to_string())),
        Err(error) => Err(Failure::Internal(error.to_string())),
    };
    Ok(match found {
        Ok(found) => reply(&forecast::render(&reader, found.as_ref())),
        Err(failure) => refuse(&reader, &failure),
    })
}

const fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Unknown { .. } => StatusCode::NOT_FOUND,
        Failure::Forbidden(_) => StatusCode::CONFLICT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn refuse(reader: &Reader, failure: &Failure) -> Response {
    (
        status(failure),
        reply(&experiments::refusal(reader, &failure.to_string())),
    )
        .into_response()
}
