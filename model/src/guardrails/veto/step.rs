//! The order and the distance of steps.

use super::Vetoes;
use crate::guardrails::facets::Facets;
use crate::guardrails::facts::{Contact, Rung};
use crate::guardrails::holidays::Holidays;
use crate::guardrails::scene::Scene;
use lagom_features::domain::{Date, Days, Kind, Tone};

/// Every action that stands on `rung`.
pub(super) fn on_rung(rung: Rung) -> Facets {
    let reminders = Facets::ACTING.kinds(|kind| kind == Kind::Reminder);
    match rung {
        Rung::Notice => {
            let above = [Kind::Reminder, Kind::CollectionClaim];
            Facets::ACTING.kinds(|kind| !above.contains(&kind))
        }
        Rung::Reminder => reminders.without_tones(|tone| tone == Tone::Final),
        Rung::Final => reminders.tones(|tone| tone == Tone::Final),
        Rung::Claim => Facets::ACTING.kinds(|kind| kind == Kind::CollectionClaim),
    }
}

pub(super) fn one_rung(scene: &Scene<'_>, vetoes: &mut Vetoes<'_>) {
    let next = scene.facts.rung_reached().next();
    for rung in [Rung::Final, Rung::Claim] {
        vetoes.refuse_if(rung > next, on_rung(rung));
    }
}

fn steps<'a>(scene: &'a Scene<'_>, kinds: &[Kind]) -> impl DoubleEndedIterator<Item = &'a Contact> {
    let of_kinds = move |one: &&Contact| !one.native && kinds.contains(&one.kind);
    let found: Vec<&Contact> = scene.facts.contacts_on_invoice().filter(of_kinds).collect();
    found.into_iter()
}

/// How long the next step must wait.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    pub(super) days: i32,
    pub(super) bank_days: i32,
    pub(super) post_days: i32,
}

pub(super) fn wait(
    scene: &Scene<'_>,
    holidays: &[&Holidays],
    (after, then): (&[Kind], &[Kind]),
    wait: Wait,
    vetoes: &mut Vetoes<'_>,
) {
    let Some(last) = steps(scene, after).next_back() else {
        return;
    };
    let no_holidays = Holidays::default();
    let over = |sent: Date| {
        let arrived = sent.plus_days(wait.post_days);
        let calendars = holidays.iter().copied();
        let by_bank = calendars
            .chain(std::iter::once(&no_holidays))
            .map(|calendar| calendar.plus_bank_days(arrived, wait.bank_days));
        by_bank.fold(sent.plus_days(wait.days), Date::max)
    };
    let zone = scene.facts.zone();
    let early = if last.pending_until.is_some() {
        scene.slots_where(|slot| slot.day < over(last.sent_before(slot.from).date(&zone)))
    } else {
        let earliest = over(last.at.date(&zone));
        scene.slots_where(|slot| slot.day < earliest)
    };
    let facets = Facets::ACTING.kinds(|kind| then.contains(&kind));
    vetoes.refuse(facets, early);
}

pub(super) fn count(scene: &Scene<'_>, kinds: &[Kind], max: usize, vetoes: &mut Vetoes<'_>) {
    let spent = steps(scene, kinds).count() >= max;
    vetoes.refuse_if(spent, Facets::ACTING.kinds(|kind| kinds.contains(&kind)));
}

pub(super) fn debit(
    scene: &Scene<'_>,
    methods: &[String],
    attempts: usize,
    gap_hours: i64,
    vetoes: &mut Vetoes<'_>,
) {
    let facts = scene.facts;
    let debits = Facets::ACTING.kinds(|kind| kind == Kind::RetryDebit);
    let method = facts.payment_method.as_deref();
    let listed = |method| methods.iter().any(|one| one == method);
    let can = facts.autopay || method.is_some_and(listed);
    let failures = facts.failed_debits.len();
    vetoes.refuse_if(!can || failures >= attempts, debits);
    match facts.failed_debits.last() {
        None => vetoes.refuse(debits, u64::MAX),
        Some(&last) => {
            let until = last + Days::hours(gap_hours);
            vetoes.refuse(debits, scene.slots_where(|slot| slot.from < until));
        }
    }
}
