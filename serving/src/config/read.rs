//! From a text and the environment to a valid configuration.

use super::access::{Tls, Token};
use super::locate::{Into, line_at, line_of, misreading};
use super::raw::{
    ClockSpec, FeaturesSpec, Keeping, LearningSpec, ModelsSpec, RetentionSpec, ServerSpec,
    StoreSpec, TelemetrySpec, Traces,
};
use super::{Config, ConfigFault, InSpite};
use crate::experiment::{ExperimentSpec, Experiments, HoldoutSpec, OwnStrategy};
use crate::reviews::check_plan;
use crate::store::StoreUrl;
use config::{Environment, File, FileFormat};
use lagom_features::domain::TenantId;
use lagom_features::spec::FeatureSpec;
use lagom_model::bandit::BanditConfig;
use lagom_model::decide::{ColdStart, Pace, PolicyKind};
use lagom_model::guardrails::{Guardrails, GuardrailsFault, GuardrailsSpec};
use lagom_model::objective::Objective;
use lagom_model::policy::context::{Context, ContextEntry, default_entries};
use lagom_model::policy::heads::HEADS;
use lagom_model::policy::learning::with_spans;
use lagom_model::rollout::guard::GuardSpec;
use lagom_model::strategy::{Strategy, StrategySpec};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toml::{Table, Value};
use tonic::transport::Endpoint;

/// Every section that may stand in the file.
const SECTIONS: &str = "server, store, clock, models, features, objective, strategy, guardrails, \
                        bandit, pace, learning, retention, rollout, experiments, holdout, telemetry, \
                        training";

/// Days, at least and at most, after which nothing is kept of a customer.
const LEAST_RETENTION: u32 = 100;
const MOST_RETENTION: u32 = 36_500;

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

    fn address(&mut self, key: &str, text: &str) -> Option<SocketAddr> {
        let address = text.parse();
        if address.is_err() {
            let what = format!("`{text}` is not an address; write one such as 127.0.0.1:50051");
            self.fault("server", key, &what);
        }
        address.ok()
    }

    /// Nobody is erased whose outcomes may still be counted.
    fn retention(&mut self, learning: &LearningSpec) -> RetentionSpec {
        let retention: RetentionSpec = self.section("retention");
        let counted =
            u32::from(learning.window_days) + u32::from(learning.grace_hours).div_ceil(24);
        let least = LEAST_RETENTION.max(counted + 1);
        if let Some(days) = retention.idle_days
            && !(least..=MOST_RETENTION).contains(&days)
        {
            let what = format!(
                "{days} must lie in {least} to {MOST_RETENTION}: in less a customer who pays once a \
                 quarter would be forgotten, or a decision whose outcome is not counted yet"
            );
            self.fault("retention", "idle_days", &what);
        }
        retention
    }

    fn traces(&mut self, spec: TelemetrySpec) -> Option<Traces> {
        let TelemetrySpec { otlp, sample } = spec;
        if !(0.0..=1.0).contains(&sample) {
            self.fault(
                "telemetry",
                "sample",
                &format!("{sample} must lie in [0, 1]"),
            );
        }
        if otlp.is_empty() {
            return None;
        }
        if !otlp.starts_with("http://") || Endpoint::from_shared(otlp.clone()).is_err() {
            let what = format!(
                "`{otlp}` is no collector; write one such as http://127.0.0.1:4317 (without TLS: an agent \
                 on this machine passes them on)"
            );
            self.fault("telemetry", "otlp", &what);
        }
        Some(Traces {
            collector: otlp,
            sample,
        })
    }

    fn store(&mut self, spec: &StoreSpec, folder: &Path) -> Option<StoreUrl> {
        let read = StoreUrl::read(&spec.url, spec.ca.as_deref(), folder);
        read.map_err(|what| self.fault("store", "url", &what)).ok()
    }

    fn spec(&mut self, path: &str, folder: &Path) -> Option<FeatureSpec> {
        if path.is_empty() {
            return Some(FeatureSpec::built_in());
        }
        let path = folder.join(path);
        let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
        let spec = read.and_then(|text| FeatureSpec::parse(&text).map_err(|e| e.to_string()));
        match spec {
            Ok(spec) => Some(spec),
            Err(what) => {
                self.fault("features", "spec", &format!("{}: {what}", path.display()));
                None
            }
        }
    }

    fn strategy(&mut self, spec: StrategySpec) -> Option<Strategy> {
        let error = match Strategy::new(spec) {
            Ok(strategy) => return Some(strategy),
            Err(error) => error,
        };
        for fault in error.faults {
            let line = fault.place().and_then(|(list, at, field)| {
                let (section, list) = (Into::Key("strategy"), Into::Key(list));
                let path = [
                    section,
                    list,
                    Into::Place(at),
                    Into::Key(field.unwrap_or("")),
                ];
                line_of(self.text, &path)
            });
            let what = format!("[strategy] {fault}");
            self.faults.push(ConfigFault { line, what });
        }
        None
    }

    fn guardrails(&mut self, spec: &GuardrailsSpec, folder: &Path) -> Option<Guardrails> {
        let mut texts = Vec::with_capacity(spec.files.len());
        for file in &spec.files {
            let path = folder.join(file);
            match std::fs::read_to_string(&path) {
                Ok(text) => texts.push(text),
                Err(error) => {
                    let what = format!("{}: {error}", path.display());
                    self.fault("guardrails", "files", &what);
                    return None;
                }
            }
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let error = match Guardrails::with_packs(spec, &texts) {
            Ok(guardrails) => return Some(guardrails),
            Err(error) => error,
        };
        for GuardrailsFault { place, what } in error.faults {
            let (list, at) = place;
            let path = [Into::Key("guardrails"), Into::Key(list), Into::Place(at)];
            let line = line_of(self.text, &path);
            let file = spec.files.get(at).filter(|_| list == "files");
            let file = file.map(|file| format!("{file}: ")).unwrap_or_default();
            let what = format!("[guardrails] {file}{what}");
            self.faults.push(ConfigFault { line, what });
        }
        None
    }

    /// The plan of an experiment and the strategies of its arms are read once and hashed: a later
    /// change of such a file begins a new phase.
    fn files_of(&mut self, spec: &mut ExperimentSpec, folder: &Path) {
        self.plan(spec, folder);
        for arm in &mut spec.arms {
            let Some(file) = &arm.strategy else { continue };
            match own_strategy(&folder.join(file)) {
                Ok(own) => arm.own = Some(OwnStrategy(Arc::new(own))),
                Err(what) => self.fault("experiments", "arms", &what),
            }
        }
    }

    fn plan(&mut self, spec: &mut ExperimentSpec, folder: &Path) {
        let Some(file) = &spec.plan else { return };
        let path = folder.join(file);
        let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
        match read.and_then(|text| check_plan(file, &text).map(|()| text)) {
            Ok(text) => spec.plan_text = text,
            Err(what) => self.fault(
                "experiments",
                "plan",
                &format!("{}: {what}", path.display()),
            ),
        }
    }

    fn check<T, E: Display>(&mut self, checked: Result<T, E>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(error) => {
                let what = error.to_string();
                let line = self.line_named(&what);
                self.faults.push(ConfigFault { line, what });
                None
            }
        }
    }

    /// The line of the key that a message of the form `[section] key …` names.
    fn line_named(&self, what: &str) -> Option<usize> {
        let (section, rest) = what.strip_prefix('[')?.split_once("] ")?;
        let section = section.trim_matches(['[', ']']).split('.').next()?;
        let key = rest.split([' ', ':']).next()?.rsplit('.').next()?;
        self.line(section, key)
    }

    /// A key that serde refuses stands between backticks in its message.
    fn misread(&mut self, section: &str, message: &str) {
        let key = message.split('`').nth(1).unwrap_or_default();
        let line = self.line(section, key);
        let what = format!("[{section}] {message}");
        self.faults.push(ConfigFault { line, what });
    }

    fn fault(&mut self, section: &str, key: &str, what: &str) {
        let line = self.line(section, key);
        let at = if key.is_empty() {
            String::new()
        } else {
            format!(" {key}")
        };
        let what = format!("[{section}]{at}: {what}");
        self.faults.push(ConfigFault { line, what });
    }

    fn no_other_sections(&mut self) {
        let others: Vec<String> = self.sections.keys().cloned().collect();
        for name in others {
            let what = format!("[{name}] is unknown; known are {SECTIONS}");
            let line = self.line(&name, "");
            self.faults.push(ConfigFault { line, what });
        }
    }

    /// Where `key` of `[section]` stands, or else where the section does.
    fn line(&self, section: &str, key: &str) -> Option<usize> {
        let mut header = None;
        let mut within = false;
        for (place, line) in self.text.lines().enumerate() {
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[') {
                let name = name.trim_matches(['[', ']']);
                within = name == section || name.starts_with(&format!("{section}."));
                if within {
                    header.get_or_insert(place + 1);
                }
            } else if within
                && !key.is_empty()
                && line.split('=').next().map(str::trim) == Some(key)
            {
                return Some(place + 1);
            } else if !within && line.split('=').next().map(str::trim) == Some(section) {
                header.get_or_insert(place + 1);
            }
        }
        header
    }
}

/// The strategy that a file holds: what stands in `[strategy]`, without that head.
fn own_strategy(path: &Path) -> Result<Strategy, String> {
    let told = |what: &dyn Display| format!("{}: {what}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
    let spec: StrategySpec = toml::from_str(&text).map_err(|error| told(&error))?;
    Strategy::new(spec).map_err(|error| told(&error))
}
