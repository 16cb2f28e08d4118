//! Pages and metrics over HTTP.

use crate::engine::Engine;
use crate::metrics::Gauges;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use maud::{DOCTYPE, html};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The engine, once the log is read and until the server drains.
pub(super) type Door = Option<Arc<Engine>>;

type Shared = State<watch::Receiver<Door>>;

pub(super) async fn serve(
    listener: TcpListener,
    door: watch::Receiver<Door>,
    mut stop: watch::Receiver<bool>,
) {
    let pages = Router::new()
        .route("/", get(overview))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
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

fn engine(door: &watch::Receiver<Door>) -> Result<Arc<Engine>, (StatusCode, &'static str)> {
    let engine = door.borrow().clone();
    engine.ok_or((StatusCode::SERVICE_UNAVAILABLE, "not ready\n"))
}

async fn ready(State(door): Shared) -> Result<&'static str, (StatusCode, &'static str)> {
    engine(&door).map(|_| "ok\n")
}

fn gauges(engine: &Engine) -> Gauges {
    let now = engine.clock().now();
    let first = engine.pending().first().filter(|due| *due < now);
    let snapshot = engine.snapshot();
    Gauges {
        customers: engine.customers(),
        pending: engine.pending().len(),
        waiting: engine.store().waiting(),
        generation: snapshot.parts().generation.number(),
        lag_seconds: first.map_or(0.0, |due| now.days_since(due) * 86_400.0),
        paused: snapshot.parts().paused,
    }
}

async fn metrics(State(door): Shared) -> Result<impl IntoResponse, (StatusCode, &'static str)> {
    let engine = engine(&door)?;
    let text = engine.metrics().text(&gauges(&engine));
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

async fn overview(State(door): Shared) -> Result<Html<String>, (StatusCode, &'static str)> {
    let engine = engine(&door)?;
    let gauges = gauges(&engine);
    let snapshot = engine.snapshot();
    let model = snapshot.model_id().unwrap_or("none yet");
    let rows = [
        ("Time", engine.clock().now().to_string()),
        ("Customers", gauges.customers.to_string()),
        (
            "Decisions since the start",
            engine.metrics().decisions_total().to_string(),
        ),
        (
            "Decisions whose outcome is awaited",
            gauges.pending.to_string(),
        ),
        ("Policy", snapshot.policy().name().to_owned()),
        (
            "Paused",
            if gauges.paused { "yes" } else { "no" }.to_owned(),
        ),
        ("Generation", gauges.generation.to_string()),
        ("Model", model.to_owned()),
        (
            "Actions in the catalogue",
            snapshot.strategy().catalogue().len().to_string(),
        ),
        ("Guardrails", snapshot.guardrails().pack().to_owned()),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "lagom" }
                style { (STYLE) }
            }
            body {
                main {
                    h1 { "lagom" }
                    p { "Not too little, not too much: the next best step for an unpaid invoice." }
                    table {
                        caption { "Now" }
                        tbody {
                            @for (name, value) in &rows {
                                tr { th scope="row" { (name) } td { (value) } }
                            }
                        }
                    }
                    p { a href="/metrics" { "Metrics" } }
                }
            }
        }
    };
    Ok(Html(page.into_string()))
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:44rem;padding:0 1rem}\
table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid}th{font-weight:400}";
