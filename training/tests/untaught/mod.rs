//! A bandit that has learnt nothing, with everything else as it is by default.

use lagom_features::spec::FeatureSpec;
use lagom_model::bandit::BanditConfig;
use lagom_model::decide::{ColdStart, Pace, PolicyKind, SnapshotParts};
use lagom_model::guardrails::{Guardrails, GuardrailsSpec};
use lagom_model::objective::Objective;
use lagom_model::policy::context::{Context, default_entries};
use lagom_model::policy::learning::Learning;
use lagom_model::strategy::{Strategy, StrategySpec};
use std::sync::Arc;

pub(crate) fn untaught() -> (Learning, SnapshotParts) {
    let spec = FeatureSpec::built_in();
    let context = Context::bind(&default_entries(), &spec.names()).unwrap();
    let strategy = Arc::new(Strategy::new(StrategySpec::default()).unwrap());
    let learning = Learning::new(
        Arc::clone(&strategy),
        context.clone(),
        spec.fingerprint(),
        BanditConfig::default(),
    )
    .unwrap();
    let parts = SnapshotParts {
        spec,
        model: None,
        strategy,
        guardrails: Arc::new(Guardrails::new(&GuardrailsSpec::default()).unwrap()),
        objective: Objective::default(),
        context,
        generation: Arc::clone(learning.generation()),
        policy: PolicyKind::Bandit,
        paused: false,
        cold_start: ColdStart {
            rounds: 100,
            exploration: 0.5,
        },
        pace: Pace::default(),
    };
    (learning, parts)
}
