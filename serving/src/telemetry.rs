//! What a running server says of itself as it goes: lines on stderr, and traces for a collector where one
//! is configured.
//!
//! ```text
//! call (server; rpc.method, rpc.grpc.status_code)     under the caller's `traceparent`, if it sent one
//!   ├─ decide     features, guardrails, scores, draw
//!   └─ append     until the log has it on disk
//! ```
//! A span names what was called and how it ended, never whom it was about. Without a collector no span is
//! made.

use crate::config::Traces;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::io::Error;
use tracing::{Instrument, Level, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Target of every span that is for a collector: the lines on stderr do without them.
const CALLS: &str = "lagom::calls";

/// What has to be ended with the process.
#[derive(Debug)]
pub(crate) struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Structured lines on stderr, of which `RUST_LOG` chooses how many, and traces for the collector. Called
    /// within the runtime that sends them.
    ///
    /// # Errors
    /// Where the collector's address cannot be used. One that does not answer is no error: what it should
    /// have got is dropped.
    pub(crate) fn start(traces: Option<&Traces>) -> Result<Self, Error> {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        let filter = filter.add_directive(format!("{CALLS}=off").parse().map_err(Error::other)?);
        let lines = tracing_subscriber::fmt::layer().json();
        let lines = lines.with_writer(std::io::stderr).with_filter(filter);
        let provider = traces.map(provider).transpose()?;
        let spans = provider.as_ref().map(|provider| {
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("lagom"));
            let layer = layer.with_location(false).with_threads(false);
            layer.with_filter(Targets::new().with_target(CALLS, Level::TRACE))
        });
        // A second subscriber in one process is refused; the first one is as good.
        let _ = tracing_subscriber::registry()
            .with(lines)
            .with(spans)
            .try_init();
        Ok(Self(provider))
    }

    /// Sends what is left.
    pub(crate) fn end(self) {
        if let Some(Err(error)) = self.0.map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

fn provider(traces: &Traces) -> Result<SdkTracerProvider, Error> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&traces.collector)
        .build()
        .map_err(Error::other)?;
    let share = Sampler::TraceIdRatioBased(traces.sample);
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(share)))
        .with_resource(Resource::builder().with_service_name("lagom").build())
        .build())
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Answers a call under a span of its own.
pub(crate) async fn called(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let span = tracing::trace_span!(
        target: CALLS,
        "call",
        otel.name = path.trim_start_matches('/'),
        otel.kind = "server",
        otel.status_code = field::Empty,
        rpc.system = "grpc",
        rpc.method = path,
        rpc.grpc.status_code = field::Empty,
    );
    if span.is_disabled() {
        return next.run(request).await;
    }
    let caller = TraceContextPropagator::new().extract(&Headers(request.headers()));
    // Refused only where no collector is configured.
    let _ = span.set_parent(caller);
    let response = next.run(request).instrument(span.clone()).await;
    // A call that failed says so in its head; one that went well, or a stream, in its tail.
    let status = response.headers().get("grpc-status");
    if let Some(status) = status.and_then(|status| status.to_str().ok()) {
        span.record("rpc.grpc.status_code", status);
        if status != "0" {
            span.record("otel.status_code", "ERROR");
        }
    }
    response
}

/// A span of a step within a call; none outside of one.
pub(crate) fn step(name: &'static str) -> Span {
    if Span::current().is_none() {
        return Span::none();
    }
    tracing::trace_span!(target: CALLS, "step", otel.name = name)
}
