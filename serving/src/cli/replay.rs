//! `lagom replay`: the past under another pack, strategy or policy.

mod worth;

use super::answer::{Answer, Failure};
use super::named::{Maker, Named, hindsight};
use super::output::Output;
use super::terminal::progress;
use crate::config::Config;
use lagom_features::domain::{Days, Timestamp};
use lagom_model::decide::{PolicyKind, Snapshot};
use lagom_model::ope::gate::GateSpec;
use lagom_training::registry::Registry;
use lagom_training::replay::{Group, Replay, ReplayOptions, Tally, replay};
use lagom_training::valuation::{OwnLog, ValuationOptions};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use worth::Worth;

/// Changes and rules that a person is shown.
const SHOWN: usize = 12;

/// Makes every logged decision again under a configuration: contacts saved, fees, claims, what each
/// rule refuses, and which decisions would differ. Each is made from what was known then, after the
/// messages that the replay itself has sent; what customers did stays as it was. With --policy also
/// what that policy would have been worth, from the logged probabilities, beside what was lived.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lagom export --config lagom.toml --out log
  lagom replay --data log --config stricter.toml
  lagom replay --data log --config stricter.toml --from 2026-06-01 --json
  lagom replay --data log --models models --policy 3f2a --from 2026-06-01 --until 2026-09-01")]
pub(crate) struct Args {
    /// Folder of canonical tables with decisions, as lagom export writes them.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Configuration whose strategy and guardrails are tried; the defaults if none is named.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Who decides: ladder, uniform, bandit (which learns from what had matured before --from), or a
    /// model version by its id, folder or file, with the bandit. The ladder, without its worth, if
    /// none is named.
    #[arg(long, value_name = "ID|FILE|NAME")]
    policy: Option<String>,
    /// Folder of the registry.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// Days of an invoice's life that its worth counts, from its first decision.
    #[arg(long, value_name = "DAYS", default_value_t = 60)]
    horizon: u16,
    /// Leave the logged messages in the past of every decision: each differs by itself.
    #[arg(long)]
    as_lived: bool,
    /// For how many days a person who is asked keeps a case.
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    review_days: u16,
    /// Only decisions from this instant on; for a learnt policy the middle of the log if not given.
    #[arg(long, value_name = "T", value_parser = crate::cli::parse_time)]
    from: Option<Timestamp>,
    /// Only decisions before this instant.
    #[arg(long, value_name = "T", value_parser = crate::cli::parse_time)]
    until: Option<Timestamp>,
    /// About how many events to hold in memory; larger data is read in parts.
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    events_at_once: u64,
}

/// What was made again, and what the policy would have been worth.
#[derive(Debug, Serialize)]
struct Found {
    policy: String,
    #[serde(flatten)]
    replay: Replay,
    #[serde(skip_serializing_if = "Option::is_none")]
    off_policy: Option<Worth>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let found = match &args.policy {
        Some(name) => valued(args, config, name)?,
        None => {
            let learning = config.nothing_learnt(config.spec.fingerprint())?;
            let snapshot = Snapshot::new(config.parts(None, Arc::clone(learning.generation())))?;
            Found {
                replay: again(args, &snapshot, PolicyKind::Ladder, args.from)?,
                policy: PolicyKind::Ladder.name().to_owned(),
                off_policy: None,
            }
        }
    };
    out.report(&found, || {
        let worth = found.off_policy.as_ref().map(Worth::text);
        text(&found.replay, &found.policy) + &worth.unwrap_or_default()
    })?;
    if let Some(config) = &args.config {
        out.next(format_args!("lagom serve --config {}", config.display()));
    }
    Ok(Answer::Yes)
}

/// The past under the policy of this name, with its worth.
fn valued(args: &Args, config: Config, name: &str) -> Result<Found, Failure> {
    if matches!(name, "logged" | "shadow") {
        let reason = format!(
            "--policy {name} was lived already; name ladder, uniform, bandit or a model version"
        );
        return Err(reason.into());
    }
    let log = OwnLog::read(&args.data)?;
    let fixed = matches!(name, "ladder" | "uniform");
    let start = if fixed { log.start() } else { log.middle() };
    let from = args.from.unwrap_or(start);
    let objective = config.objective.clone();
    let maker = Maker {
        data: &args.data,
        log: &log,
        config,
        registry: Registry::at(&args.models),
        from,
    };
    let (policy, named) = maker.make(name)?;
    let Named::Of(snapshot, kind, _) = &named else {
        return Err(format!("--policy {name} cannot decide anew").into());
    };
    let replay = again(args, snapshot, *kind, Some(from))?;
    let options = ValuationOptions {
        from,
        until: args.until,
        horizon_days: args.horizon,
        half: None,
        gate: GateSpec::default(),
        objections: hindsight(&policy, &named, from),
    };
    let worth = Worth::of(&log, named.policy(), &objective, &options)?;
    Ok(Found {
        policy,
        replay,
        off_policy: Some(worth),
    })
}

fn again(
    args: &Args,
    snapshot: &Snapshot,
    policy: PolicyKind,
    from: Option<Timestamp>,
) -> Result<Replay, Failure> {
    let options = ReplayOptions {
        from,
        until: args.until,
        policy,
        as_lived: args.as_lived,
        review: Days::whole(args.review_days.into()),
        events_at_once: args.events_at_once,
    };
    let bar = progress(0, "parts");
    let found = replay(&args.data, snapshot, &options, |done, parts| {
        bar.set_length(parts as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    Ok(found)
}

fn text(found: &Replay, policy: &str) -> String {
    let mut text = format!(
        "{} decisions made again by {}, {} differ",
        found.decisions, policy, found.differ
    );
    if found.unknown > 0 {
        text += &format!("; {} of invoices not known then", found.unknown);
    }
    text += &format!(
        "\n\n{:<28} {:>9} {:>9} {:>9}\n",
        "", "logged", "replayed", "change"
    );
    let (before, after) = (&found.logged, &found.replayed);
    let mut row = |name: &str, before: i64, after: i64| {
        text += &format!("{name:<28} {before:>9} {after:>9} {:>+9}\n", after - before);
    };
    for (name, of) in SUMS {
        row(name, of(before) as i64, of(after) as i64);
    }
    for (of, heading) in [(Part::Channel, "by "), (Part::Tone, "")] {
        let (left, right) = (of.counts(before), of.counts(after));
        let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
        for name in names {
            let count = |map: &BTreeMap<String, u64>| map.get(name).copied().unwrap_or(0) as i64;
            row(&format!("  {heading}{name}"), count(left), count(right));
        }
    }
    let fees: BTreeSet<&String> = before
        .fees_minor
        .keys()
        .chain(after.fees_minor.keys())
        .collect();
    for currency in fees {
        let sum = |tally: &Tally| tally.fees_minor.get(currency).copied().unwrap_or(0);
        row(&format!("fees, minor {currency}"), sum(before), sum(after));
    }
    if !found.not_allowed.is_empty() {
        text += "\nlogged actions that would not be allowed\n";
        for (reason, count) in &found.not_allowed {
            text += &format!("{count:>9}  {reason}\n");
        }
    }
    if !found.changes.is_empty() {
        text += "\nwhat becomes of them\n";
        for change in found.changes.iter().take(SHOWN) {
            text += &format!(
                "{:>9}  {} -> {}\n",
                change.decisions, change.from, change.to
            );
        }
    }
    text += &by_group(found);
    text += "\ndecisions in which a rule refuses something\n";
    let mut rules: Vec<_> = found.refusals.iter().collect();
    rules.sort_by_key(|(_, refusals)| std::cmp::Reverse(refusals.decisions));
    for (rule, refusals) in rules.into_iter().take(SHOWN) {
        text += &format!("{:>9}  {rule}\n", refusals.decisions);
    }
    text
}

/// How harshly each group is dealt with; nothing where all customers are alike or none was.
fn by_group(found: &Replay) -> String {
    let both = found.logged_by_group.iter().zip(&found.replayed_by_group);
    let alone = |by: &str| {
        found
            .logged_by_group
            .iter()
            .filter(|one| one.by == by)
            .count()
            < 2
    };
    let told: Vec<(&Group, &Group)> = both.filter(|(one, _)| !alone(one.by)).collect();
    if told
        .iter()
        .all(|(before, after)| before.harsh + after.harsh == 0)
    {
        return String::new();
    }
    let mut text = format!(
        "\nfirm, final, claims and fees: share of the messages, ratio to all with its 95 % interval\n\
         {:<24} {:>9}  {:<34}{}\n",
        "", "customers", "logged", "replayed"
    );
    let cell = |one: &Group| match (one.share, one.ratio, one.interval) {
        (Some(share), Some(ratio), Some([low, high])) => {
            let apart = if low > 1.0 || high < 1.0 { " *" } else { "" };
            let share = 100.0 * share;
            format!("{share:>5.1} %  {ratio:.2} ({low:.2} to {high:.2}){apart}")
        }
        (Some(share), ..) => format!("{:>5.1} %", 100.0 * share),
        _ => "no message".to_owned(),
    };
    for (before, after) in told {
        let name = format!("{}={}", before.by, before.group);
        let customers = before.customers;
        text += &format!(
            "{name:<24} {customers:>9}  {:<34}{}\n",
            cell(before),
            cell(after)
        );
    }
    text += "* the interval does not hold 1: dealt with otherwise than all\n";
    text
}

/// A line of the table and the count that stands in it.
type Sum = (&'static str, fn(&Tally) -> u64);

const SUMS: [Sum; 4] = [
    ("nothing", |tally| tally.waits),
    ("collection claims", |tally| tally.claims),
    ("asks a person", |tally| tally.reviews),
    ("contacts", |tally| tally.contacts),
];

#[derive(Clone, Copy)]
enum Part {
    Channel,
    Tone,
}

impl Part {
    fn counts(self, tally: &Tally) -> &BTreeMap<String, u64> {
        match self {
            Self::Channel => &tally.channels,
            Self::Tone => &tally.tones,
        }
    }
}
