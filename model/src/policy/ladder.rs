//! The rules ladder: what a careful person would do without a model.
//!
//! A notice about the due date, a reminder by e-mail about day 5, a second by letter about day
//! 12, a claim about day 26, each in the tone of the customer's [`Track`]. Who has a habit is left
//! alone until two days after the day on which he usually pays. A rung that says so comes early and
//! over another channel where the message before was not seen. Where a person must decide, a person
//! is asked, once.
//!
//! The rungs are data of the [`Strategy`]; what the guardrails refuse is never chosen.

use crate::guardrails::Facts;
use crate::guardrails::facts::{Contact, Rung};
use crate::strategy::{HUMAN_REVIEW, LadderSpec, Strategy, Track, WAIT};
use lagom_features::domain::{Action, Channel, Days, Kind, Tone};

/// Days beyond a customer's usual day before the ladder speaks up.
pub const GRACE_DAYS: f64 = 2.0;
/// Days after which a person may be asked about the same invoice again.
pub const REVIEW_AGAIN_DAYS: i64 = 30;
/// Days without any contact after which a refusal is more than a pause between messages.
pub const QUIET_DAYS: i64 = 7;
/// Contacts about an invoice after which the ladder asks a person instead of climbing on.
pub const CONTACTS_BEFORE_REVIEW: usize = 4;

/// The place of the action that the ladder takes in the strategy's catalogue; `eligible` says of
/// each whether the guardrails allow it. Waiting if nothing fits.
///
/// # Panics
/// If `eligible` is shorter than the catalogue.
#[must_use]
pub fn choose(facts: &Facts, strategy: &Strategy, eligible: &[bool]) -> usize {
    if facts.is_stopped() || waits_for_habit(facts) {
        return WAIT;
    }
    let retries = |rung: &&LadderSpec| rung.kind == Kind::RetryDebit;
    if !strategy.ladder(facts).iter().any(retries)
        && let Some(retry) = retry_debit(facts, strategy, eligible)
    {
        return retry;
    }
    if sent(facts).count() >= CONTACTS_BEFORE_REVIEW {
        return ask_person(facts);
    }
    let Some(rung) = next_rung(facts, strategy, eligible) else {
        return WAIT;
    };
    if rung.kind == Kind::RetryDebit {
        return retry_debit(facts, strategy, eligible).unwrap_or(WAIT);
    }
    let found = carry_out(rung, facts, strategy, eligible);
    found.unwrap_or_else(|| {
        if is_stuck(facts, strategy) {
            ask_person(facts)
        } else {
            WAIT
        }
    })
}

/// Whether the ladder's last day has come and nothing was sent for a while, so that what refuses
/// the next rung is more than a pause between messages.
fn is_stuck(facts: &Facts, strategy: &Strategy) -> bool {
    let ladder = strategy.ladder(facts);
    let last = ladder.last();
    let quiet = |contact: &Contact| contact.at + Days::whole(QUIET_DAYS) <= facts.now;
    last.is_some_and(|rung| facts.days_from_due >= rung.from_day)
        && facts.contacts.last().is_none_or(quiet)
}

/// The customer's track; a failed debit is nobody's bad will.
#[must_use]
pub fn track(facts: &Facts) -> Track {
    if facts.failed_debits.is_empty() {
        facts.payer.track()
    } else {
        Track::Gentle
    }
}

fn sent(facts: &Facts) -> impl Iterator<Item = &Contact> {
    facts
        .contacts_on_invoice()
        .filter(|contact| !contact.native)
}

/// A payer with a habit is not disturbed within it. A failed debit is no habit.
fn waits_for_habit(facts: &Facts) -> bool {
    let usual = facts.payer.usual_lag_days();
    facts.failed_debits.is_empty()
        && usual.is_some_and(|lag| f64::from(facts.days_from_due) < lag + GRACE_DAYS)
}

fn ask_person(facts: &Facts) -> usize {
    let again = |asked| asked + Days::whole(REVIEW_AGAIN_DAYS) <= facts.now;
    if facts.review_asked_at.is_none_or(again) {
        HUMAN_REVIEW
    } else {
        WAIT
    }
}

fn earliest<'a>(
    strategy: &'a Strategy,
    eligible: &'a [bool],
    fits: impl Fn(&Action) -> bool,
) -> Option<usize> {
    let catalogue = strategy.catalogue().iter().enumerate();
    catalogue
        .filter(|&(place, action)| eligible[place] && fits(action))
        .min_by_key(|(place, action)| {
            let when = action.timing.map(|timing| (timing.day_offset, timing.part));
            (when, *place)
        })
        .map(|(place, _)| place)
}

fn retry_debit(facts: &Facts, strategy: &Strategy, eligible: &[bool]) -> Option<usize> {
    if facts.failed_debits.is_empty() {
        return None;
    }
    earliest(strategy, eligible, |action| action.kind == Kind::RetryDebit)
}

/// How many messages of this kind, or of a harder one, the customer has had on this invoice.
fn climbed(facts: &Facts, kind: Kind) -> usize {
    let rung = Rung::of(kind, None);
    let same = |one: &&Contact| match rung {
        Rung::Notice => one.kind == kind || one.rung() > Rung::Notice,
        _ => one.rung() >= rung,
    };
    sent(facts).filter(same).count()
}

/// The first rung that has not been climbed and whose time is not over, if its day has come.
///
/// A rung that tries a debit again is passed over where the rules allow none, and behind as many
/// attempts as there are such rungs up to it.
fn next_rung<'a>(
    facts: &Facts,
    strategy: &'a Strategy,
    eligible: &[bool],
) -> Option<&'a LadderSpec> {
    let ladder = strategy.ladder(facts);
    let open = ladder.iter().enumerate().find(|(place, rung)| {
        let same = |one: &&&LadderSpec| one.kind == rung.kind;
        let ordinal = ladder[..=*place].iter().filter(same).count();
        let over = rung
            .until_day
            .is_some_and(|until| facts.days_from_due > until);
        let open = if rung.kind == Kind::RetryDebit {
            // The first failure was of the debit itself.
            let possible = retry_debit(facts, strategy, eligible).is_some();
            possible && facts.failed_debits.len() <= ordinal
        } else {
            climbed(facts, rung.kind) < ordinal
        };
        open && !over
    });
    let (_, &rung) = open?;
    if rung
        .unseen_days
        .is_some_and(|days| is_unseen(facts, rung, days))
    {
        return Some(rung);
    }
    let due = facts.days_from_due >= rung.from_day;
    let last = sent(facts)
        .last()
        .map(|contact| contact.at.date(&facts.zone()));
    let rested = last.is_none_or(|day| facts.today.days_since(day) >= rung.gap_days);
    (due && rested).then_some(rung)
}

/// Whether the last message was of the rung's kind and was not seen for this many days.
fn is_unseen(facts: &Facts, rung: &LadderSpec, days: u16) -> bool {
    let last = sent(facts).last().filter(|last| last.kind == rung.kind);
    let channel = last.and_then(|last| last.channel);
    channel.is_some_and(|channel| facts.is_unseen(channel, days))
}

/// The rung in the track's tone, or else in the next softer one, over the first of its channels
/// that is open, at the earliest time.
fn carry_out(
    rung: &LadderSpec,
    facts: &Facts,
    strategy: &Strategy,
    eligible: &[bool],
) -> Option<usize> {
    let intended = rung.tone(track(facts));
    let softer = |tone: &&Tone| **tone <= intended;
    let tones = Tone::ALL.iter().rev().filter(softer);
    let unseen = |channel: Channel| {
        let days = rung.unseen_days;
        days.is_some_and(|days| facts.is_unseen(channel, days))
    };
    let channels = rung.channels.iter().copied();
    let channels: Vec<Channel> = channels.filter(|&channel| !unseen(channel)).collect();
    tones
        .flat_map(|&tone| channels.iter().map(move |&channel| (tone, channel)))
        .find_map(|(tone, channel)| message(rung.kind, channel, tone, strategy, eligible))
}

fn message(
    kind: Kind,
    channel: Channel,
    tone: Tone,
    strategy: &Strategy,
    eligible: &[bool],
) -> Option<usize> {
    earliest(strategy, eligible, |action| {
        action.kind == kind && action.channel == Some(channel) && action.tone == Some(tone)
    })
}
