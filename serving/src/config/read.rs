//! From a text and the environment to a valid configuration.

mod faults;
mod sections;

use super::access::{Tls, Token};
use super::locate::{line_at, misreading};
use super::raw::{
    ClockSpec, FeaturesSpec, Keeping, LearningSpec, ModelsSpec, ServerSpec, StoreSpec,
    TelemetrySpec,
};
use super::{Config, ConfigFault, InSpite};
use crate::experiment::{ExperimentSpec, Experiments, HoldoutSpec};
use config::{Environment, File, FileFormat};
use lagom_features::domain::TenantId;
use lagom_model::bandit::BanditConfig;
use lagom_model::decide::{ColdStart, Pace, PolicyKind};
use lagom_model::guardrails::GuardrailsSpec;
use lagom_model::objective::Objective;
use lagom_model::policy::context::{Context, ContextEntry, default_entries};
use lagom_model::policy::heads::HEADS;
use lagom_model::policy::learning::with_spans;
use lagom_model::rollout::guard::GuardSpec;
use lagom_model::strategy::StrategySpec;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toml::{Table, Value};

/// Every section that may stand in the file.
const SECTIONS: &str = "server, store, clock, models, features, objective, strategy, guardrails, \
                        bandit, pace, learning, retention, rollout, experiments, holdout, telemetry, \
                        training";

/// Seconds for which a server that is to end may answer: longer is a typing error, and a supervisor would
/// have killed it before.
const LONGEST_DRAIN: u16 = 3_600;

/// The sections that have not been read yet, and the faults of those that have.
struct Reader<'a> {
    text: &'a str,
    sections: Table,
    faults: Vec<ConfigFault>,
}

pub(super) fn read(
    text: &str,
    folder: &Path,
    environment: HashMap<String, String>,
) -> Result<Config, Vec<ConfigFault>> {
    let sections = merged(text, environment)?;
    let mut reader = Reader {
        text,
        sections,
        faults: Vec::new(),
    };
    let config = reader.config(folder);
    reader.no_other_sections();
    match config {
        Some(config) if reader.faults.is_empty() => Ok(config),
        _ => Err(reader.faults),
    }
}

/// The file's sections under the overrides.
fn merged(text: &str, environment: HashMap<String, String>) -> Result<Table, Vec<ConfigFault>> {
    if let Err(error) = text.parse::<Table>() {
        let line = error.span().map(|span| line_at(text, span.start));
        let what = error.message().to_owned();
        return Err(vec![ConfigFault { line, what }]);
    }
    let overrides = Environment::with_prefix("LAGOM")
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .source(Some(environment));
    config::Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .add_source(overrides)
        .build()
        .and_then(config::Config::try_deserialize)
        .map_err(|error| {
            let what = error.to_string();
            vec![ConfigFault { line: None, what }]
        })
}

impl Reader<'_> {
    fn config(&mut self, folder: &Path) -> Option<Config> {
        let server: ServerSpec = self.section("server");
        let store: StoreSpec = self.section("store");
        let clock: ClockSpec = self.section("clock");
        let models: ModelsSpec = self.section("models");
        let features: FeaturesSpec = self.section("features");
        let objective: Objective = self.section("objective");
        let strategy: StrategySpec = self.section("strategy");
        let guardrails: GuardrailsSpec = self.section("guardrails");
        let pace: Pace = self.section("pace");
        let learning: LearningSpec = self.section("learning");
        let retention = self.retention(&learning);
        let rollout: GuardSpec = self.section("rollout");
        let telemetry: TelemetrySpec = self.section("telemetry");
        let policy = self.part("policy").unwrap_or(PolicyKind::Bandit);
        let cold_start: ColdStart = self.part("cold_start").unwrap_or_default();
        let in_spite: Option<InSpite> = self.part("in_spite");
        let entries: Vec<ContextEntry> = self.part("context").unwrap_or_else(default_entries);
        let bandit: BanditConfig = with_spans(self.section("bandit"));
        let mut experiments: Vec<ExperimentSpec> = self.list("experiments");
        let holdout: HoldoutSpec = self.section("holdout");
        experiments
            .iter_mut()
            .for_each(|spec| self.files_of(spec, folder));
        // How to train is not this crate's to know: whoever trains reads and checks it.
        self.sections.remove("training");

        let grpc = self.address("grpc", &server.grpc);
        let http = match server.http.as_str() {
            "" => None,
            http => self.address("http", http),
        };
        let tls = server.tls.as_ref().map(|tls| Tls::read(tls, folder));
        let tls = tls.and_then(|read| self.check(read));
        let tokens = server.tokens.iter().map(Token::read);
        let tokens: Vec<Token> = tokens.filter_map(|read| self.check(read)).collect();
        if server.at_once == 0 {
            self.fault("server", "at_once", "0 lets nobody in");
        }
        if server.drain_seconds > LONGEST_DRAIN {
            let seconds = server.drain_seconds;
            let what = format!("{seconds} must lie in 0 to {LONGEST_DRAIN}");
            self.fault("server", "drain_seconds", &what);
        }
        self.check(objective.check());
        self.check(
            bandit
                .check(HEADS.len())
                .map_err(|error| format!("[bandit] {error}")),
        );
        if !(1..=365).contains(&learning.window_days) {
            let days = learning.window_days;
            self.fault(
                "learning",
                "window_days",
                &format!("{days} must lie in 1 to 365"),
            );
        }
        if learning.half_life_days.is_some_and(|days| days < 7) {
            let what = "a half-life is at least 7 days: younger outcomes are too few to learn from";
            self.fault("learning", "half_life_days", what);
        }
        for (key, what) in rollout.faults() {
            self.fault("rollout", key, &what);
        }
        if !(0.0..=1.0).contains(&cold_start.exploration) {
            let share = cold_start.exploration;
            self.fault(
                "bandit",
                "exploration",
                &format!("{share} must lie in [0, 1]"),
            );
        }
        let traces = self.traces(telemetry);
        let strategy = self.strategy(strategy);
        let guardrails = self.guardrails(&guardrails, folder);
        let keeping = Keeping {
            every: store.state_every,
            in_memory: store.in_memory,
        };
        if keeping.every == 0 {
            self.fault("store", "state_every", "0 must be 1 or more");
        }
        let store = self.store(&store, folder);
        let spec = self.spec(&features.spec, folder);
        let bound = spec
            .as_ref()
            .map(|spec| Context::bind(&entries, &spec.names()));
        let context = bound.and_then(|bound| self.check(bound));
        let experiments = match Experiments::new(experiments, holdout) {
            Ok(experiments) => Some(experiments),
            Err(faults) => {
                for fault in faults {
                    self.fault("experiments", "", &fault);
                }
                None
            }
        };
        Some(Config {
            grpc: grpc?,
            http,
            deadline: Duration::from_millis(server.deadline_ms),
            at_once: server.at_once,
            drain: Duration::from_secs(server.drain_seconds.into()),
            tls,
            tokens,
            traces,
            tenant: TenantId::default(),
            store: store?,
            keeping,
            retention,
            clock: clock.source,
            models: folder.join(models.dir),
            objective,
            strategy: Arc::new(strategy?),
            guardrails: Arc::new(guardrails?),
            spec: spec?,
            context: context?,
            bandit,
            in_spite,
            policy,
            cold_start,
            pace,
            learning,
            rollout,
            experiments: experiments?,
        })
    }

    /// Reads and takes a section; its default where it is absent or at fault.
    fn section<T: DeserializeOwned + Default>(&mut self, name: &str) -> T {
        let table = match self.sections.remove(name) {
            None => return T::default(),
            Some(table) => table,
        };
        table.try_into().unwrap_or_else(|error: toml::de::Error| {
            match misreading::<T>(self.text, name) {
                Some((what, line)) => {
                    let what = format!("[{name}] {what}");
                    self.faults.push(ConfigFault { line, what });
                }
                // An override of the environment.
                None => self.misread(name, error.message()),
            }
            T::default()
        })
    }

    fn list<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        let Some(list) = self.sections.remove(name) else {
            return Vec::new();
        };
        list.try_into().unwrap_or_else(|error: toml::de::Error| {
            self.misread(name, error.message());
            Vec::new()
        })
    }

    /// Reads and takes a key of `[bandit]` that is not the bandit's own.
    fn part<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let section = self
            .sections
            .get_mut("bandit")
            .and_then(Value::as_table_mut);
        let value = section?.remove(key)?;
        match value.try_into() {
            Ok(part) => Some(part),
            Err(error) => {
                self.fault("bandit", key, error.message());
                None
            }
        }
    }
}
