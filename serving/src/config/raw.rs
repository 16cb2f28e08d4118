//! What stands in the sections of `lagom.toml` that belong to serving, unchecked.

use super::access::{TlsSpec, TokenSpec};
use lagom_features::domain::Channel;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSpec {
    /// Address and port of gRPC.
    pub grpc: String,
    /// Address and port of pages and metrics; empty for none.
    pub http: String,
    /// Longest time a unary call may take, in milliseconds.
    pub deadline_ms: u64,
    /// Calls that may be under way at once; whoever comes later is told to come again.
    pub at_once: usize,
    /// Seconds for which a server that was asked to end by SIGTERM still answers, while health says that
    /// callers should go elsewhere.
    pub drain_seconds: u16,
    /// Certificates; calls are in the clear if absent.
    pub tls: Option<TlsSpec>,
    /// Who may call.
    pub tokens: Vec<TokenSpec>,
}

impl Default for ServerSpec {
    fn default() -> Self {
        Self {
            grpc: "127.0.0.1:50051".to_owned(),
            http: "127.0.0.1:8080".to_owned(),
            deadline_ms: 10_000,
            at_once: 1_024,
            drain_seconds: 0,
            tls: None,
            tokens: Vec::new(),
        }
    }
}

/// `[telemetry]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TelemetrySpec {
    /// Address of a collector that takes OTLP over gRPC; empty for none.
    pub(super) otlp: String,
    /// Share of the calls that are traced where the caller does not say.
    pub(super) sample: f64,
}

impl Default for TelemetrySpec {
    fn default() -> Self {
        Self {
            otlp: String::new(),
            sample: 1.0,
        }
    }
}

/// Where traces go, and how many.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// Address of a collector that takes OTLP over gRPC.
    pub collector: String,
    /// Share of the calls that are traced where the caller does not say, in `[0, 1]`.
    pub sample: f64,
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StoreSpec {
    /// `file:PATH` or `postgres://…`.
    pub(super) url: String,
    /// Certificates, in PEM, that the database's may be signed by beside the system's.
    pub(super) ca: Option<PathBuf>,
    /// Records of a file's log after which the state that it adds up to is kept anew beside it.
    pub(super) state_every: u32,
    /// Customers whose histories are held in memory, once the others can be read from there.
    pub(super) in_memory: usize,
}

/// How the state of a log is kept beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// Records after which it is kept anew; at a start at most about so many are read again.
    pub every: u32,
    /// Customers whose histories are held in memory at most, those in use left aside.
    pub in_memory: usize,
}

impl Default for StoreSpec {
    fn default() -> Self {
        Self {
            url: "file:lagom.db".to_owned(),
            ca: None,
            state_every: 100_000,
            in_memory: 200_000,
        }
    }
}

/// `[retention]`: how long data is kept of customers who are heard of no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSpec {
    /// Days after which a customer of whom nothing was recorded or decided is erased, as by
    /// `EraseCustomer`; without it nobody is.
    pub idle_days: Option<u32>,
}

/// `[clock]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ClockSpec {
    /// `wall` or `events`.
    pub(super) source: crate::clock::Source,
}

/// `[models]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ModelsSpec {
    /// Folder of the registry.
    pub(super) dir: String,
}

impl Default for ModelsSpec {
    fn default() -> Self {
        Self {
            dir: "models".to_owned(),
        }
    }
}

/// `[features]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FeaturesSpec {
    /// File of the feature spec; the built-in one if empty.
    pub(super) spec: String,
}

/// `[learning]`: when outcomes are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearningSpec {
    /// Days after a decision in which what happens counts as its outcome; 1 to 365.
    pub window_days: u16,
    /// Hours after the window in which late reports of it are waited for.
    pub grace_hours: u16,
    /// Days after which an outcome counts half; without it every outcome counts for ever.
    pub half_life_days: Option<u16>,
    /// What exploring may cost in a day, in minor units; without it only the rule and the floor bound it.
    pub exploration_budget_minor: Option<u64>,
    /// How many messages a day each scarce channel can carry; the others are not scarce.
    pub capacity_per_day: BTreeMap<Channel, u32>,
}

impl LearningSpec {
    /// The half-life as the policy takes it.
    #[must_use]
    pub fn half_life(&self) -> Option<f64> {
        self.half_life_days.map(f64::from)
    }

    /// The budget of exploration as the policy takes it.
    #[must_use]
    pub fn exploration_budget(&self) -> Option<f64> {
        self.exploration_budget_minor.map(|minor| minor as f64)
    }
}

impl Default for LearningSpec {
    fn default() -> Self {
        Self {
            window_days: 30,
            grace_hours: 24,
            half_life_days: None,
            exploration_budget_minor: None,
            capacity_per_day: BTreeMap::new(),
        }
    }
}
