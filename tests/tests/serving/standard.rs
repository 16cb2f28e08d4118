//! What every gRPC server is expected to do.

use crate::house::House;
use lagom_tests::company;
use std::time::{Duration, Instant};
use tokio_stream::StreamExt;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

async fn reflect(house: &House, ask: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(ask),
    };
    let mut client = ServerReflectionClient::new(house.channel.clone());
    let answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await;
    let answer = answers.unwrap().into_inner().next().await.unwrap().unwrap();
    answer.message_response.unwrap()
}

#[tokio::test]
async fn services_describe_themselves() {
    let house = House::open("").await;
    let MessageResponse::ListServicesResponse(list) =
        reflect(&house, MessageRequest::ListServices(String::new())).await
    else {
        panic!("no list");
    };
    let names: Vec<String> = list.service.into_iter().map(|one| one.name).collect();
    for wanted in [
        "lagom.v1.DecisionService",
        "lagom.v1.EventService",
        "lagom.v1.ExperimentService",
        "lagom.v1.ModelService",
        "lagom.v1.PrivacyService",
        "grpc.reflection.v1.ServerReflection",
    ] {
        assert!(
            names.iter().any(|name| name == wanted),
            "{wanted} not in {names:?}"
        );
    }
    let symbol = "lagom.v1.NextBestActionRequest".to_owned();
    let MessageResponse::FileDescriptorResponse(files) =
        reflect(&house, MessageRequest::FileContainingSymbol(symbol)).await
    else {
        panic!("no file");
    };
    assert!(!files.file_descriptor_proto.is_empty());
}

#[tokio::test]
async fn health_is_told_for_the_server_and_each_service() {
    let house = House::open("").await;
    let mut client = HealthClient::new(house.channel.clone());
    for service in ["", "lagom.v1.DecisionService", "lagom.v1.EventService"] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = client.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let unknown = HealthCheckRequest {
        service: "lagom.v1.Nothing".to_owned(),
    };
    assert_eq!(
        client.check(unknown).await.unwrap_err().code(),
        tonic::Code::NotFound
    );
}

/// With delayed segments one caller gets 22 calls a second: fifty would take two.
#[tokio::test]
async fn one_caller_is_not_slowed_by_delayed_segments() {
    let house = House::open("").await;
    house.record(company::opening(1).events).await;
    let mut client = house.decisions();
    let mut ask = company::question(0);
    ask.dry_run = true;
    client.next_best_action(ask.clone()).await.unwrap();
    let start = Instant::now();
    for _ in 0..50 {
        client.next_best_action(ask.clone()).await.unwrap();
    }
    let took = start.elapsed();
    assert!(
        took < Duration::from_millis(1_500),
        "50 calls took {took:?}"
    );
}

/// A house that has given its first advice.
async fn decided_once() -> House {
    let house = House::open("").await;
    house.record(company::opening(1).events).await;
    house
        .decisions()
        .next_best_action(company::question(0))
        .await
        .unwrap();
    house
}

#[tokio::test]
async fn pages_and_metrics_are_there_and_name_nobody() {
    let house = decided_once().await;
    for path in ["/", "/healthz", "/readyz"] {
        assert!(house.page(path).await.starts_with("HTTP/1.1 200"), "{path}");
    }
    let metrics = house.page("/metrics").await;
    for wanted in [
        "dunning_decisions_total{",
        "dunning_events_total{tenant=\"default\"} 2",
        "dunning_outcomes_pending{tenant=\"default\"} 1",
    ] {
        assert!(metrics.contains(wanted), "no {wanted} in\n{metrics}");
    }
    assert!(
        !metrics.contains("c0") && !metrics.contains("i0"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_drained_server_frees_its_store_and_its_port() {
    let house = House::open("").await;
    let address = house.server.grpc_addr;
    let mut client = house.decisions();
    let House { server, folder, .. } = house;
    server.shutdown().await;
    assert!(client.next_best_action(company::question(0)).await.is_err());
    std::net::TcpListener::bind(address).unwrap();
    House::open_in(folder, "").await;
}

/// Every `dunning_…` name in a text.
fn metric_names(text: &str) -> std::collections::BTreeSet<&str> {
    let part = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let words = text.split(part);
    words.filter(|word| word.starts_with("dunning_")).collect()
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_for_what_is_there() {
    let dashboard = include_str!("../../../serving/operations/dashboard.json");
    let alerts = include_str!("../../../serving/operations/alerts.yml");
    serde_json::from_str::<serde_json::Value>(dashboard).unwrap();
    let house = House::open("").await;
    let metrics = house.page("/metrics").await;
    let asked = metric_names(dashboard);
    assert!(asked.len() >= 12, "{asked:?}");
    for name in asked.union(&metric_names(alerts)) {
        assert!(metrics.contains(&format!("# TYPE {name} ")), "no {name}");
    }
}

/// The names that dashboards of others rely on.
#[tokio::test]
async fn the_metrics_have_the_names_that_were_agreed() {
    let house = decided_once().await;
    let metrics = house.page("/metrics").await;
    for (name, kind) in [
        ("dunning_decisions_total", "counter"),
        ("dunning_decision_duration_seconds", "histogram"),
        ("dunning_fallback_decisions_total", "counter"),
        ("dunning_outcomes_total", "counter"),
        ("dunning_outcome_lag_seconds", "gauge"),
        ("dunning_log_write_errors_total", "counter"),
        ("dunning_policy_info", "gauge"),
        ("dunning_policy_loaded_timestamp_seconds", "gauge"),
        ("dunning_feature_missing_total", "counter"),
        ("dunning_propensity_ratio", "histogram"),
        ("dunning_exploration_ratio", "gauge"),
        ("dunning_contact_cap_hits_total", "counter"),
    ] {
        assert!(
            metrics.contains(&format!("# TYPE {name} {kind}\n")),
            "{name}"
        );
    }
    for sample in [
        "dunning_decision_duration_seconds_count{tenant=\"default\"} 1",
        "dunning_fallback_decisions_total{tenant=\"default\",reason=\"cold_start\"} 1",
        "dunning_outcomes_total{tenant=\"default\",kind=\"paid\"} 0",
        "dunning_feature_missing_total{tenant=\"default\",feature=\"",
        ",tone=\"",
    ] {
        assert!(metrics.contains(sample), "{sample} in {metrics}");
    }
}
