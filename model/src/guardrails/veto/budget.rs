//! The customer's peace: how many messages in a while, and how far apart.

use super::Vetoes;
use crate::guardrails::facets::Facets;
use crate::guardrails::facts::Contact;
use crate::guardrails::scene::Scene;
use lagom_features::domain::{Channel, Days};

fn over(contact: &Contact, channels: &[Channel]) -> bool {
    channels.is_empty() || contact.channel.is_some_and(|one| channels.contains(&one))
}

/// At most `max` in any `hours`: a contact exactly that long ago no longer counts.
pub(super) fn contacts(
    scene: &Scene<'_>,
    (max, hours): (usize, i64),
    channels: &[Channel],
    on_invoice: bool,
    vetoes: &mut Vetoes<'_>,
) {
    let all = &scene.facts.contacts;
    let counted = |one: &&Contact| over(one, channels) && (!on_invoice || one.on_invoice);
    if all.iter().filter(counted).count() < max {
        return;
    }
    let spent = scene.slots_where(|slot| {
        let since = slot.from - Days::hours(hours);
        let recent = |one: &&Contact| one.sent_before(slot.from) > since;
        all.iter().filter(counted).filter(recent).count() >= max
    });
    vetoes.refuse(Facets::contacts().over(channels), spent);
}

pub(super) fn cooldown(scene: &Scene<'_>, hours: i64, vetoes: &mut Vetoes<'_>) {
    let all = &scene.facts.contacts;
    // Pending ones stand last; of the others the last decides.
    let settled = all.iter().rposition(|one| one.pending_until.is_none());
    for one in &all[settled.unwrap_or(0)..] {
        let rests = |from| from < one.sent_before(from) + Days::hours(hours);
        let slots = scene.slots_where(|slot| rests(slot.from));
        vetoes.refuse(Facets::contacts(), slots);
    }
}

pub(super) fn conversation(
    scene: &Scene<'_>,
    days: i64,
    channels: &[Channel],
    vetoes: &mut Vetoes<'_>,
) {
    if let Some(spoke) = scene.facts.last_conversation {
        let until = spoke + Days::whole(days);
        let slots = scene.slots_where(|slot| slot.from < until);
        vetoes.refuse(Facets::contacts().over(channels), slots);
    }
}
