//! What channels and tones add over waiting, of everybody outside the holdout.

use lagom_features::domain::Timestamp;

use super::Drawn;
use crate::steps::{Step, Steps};
use crate::tables::Tables;

pub(super) fn steps(tables: &Tables, drawn: &Drawn, as_of: Timestamp) -> Vec<Step> {
    let mut steps = Steps::default();
    for one in &tables.decisions {
        if drawn
            .get(&one.customer_id)
            .is_some_and(|(holdout, _)| !holdout)
        {
            let eligible = one.eligible.iter();
            let eligible: Vec<(&str, f64)> = eligible
                .map(|choice| (choice.action.as_str(), choice.probability))
                .collect();
            steps.decision(
                (one.decision_id.as_str(), one.customer_id.as_str()),
                one.decided_at,
                one.action.id().as_str(),
                &eligible,
            );
        }
    }
    for one in &tables.outcomes {
        if one.matured_at <= as_of && !one.censored {
            steps.outcome(one.decision_id.as_str(), one.matured_at, one.value_minor);
        }
    }
    steps.compared()
}
