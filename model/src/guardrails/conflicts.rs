//! Where a strategy and the rules contradict each other: steps that no rule ever lets through.
//!
//! The steps of each stage are judged in the cases that favour them most: customers of every
//! country that the packs and the stage know, consumers and businesses, on each day of the stage's
//! first two weeks, before and after every lower rung, with a debit that failed. A step that is
//! refused in all of them will not be advised.

use super::facts::Facts;
use super::{Guardrails, Verdict, zones};
use crate::log::RuleId;
use crate::strategy::{StageSpec, Strategy};
use lagom_features::domain::{
    Channel, Country, Customer, CustomerId, CustomerKind, Date, Days, Event, EventId, EventType,
    Invoice, InvoiceId, Kind, Money, TenantId, Tone, Zone,
};
use lagom_features::{History, Ledger, Recorded};
use std::collections::BTreeMap;

/// Days of a stage on which its steps are tried: every day of the week, and a week later.
const DAYS: i32 = 14;
/// Owed, in minor units, where a stage names no amount.
const OWED_MINOR: i64 = 100_000;

/// A step of a stage that the rules never allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Place of the stage in the strategy.
    pub stage: usize,
    /// Its name.
    pub name: String,
    /// Kind, channel and tone of the step; `None` where the stage has no step that is ever allowed.
    pub step: Option<String>,
    /// The rules that refuse it, the one that does so most often first.
    pub rules: Vec<RuleId>,
}

type Step = (Kind, Option<Channel>, Option<Tone>);

#[derive(Default)]
struct Tried {
    allowed: bool,
    refused: BTreeMap<RuleId, usize>,
}

/// Every step of `strategy` that `guardrails` never let through.
#[must_use]
pub fn conflicts(guardrails: &Guardrails, strategy: &Strategy) -> Vec<Conflict> {
    let stages = strategy.spec().stages.iter().enumerate();
    stages
        .flat_map(|(at, stage)| {
            let mut tried: BTreeMap<Step, Tried> = BTreeMap::new();
            for facts in cases(guardrails, strategy, stage) {
                judge(guardrails, strategy, at, &facts, &mut tried);
            }
            told(at, stage, tried)
        })
        .collect()
}

fn judge(
    guardrails: &Guardrails,
    strategy: &Strategy,
    stage: usize,
    facts: &Facts,
    tried: &mut BTreeMap<Step, Tried>,
) {
    let mut verdicts = Vec::new();
    guardrails.screen(facts, strategy, None, &mut verdicts);
    let entries = strategy.entries().iter().zip(strategy.catalogue());
    for ((entry, action), verdict) in entries.zip(verdicts) {
        if entry.step.is_none() || entry.stages >> stage & 1 == 0 {
            continue;
        }
        let step = (action.kind, action.channel, action.tone);
        let one = tried.entry(step).or_default();
        match verdict {
            Verdict::Allowed => one.allowed = true,
            Verdict::Refused(rule) => {
                let id = guardrails.rule(rule).id.clone();
                *one.refused.entry(id).or_default() += 1;
            }
        }
    }
}

fn told(at: usize, stage: &StageSpec, tried: BTreeMap<Step, Tried>) -> Vec<Conflict> {
    let conflict = |step: Option<String>, refused: BTreeMap<RuleId, usize>| {
        let mut rules: Vec<(RuleId, usize)> = refused.into_iter().collect();
        rules.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Conflict {
            stage: at,
            name: stage.name.clone(),
            step,
            rules: rules.into_iter().map(|(rule, _)| rule).collect(),
        }
    };
    if !tried.is_empty() && tried.values().all(|one| !one.allowed) {
        let mut all: BTreeMap<RuleId, usize> = BTreeMap::new();
        for (rule, count) in tried.into_values().flat_map(|one| one.refused) {
            *all.entry(rule).or_default() += count;
        }
        return vec![conflict(None, all)];
    }
    let never = tried.into_iter().filter(|(_, one)| !one.allowed);
    never
        .map(|((kind, channel, tone), one)| {
            let facets = [channel.map(Channel::name), tone.map(Tone::name)];
            let facets = facets.into_iter().flatten();
            let words: Vec<&str> = std::iter::once(kind.name()).chain(facets).collect();
            conflict(Some(words.join(".")), one.refused)
        })
        .collect()
}

/// The cases in which the steps of a stage are tried.
fn cases(guardrails: &Guardrails, strategy: &Strategy, stage: &StageSpec) -> Vec<Facts> {
    let mut countries = stage.when.countries.clone();
    if countries.is_empty() {
        let packs = guardrails.packs().iter();
        countries.extend(packs.filter_map(|pack| pack.countries().first().copied()));
    }
    let kinds = match stage.when.customers {
        Some(kind) => vec![kind],
        None => vec![CustomerKind::Consumer, CustomerKind::Business],
    };
    let last = stage.until_day.unwrap_or(i32::MAX);
    let days = stage.from_day..=last.min(stage.from_day.saturating_add(DAYS - 1));
    let mut cases = Vec::new();
    for &country in &countries {
        for &kind in &kinds {
            for day in days.clone() {
                for climbed in 0..3 {
                    cases.extend(case(strategy, stage, country, kind, day, climbed));
                }
            }
        }
    }
    cases
}

/// A customer whose invoice fell due `day` days ago, asked at midnight, with the first `climbed`
/// rungs long behind.
fn case(
    strategy: &Strategy,
    stage: &StageSpec,
    country: Country,
    kind: CustomerKind,
    day: i32,
    climbed: usize,
) -> Option<Facts> {
    let zone = zones::of(country).into_iter().next();
    let zone = zone.unwrap_or_else(Zone::utc);
    let today = Date::parse("2026-06-01").ok()?;
    let now = today.start(&zone);
    let due_on = today.plus_days(-day);
    let long_ago = now - Days::whole(400);
    let customer_id = CustomerId::new("c").ok()?;
    let mut customer = Customer::unknown(TenantId::default(), customer_id.clone(), long_ago);
    customer.kind = Some(kind);
    customer.country = Some(country);
    customer.time_zone = Some(zone);
    customer.autopay = Some(true);
    customer.segment = stage.when.segments.first().cloned();
    let least = stage.when.owed_from_minor;
    let below = stage.when.owed_below_minor.map(|below| below - 1);
    let owed_minor = least.or(below).unwrap_or(OWED_MINOR).max(1);
    let invoice = |name: &str, due_on: Date| Invoice {
        invoice_id: InvoiceId::new(name).expect("a short name is an id"),
        customer_id: customer_id.clone(),
        issued_at: long_ago,
        due_on,
        amount: Money::new(owed_minor, strategy.currency()),
        terms_days: None,
        payment_method: None,
        billing_channel: None,
        product: stage.when.products.first().map(|one| one.as_str().into()),
    };
    let mut invoices = vec![invoice("i", due_on)];
    let mut events = Vec::new();
    let mut event = |kind: EventType, days_ago: i64, invoice_id: &InvoiceId| {
        let id = EventId::new(format!("e{}", events.len())).expect("a short name is an id");
        let at = now - Days::whole(days_ago);
        let mut event = Event::new(id, kind, customer_id.clone(), at, at);
        event.invoice_id = Some(invoice_id.clone());
        events.push(event);
        events.len() - 1
    };
    let own = invoices[0].invoice_id.clone();
    let mut edits: Vec<(usize, Option<&str>)> = Vec::new();
    for (rung, days_ago) in [
        "reminder.letter.neutral.d0-morning",
        "reminder.letter.final.d0-morning",
    ]
    .into_iter()
    .zip([80, 60])
    .take(climbed)
    {
        edits.push((event(EventType::ContactSent, days_ago, &own), Some(rung)));
    }
    event(EventType::PaymentFailed, 5, &own);
    if stage.when.first_miss == Some(true) {
        for name in ["a", "b", "c"] {
            let paid = invoice(name, today.plus_days(-90));
            edits.push((
                event(EventType::PaymentSucceeded, 100, &paid.invoice_id),
                None,
            ));
            invoices.push(paid);
        }
    }
    for (at, reason) in edits {
        let paid = Money::new(owed_minor, strategy.currency());
        events[at].amount = reason.is_none().then_some(paid);
        events[at].channel = reason.map(|_| Channel::Letter);
        events[at].reason = reason.map(str::to_owned);
    }
    let recorded = |value: Invoice| Recorded {
        recorded_at: long_ago,
        value,
    };
    let history = History::from_records(
        vec![Recorded {
            recorded_at: long_ago,
            value: customer,
        }],
        invoices.into_iter().map(recorded).collect(),
        &events,
    );
    let view = history.as_of(now);
    let mut facts = Facts::of(&view, &Ledger::of(&view), &own)?;
    // As a model would say of somebody new; what is late has no early risk.
    let (least, below) = (stage.when.early_risk_from, stage.when.early_risk_below);
    let risk = least.map_or_else(
        || below.map(|below| 0.5 * f64::from(below)),
        |least| Some(least.into()),
    );
    facts.early_risk = risk.filter(|_| facts.moment.late_in_days > 0.0);
    Some(facts)
}
