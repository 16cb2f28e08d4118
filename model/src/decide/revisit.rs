//! A logged decision seen again: what another policy would have done in that place.

use super::DecideError;
use super::choose::{Case, Workspace, spread};
use super::snapshot::{PolicyKind, Snapshot};
use crate::guardrails::Facts;
use crate::log::Decision;
use lagom_features::domain::ActionId;
use lagom_features::{History, Ledger, Scratch, Segments};
use std::collections::HashMap;

/// Asks one policy of one snapshot about logged decisions.
///
/// The probabilities come from the code that serves, on the eligible set and the features that
/// were logged; features of another spec are extracted again from what was known at the time.
/// Propensity and churn are the snapshot's, not the log's: they belong to the policy asked.
#[derive(Debug)]
pub struct Revisitor<'a> {
    snapshot: &'a Snapshot,
    policy: PolicyKind,
    segments: &'a Segments,
    workspace: Workspace,
    scratch: Scratch,
    places: HashMap<ActionId, Option<usize>>,
    features: Vec<f64>,
    context: Vec<f64>,
    mask: Vec<bool>,
}

impl<'a> Revisitor<'a> {
    /// Asks `policy` under `snapshot`.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, policy: PolicyKind) -> Self {
        Self {
            snapshot,
            policy,
            segments: Segments::none(),
            workspace: Workspace::new(),
            scratch: Scratch::new(),
            places: HashMap::new(),
            features: Vec::new(),
            context: Vec::new(),
            mask: Vec::new(),
        }
    }

    /// The same, where `segments` holds what all customers were pooled to at the decisions asked about:
    /// what a spec with features by segment needs, where the log's features are of another spec.
    #[must_use]
    pub fn among(self, segments: &'a Segments) -> Self {
        Self { segments, ..self }
    }

    /// Probability of each eligible action of `decision`, in the order logged. They sum to one
    /// unless the policy would take an action that was not eligible then.
    ///
    /// An eligible action that the strategy no longer has gets probability zero. `history` is
    /// everything recorded of the customer; nothing recorded after the decision is read.
    ///
    /// # Errors
    /// [`DecideError`] where customer or invoice were not known then, the week of the features by segment
    /// is not at hand, or the policy cannot score.
    pub fn probabilities(
        &mut self,
        decision: &Decision,
        history: &History,
        into: &mut Vec<f64>,
    ) -> Result<(), DecideError> {
        let view = history.as_of(decision.decided_at);
        let customer = view
            .customer()
            .ok_or_else(|| DecideError::Customer(decision.customer_id.clone()))?;
        let ledger = Ledger::of(&view);
        let facts = Facts::of(&view, &ledger, &decision.invoice_id);
        let mut facts = facts.ok_or_else(|| DecideError::Invoice {
            customer_id: decision.customer_id.clone(),
            invoice_id: decision.invoice_id.clone(),
            now: decision.decided_at,
        })?;
        self.features.clear();
        if decision.feature_fingerprint == self.snapshot.extractor().fingerprint() {
            self.features.extend_from_slice(&decision.features);
        } else {
            self.snapshot
                .extractor()
                .extract_among(
                    &mut self.scratch,
                    &view,
                    &ledger,
                    &decision.invoice_id,
                    self.segments,
                    &mut self.features,
                )
                .map_err(|error| DecideError::extracting(error, &decision.customer_id))?;
        }
        let (payment_propensity, churn_risk) = self.snapshot.predict(&self.features, facts.moment);
        facts.early_risk = (self.snapshot).early_risk(&self.features, facts.moment);
        self.snapshot.parts().context.of(
            &self.features,
            payment_propensity,
            churn_risk,
            &mut self.context,
        );
        let strategy = self.snapshot.strategy();
        self.mask.clear();
        self.mask.resize(strategy.catalogue().len(), false);
        for choice in &decision.eligible {
            if let Some(place) = self.place(&choice.action) {
                self.mask[place] = true;
            }
        }
        self.workspace.open(self.mask.iter().copied());
        let case = Case {
            outstanding_minor: facts.outstanding_minor,
            annual_margin_minor: customer.annual_margin_minor,
            facts: &facts,
            features: &self.features,
            payment_propensity,
            churn_risk,
            decision_id: &decision.decision_id,
        };
        let spread = spread(self.snapshot, self.policy, &case, &mut self.workspace)?;
        into.clear();
        for choice in &decision.eligible {
            let chance = self.place(&choice.action).and_then(|place| {
                let at = spread
                    .distribution
                    .binary_search_by_key(&place, |&(place, _)| place);
                at.ok().map(|at| spread.distribution[at].1)
            });
            into.push(chance.unwrap_or(0.0));
        }
        Ok(())
    }

    /// The bandit's context of the decision last asked about: scaled and bounded.
    #[must_use]
    pub fn context(&self) -> &[f64] {
        &self.context
    }

    fn place(&mut self, id: &ActionId) -> Option<usize> {
        if let Some(&known) = self.places.get(id) {
            return known;
        }
        let place = self.snapshot.strategy().place(&id.action());
        self.places.insert(id.clone(), place);
        place
    }
}
