//! Sections that need more than to be read: files, addresses, and what must fit together.

use super::Reader;
use crate::config::ConfigFault;
use crate::config::locate::{Into, line_of};
use crate::config::raw::{LearningSpec, RetentionSpec, StoreSpec, TelemetrySpec, Traces};
use crate::experiment::{ExperimentSpec, OwnStrategy};
use crate::reviews::check_plan;
use crate::store::StoreUrl;
use lagom_features::spec::FeatureSpec;
use lagom_model::guardrails::{Guardrails, GuardrailsFault, GuardrailsSpec};
use lagom_model::strategy::{Strategy, StrategySpec};
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tonic::transport::Endpoint;

/// Days, at least and at most, after which nothing is kept of a customer.
const LEAST_RETENTION: u32 = 100;
const MOST_RETENTION: u32 = 36_500;

impl Reader<'_> {
    pub(super) fn address(&mut self, key: &str, text: &str) -> Option<SocketAddr> {
        let address = text.parse();
        if address.is_err() {
            let what = format!("`{text}` is not an address; write one such as 127.0.0.1:50051");
            self.fault("server", key, &what);
        }
        address.ok()
    }

    /// Nobody is erased whose outcomes may still be counted.
    pub(super) fn retention(&mut self, learning: &LearningSpec) -> RetentionSpec {
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

    pub(super) fn traces(&mut self, spec: TelemetrySpec) -> Option<Traces> {
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

    pub(super) fn store(&mut self, spec: &StoreSpec, folder: &Path) -> Option<StoreUrl> {
        let read = StoreUrl::read(&spec.url, spec.ca.as_deref(), folder);
        read.map_err(|what| self.fault("store", "url", &what)).ok()
    }

    pub(super) fn spec(&mut self, path: &str, folder: &Path) -> Option<FeatureSpec> {
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

    pub(super) fn strategy(&mut self, spec: StrategySpec) -> Option<Strategy> {
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

    pub(super) fn guardrails(
        &mut self,
        spec: &GuardrailsSpec,
        folder: &Path,
    ) -> Option<Guardrails> {
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
    pub(super) fn files_of(&mut self, spec: &mut ExperimentSpec, folder: &Path) {
        self.plan(spec, folder);
        for arm in &mut spec.arms {
            let Some(file) = &arm.strategy else { continue };
            match own_strategy(&folder.join(file)) {
                Ok(own) => arm.own = Some(OwnStrategy(Arc::new(own))),
                Err(what) => self.fault("experiments", "arms", &what),
            }
        }
    }

    pub(super) fn plan(&mut self, spec: &mut ExperimentSpec, folder: &Path) {
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
}

/// The strategy that a file holds: what stands in `[strategy]`, without that head.
fn own_strategy(path: &Path) -> Result<Strategy, String> {
    let told = |what: &dyn Display| format!("{}: {what}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
    let spec: StrategySpec = toml::from_str(&text).map_err(|error| told(&error))?;
    Strategy::new(spec).map_err(|error| told(&error))
}
