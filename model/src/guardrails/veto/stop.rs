//! Hard stops that need more than one look.

use super::Vetoes;
use crate::guardrails::facets::Facets;
use crate::guardrails::facts::{Purpose, Unmatched};
use crate::guardrails::scene::Scene;
use crate::guardrails::veto::fee;
use lagom_features::domain::{Days, Kind, Timestamp, Tone};

/// Money that may cover enough of the invoice. What has no amount, or is of another currency and
/// may have been exchanged, may cover anything.
pub(super) fn unmatched(scene: &Scene<'_>, days: i64, share: f64, vetoes: &mut Vetoes<'_>) {
    let facts = scene.facts;
    if facts.stops.unmatched.is_empty() {
        return;
    }
    let may_cover = |at: Timestamp| {
        let fresh = |one: &&Unmatched| at < one.at + Days::whole(days);
        let fresh = facts.stops.unmatched.iter().filter(fresh);
        let known = |one: &Unmatched| one.minor.filter(|_| one.currency == Some(facts.currency));
        let sum_minor = fresh.clone().filter_map(known).fold(0, i64::saturating_add);
        let enough = share * facts.outstanding_minor as f64;
        fresh.clone().any(|one| known(one).is_none())
            || (sum_minor > 0 && sum_minor as f64 >= enough)
    };
    let slots = scene.slots_where(|slot| may_cover(slot.from));
    vetoes.refuse(Facets::ACTING, slots);
}

pub(super) fn promise(scene: &Scene<'_>, grace_days: i64, vetoes: &mut Vetoes<'_>) {
    if let Some(until) = scene.facts.stops.promised_until {
        let believed = until + Days::whole(grace_days);
        let slots = scene.slots_where(|slot| slot.from < believed);
        vetoes.refuse(Facets::ACTING, slots);
    }
}

pub(super) fn holds(scene: &Scene<'_>, vetoes: &mut Vetoes<'_>) {
    for hold in &scene.facts.stops.holds {
        let slots = scene.slots_where(|slot| hold.until.is_none_or(|until| slot.from < until));
        let facets = match hold.channel {
            Some(channel) => Facets::contacts().over(&[channel]),
            None => Facets::ACTING,
        };
        let facets = match hold.purpose {
            Some(purpose) => facets.kinds(|kind| kind.is_contact() && Purpose::of(kind) == purpose),
            None => facets,
        };
        vetoes.refuse(facets, slots);
    }
}

pub(super) fn standstill(
    scene: &Scene<'_>,
    at_least_days: i64,
    after_treatment_days: i64,
    vetoes: &mut Vetoes<'_>,
) {
    if let Some(standstill) = scene.facts.stops.standstill {
        let until = standstill.lasts_until(at_least_days, after_treatment_days);
        let slots = scene.slots_where(|slot| until.is_none_or(|until| slot.from < until));
        vetoes.refuse(Facets::ACTING, slots);
    }
}

pub(super) fn plan_in_preparation(scene: &Scene<'_>, days: i64, vetoes: &mut Vetoes<'_>) {
    if let Some(since) = scene.facts.stops.plan_prepared_since {
        let until = since + Days::whole(days);
        let slots = scene.slots_where(|slot| slot.from < until);
        vetoes.refuse(Facets::ACTING, slots);
    }
}

pub(super) fn vulnerable(scene: &Scene<'_>, vetoes: &mut Vetoes<'_>) {
    if scene.facts.stops.vulnerable {
        let acting = Facets::ACTING;
        vetoes.refuse(acting.tones(|tone| tone >= Tone::Firm), u64::MAX);
        let claims = acting.kinds(|kind| kind == Kind::CollectionClaim);
        vetoes.refuse(claims, u64::MAX);
        vetoes.refuse(fee::charged(scene), u64::MAX);
    }
}
