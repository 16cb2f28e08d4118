//! Traces reach a collector, under the caller's trace, and name nobody.

use lagom_proto::v1::RecordEventsRequest;
use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_tests::Server;
use lagom_tests::company::{opening, question};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes =
            (request.into_inner().resource_spans.into_iter()).flat_map(|one| one.scope_spans);
        self.0
            .lock()
            .unwrap()
            .extend(scopes.flat_map(|one| one.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_traced_to_a_collector_under_the_callers_trace() {
    let collector = Collector::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(collector.clone()))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);

    let folder = tempfile::tempdir().unwrap();
    let traced = format!(
        "[clock]\nsource = \"events\"\n[telemetry]\notlp = \"http://{address}\"\nsample = 0.0\n"
    );
    let server = Server::start(folder.path(), &traced);
    let channel = server.channel().await;
    let events = RecordEventsRequest {
        events: opening(2).events,
        as_of: None,
    };
    let mut ingest = EventServiceClient::new(channel.clone());
    ingest.record_events(events).await.unwrap();
    let mut decisions = DecisionServiceClient::new(channel);
    let with = |mut request: Request<lagom_proto::v1::NextBestActionRequest>| {
        let parent = format!("00-{TRACE}-{PARENT}-01");
        let headers = request.metadata_mut();
        headers.insert("traceparent", parent.parse().unwrap());
        request
    };
    let asked = decisions.next_best_action(with(Request::new(question(0))));
    asked.await.unwrap();
    // Nobody asks for a trace of this one, and none of those are sampled.
    decisions.next_best_action(question(1)).await.unwrap();
    let mut nobody = question(0);
    nobody.customer_id = "nobody".to_owned();
    nobody.request_id = "nobody".to_owned();
    let refused = decisions.next_best_action(with(Request::new(nobody)));
    refused.await.unwrap_err();

    // What has not been sent is sent before the process ends.
    let pid = server.pid().to_string();
    let asked = std::process::Command::new("kill").arg(&pid).status();
    assert!(asked.unwrap().success());
    assert!(
        tokio::task::spawn_blocking(|| server.ended_well())
            .await
            .unwrap()
    );
    tokio::time::sleep(Duration::from_millis(100)).await;

    let spans = collector.0.lock().unwrap().clone();
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE));
    let calls: Vec<&Span> = (spans.iter())
        .filter(|span| hex(&span.parent_span_id) == PARENT)
        .collect();
    assert_eq!(calls.len(), 2, "{spans:?}");
    let method = "lagom.v1.DecisionService/NextBestAction";
    assert!(calls.iter().all(|span| span.name == method), "{calls:?}");
    let failed = |span: &Span| span.status.as_ref().is_some_and(|status| status.code == 2);
    assert_eq!(calls.iter().filter(|span| failed(span)).count(), 1);
    let answered = calls.iter().find(|span| !failed(span)).unwrap();
    let mut steps: Vec<&str> = (spans.iter())
        .filter(|span| span.parent_span_id == answered.span_id)
        .map(|span| span.name.as_str())
        .collect();
    steps.sort_unstable();
    assert_eq!(steps, ["append", "decide"]);
    assert!(
        !format!("{spans:?}").contains("nobody"),
        "whom it was about"
    );
}
