//! `lagom demo`: the whole loop on one machine, with nothing installed.

mod backend;
mod expected;
mod histories;
mod summary;
mod trial;

use super::answer::{Answer, Failure};
use super::output::Output;
use super::terminal::progress;
use crate::config::Config;
use crate::experiment::{ArmSpec, ExperimentSpec, Experiments, HoldoutSpec};
use crate::registry;
use crate::server::{Running, Server};
use crate::store::StoreUrl;
use indicatif::ProgressBar;
use lagom_features::domain::Date;
use lagom_model::decide::{PolicyKind, Predictor};
use lagom_model::guardrails::{Guardrails, GuardrailsSpec, Override};
use lagom_training::simulator::World;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use summary::{Summary, gain, row};
use trial::{Lived, Plan, live};

/// The rule that the simulated company fulfils: its people look at every claim.
const CLAIMS_REVIEWED: &str = "global.review_claims";
/// The first simulated day.
const START: &str = "2026-01-01";
/// Days before the first due date that is judged: the terms of an invoice.
const LEAD_DAYS: i32 = 31;
/// Days after the last due date that is judged, until its cash is counted.
const TAIL_DAYS: i32 = 61;
/// The experiment on the server that is shown.
const EXPERIMENT: &str = "bandit-against-ladder";
/// Share of its customers who are left to the ladder for good, so that the ledger has a yardstick.
const HELD_OUT: f64 = 0.1;
/// The registry's folder, beside the stores.
const MODELS: &str = "models";
/// Days of a month, near enough for a progress bar and a plan.
const MONTH_DAYS: i32 = 30;

/// Runs the whole loop on this machine: trains on real payment histories, serves, and lets the
/// rules ladder, chance and the bandit each run the collections of a simulated company through
/// the real gRPC server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom demo --exit")]
pub(crate) struct Args {
    /// End after the summary instead of serving until Ctrl-C.
    #[arg(long)]
    exit: bool,
    /// Real canonical tables to train on, in place of the shipped payment histories.
    #[arg(long, value_name = "DIR")]
    data: Option<std::path::PathBuf>,
    /// People in the simulated world.
    #[arg(long, default_value_t = 2_000)]
    customers: usize,
    /// Months of invoices that are judged.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i32).range(1..=36))]
    months: i32,
    /// Worlds, each lived by every policy.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=100))]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let folder = tempfile::tempdir()?;
    let models = folder.path().join(MODELS);
    histories::train_on(args.data.as_deref(), folder.path(), &models, out)?;
    let model = registry::current(&models)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(demonstrate(args, folder.path(), model, out))
}

async fn demonstrate(
    args: &Args,
    folder: &Path,
    model: Option<Arc<dyn Predictor>>,
    out: &mut Output,
) -> Result<Answer, Failure> {
    let start = Date::parse(START)?;
    let judged = (
        start.plus_days(LEAD_DAYS),
        start.plus_days(LEAD_DAYS + MONTH_DAYS * args.months - 1),
    );
    let plan = Plan {
        world: World::built_in(),
        customers: args.customers,
        start,
        judged,
        end: judged.1.plus_days(TAIL_DAYS),
    };
    let days = u64::try_from(plan.end.days_since(plan.start))?;
    let bar = progress((3 * args.seeds + 1) * days, "days");
    out.line(format_args!(
        "\n{} worlds of {} customers, {} months of invoices each, lived by three policies over gRPC",
        args.seeds, args.customers, args.months
    ));
    let (shown, objective) = (
        config(folder, "shown", PolicyKind::Bandit, true)?,
        Config::default().objective,
    );
    let shown = Server::start(shown, model.clone()).await?;
    out.line(format_args!(
        "gRPC on {}{}",
        shown.grpc_addr,
        shown
            .http_addr
            .map_or_else(String::new, |http| format!(", pages on http://{http}"))
    ));
    let tried = live(&plan, args.seed + args.seeds, &shown, || bar.inc(1)).await?;
    let engine = Arc::clone(shown.engine());
    let expected = tokio::task::spawn_blocking(move || expected::make(&engine));
    let mut lives: [Vec<Lived>; 3] = Default::default();
    for seed in args.seed..args.seed + args.seeds {
        let policies = [PolicyKind::Ladder, PolicyKind::Uniform, PolicyKind::Bandit];
        for (policy, lives) in policies.into_iter().zip(&mut lives) {
            let name = format!("{}-{seed}", policy.name());
            let server =
                Server::start(config(folder, &name, policy, false)?, model.clone()).await?;
            let lived = live(&plan, seed, &server, || bar.inc(1)).await?;
            server.shutdown().await;
            tell(out, &bar, policy, seed, &lived, &objective);
            lives.push(lived);
        }
    }
    expected.await??;
    bar.finish_and_clear();
    let [ladder, uniform, bandit] = &lives;
    let summary = Summary {
        world: plan.world.name.clone(),
        customers: plan.customers,
        months: args.months,
        decisions: lives.iter().flatten().map(|life| life.decisions).sum(),
        rows: vec![
            row("ladder", ladder, &objective),
            row("uniform", uniform, &objective),
            row("bandit", bandit, &objective),
        ],
        gain_over_ladder: gain(bandit, ladder, &objective),
        gain_over_uniform: gain(bandit, uniform, &objective),
    };
    out.report(&summary, || summary.text())?;
    stay(args, shown, &tried, out).await?;
    Ok(Answer::Yes)
}

/// A trial's configuration: a log of its own, time by the events, free ports but for the one that
/// is shown.
fn config(folder: &Path, name: &str, policy: PolicyKind, shown: bool) -> Result<Config, Failure> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let reviewed = "the simulated company's people look at every claim before it is sent";
    let guardrails = GuardrailsSpec {
        overrides: vec![Override::off(CLAIMS_REVIEWED, reviewed)],
        ..GuardrailsSpec::default()
    };
    let defaults = Config::default();
    let experiments = if shown {
        let holdout = HoldoutSpec {
            share: HELD_OUT,
            ..HoldoutSpec::default()
        };
        Experiments::new(vec![trial()], holdout).map_err(|faults| faults.join("; "))?
    } else {
        Experiments::default()
    };
    Ok(Config {
        grpc: if shown {
            free_or_any(defaults.grpc)
        } else {
            any
        },
        http: if shown {
            defaults.http.map(free_or_any)
        } else {
            None
        },
        store: StoreUrl::File(folder.join(format!("{name}.db"))),
        models: folder.join(MODELS),
        clock: crate::clock::Source::Events,
        guardrails: Arc::new(Guardrails::new(&guardrails)?),
        policy,
        experiments,
        ..defaults
    })
}

/// A third of the customers with the ladder, a third with the bandit, which learns from the rest
/// alone: what is judged has not learnt from those it is judged on.
fn trial() -> ExperimentSpec {
    let arm = |policy: PolicyKind| ArmSpec::new(policy.name(), 0.5, policy);
    ExperimentSpec {
        name: EXPERIMENT.to_owned(),
        share: 2.0 / 3.0,
        salt: None,
        isolate: true,
        plan: None,
        plan_text: String::new(),
        arms: vec![arm(PolicyKind::Ladder), arm(PolicyKind::Bandit)],
    }
}

/// What the review says of the experiment on the server that is shown.
async fn verdict(shown: &Running) -> Result<String, Failure> {
    let engine = Arc::clone(shown.engine());
    let reviewed = crate::reviews::review(engine, EXPERIMENT.to_owned(), None).await?;
    let review: serde_json::Value = serde_json::from_str(&reviewed.json)?;
    let comparisons = review["comparisons"].as_object();
    let sentences = comparisons
        .into_iter()
        .flatten()
        .filter_map(|(_, one)| one["sentence"].as_str());
    let sentences: Vec<&str> = sentences.collect();
    Ok(format!(
        "experiment `{EXPERIMENT}`, one more world, customers drawn into both policies: {}",
        sentences.join("; ")
    ))
}

/// The address, or any free port where somebody else listens there.
fn free_or_any(address: SocketAddr) -> SocketAddr {
    match std::net::TcpListener::bind(address) {
        Ok(_) => address,
        Err(_) => SocketAddr::new(address.ip(), 0),
    }
}

fn tell(
    out: &mut Output,
    bar: &ProgressBar,
    policy: PolicyKind,
    seed: u64,
    lived: &Lived,
    objective: &lagom_model::objective::Objective,
) {
    let invoices = lived.tally.invoices.max(1) as f64;
    let value = summary::value_minor(&lived.tally, objective) / 100.0 / invoices;
    bar.suspend(|| {
        out.line(format_args!(
            "world {seed}, {:<8} {:>6} decisions, {:>4} generations, {:>4} cancelled before \
             sending, net value {value:.2} SEK an invoice",
            policy.name(),
            lived.decisions,
            lived.generations,
            lived.cancelled,
        ));
    });
}

async fn stay(args: &Args, shown: Running, tried: &Lived, out: &mut Output) -> Result<(), Failure> {
    out.line(format_args!("\n{}", verdict(&shown).await?));
    if args.exit {
        shown.shutdown().await;
        return Ok(());
    }
    if let Some(http) = shown.http_addr {
        out.line(format_args!(
            "open http://{http}/experiments/{EXPERIMENT} for its review, http://{http}/forecast for \
             the cash that it can expect, http://{http} for the rest"
        ));
    }
    if let Some(decision_id) = tried.last_decision.as_deref() {
        if let Some(http) = shown.http_addr {
            out.line(format_args!(
                "open http://{http}/decisions/{decision_id} for why one step was chosen"
            ));
        }
        out.next(format_args!(
            "grpcurl -plaintext -d '{{\"decision_id\": \"{decision_id}\"}}' {} \
             lagom.v1.DecisionService/ExplainDecision\nCtrl-C ends it",
            shown.grpc_addr
        ));
    }
    let config = Config::clone(&shown.engine().config());
    shown.until_signal(move || Ok(config.clone())).await;
    Ok(())
}
