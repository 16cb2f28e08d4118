//! `lagom.toml`: what stands in the file, what the environment overrides, and what is valid.
//!
//! Raw and valid configuration are two types; [`Config::parse`] is the only way from one to the
//! other, and reports every fault at once. Everything has a default: an empty file is valid.

mod access;
mod locate;
mod raw;
mod read;

pub use access::{Scope, Tls, TlsSpec, Token, TokenSpec};
pub use raw::{Keeping, LearningSpec, RetentionSpec, ServerSpec, Traces};

use crate::clock::Source;
use crate::engine::ChangeError;
use crate::experiment::Experiments;
use crate::store::StoreUrl;
use lagom_features::domain::TenantId;
use lagom_features::spec::FeatureSpec;
use lagom_model::bandit::{BanditConfig, BanditError, Digest, Generation};
use lagom_model::decide::{ColdStart, Pace, PolicyKind, Predictor, SnapshotParts};
use lagom_model::guardrails::Guardrails;
use lagom_model::objective::Objective;
use lagom_model::policy::context::Context;
use lagom_model::policy::learning::Learning;
use lagom_model::rollout::guard::GuardSpec;
use lagom_model::strategy::Strategy;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// A configuration without faults.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where gRPC is served.
    pub grpc: SocketAddr,
    /// Where pages and metrics are served; nowhere if `None`.
    pub http: Option<SocketAddr>,
    /// Longest time a unary call may take; a caller may ask for less.
    pub deadline: Duration,
    /// Calls that may be under way at once.
    pub at_once: usize,
    /// How long a server that was asked to end still answers.
    pub drain: Duration,
    /// Certificates; calls are in the clear if `None`.
    pub tls: Option<Tls>,
    /// Who may call; everybody may do everything where there are none.
    pub tokens: Vec<Token>,
    /// Where traces go; nowhere if `None`.
    pub traces: Option<Traces>,
    /// Whose data this is.
    pub tenant: TenantId,
    /// Where the log is.
    pub store: StoreUrl,
    /// How its state is kept beside it.
    pub keeping: Keeping,
    /// How long data is kept.
    pub retention: RetentionSpec,
    /// Where time comes from.
    pub clock: Source,
    /// Folder of the model registry.
    pub models: PathBuf,
    /// What the company wants.
    pub objective: Objective,
    /// What may be advised.
    pub strategy: Arc<Strategy>,
    /// What must not happen.
    pub guardrails: Arc<Guardrails>,
    /// Which features are computed.
    pub spec: FeatureSpec,
    /// What the bandit sees of them.
    pub context: Context,
    /// How the bandit learns and explores.
    pub bandit: BanditConfig,
    /// Other ways of the bandit than those that have learnt, in spite of the gate.
    pub in_spite: Option<InSpite>,
    /// Who decides.
    pub policy: PolicyKind,
    /// How the bandit begins.
    pub cold_start: ColdStart,
    /// When to ask again.
    pub pace: Pace,
    /// When outcomes are counted.
    pub learning: LearningSpec,
    /// What of a canary counts as harm.
    pub rollout: GuardSpec,
    /// Which customers others decide for.
    pub experiments: Experiments,
}

/// Ways of the bandit that a company takes up without proof.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InSpite {
    /// Which: [`Generation::ways`], as the refusal names it.
    pub ways: Digest,
    /// Why, for the record.
    pub reason: String,
}

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// Line of the file, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong, where, and how to mend it.
    pub what: String,
}

impl std::fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", list(.0))]
pub struct ConfigError(pub Vec<ConfigFault>);

fn list(faults: &[ConfigFault]) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

impl Config {
    /// A policy that has learnt nothing yet, over features of the spec with this fingerprint.
    ///
    /// # Errors
    /// [`BanditError`] where the bandit cannot start from its configuration.
    pub fn nothing_learnt(&self, fingerprint: &str) -> Result<Learning, BanditError> {
        self.nothing_learnt_of(&self.strategy, fingerprint)
    }

    /// The same of another strategy's catalogue.
    ///
    /// # Errors
    /// As [`Self::nothing_learnt`].
    pub fn nothing_learnt_of(
        &self,
        strategy: &Arc<Strategy>,
        fingerprint: &str,
    ) -> Result<Learning, BanditError> {
        let learning = Learning::new(
            Arc::clone(strategy),
            self.context.clone(),
            fingerprint,
            self.bandit.clone(),
        )?;
        Ok(learning
            .with_half_life(self.learning.half_life())
            .with_exploration_budget(self.learning.exploration_budget())
            .with_capacity(
                self.learning.capacity_per_day.clone(),
                self.objective.clone(),
            ))
    }

    /// Reads a file, or nothing, under the overrides `LAGOM__SECTION__KEY` of the environment.
    ///
    /// # Errors
    /// Every fault of the file and the overrides.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let text = match path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                let what = format!("{}: {error}", path.display());
                ConfigError(vec![ConfigFault { line: None, what }])
            })?,
        };
        let folder = path.and_then(Path::parent).unwrap_or(Path::new(""));
        Self::parse(&text, folder, std::env::vars().collect())
    }

    /// Reads a text; relative paths in it start at `folder`. `environment` holds the overrides.
    ///
    /// # Errors
    /// Every fault.
    pub fn parse(
        text: &str,
        folder: &Path,
        environment: std::collections::HashMap<String, String>,
    ) -> Result<Self, ConfigError> {
        read::read(text, folder, environment).map_err(ConfigError)
    }

    /// Whether a server that runs by `before` can go on by this.
    ///
    /// # Errors
    /// [`ChangeError::Fixed`] names the section that needs a restart.
    pub fn replaces(&self, before: &Self) -> Result<(), ChangeError> {
        let fixed = [
            (
                self.grpc != before.grpc || self.http != before.http,
                "[server]",
            ),
            (self.deadline != before.deadline, "[server] deadline_ms"),
            (self.at_once != before.at_once, "[server] at_once"),
            (self.drain != before.drain, "[server] drain_seconds"),
            (
                self.tls != before.tls || self.tokens != before.tokens,
                "[server] tls and tokens",
            ),
            (
                self.store != before.store || self.keeping != before.keeping,
                "[store]",
            ),
            (self.traces != before.traces, "[telemetry]"),
            (self.clock != before.clock, "[clock]"),
            (self.models != before.models, "[models]"),
            (self.learning != before.learning, "[learning]"),
        ];
        match fixed.into_iter().find(|(changed, _)| *changed) {
            Some((_, section)) => Err(ChangeError::Fixed(section)),
            None => Ok(()),
        }
    }

    /// What a snapshot is built of, with what has been trained and learnt.
    #[must_use]
    pub fn parts(
        &self,
        model: Option<Arc<dyn Predictor>>,
        generation: Arc<Generation>,
    ) -> SnapshotParts {
        SnapshotParts {
            spec: self.spec.clone(),
            model,
            strategy: Arc::clone(&self.strategy),
            guardrails: Arc::clone(&self.guardrails),
            objective: self.objective.clone(),
            context: self.context.clone(),
            generation,
            policy: self.policy,
            paused: false,
            cold_start: self.cold_start,
            pace: self.pace,
        }
    }
}

impl Default for Config {
    /// What an empty file means.
    fn default() -> Self {
        Self::parse("", Path::new(""), std::collections::HashMap::new())
            .expect("the defaults are valid: a test reads them")
    }
}

#[cfg(test)]
mod tests;
