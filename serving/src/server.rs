//! The running server: gRPC, pages, learner, and how they start and stop together.

mod ending;
mod gate;
mod incoming;
mod pages;
mod transport;
mod watching;

pub(crate) use transport::{Transport, serve};

use crate::config::Config;
use crate::engine::{BootError, Booted, Engine};
use crate::learner::Learner;
use crate::registry::{self, RegistryError};
use crate::services::{Decisions, Events, ExperimentsService, Models, Privacy};
use crate::store::{Store, StoreError};
use crate::tenants::Tenants;
use axum::middleware::from_fn_with_state;
use gate::{Gate, Tokens};
use lagom_model::decide::Predictor;
use lagom_proto::{DESCRIPTOR, v1};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle as Thread;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use transport::booting;

/// Largest message that is read, in bytes.
const LARGEST: usize = 4 << 20;

/// Why a server cannot start.
#[derive(Debug, Error)]
pub enum ServerError {
    /// An address cannot be listened on.
    #[error("[server] {what} = \"{address}\": {error}; is another server running there?")]
    Listen {
        /// `grpc` or `http`.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The store cannot be opened.
    #[error("[store]: {0}")]
    Store(#[from] StoreError),
    /// The engine cannot start.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// The certificates cannot be used.
    #[error("[server.tls]: {0}; are certificate and key of one pair, in PEM?")]
    Tls(tonic::transport::Error),
    /// A tenant's model cannot be read.
    #[error("[models]: {0}")]
    Registry(#[from] RegistryError),
    /// A thread cannot be started.
    #[error("starting the learner: {0}")]
    Thread(std::io::Error),
}

/// Starts servers.
#[derive(Debug)]
pub struct Server;

/// A server that runs until it is shut down.
#[derive(Debug)]
pub struct Running {
    /// Where gRPC is served.
    pub grpc_addr: SocketAddr,
    /// Where pages and metrics are served, if they are.
    pub http_addr: Option<SocketAddr>,
    tenants: Arc<Tenants>,
    stop: watch::Sender<bool>,
    health: HealthReporter,
    open: watch::Sender<pages::Door>,
    servers: Vec<JoinHandle<()>>,
    learners: Vec<Thread<()>>,
    /// How long it still answers after it was asked to end.
    drain: Duration,
}

impl Server {
    /// Opens the store of `config`, and that of every tenant its tokens name, and serves them, with
    /// `model` for propensity and churn of its own tenant if one is trained. Port 0 takes any free
    /// port. Health says NOT_SERVING until the logs are read.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start(
        config: Config,
        model: Option<Arc<dyn Predictor>>,
    ) -> Result<Running, ServerError> {
        let mut houses = Vec::new();
        for tenant in config.tenants() {
            let own = config.of_tenant(&tenant);
            let model = if tenant == config.tenant {
                model.clone()
            } else {
                registry::current(&own.models)?
            };
            let (place, whose) = (own.store.clone(), tenant);
            let open = tokio::task::spawn_blocking(move || place.open(&whose));
            let store = open.await.map_err(|_| StoreError::Closed)??;
            houses.push(House {
                config: own,
                store,
                model,
            });
        }
        Self::start_all(config, houses).await
    }

    /// Serves another store, for the one tenant of `config`.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start_on(
        config: Config,
        store: Arc<dyn Store>,
        model: Option<Arc<dyn Predictor>>,
    ) -> Result<Running, ServerError> {
        let house = House {
            config: config.clone(),
            store,
            model,
        };
        Self::start_all(config, vec![house]).await
    }

    async fn start_all(config: Config, houses: Vec<House>) -> Result<Running, ServerError> {
        warn_of_open_doors(&config);
        let (grpc, grpc_addr) = listen("grpc", config.grpc).await?;
        let grpc = Arc::new(grpc);
        let (stop, stopped) = watch::channel(false);
        let (open, door) = watch::channel(pages::Door::Shut);
        let mut servers = Vec::new();
        let mut http_addr = None;
        if let Some(address) = config.http {
            let (http, address) = listen("http", address).await?;
            http_addr = Some(address);
            let pages = pages::serve(http, door, stopped.clone());
            servers.push(tokio::spawn(pages));
        }
        let (health, health_service) = tonic_health::server::health_reporter();
        set_health(&health, ServingStatus::NotServing).await;
        let transport = Transport::of(&config)?;
        let booting = booting(
            &grpc,
            Routes::new(health_service.clone()),
            transport.clone(),
        );
        let mut booted = Vec::new();
        let mut failed = None;
        for house in houses {
            match boot(house).await {
                Ok(one) => booted.push(one),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        booting.end().await;
        if let Some(error) = failed {
            servers.iter().for_each(JoinHandle::abort);
            return Err(error.into());
        }
        for one in &booted {
            // What cannot be followed now is reported by whoever watches the registry.
            let _ = one.engine.follow().await;
        }
        let engines = booted.iter().map(|one| Arc::clone(&one.engine));
        let tenants = Arc::new(Tenants::new(engines));
        let gate = Arc::new(Gate::new(Tokens::new(&config.tokens), config.at_once));
        let routes = routes(&tenants).add_service(health_service);
        let guarded = from_fn_with_state(gate, gate::pass);
        let routes = Routes::from(routes.into_axum_router().layer(guarded));
        servers.push(tokio::spawn(serve(
            grpc,
            routes,
            transport,
            stopped.clone(),
        )));
        let mut learners = Vec::new();
        for one in booted {
            let watched = watching::models(Arc::clone(&one.engine), stopped.clone());
            servers.push(tokio::spawn(watched));
            if one.engine.store().shared().is_some() {
                let (engine, stopped) = (Arc::clone(&one.engine), stopped.clone());
                servers.push(tokio::spawn(async move { engine.keep_up(stopped).await }));
            }
            for work in [
                Engine::keep as Work,
                Engine::check,
                Engine::retire,
                Engine::add_up_ahead,
            ] {
                let thread = beside(&one.engine, stopped.clone(), work);
                learners.push(thread.map_err(ServerError::Thread)?);
            }
            let learner = Learner::new(one);
            learners.push(learn(learner, stopped.clone()).map_err(ServerError::Thread)?);
        }
        set_health(&health, ServingStatus::Serving).await;
        open.send_replace(pages::Door::Open(Arc::clone(&tenants)));
        tracing::info!(%grpc_addr, ?http_addr, tls = config.tls.is_some(), "serving");
        Ok(Running {
            grpc_addr,
            http_addr,
            tenants,
            stop,
            health,
            open,
            servers,
            learners,
            drain: config.drain,
        })
    }
}

/// What one tenant starts from.
struct House {
    config: Config,
    store: Arc<dyn Store>,
    model: Option<Arc<dyn Predictor>>,
}

/// An open port is a choice; nobody should make it without knowing.
fn warn_of_open_doors(config: &Config) {
    let mutual = config
        .tls
        .as_ref()
        .is_some_and(|tls| tls.client_ca.is_some());
    if !config.grpc.ip().is_loopback() && config.tokens.is_empty() && !mutual {
        tracing::warn!(
            address = %config.grpc,
            "anybody who reaches this address may do everything; configure [[server.tokens]]"
        );
    }
    if !config.tokens.is_empty() && config.tls.is_none() && !config.grpc.ip().is_loopback() {
        tracing::warn!(
            address = %config.grpc,
            "tokens cross the network in the clear; configure [server.tls]"
        );
    }
}

impl Running {
    /// What decides for the tenant `default`, or for the first where no token names that one.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        self.tenants.main()
    }

    /// What decides for each tenant.
    #[must_use]
    pub fn tenants(&self) -> &Arc<Tenants> {
        &self.tenants
    }

    /// Returns when everything that is due by the clock has been learnt.
    pub async fn settle(&self) {
        for engine in self.tenants.all() {
            let now = engine.clock().now();
            engine.pending().settled(now).await;
        }
    }
}

async fn listen(
    what: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), ServerError> {
    let failed = |error| ServerError::Listen {
        what,
        address,
        error,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok((listener, local))
}

fn routes(tenants: &Arc<Tenants>) -> Routes {
    use v1::decision_service_server::DecisionServiceServer;
    use v1::event_service_server::EventServiceServer;
    use v1::experiment_service_server::ExperimentServiceServer;
    use v1::model_service_server::ModelServiceServer;
    use v1::privacy_service_server::PrivacyServiceServer;
    let own = || Arc::clone(tenants);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR)
    };
    let decisions = DecisionServiceServer::new(Decisions(own()));
    let events = EventServiceServer::new(Events(own()));
    Routes::new(decisions.max_decoding_message_size(LARGEST))
        .add_service(events.max_decoding_message_size(LARGEST))
        .add_service(ExperimentServiceServer::new(ExperimentsService(own())))
        .add_service(ModelServiceServer::new(Models(own())))
        .add_service(PrivacyServiceServer::new(Privacy(own())))
        .add_service(
            reflection()
                .build_v1()
                .expect("the descriptor is compiled in"),
        )
        .add_service(
            reflection()
                .build_v1alpha()
                .expect("the descriptor is compiled in"),
        )
}

/// Reading the log may take a while and never waits, so it is kept off the threads that serve.
async fn boot(house: House) -> Result<Booted, BootError> {
    let runtime = tokio::runtime::Handle::current();
    let House {
        config,
        store,
        model,
    } = house;
    let boot = move || {
        runtime.block_on(async {
            let booted = Engine::boot(&config, store, model).await?;
            let snapshot = booted.engine.snapshot();
            booted.engine.add_up_now(&snapshot.parts().spec).await;
            Ok(booted)
        })
    };
    let booted = tokio::task::spawn_blocking(boot).await;
    booted.unwrap_or_else(|_| Err(StoreError::Closed.into()))
}

/// How nice what works in the background is: it gets a tenth of a processor that is asked for all the
/// time.
#[cfg(target_os = "linux")]
const BEHIND: i32 = 10;

/// Goes on until it should stop.
type Work = fn(&Engine, &dyn Fn() -> bool);

/// What reads and writes files all the time has a thread of its own, which gives way to those that
/// serve where there is not enough of the processors for all.
fn beside(
    engine: &Arc<Engine>,
    stop: watch::Receiver<bool>,
    work: Work,
) -> std::io::Result<Thread<()>> {
    let engine = Arc::clone(engine);
    let stopped = move || *stop.borrow() || stop.has_changed().is_err();
    std::thread::Builder::new()
        .name("lagom-keeper".to_owned())
        .spawn(move || {
            give_way();
            work(&engine, &stopped);
        })
}

/// Lowers the priority of the calling thread. Only where threads have priorities of their own.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, BEHIND) {
        tracing::debug!(%error, "the state is kept at the priority of serving");
    }
}

/// Fitting takes milliseconds of a core, so learning has a thread of its own, and timers that do not end
/// with those of whoever dropped the server.
fn learn(learner: Learner, stop: watch::Receiver<bool>) -> std::io::Result<Thread<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name("lagom-learner".to_owned())
        .spawn(move || runtime.block_on(learner.run(stop)))
}

/// Those whose health is told; the empty name stands for the whole server.
const SERVICES: [&str; 6] = [
    "",
    "lagom.v1.DecisionService",
    "lagom.v1.EventService",
    "lagom.v1.ExperimentService",
    "lagom.v1.ModelService",
    "lagom.v1.PrivacyService",
];

async fn set_health(health: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        health.set_service_status(service, status).await;
    }
}
