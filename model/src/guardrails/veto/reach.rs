//! Whether a channel can and may be used at all.

use super::Vetoes;
use crate::guardrails::facets::Facets;
use crate::guardrails::facts::Purpose;
use crate::guardrails::scene::Scene;
use lagom_features::domain::{Channel, Days};

pub(super) fn request_channels(scene: &Scene<'_>, vetoes: &mut Vetoes<'_>) {
    if let Some(allowed) = scene.allowed_channels {
        let others = Facets::contacts().without_channels(allowed);
        vetoes.refuse(others, u64::MAX);
    }
}

pub(super) fn consent(scene: &Scene<'_>, vetoes: &mut Vetoes<'_>) {
    for purpose in [Purpose::Payment, Purpose::Marketing] {
        let withdrawn = |channel: Channel| scene.facts.consent.is_withdrawn(channel, purpose);
        if Channel::ALL.iter().any(|&channel| withdrawn(channel)) {
            let facets = Facets::contacts()
                .kinds(|kind| Purpose::of(kind) == purpose)
                .channels(withdrawn);
            vetoes.refuse(facets, u64::MAX);
        }
    }
}

pub(super) fn undelivered(scene: &Scene<'_>, days: i64, vetoes: &mut Vetoes<'_>) {
    for (&channel, &failed) in &scene.facts.undelivered {
        let until = failed + Days::whole(days);
        let slots = scene.slots_where(|slot| slot.from < until);
        vetoes.refuse(Facets::contacts().over(&[channel]), slots);
    }
}
