//! Whatever happened to a customer: no action that the rules let through breaks one, none is
//! refused without a rule that it breaks, and waiting or a person is always left.

use crate::case::invoice_id;
use crate::naive::{self, Step, World};
use crate::worlds::{GUARDRAILS, Random, STRATEGIES, random};
use lagom_features::domain::{Channel, Currency, Event, EventType, Kind, Tone, Zone};
use lagom_features::{History, Ledger, Recorded};
use lagom_model::guardrails::{Facts, Pack, Verdict};
use lagom_model::policy::ladder;
use lagom_model::strategy::{HUMAN_REVIEW, Strategy, WAIT, When};
use proptest::prelude::*;
use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::TestRunner;
use std::collections::{BTreeSet, HashMap};

fn staged(
    strategy: &Strategy,
    kind: Kind,
    channel: Option<Channel>,
    tone: Option<Tone>,
    day: i32,
    world: &World<'_>,
    owed_minor: i64,
) -> bool {
    let meant = |when: &When| {
        let customer = world.customer;
        let in_crowns = world.invoice.amount.currency == Currency::SEK;
        let country = when.countries.is_empty()
            || matches!(customer.country, Some(one) if when.countries.contains(&one));
        let kind = when.customers.is_none() || when.customers == customer.kind;
        let least = match when.owed_from_minor {
            Some(least) => in_crowns && owed_minor >= least,
            None => true,
        };
        // Nobody has three settled invoices in a world of two.
        country && kind && least && when.first_miss != Some(true)
    };
    strategy.spec().stages.iter().any(|stage| {
        meant(&stage.when)
            && stage.kinds.contains(&kind)
            && channel.is_none_or(|one| stage.channels.is_empty() || stage.channels.contains(&one))
            && tone.is_none_or(|one| stage.tones.is_empty() || stage.tones.contains(&one))
            && day >= stage.from_day
            && day <= stage.until_day.unwrap_or(i32::MAX)
    })
}

/// Compares the two, and adds to `named` every rule that a refusal names.
fn check(random: &Random, named: &mut BTreeSet<&'static str>) -> Result<(), TestCaseError> {
    let customer = Recorded {
        recorded_at: random.customer.created_at,
        value: random.customer.clone(),
    };
    let invoices = random.invoices.iter().map(|one| Recorded {
        recorded_at: one.issued_at,
        value: one.clone(),
    });
    let history = History::from_records(vec![customer], invoices.collect(), random.events.clone());
    let view = history.as_of(random.now);
    let facts = Facts::of(&view, &Ledger::of(&view), &invoice_id("i")).unwrap();
    let strategy = &STRATEGIES[random.strategy];
    let guardrails = &GUARDRAILS[random.guardrails];

    let mut known: Vec<Event> = random.events.clone();
    known.retain(|event| event.occurred_at < random.now && event.recorded_at < random.now);
    known.sort_by_key(|event| (event.occurred_at, event.recorded_at, event.event_id.clone()));
    let world = World {
        customer: &random.customer,
        invoice: &random.invoices[0],
        events: &known,
        now: random.now,
        fees_agreed: random.guardrails >= 2,
        review: [0, 2].contains(&random.guardrails),
        allowed: random.allowed.as_deref(),
    };
    let due_on = {
        let mut moved = known.iter().rev().filter(|event| {
            event.kind == EventType::DueDateChanged && event.invoice_id == Some(invoice_id("i"))
        });
        let moved = moved.next().and_then(|event| event.until);
        moved.map_or(world.invoice.due_on, |until| until.date(&Zone::utc()))
    };

    let mut verdicts = Vec::new();
    guardrails.screen(&facts, strategy, world.allowed, &mut verdicts);
    prop_assert_eq!(verdicts.len(), strategy.catalogue().len());
    prop_assert_eq!(verdicts[WAIT], Verdict::Allowed);
    // A person can always be asked while anything is owed.
    let closed = world.is_closed();
    prop_assert_eq!(verdicts[HUMAN_REVIEW].is_allowed(), !closed);

    let eligible: Vec<bool> = verdicts.iter().map(|one| one.is_allowed()).collect();
    prop_assert!(eligible[ladder::choose(&facts, strategy, &eligible)]);

    let zone = naive::zone(&random.customer);
    let today = random.now.date(&zone);
    let mut quiet = HashMap::new();
    for (action, verdict) in strategy.catalogue().iter().zip(&verdicts).skip(2) {
        let (from, until) = action.timing.unwrap().slot(today, &zone);
        let past = until <= random.now;
        let (from, until) = (from.max(random.now), until.max(random.now));
        let day = from.date(&zone).days_since(due_on);
        let fee_minor = strategy.fee_minor(action);
        let step = Step {
            action,
            fee_minor,
            from,
            staged: staged(
                strategy,
                action.kind,
                action.channel,
                action.tone,
                day,
                &world,
                facts.outstanding_minor,
            ),
            past,
        };
        let mut is_quiet = |until| {
            *quiet
                .entry((from, until))
                .or_insert_with(|| naive::out_of_hours(&random.customer, from, until))
        };
        let broken = naive::broken(&world, &step, is_quiet(until));
        named.extend(broken.first());
        match verdict {
            Verdict::Allowed => {
                prop_assert!(
                    broken.is_empty(),
                    "{action} is allowed and breaks {broken:?}"
                );
            }
            Verdict::Refused(rule) => {
                let rule = guardrails.rule(*rule).id.as_str();
                prop_assert!(
                    broken.first() == Some(&rule),
                    "{action} is refused by {rule}; it breaks {broken:?}"
                );
            }
        }

        // Confirmed at the beginning of the slot by what is known now, every broken rule is
        // named but those that bind the choice alone.
        let confirmed = Step {
            staged: true,
            past: false,
            ..step
        };
        let unlimited = World {
            allowed: None,
            ..world
        };
        // A fee is re-checked as one of the invoice's currency, as it was logged.
        let fee_minor = if world.invoice.amount.currency == Currency::SEK {
            fee_minor
        } else {
            0
        };
        let confirmed = Step {
            fee_minor,
            ..confirmed
        };
        let broken = naive::broken(&unlimited, &confirmed, is_quiet(from));
        let rechecked = guardrails.recheck(&facts, action, fee_minor, from);
        prop_assert_eq!(rechecked, broken, "{}", action);
    }
    Ok(())
}

/// `LAGOM_CASES` asks for more worlds than the few thousand of every build.
fn config() -> ProptestConfig {
    let asked = std::env::var("LAGOM_CASES").ok();
    ProptestConfig {
        cases: asked.and_then(|text| text.parse().ok()).unwrap_or(3_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_rules_and_their_naive_twin_agree_on_everything(random in random()) {
        check(&random, &mut BTreeSet::new())?;
    }
}

/// An agreement on worlds in which a rule is never named anything would say nothing about it.
#[test]
fn every_rule_is_named_by_some_refusal() {
    let mut runner = TestRunner::deterministic();
    let mut named = BTreeSet::new();
    for _ in 0..6_000 {
        let world = random().new_tree(&mut runner).unwrap().current();
        check(&world, &mut named).unwrap();
    }
    let packs = GUARDRAILS[0].packs().iter();
    for rule in packs.flat_map(Pack::rules) {
        assert!(
            named.contains(rule.id.as_str()),
            "{} is never named",
            rule.id
        );
    }
}
