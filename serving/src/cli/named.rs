//! Policies by their names, as `--policy` and `--against` take them, and how their values are shown.

use super::answer::Failure;
use super::export::SHADOWS;
use crate::config::Config;
use crate::registry::warm_start_of;
use lagom_features::domain::Timestamp;
use lagom_model::artefact::ModelVersion;
use lagom_model::bandit::{Anchor, Digest};
use lagom_model::decide::{PolicyKind, Predictor, Snapshot};
use lagom_model::log::Decision;
use lagom_model::ope::valuation::{Estimand, METRICS};
use lagom_training::registry::Registry;
use lagom_training::tables::Tables;
use lagom_training::valuation::{OwnLog, Policy, Shadows};
use std::path::Path;
use std::sync::Arc;

/// A policy with what it decides by; of a version also until when it was trained.
pub(super) enum Named {
    Logged,
    Of(Box<Snapshot>, PolicyKind, Option<Timestamp>),
    Shadowed(Shadows),
}

impl Named {
    pub(super) fn policy(&self) -> Policy<'_> {
        match self {
            Self::Logged => Policy::Logged,
            Self::Of(snapshot, kind, _) => Policy::Of(snapshot, *kind),
            Self::Shadowed(shadows) => Policy::Shadowed(shadows),
        }
    }

    /// How the bandit learns and chooses, where it is one.
    pub(super) fn ways(&self) -> Option<Digest> {
        match self {
            Self::Of(snapshot, PolicyKind::Bandit, _) => Some(snapshot.parts().generation.ways()),
            Self::Of(..) | Self::Logged | Self::Shadowed(_) => None,
        }
    }
}

/// The version that decided in shadow, the last one where there were several.
fn shadow(data: &Path) -> Result<(String, Named), Failure> {
    let folder = data.join(SHADOWS);
    let mut decided: Vec<Decision> = Tables::read(&folder)?.decisions;
    decided.sort_by_key(|decision| decision.decided_at);
    let Some(id) = decided.last().and_then(|last| last.model_id.clone()) else {
        return Err(format!("{}: no model decided in shadow", folder.display()).into());
    };
    decided.retain(|decision| decision.model_id.as_ref() == Some(&id));
    let chances = decided
        .into_iter()
        .map(|one| (one.decision_id, one.eligible));
    Ok((id, Named::Shadowed(chances.collect())))
}

pub(super) struct Maker<'a> {
    pub(super) data: &'a Path,
    pub(super) log: &'a OwnLog,
    pub(super) config: Config,
    pub(super) registry: Registry,
    /// The bandit learns from what had matured before.
    pub(super) from: Timestamp,
}

impl Maker<'_> {
    /// The policy of this name, and its full name. A version is named by its id or by its folder or
    /// file in a registry.
    pub(super) fn make(&self, name: &str) -> Result<(String, Named), Failure> {
        let (model, kind) = match name {
            "logged" => return Ok((name.to_owned(), Named::Logged)),
            "shadow" => return shadow(self.data),
            "ladder" => (None, PolicyKind::Ladder),
            "uniform" => (None, PolicyKind::Uniform),
            "bandit" => (None, PolicyKind::Bandit),
            given => (Some(self.version(given)?), PolicyKind::Bandit),
        };
        let anchor = model.as_ref().and_then(|(_, anchor)| *anchor);
        let model = model.map(|(model, _)| model);
        let full = model.as_ref().map_or(name, ModelVersion::id).to_owned();
        let as_of = model.as_ref().map(|model| model.parts().lineage.as_of);
        let fingerprint = self.config.spec.fingerprint();
        let mut learning = self.config.nothing_learnt(fingerprint)?.anchored(anchor)?;
        if kind == PolicyKind::Bandit {
            self.log.teach(&mut learning, self.from)?;
        }
        let model = model.map(|model| Arc::new(model) as Arc<dyn Predictor>);
        let parts = self.config.parts(model, Arc::clone(learning.generation()));
        Ok((
            full,
            Named::Of(Box::new(Snapshot::new(parts)?), kind, as_of),
        ))
    }

    /// The version, and how far it may go from the ladder.
    fn version(&self, given: &str) -> Result<(ModelVersion, Option<Anchor>), Failure> {
        let path = Path::new(given);
        let folder = if path.is_file() {
            path.parent()
        } else {
            Some(path)
        };
        let elsewhere = folder.filter(|folder| folder.is_dir());
        let place = elsewhere.and_then(|folder| Some((folder.parent()?, folder.file_name()?)));
        let of = |registry: &Registry, id: &str| {
            let model = registry.get(id)?;
            let folder = registry.path(model.id());
            let warm = folder.parent().map(|dir| warm_start_of(dir, model.id()));
            let anchor = warm.transpose()?.flatten().and_then(|warm| warm.anchor);
            Ok::<_, Failure>((model, anchor))
        };
        match place {
            Some((registry, id)) => of(&Registry::at(registry), &id.to_string_lossy()),
            None => of(&self.registry, given),
        }
    }
}

/// A model that has seen how the lives end that it is judged on proves nothing.
pub(super) fn hindsight(candidate: &str, named: &Named, from: Timestamp) -> Vec<String> {
    match named {
        Named::Of(_, _, Some(as_of)) if *as_of > from => vec![format!(
            "{candidate} was trained on what was recorded before {as_of}, and is judged from \
             {from} on; train with --as-of {from}, or judge --from {as_of}"
        )],
        _ => Vec::new(),
    }
}

/// Every metric of an estimand under two policies, with the interval of the difference.
pub(super) fn table(heading: &str, of: &Estimand, policies: [&str; 2]) -> String {
    let mut text = format!(
        "\n{heading}; effective sample size {:.0} of {}, largest weight {:.1}\n{:<18} {:>12} \
         {:>12} {:>12}  interval of the difference\n",
        of.overlap.ess,
        of.overlap.rounds,
        of.overlap.max_weight,
        "",
        policies[0],
        policies[1],
        "difference"
    );
    for name in METRICS {
        let gain = &of.difference[name];
        text += &format!(
            "{name:<18} {:>12.4} {:>12.4} {:>+12.4}  {:+.4} to {:+.4}\n",
            of.candidate[name].value,
            of.incumbent[name].value,
            gain.value,
            gain.interval.low,
            gain.interval.high
        );
    }
    text + "\n"
}
