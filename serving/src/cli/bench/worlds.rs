//! `lagom bench worlds`: what the bandit gains, regrets and misses in worlds whose truth is known.

mod report;

use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::cli::simulate::world;
use crate::cli::terminal::progress;
use crate::config::Config;
use lagom_features::domain::Date;
use lagom_model::guardrails::{Guardrails, GuardrailsSpec, Override};
use lagom_model::policy::gentle;
use lagom_training::simulator::World;
use lagom_training::trial::{Trial, TrialPlan, run as try_world};
use report::Report;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The rule that the simulated company fulfils: its people look at every claim.
const CLAIMS_REVIEWED: &str = "global.review_claims";

/// Lives worlds whose truth is known under every policy and prints what each is worth: nothing, the
/// ladder, chance, the bandit from a cold start, the best policy of the bandit's form, and somebody
/// who sees every latent trait. Every decision of the bandit is valued by the world's own
/// probabilities, so that regret and the share of the gap that was closed are exact.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom bench worlds --world default --seeds 5")]
pub(crate) struct Args {
    /// A world that comes with lagom, or a world file; may be repeated. All that come with lagom if
    /// none is named.
    #[arg(long, value_name = "NAME|FILE")]
    world: Vec<PathBuf>,
    /// People in each world, for worlds whose file does not ask for fewer.
    #[arg(long, default_value_t = 1_500)]
    customers: usize,
    /// Days lived.
    #[arg(long, default_value_t = 540, value_parser = clap::value_parser!(u16).range(120..=3650))]
    days: u16,
    /// Lives of each policy.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(2..=100))]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Let the bandit choose harsher steps without proof that softer ones are worth less.
    #[arg(long)]
    without_gentle_first: bool,
    /// Configuration of strategy, guardrails, objective and bandit.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let worlds: Vec<World> = if args.world.is_empty() {
        let shipped = World::shipped_files().iter();
        shipped
            .map(|(name, _)| world(Path::new(name)))
            .collect::<Result<_, _>>()?
    } else {
        args.world
            .iter()
            .map(|given| world(given))
            .collect::<Result<_, _>>()?
    };
    // The pilot's life and one for every policy.
    let lives = 1 + lagom_training::trial::Who::ALL.len() as u64;
    let days = worlds.len() as u64 * args.seeds * lives * u64::from(args.days);
    let bar = progress(days, "days");
    let mut reports = Vec::with_capacity(worlds.len());
    for world in worlds {
        let own = args.config.is_some();
        let plan = plan(
            world,
            args.customers,
            args.days,
            !args.without_gentle_first,
            own,
            &config,
        )?;
        let trials: Vec<Trial> = (args.seed..args.seed + args.seeds)
            .map(|seed| try_world(&plan, seed, &|| bar.inc(1)))
            .collect::<Result<_, _>>()?;
        let report = Report::of(&plan, args.seed, &trials, &config.objective);
        bar.suspend(|| out.line(report.text()));
        reports.push(report);
    }
    bar.finish_and_clear();
    out.report(&reports, || report::summary(&reports))?;
    Ok(Answer::Yes)
}

/// A trial in `world`; with `own` rules those of the configuration, else the defaults without the
/// review of claims and, unless `gentle`, without the rule of gentleness.
pub(super) fn plan(
    world: World,
    customers: usize,
    days: u16,
    gentle: bool,
    own: bool,
    config: &Config,
) -> Result<TrialPlan, Failure> {
    let reviewed = "the simulated company's people look at every claim before it is sent";
    let mut overrides = vec![Override::off(CLAIMS_REVIEWED, reviewed)];
    if !gentle {
        let measured = "measured is what is learnt among all that the other rules allow";
        overrides.push(Override::off(gentle::RULE, measured));
    }
    let guardrails = GuardrailsSpec {
        overrides,
        ..GuardrailsSpec::default()
    };
    let learning = config.nothing_learnt(config.spec.fingerprint())?;
    let mut parts = config.parts(None, Arc::clone(learning.generation()));
    if !own {
        parts.guardrails = Arc::new(Guardrails::new(&guardrails)?);
    }
    // A company knows how late its reports come, and waits for them.
    let reporting = &world.reporting;
    let latest_days = reporting.payment_days[1].max(reporting.harm_days[1]);
    let grace_hours = config.learning.grace_hours.max(24 * latest_days);
    Ok(TrialPlan {
        customers: customers.min(world.customers),
        world,
        days,
        start: Date::parse("2026-01-01")?,
        window_days: config.learning.window_days,
        grace_hours,
        parts,
        learning,
    })
}
