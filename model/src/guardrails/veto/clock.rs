//! Hours and days of rest, by the customer's own clock. Where the zone is unknown a slot must be
//! right in every zone the customer may be in; where none is known, no slot is.

use super::Vetoes;
use crate::guardrails::facets::Facets;
use crate::guardrails::holidays::{Holidays, weekday};
use crate::guardrails::scene::{Local, Scene, Slot};
use lagom_features::domain::Channel;

type Span = (i32, i32);

fn everywhere(slot: &Slot, right: impl Fn(&Local) -> bool) -> bool {
    !slot.locals.is_empty() && slot.locals.iter().all(right)
}

pub(super) fn hours(
    scene: &Scene<'_>,
    channels: &[Channel],
    (weekdays, saturday, sunday): (Span, Option<Span>, Option<Span>),
    vetoes: &mut Vetoes<'_>,
) {
    let within = |local: &Local| {
        let (from, until) = match weekday(local.day) {
            6 => saturday.unwrap_or(weekdays),
            7 => sunday.unwrap_or(weekdays),
            _ => weekdays,
        };
        local.from_minute >= from * 60 && local.until_minute <= until * 60
    };
    let quiet = scene.slots_where(|slot| !everywhere(slot, within));
    vetoes.refuse(Facets::contacts().over(channels), quiet);
}

pub(super) fn quiet_days(
    scene: &Scene<'_>,
    channels: &[Channel],
    sundays: bool,
    holidays: &[&Holidays],
    vetoes: &mut Vetoes<'_>,
) {
    let works = |local: &Local| {
        let rests = sundays && weekday(local.day) == 7;
        !rests && !holidays.iter().any(|one| one.contains(local.day))
    };
    let quiet = scene.slots_where(|slot| !everywhere(slot, works));
    vetoes.refuse(Facets::contacts().over(channels), quiet);
}
