//! Who may come in: tokens, tenants, certificates, and how many at once.

use crate::house::config;
use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::model_service_client::ModelServiceClient;
use lagom_proto::v1::privacy_service_client::PrivacyServiceClient;
use lagom_proto::v1::{
    ConfirmActionRequest, EraseCustomerRequest, ExplainDecisionRequest, GetModelRequest,
    NextBestActionResponse, PausePolicyRequest,
};
use lagom_serving::server::{Running, Server};
use lagom_tests::company::{opening, question};
use std::path::Path;
use tempfile::TempDir;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// Digest of `acme-secret-of-32-characters-000`, as `b3sum` prints it, is written by the test.
fn tokens() -> String {
    let digest = blake3::hash(b"acme-secret-of-32-characters-000").to_hex();
    format!(
        r#"at_once = 64
[clock]
source = "events"
[[server.tokens]]
name = "billing"
token = "billing-secret-of-32-characters"
scopes = ["decide", "ingest"]
[[server.tokens]]
name = "reviewer"
token = "reviewer-secret-of-32-characters"
scopes = ["review"]
[[server.tokens]]
name = "operator"
token = "operator-secret-of-32-characters"
scopes = ["admin"]
[[server.tokens]]
name = "acme"
blake3 = "{digest}"
scopes = ["decide", "ingest", "admin"]
tenant = "acme"
[[server.tokens]]
name = "slow"
token = "slow-secret-of-32-characters-000"
scopes = ["review"]
per_second = 3
"#
    )
}

const BILLING: &str = "billing-secret-of-32-characters";
const REVIEWER: &str = "reviewer-secret-of-32-characters";
const OPERATOR: &str = "operator-secret-of-32-characters";
const ACME: &str = "acme-secret-of-32-characters-000";
const SLOW: &str = "slow-secret-of-32-characters-000";

fn code<T: std::fmt::Debug>(answer: Result<tonic::Response<T>, Status>) -> Status {
    answer.unwrap_err()
}

fn with<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer: MetadataValue<_> = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

async fn open(folder: &Path) -> (Running, Channel) {
    let server = Server::start(config(folder, &tokens()), None)
        .await
        .unwrap();
    let channel = crate::house::connect(&server).await;
    (server, channel)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_opens_what_its_scopes_name_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let (server, channel) = open(folder.path()).await;
    let mut decisions = DecisionServiceClient::new(channel.clone());
    let mut events = EventServiceClient::new(channel.clone());
    let mut models = ModelServiceClient::new(channel.clone());

    for token in [
        None,
        Some(""),
        Some("billing"),
        Some("billing-secret-of-32-characterz"),
        Some("billing-secret-of-32-characters "),
    ] {
        let request = match token {
            None => Request::new(question(0)),
            Some(token) => with(token, question(0)),
        };
        let refused = code(decisions.next_best_action(request).await);
        assert_eq!(refused.code(), Code::Unauthenticated, "{token:?}");
        assert!(!refused.message().contains("billing"), "{refused}");
    }
    let mut basic = Request::new(question(0));
    let scheme = format!("Basic {BILLING}").parse().unwrap();
    basic.metadata_mut().insert("authorization", scheme);
    let refused = code(decisions.next_best_action(basic).await);
    assert_eq!(refused.code(), Code::Unauthenticated);

    events
        .record_events(with(BILLING, opening(1)))
        .await
        .unwrap();
    let answer = decisions.next_best_action(with(BILLING, question(0))).await;
    let NextBestActionResponse { decision_id, .. } = answer.unwrap().into_inner();
    let explain = ExplainDecisionRequest {
        decision_id: decision_id.clone(),
    };
    for token in [BILLING, REVIEWER] {
        let explained = decisions
            .explain_decision(with(token, explain.clone()))
            .await;
        explained.unwrap();
    }
    let confirm = ConfirmActionRequest {
        decision_id,
        as_of: None,
    };
    let refused = code(decisions.confirm_action(with(REVIEWER, confirm)).await);
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("`reviewer` lacks"), "{refused}");
    let refused = code(
        decisions
            .next_best_action(with(OPERATOR, question(0)))
            .await,
    );
    assert_eq!(refused.code(), Code::PermissionDenied);
    let pause = PausePolicyRequest {
        reason: "a test".to_owned(),
    };
    for token in [BILLING, REVIEWER, SLOW] {
        let refused = models.pause_policy(with(token, pause.clone())).await;
        assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    }
    models.pause_policy(with(OPERATOR, pause)).await.unwrap();

    let mut health = HealthClient::new(channel);
    let asked = health.check(HealthCheckRequest::default()).await;
    asked.unwrap();
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_do_not_see_each_other() {
    let folder = TempDir::new().unwrap();
    let (server, channel) = open(folder.path()).await;
    let mut decisions = DecisionServiceClient::new(channel.clone());
    let mut events = EventServiceClient::new(channel.clone());
    let mut privacy = PrivacyServiceClient::new(channel.clone());
    events
        .record_events(with(BILLING, opening(1)))
        .await
        .unwrap();
    let answer = decisions.next_best_action(with(BILLING, question(0))).await;
    let ours = answer.unwrap().into_inner();

    // The same ids are other customers, other requests, other decisions.
    let asked = decisions.next_best_action(with(ACME, question(0))).await;
    assert_eq!(asked.unwrap_err().code(), Code::NotFound);
    let explain = ExplainDecisionRequest {
        decision_id: ours.decision_id.clone(),
    };
    let explained = decisions.explain_decision(with(ACME, explain)).await;
    assert_eq!(explained.unwrap_err().code(), Code::NotFound);
    let confirm = ConfirmActionRequest {
        decision_id: ours.decision_id.clone(),
        as_of: None,
    };
    let confirmed = decisions.confirm_action(with(ACME, confirm)).await;
    assert_eq!(confirmed.unwrap_err().code(), Code::NotFound);
    let recorded = events.record_events(with(ACME, opening(1))).await.unwrap();
    assert_eq!(
        recorded.into_inner().accepted,
        2,
        "not duplicates of another's"
    );
    let answer = decisions.next_best_action(with(ACME, question(0))).await;
    let theirs = answer.unwrap().into_inner();
    assert_ne!(theirs.decision_id, ours.decision_id);
    let erase = EraseCustomerRequest {
        customer_id: "c0".to_owned(),
    };
    privacy.erase_customer(with(ACME, erase)).await.unwrap();
    let again = decisions.next_best_action(with(BILLING, question(0))).await;
    assert_eq!(again.unwrap().into_inner(), ours, "ours is untouched");
    assert_eq!(server.tenants().all().count(), 2);
    server.shutdown().await;
    for (store, customers) in [("lagom.db", 1), ("lagom.acme.db", 0)] {
        let export = lagom_serving::export::export(&folder.path().join(store)).unwrap();
        assert_eq!(export.customers.len(), customers, "{store}");
        assert_eq!(export.decisions.len(), customers, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_may_call_as_often_as_its_rate_says() {
    let folder = TempDir::new().unwrap();
    let (server, channel) = open(folder.path()).await;
    let mut models = ModelServiceClient::new(channel);
    let mut refused = Vec::new();
    for _ in 0..20 {
        let asked = models
            .get_model(with(SLOW, GetModelRequest::default()))
            .await;
        // No model is in force, which is an answer too.
        let status = asked.unwrap_err();
        if status.code() == Code::ResourceExhausted {
            refused.push(status);
        }
    }
    assert!(refused.len() >= 14, "{} of 20 were refused", refused.len());
    let advice = refused[0].metadata().get("grpc-retry-pushback-ms");
    let wait: u64 = advice.unwrap().to_str().unwrap().parse().unwrap();
    assert!((1..=334).contains(&wait), "{wait}");
    for _ in 0..20 {
        let other = models
            .get_model(with(REVIEWER, GetModelRequest::default()))
            .await;
        assert_eq!(other.unwrap_err().code(), Code::NotFound);
    }
    server.shutdown().await;
}

const AUTHORITY: &str = include_str!("pki/authority.pem");

async fn secured(folder: &Path, mutual: bool) -> Running {
    for (name, text) in [
        ("server.pem", include_str!("pki/server.pem")),
        ("server.key", include_str!("pki/server.key")),
        ("authority.pem", AUTHORITY),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let ca = if mutual { "authority.pem" } else { "" };
    let tls = format!(
        "[server.tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_ca = \"{ca}\"\n"
    );
    Server::start(config(folder, &tls), None).await.unwrap()
}

/// Whether a caller with this configuration gets an answer.
async fn answered(server: &Running, scheme: &str, tls: Option<ClientTlsConfig>) -> bool {
    let address = format!("{scheme}://localhost:{}", server.grpc_addr.port());
    let mut endpoint = Endpoint::from_shared(address).unwrap();
    if let Some(tls) = tls {
        endpoint = endpoint.tls_config(tls).unwrap();
    }
    let Ok(channel) = endpoint.connect().await else {
        return false;
    };
    let mut client = HealthClient::new(channel);
    client.check(HealthCheckRequest::default()).await.is_ok()
}

fn trusting() -> ClientTlsConfig {
    ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(AUTHORITY))
        .domain_name("localhost")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_encrypted_and_callers_show_who_they_are() {
    let folder = TempDir::new().unwrap();
    let server = secured(folder.path(), false).await;
    assert!(answered(&server, "https", Some(trusting())).await);
    let blind = ClientTlsConfig::new().domain_name("localhost");
    assert!(
        !answered(&server, "https", Some(blind)).await,
        "unknown root"
    );
    assert!(!answered(&server, "http", None).await, "plain text");
    assert!(
        answered(&server, "https", Some(trusting())).await,
        "it goes on"
    );
    server.shutdown().await;

    let folder = TempDir::new().unwrap();
    let server = secured(folder.path(), true).await;
    let client = (
        include_str!("pki/client.pem"),
        include_str!("pki/client.key"),
    );
    let foreign = (
        include_str!("pki/foreign.pem"),
        include_str!("pki/foreign.key"),
    );
    let expired = (
        include_str!("pki/expired.pem"),
        include_str!("pki/expired.key"),
    );
    assert!(
        !answered(&server, "https", Some(trusting())).await,
        "nameless"
    );
    for ((certificate, key), welcome) in [(client, true), (foreign, false), (expired, false)] {
        let shown = trusting().identity(Identity::from_pem(certificate, key));
        assert_eq!(answered(&server, "https", Some(shown)).await, welcome);
    }
    server.shutdown().await;
}

/// More calls than there is room for: some are told to come again, none waits in vain, and the
/// rest get what they would have got.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_house_says_so_at_once() {
    let folder = TempDir::new().unwrap();
    let text = "at_once = 4\n[clock]\nsource = \"events\"\n";
    let server = Server::start(config(folder.path(), text), None)
        .await
        .unwrap();
    let channel = crate::house::connect(&server).await;
    let mut events = EventServiceClient::new(channel.clone());
    events.record_events(opening(200)).await.unwrap();
    let calls = (0..200).map(|n| {
        let mut client = DecisionServiceClient::new(channel.clone());
        tokio::spawn(async move { client.next_best_action(question(n)).await })
    });
    let calls: Vec<_> = calls.collect();
    let (mut decided, mut shed) = (0_usize, 0);
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => decided += 1,
            Err(status) => {
                assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
                assert!(status.metadata().get("grpc-retry-pushback-ms").is_some());
                shed += 1;
            }
        }
    }
    assert!(decided >= 4 && shed > 0, "{decided} decided, {shed} shed");
    assert_eq!(server.engine().pending().len(), decided);
    let mut client = DecisionServiceClient::new(channel);
    client.next_best_action(question(0)).await.unwrap();
    server.shutdown().await;
}
