//! Fees: once, small, agreed, in writing, and late enough.

use super::Vetoes;
use super::step::on_rung;
use crate::guardrails::facets::Facets;
use crate::guardrails::facts::{Contact, Rung};
use crate::guardrails::scene::{Scene, Slot};
use lagom_features::domain::{Currency, Date, Kind};

/// Every action that charges a fee.
pub(super) fn charged(scene: &Scene<'_>) -> Facets {
    Facets::ACTING.fees(scene.fees, |fee| fee != 0)
}

fn of_kinds(facets: Facets, kinds: &[Kind]) -> Facets {
    if kinds.is_empty() {
        return facets;
    }
    facets.kinds(|kind| kinds.contains(&kind))
}

fn charges<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = &'a Contact> {
    let on_invoice = scene.facts.contacts_on_invoice();
    on_invoice.filter(|contact| contact.fee_minor != 0)
}

/// The day of `contact`, as a slot on `slot` has to assume.
fn day_of(scene: &Scene<'_>, contact: &Contact, slot: &Slot) -> Date {
    contact.sent_before(slot.from).date(&scene.facts.zone())
}

pub(super) fn once(scene: &Scene<'_>, vetoes: &mut Vetoes<'_>) {
    for rung in [Rung::Notice, Rung::Reminder, Rung::Final, Rung::Claim] {
        if charges(scene).any(|contact| contact.rung() == rung) {
            let again = on_rung(rung).fees(scene.fees, |fee| fee != 0);
            vetoes.refuse(again, u64::MAX);
        }
    }
}

pub(super) fn cap(
    scene: &Scene<'_>,
    kinds: &[Kind],
    max_minor: i64,
    currency: Currency,
    vetoes: &mut Vetoes<'_>,
) {
    let facets = if scene.facts.currency == currency {
        Facets::ACTING.fees(scene.fees, |fee| fee > max_minor)
    } else {
        charged(scene)
    };
    vetoes.refuse(of_kinds(facets, kinds), u64::MAX);
}

/// What a scale allows: thousandths of each band of what is owed, rounded down.
///
/// ```text
/// Σ_b share_b / 1000 · |[0, owed] ∩ band b|
/// ```
pub(super) fn on_scale(owed_minor: i64, bands: &[(i64, i64)]) -> i64 {
    let mut rest = i128::from(owed_minor.max(0));
    let mut thousandths = 0_i128;
    for &(width, share) in bands {
        let part = rest.min(i128::from(width));
        thousandths += part * i128::from(share);
        rest -= part;
    }
    i64::try_from(thousandths / 1000).unwrap_or(i64::MAX)
}

pub(super) fn count(scene: &Scene<'_>, kinds: &[Kind], max: usize, vetoes: &mut Vetoes<'_>) {
    let counted = |one: &&Contact| kinds.is_empty() || kinds.contains(&one.kind);
    let spent = charges(scene).filter(counted).count() >= max;
    vetoes.refuse_if(spent, of_kinds(charged(scene), kinds));
}

pub(super) fn gap(scene: &Scene<'_>, days: i32, vetoes: &mut Vetoes<'_>) {
    if let Some(last) = charges(scene).last() {
        let until = |slot: &Slot| day_of(scene, last, slot).plus_days(days);
        let early = scene.slots_where(|slot| slot.day < until(slot));
        vetoes.refuse(charged(scene), early);
    }
}

pub(super) fn after_reminder(scene: &Scene<'_>, days: i32, vetoes: &mut Vetoes<'_>) {
    let mut reminders = scene
        .facts
        .contacts_on_invoice()
        .filter(|one| !one.native && one.pending_until.is_none() && one.rung() >= Rung::Reminder);
    let early = match reminders.next() {
        None => u64::MAX,
        Some(first) => {
            let until = first.at.date(&scene.facts.zone()).plus_days(days);
            scene.slots_where(|slot| slot.day < until)
        }
    };
    vetoes.refuse(charged(scene), early);
}
