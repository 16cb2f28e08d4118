//! Hard stops that need more than one look.

use super::Vetoes;
use crate::guardrails::facets::Facets;
use crate::guardrails::facts::Unmatched;
use crate::guardrails::scene::Scene;
use crate::guardrails::veto::fee;
use lagom_features::domain::{Days, Kind, Tone};

/// Money that may cover enough of the invoice. What has no amount, or is of another currency and
/// may have been exchanged, may cover anything.
pub(super) fn unmatched(scene: &Scene<'_>, days: i64, share: f64, vetoes: &mut Vetoes<'_>) {
    let facts = scene.facts;
    let fresh = |one: &&Unmatched| one.at + Days::whole(days) > facts.now;
    let mut known_minor = 0_i64;
    let mut may_cover = false;
    for one in facts.stops.unmatched.iter().filter(fresh) {
        match one.minor {
            Some(minor) if one.currency == Some(facts.currency) => {
                known_minor = known_minor.saturating_add(minor);
            }
            _ => may_cover = true,
        }
    }
    may_cover |= known_minor > 0 && known_minor as f64 >= share * facts.outstanding_minor as f64;
    vetoes.refuse_if(may_cover, Facets::ACTING);
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
        vetoes.refuse(facets, slots);
    }
}

pub(super) fn standstill(scene: &Scene<'_>, at_least_days: i64, vetoes: &mut Vetoes<'_>) {
    if let Some(standstill) = scene.facts.stops.standstill {
        let least = standstill.from + Days::whole(at_least_days);
        let until = standstill.until.map(|until| until.max(least));
        let slots = scene.slots_where(|slot| until.is_none_or(|until| slot.from < until));
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
