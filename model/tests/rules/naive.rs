//! The rules again, as slowly and as plainly as they can be said: from the raw records, one
//! action at a time, minute by minute where hours matter. It shares with the real ones only the
//! domain's types.

mod records;

use lagom_features::domain::time::DAY_MICROS;
use lagom_features::domain::{
    Action, Channel, Currency, Customer, CustomerKind, Date, Event, EventType, Invoice, Kind,
    Timestamp, Tone, Zone,
};
use lagom_model::guardrails::facts::Reserved;
use std::collections::HashSet;
use std::sync::LazyLock;

const HOUR: i64 = DAY_MICROS / 24;

/// Swedish holidays, from the almanac.
const HOLIDAYS: &[&str] = &[
    "2025-01-01",
    "2025-01-06",
    "2025-04-18",
    "2025-04-20",
    "2025-04-21",
    "2025-05-01",
    "2025-05-29",
    "2025-06-06",
    "2025-06-08",
    "2025-06-20",
    "2025-06-21",
    "2025-11-01",
    "2025-12-24",
    "2025-12-25",
    "2025-12-26",
    "2025-12-31",
    "2026-01-01",
    "2026-01-06",
    "2026-04-03",
    "2026-04-05",
    "2026-04-06",
    "2026-05-01",
    "2026-05-14",
    "2026-05-24",
    "2026-06-06",
    "2026-06-19",
    "2026-06-20",
    "2026-10-31",
    "2026-12-24",
    "2026-12-25",
    "2026-12-26",
    "2026-12-31",
    "2027-01-01",
    "2027-01-06",
    "2027-03-26",
    "2027-03-28",
    "2027-03-29",
    "2027-05-01",
    "2027-05-06",
    "2027-05-16",
    "2027-06-06",
    "2027-06-25",
    "2027-06-26",
    "2027-11-06",
    "2027-12-24",
    "2027-12-25",
    "2027-12-26",
    "2027-12-31",
];

/// Everything recorded, and what the company decided about its rules.
pub(crate) struct World<'a> {
    pub(crate) customer: &'a Customer,
    pub(crate) invoice: &'a Invoice,
    /// What had happened and was known, oldest first.
    pub(crate) events: &'a [Event],
    /// What may go out at any moment.
    pub(crate) reserved: &'a [Reserved],
    pub(crate) now: Timestamp,
    pub(crate) fees_agreed: bool,
    pub(crate) review: bool,
    pub(crate) allowed: Option<&'a [Channel]>,
}

/// What is to be sent, and when.
pub(crate) struct Step<'a> {
    pub(crate) action: &'a Action,
    pub(crate) fee_minor: i64,
    pub(crate) from: Timestamp,
    /// Whether a stage of the strategy is open, where that is asked.
    pub(crate) staged: bool,
    /// Whether the slot has passed, where that is asked.
    pub(crate) past: bool,
}

pub(crate) fn zones(customer: &Customer) -> Vec<Zone> {
    if let Some(zone) = &customer.time_zone {
        return vec![zone.clone()];
    }
    let names: &[&str] = match customer
        .country
        .map(|one| one.as_str().to_owned())
        .as_deref()
    {
        Some("SE") => &["Europe/Stockholm"],
        Some("GB") => &["Europe/London"],
        Some("US") => &[
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Phoenix",
            "America/Los_Angeles",
            "America/Anchorage",
            "Pacific/Honolulu",
        ],
        _ => &[],
    };
    names
        .iter()
        .map(|name| Zone::parse(name).unwrap())
        .collect()
}

pub(crate) fn zone(customer: &Customer) -> Zone {
    zones(customer).into_iter().next().unwrap_or_else(Zone::utc)
}

fn is_sunday(date: Date) -> bool {
    // 1970-01-04 was one.
    (date.days() - 3).rem_euclid(7) == 0
}

/// British bank holidays, from gov.uk; with Easter Sunday, and the days for which others are off in
/// lieu.
const BRITISH: &[&str] = &[
    "2025-01-01",
    "2025-04-18",
    "2025-04-20",
    "2025-04-21",
    "2025-05-05",
    "2025-05-26",
    "2025-08-25",
    "2025-12-25",
    "2025-12-26",
    "2026-01-01",
    "2026-04-03",
    "2026-04-05",
    "2026-04-06",
    "2026-05-04",
    "2026-05-25",
    "2026-08-31",
    "2026-12-25",
    "2026-12-26",
    "2026-12-28",
    "2027-01-01",
    "2027-03-26",
    "2027-03-28",
    "2027-03-29",
    "2027-05-03",
    "2027-05-31",
    "2027-08-30",
    "2027-12-25",
    "2027-12-26",
    "2027-12-27",
    "2027-12-28",
];

/// Whether the rules of `country` may be those of the customer.
fn lives_in(customer: &Customer, country: &str) -> bool {
    customer.country.is_none_or(|one| one.as_str() == country)
}

/// Read once: comparing texts would be most of the work.
fn days(list: &[&str]) -> HashSet<Date> {
    list.iter().map(|day| Date::parse(day).unwrap()).collect()
}
static SWEDISH_DAYS: LazyLock<HashSet<Date>> = LazyLock::new(|| days(HOLIDAYS));
static BRITISH_DAYS: LazyLock<HashSet<Date>> = LazyLock::new(|| days(BRITISH));

fn is_holiday(customer: &Customer, date: Date) -> bool {
    (lives_in(customer, "SE") && SWEDISH_DAYS.contains(&date))
        || (lives_in(customer, "GB") && BRITISH_DAYS.contains(&date))
}

/// Whether Swedish banks work.
fn is_bank_day(date: Date) -> bool {
    let saturday = is_sunday(date.plus_days(1));
    !is_sunday(date) && !saturday && !SWEDISH_DAYS.contains(&date)
}

/// Whether British ones do.
fn is_british_bank_day(date: Date) -> bool {
    let saturday = is_sunday(date.plus_days(1));
    !is_sunday(date) && !saturday && !BRITISH_DAYS.contains(&date)
}

fn rung(kind: Kind, tone: Option<Tone>) -> u8 {
    match (kind, tone) {
        (Kind::CollectionClaim, _) => 3,
        (Kind::Reminder, Some(Tone::Final)) => 2,
        (Kind::Reminder, _) => 1,
        _ => 0,
    }
}

/// Whether some minute of `[from, until]` is outside 08 to 20 in a zone the customer may be in.
pub(crate) fn out_of_hours(customer: &Customer, from: Timestamp, until: Timestamp) -> bool {
    let zones = zones(customer);
    let wrong = |zone: &Zone| {
        let mut at = from.micros();
        loop {
            let local = Timestamp::from_micros(at).unwrap().civil(zone);
            let sharp = (local.minute(), local.second(), local.subsec_nanosecond()) == (0, 0, 0);
            if local.hour() < 8 || local.hour() > 20 || (local.hour() == 20 && !sharp) {
                return true;
            }
            if at == until.micros() {
                return false;
            }
            at = (at + HOUR / 12).min(until.micros());
        }
    };
    zones.is_empty() || zones.iter().any(wrong)
}

/// Whether `from` is on a day of rest in a zone the customer may be in.
fn on_day_of_rest(world: &World<'_>, from: Timestamp) -> bool {
    let zones = zones(world.customer);
    let rests = |zone: &Zone| {
        let date = from.date(zone);
        is_sunday(date) || is_holiday(world.customer, date)
    };
    zones.is_empty() || zones.iter().any(rests)
}

/// Every rule of `global` and `SE` that forbids `step`. `quiet` says whether the slot is out of
/// hours; it is handed in because finding out is slow.
pub(crate) fn broken(world: &World<'_>, step: &Step<'_>, quiet: bool) -> Vec<&'static str> {
    use EventType::*;
    let action = step.action;
    if [Kind::Wait, Kind::HumanReview].contains(&action.kind) {
        return Vec::new();
    }
    let at = step.from;
    let message = action.kind != Kind::RetryDebit;
    let fee = step.fee_minor > 0;
    let on = |channels: &[Channel]| action.channel.is_some_and(|one| channels.contains(&one));
    let charged = world.charged();
    let firm = action.tone >= Some(Tone::Firm);
    let selling = [Kind::DiscountOffer, Kind::AutopayOffer].contains(&action.kind);
    let least = if world.invoice.amount.currency == Currency::SEK {
        5_000
    } else {
        500
    };
    let of_account = |event: &Event| event.invoice_id.is_none();
    let disputed = world.last_is(DisputeOpened, &[DisputeResolved], |event| world.mine(event))
        || world.last_is(DisputeOpened, &[DisputeResolved], of_account);
    let my_rung = rung(action.kind, action.tone);
    let mut rules: Vec<(&str, bool)> = vec![
        (
            "global.deceased",
            world.happened(CustomerDeceased, |_| true),
        ),
        (
            "global.bankrupt",
            world.happened(CustomerBankrupt, |_| true),
        ),
        ("global.minor", world.customer.minor == Some(true)),
        ("global.closed", world.is_closed()),
        (
            "global.in_collection",
            world.last_is(CollectionOpened, &[CollectionRecalled], |event| {
                world.mine(event)
            }) || world.last_is(CollectionOpened, &[CollectionRecalled], of_account),
        ),
        ("global.dispute", disputed),
        ("global.standstill", world.standstill(at, 0, 0)),
        (
            "global.hold",
            world.held(action.channel, message && selling, at),
        ),
        (
            "global.plan",
            world.plan(|event| world.mine(event)) || world.plan(of_account),
        ),
        (
            "global.payment_in_flight",
            world.in_flight() || world.debit_reserved(),
        ),
        ("global.unmatched_payment", world.unmatched(at)),
        ("global.promise", world.promised(at)),
        (
            "global.vulnerable",
            world.vulnerable() && (firm || fee || action.kind == Kind::CollectionClaim),
        ),
        (
            "request.channels",
            message && world.allowed.is_some_and(|allowed| !on(allowed)),
        ),
        (
            "global.consent",
            action
                .channel
                .is_some_and(|one| !world.consents(one, selling)),
        ),
        ("global.past_slot", step.past),
        ("strategy.stage", !step.staged),
        (
            "global.minimum_balance",
            message && world.outstanding() < least,
        ),
        (
            "global.undelivered",
            action.channel.is_some_and(|one| world.undelivered(one, at)),
        ),
        (
            "global.lifetime",
            message && world.own_contacts().len() + world.pending(true).len() >= 4,
        ),
        (
            "global.daily_cap",
            message && world.sent_within(24, at) >= 1,
        ),
        (
            "global.weekly_cap",
            message && world.sent_within(7 * 24, at) >= 2,
        ),
        (
            "global.monthly_cap",
            message && world.sent_within(30 * 24, at) >= 6,
        ),
        ("global.cooldown", message && world.sent_within(48, at) >= 1),
        (
            "global.quiet_hours",
            quiet && on(&[Channel::Sms, Channel::AppPush, Channel::Phone]),
        ),
        (
            "global.quiet_days",
            on(&[Channel::Sms, Channel::Phone]) && on_day_of_rest(world, at),
        ),
        ("global.one_rung", my_rung > world.reached() + 1),
        (
            "global.debit",
            action.kind == Kind::RetryDebit && !world.debit_allowed(at),
        ),
        (
            "global.fee_currency",
            fee && world.invoice.amount.currency != Currency::SEK,
        ),
        (
            "global.fee_once",
            fee && charged
                .iter()
                .any(|&(kind, tone)| rung(kind, tone) == my_rung),
        ),
        ("global.review_fees", fee && world.review),
        (
            "global.review_claims",
            action.kind == Kind::CollectionClaim && world.review,
        ),
    ];
    if world
        .customer
        .country
        .is_none_or(|one| one.as_str() == "SE")
    {
        let british = lives_in(world.customer, "GB");
        let written = on(&[Channel::Letter, Channel::Email, Channel::DigitalMailbox]);
        let foreign = world.invoice.amount.currency != Currency::SEK;
        let above = |most: i64| fee && (foreign || step.fee_minor > most);
        let kind = world.customer.kind;
        let consumer = kind != Some(CustomerKind::Business);
        let business = kind != Some(CustomerKind::Consumer);
        let reminder = action.kind == Kind::Reminder;
        let claim = action.kind == Kind::CollectionClaim;
        let reminders_charged = charged
            .iter()
            .filter(|(kind, _)| *kind == Kind::Reminder)
            .count();
        rules.extend([
            ("SE.fee_agreed", fee && !world.fees_agreed),
            ("SE.fee_written", fee && !written),
            ("SE.reminder_fee_cap", consumer && reminder && above(6_000)),
            ("SE.claim_fee_cap", consumer && claim && above(18_000)),
            (
                "SE.plan_fee_cap",
                action.kind == Kind::PlanOffer && above(17_000),
            ),
            (
                "SE.late_payment_compensation",
                business && (reminder || claim) && above(45_000),
            ),
            (
                "SE.one_reminder_fee",
                fee && reminder && reminders_charged >= 1,
            ),
            (
                "SE.claim_deadline",
                (reminder || claim) && world.claim_deadline(at, british),
            ),
        ]);
    }
    if lives_in(world.customer, "GB") {
        let consumer = world.customer.kind != Some(CustomerKind::Business);
        let business = world.customer.kind != Some(CustomerKind::Consumer);
        let owed = world.outstanding();
        // No fee of these worlds is in pounds.
        let compensation = fee && business;
        rules.extend([
            (
                "UK.breathing_space",
                consumer && world.standstill(at, 60, 0),
            ),
            (
                "UK.mental_health_crisis",
                consumer && world.standstill(at, 0, 30),
            ),
            (
                "UK.plan_in_preparation",
                consumer && world.plan_prepared(at, 30),
            ),
            (
                "UK.late_payment_compensation_small",
                compensation && owed < 100_000,
            ),
            (
                "UK.late_payment_compensation_middle",
                compensation && (100_000..1_000_000).contains(&owed),
            ),
            (
                "UK.late_payment_compensation_large",
                compensation && owed >= 1_000_000,
            ),
        ]);
    }
    rules
        .into_iter()
        .filter(|(_, broken)| *broken)
        .map(|(rule, _)| rule)
        .collect()
}
