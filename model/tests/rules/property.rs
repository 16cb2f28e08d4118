//! Whatever happened to a customer: no action that the rules let through breaks one, none is
//! refused without a rule that it breaks, and waiting or a person is always left.

use crate::case::invoice_id;
use crate::naive::{self, Step, World};
use crate::worlds::{Draw, GUARDRAILS, Random, STRATEGIES};
use lagom_features::domain::{Channel, Currency, Event, EventType, Kind, Tone, Zone};
use lagom_features::{History, Ledger, Recorded};
use lagom_model::guardrails::{Facts, Pack, Verdict};
use lagom_model::policy::ladder;
use lagom_model::strategy::{HUMAN_REVIEW, Strategy, WAIT, When};
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Fails with the words of what is wrong.
macro_rules! ensure {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err(format!($($words)+));
        }
    };
}

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
        country && kind && least && when.first_miss != Some(true) && world.has_come_to(when)
    };
    strategy.spec().stages.iter().any(|stage| {
        meant(&stage.when)
            && !stage.exit.as_ref().is_some_and(meant)
            && stage.kinds.contains(&kind)
            && channel.is_none_or(|one| stage.channels.is_empty() || stage.channels.contains(&one))
            && tone.is_none_or(|one| stage.tones.is_empty() || stage.tones.contains(&one))
            && day >= stage.from_day
            && day <= stage.until_day.unwrap_or(i32::MAX)
    })
}

/// How much of a world's catalogue is compared.
#[derive(Clone, Copy)]
enum Compare {
    Everything,
    /// So many actions, and the one that the ladder takes.
    Some(usize),
}

/// Compares the two, and adds to `named` every rule that a refusal names.
fn check(
    random: &Random,
    compare: Compare,
    draw: &mut Draw,
    named: &mut BTreeSet<&'static str>,
) -> Result<(), String> {
    let customer = Recorded {
        recorded_at: random.customer.created_at,
        value: random.customer.clone(),
    };
    let invoices = random.invoices.iter().map(|one| Recorded {
        recorded_at: one.issued_at,
        value: one.clone(),
    });
    let history = History::from_records(vec![customer], invoices.collect(), &random.events);
    let view = history.as_of(random.now);
    let mut facts = Facts::of(&view, &Ledger::of(&view), &invoice_id("i")).unwrap();
    facts.reserve(&invoice_id("i"), &random.reserved);
    let strategy = &STRATEGIES[random.strategy];
    let guardrails = &GUARDRAILS[random.guardrails];

    let mut known: Vec<Event> = random.events.clone();
    known.retain(|event| event.occurred_at < random.now && event.recorded_at < random.now);
    known.sort_by_key(|event| (event.occurred_at, event.recorded_at, event.event_id.clone()));
    let world = World {
        customer: &random.customer,
        invoice: &random.invoices[0],
        events: &known,
        reserved: &random.reserved,
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
    ensure!(
        verdicts.len() == strategy.catalogue().len(),
        "a verdict each"
    );
    ensure!(verdicts[WAIT].is_allowed(), "waiting is refused");
    // A person can always be asked while anything is owed.
    let closed = world.is_closed();
    ensure!(
        verdicts[HUMAN_REVIEW].is_allowed() != closed,
        "a person, closed: {closed}"
    );

    let eligible: Vec<bool> = verdicts.iter().map(|one| one.is_allowed()).collect();
    let rung = ladder::choose(&facts, strategy, &eligible);
    ensure!(eligible[rung], "the ladder takes what is refused");
    let steps = strategy.catalogue().len() - 2;
    let places: Vec<usize> = match compare {
        Compare::Everything => (2..steps + 2).collect(),
        Compare::Some(count) => {
            let any: Vec<usize> = (0..count).map(|_| 2 + draw.below(steps)).collect();
            // What is left open is what could be advised: half of those compared, where there is any.
            let open: Vec<usize> = (2..steps + 2).filter(|&place| eligible[place]).collect();
            let half = (0..count / 2).filter(|_| !open.is_empty());
            let open: Vec<usize> = half.map(|_| open[draw.below(open.len())]).collect();
            let all = any[..count - open.len()].iter().copied();
            all.chain(open).chain((rung >= 2).then_some(rung)).collect()
        }
    };

    let zone = naive::zone(&random.customer);
    let today = random.now.date(&zone);
    let mut quiet = HashMap::new();
    for place in places {
        let (action, verdict) = (&strategy.catalogue()[place], &verdicts[place]);
        let calls = matches!(
            action.channel,
            Some(Channel::Sms | Channel::AppPush | Channel::Phone)
        );
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
            calls
                && *quiet
                    .entry((from, until))
                    .or_insert_with(|| naive::out_of_hours(&random.customer, from, until))
        };
        let broken = naive::broken(&world, &step, is_quiet(until));
        named.extend(broken.first());
        let refused = match verdict {
            Verdict::Allowed => None,
            Verdict::Refused(rule) => Some(guardrails.rule(*rule).id.as_str()),
        };
        ensure!(
            refused == broken.first().copied(),
            "{action} is refused by {refused:?}; it breaks {broken:?}"
        );

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
        ensure!(
            rechecked == broken,
            "{action} confirmed: {rechecked:?} {broken:?}"
        );
        named.extend(broken);
    }
    Ok(())
}

/// The same world with as little in it as still fails.
fn shrunk(random: &Random, seed: u64) -> (Random, String) {
    let fails = |random: &Random| {
        let (mut draw, mut named) = (Draw::new(seed), BTreeSet::new());
        check(random, Compare::Everything, &mut draw, &mut named).err()
    };
    let mut least = random.clone();
    let mut why = fails(&least).unwrap_or_else(|| "only when drawn".to_owned());
    let mut at = 0;
    while at < least.events.len() + least.reserved.len() {
        let mut less = least.clone();
        if at < less.events.len() {
            less.events.remove(at);
        } else {
            less.reserved.remove(at - less.events.len());
        }
        match fails(&less) {
            Some(reason) => (least, why) = (less, reason),
            None => at += 1,
        }
    }
    (least, why)
}

/// `LAGOM_CASES` asks for more worlds than those of every build, `LAGOM_FIRST` for others than the
/// first, so that millions can be gone through in pieces.
#[test]
#[expect(clippy::print_stderr, reason = "a long run says how far it is")]
fn the_rules_and_their_naive_twin_agree_on_everything() {
    let asked = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().unwrap())
    };
    let first = asked("LAGOM_FIRST").unwrap_or(0);
    let cases = asked("LAGOM_CASES").unwrap_or(20_000);
    // A few thousand are worth whole catalogues; of millions a sample of each is.
    let whole = if cases > 1_000_000 { 500 } else { 50 };
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let started = Instant::now();
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + cases {
                        return;
                    }
                    if seed % 1_000_000 == 999_999 {
                        eprintln!("{seed}: {:.0} s", started.elapsed().as_secs_f64());
                    }
                    let mut draw = Draw::new(seed);
                    let world = draw.world();
                    let compare = if seed % whole == 0 {
                        Compare::Everything
                    } else {
                        Compare::Some(6)
                    };
                    let found = check(&world, compare, &mut draw, &mut BTreeSet::new());
                    if let Err(reason) = found {
                        failed.store(true, Ordering::Relaxed);
                        *failure.lock().unwrap() = Some((seed, world, reason));
                    }
                }
            });
        }
    });
    if let Some((seed, world, reason)) = failure.into_inner().unwrap() {
        let (least, why) = shrunk(&world, seed);
        panic!("seed {seed}: {reason}\nleast: {why}\n{least:#?}");
    }
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("{cases} worlds in {seconds:.0} s on {threads} threads");
}

/// An agreement on worlds in which a rule is never named anything would say nothing about it.
#[test]
fn every_rule_is_named_by_some_refusal() {
    let mut named = BTreeSet::new();
    let mut draw = Draw::new(1);
    for _ in 0..6_000 {
        let world = draw.world();
        check(&world, Compare::Everything, &mut draw, &mut named).unwrap();
    }
    for rule in GUARDRAILS[0].packs().iter().flat_map(Pack::rules) {
        // Judged by estimates: `gentle` holds it to a twin of its own.
        let judged = rule.id != "global.gentle_first";
        assert!(
            named.contains(rule.id.as_str()) == judged,
            "{} is never named",
            rule.id
        );
    }
}
