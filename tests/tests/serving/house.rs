//! A server in this process, with a folder of its own, and its clients.

use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::model_service_client::ModelServiceClient;
use lagom_proto::v1::{Event, NextBestActionResponse, RecordEventsRequest, RecordEventsResponse};
use lagom_serving::config::Config;
use lagom_serving::server::{Running, Server};
use lagom_tests::company::question;
use std::collections::HashMap;
use std::path::Path;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

/// A server that is gone when it is dropped.
pub(crate) struct House {
    pub(crate) server: Running,
    pub(crate) folder: TempDir,
    pub(crate) channel: Channel,
}

/// A configuration on free ports, with a store in `folder`.
pub(crate) fn config(folder: &Path, more: &str) -> Config {
    let text = format!("[server]\ngrpc = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n{more}");
    Config::parse(&text, folder, HashMap::new()).unwrap()
}

/// The settings, with the ways of their bandit taken up in spite of the gate.
pub(crate) fn in_spite(settings: &str) -> String {
    let config = config(Path::new(""), settings);
    let learning = config.nothing_learnt(config.spec.fingerprint()).unwrap();
    let ways = learning.generation().ways();
    format!("{settings}[bandit.in_spite]\nways = \"{ways}\"\nreason = \"a test\"\n")
}

pub(crate) async fn connect(server: &Running) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.grpc_addr)).unwrap();
    endpoint.connect().await.unwrap()
}

impl House {
    /// On the events' clock.
    pub(crate) async fn open(more: &str) -> Self {
        Self::open_in(
            TempDir::new().unwrap(),
            &format!("[clock]\nsource = \"events\"\n{more}"),
        )
        .await
    }

    pub(crate) async fn open_in(folder: TempDir, more: &str) -> Self {
        let server = Server::start(config(folder.path(), more), None)
            .await
            .unwrap();
        let channel = connect(&server).await;
        Self {
            server,
            folder,
            channel,
        }
    }

    /// Shuts down.
    pub(crate) async fn close(self) -> TempDir {
        let Self {
            server,
            folder,
            channel,
        } = self;
        drop(channel);
        server.shutdown().await;
        folder
    }

    /// Shuts down and starts again on the same store.
    pub(crate) async fn reopen(self, more: &str) -> Self {
        let folder = self.close().await;
        Self::open_in(folder, &format!("[clock]\nsource = \"events\"\n{more}")).await
    }

    pub(crate) fn decisions(&self) -> DecisionServiceClient<Channel> {
        DecisionServiceClient::new(self.channel.clone())
    }

    pub(crate) fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel.clone())
    }

    pub(crate) fn models(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channel.clone())
    }

    /// Records events; on the events' clock by their own times.
    pub(crate) async fn record(&self, events: Vec<Event>) -> RecordEventsResponse {
        let request = RecordEventsRequest {
            events,
            as_of: None,
        };
        self.events()
            .record_events(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// The answers to the questions about so many customers, in order.
    pub(crate) async fn answers(&self, customers: usize) -> Vec<NextBestActionResponse> {
        let mut all = Vec::new();
        for n in 0..customers {
            let answer = self.decisions().next_best_action(question(n)).await;
            all.push(answer.unwrap().into_inner());
        }
        all
    }

    /// A GET of a page.
    pub(crate) async fn page(&self, path: &'static str) -> String {
        use std::io::{Read, Write};
        let address = self.server.http_addr.unwrap();
        let get = move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        tokio::task::spawn_blocking(get).await.unwrap()
    }
}
