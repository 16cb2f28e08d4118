//! What was learnt as it is kept beside the log.

use super::change::Learnt;
use crate::config::Config;
use crate::registry;
use crate::store::Publication;
use lagom_features::domain::Timestamp;
use lagom_model::policy::learning::Learned;
use serde::{Deserialize, Serialize};

/// The form in which it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredLearnt {
    /// Of everything that the same log could be learnt otherwise by.
    fingerprint: String,
    upto: i64,
    published: Option<StoredPublication>,
    learned: Learned,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPublication {
    generation: u64,
    published_at: i64,
    outcomes: u64,
    excluded: Vec<String>,
    /// JSON, as the model gives it.
    state: String,
}

impl Learnt {
    /// Of everything that the same log could be learnt otherwise by: configuration, warm start, and this
    /// program's version. Empty, and so of nothing, where nothing can be learnt.
    pub(crate) fn fingerprint(config: &Config) -> String {
        let Ok(cold) = config.nothing_learnt(config.spec.fingerprint()) else {
            return String::new();
        };
        let capacity = &config.learning.capacity_per_day;
        // Prices of what is scarce are found by the objective.
        let scarce = (!capacity.is_empty()).then(|| format!("{capacity:?} {:?}", config.objective));
        let warm = registry::warm_start(&config.models).ok().flatten();
        let parts = (
            env!("CARGO_PKG_VERSION"),
            config.strategy.id(),
            format!("{:?}", config.context),
            config.spec.fingerprint(),
            config.learning.exploration_budget(),
            config.experiments.isolated(),
            scarce,
            cold.learned(),
            warm,
        );
        let bytes = serde_json::to_vec(&parts).unwrap_or_default();
        blake3::hash(&bytes).to_hex().to_string()
    }

    /// What is kept of it.
    ///
    /// # Errors
    /// What cannot be written.
    pub(crate) fn stored(&self, fingerprint: &str) -> Result<StoredLearnt, String> {
        let stored = |one: &Publication| {
            Ok::<_, String>(StoredPublication {
                generation: one.generation,
                published_at: one.published_at.micros(),
                outcomes: one.outcomes,
                excluded: one.excluded.clone(),
                state: String::from_utf8(one.state.clone()).map_err(|error| error.to_string())?,
            })
        };
        Ok(StoredLearnt {
            fingerprint: fingerprint.to_owned(),
            upto: self.upto,
            published: self.published.as_ref().map(stored).transpose()?,
            learned: self.learning.learned(),
        })
    }
}

impl StoredLearnt {
    /// What was learnt, if it was learnt under this configuration.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn read(self, config: &Config) -> Result<Option<Learnt>, String> {
        if self.fingerprint != Learnt::fingerprint(config) {
            return Ok(None);
        }
        let mut learnt = Learnt::nothing(config).map_err(|error| error.to_string())?;
        learnt.learning = learnt
            .learning
            .go_on(self.learned)
            .map_err(|error| error.to_string())?;
        learnt.upto = self.upto;
        if let Some(one) = self.published {
            let at = Timestamp::from_micros(one.published_at);
            learnt.published = Some(Publication {
                generation: one.generation,
                published_at: at.map_err(|error| error.to_string())?,
                outcomes: one.outcomes,
                excluded: one.excluded,
                state: one.state.into_bytes(),
            });
        }
        Ok(Some(learnt))
    }
}
