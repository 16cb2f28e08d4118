//! `lagom bench promotion`: a year of the ladder, a policy learnt from it, the gate, and a year in service.

use super::mean::Mean;
use super::worlds::plan as trial;
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::cli::simulate::world;
use crate::cli::terminal::progress;
use crate::config::Config;
use lagom_model::ope::gate::GateSpec;
use lagom_training::simulator::Tally;
use lagom_training::trial::{
    Promotion, PromotionPlan, Stage, TrialPlan, promote, value_per_invoice,
};
use lagom_training::valuation::TILTS_MINOR;
use serde::Serialize;
use std::path::PathBuf;

/// Share of collection cases that one operator reports to have lost (Billogram, by its own account).
const REPORTED: f64 = 0.8;
/// How much less cash within 60 days counts as no less, as a share.
const CASH_MARGIN: f64 = 0.01;

/// Lives a year under the usual ladder with 5 % of exploration in a world whose truth is known, learns
/// a policy from its first months, holds it to the ladder as far as those months can prove, values it
/// off-policy on the invoices of the rest, asks the gate, and lets what is in service then (the ladder where
/// the gate refused) live a year among other people of that world beside the ladder. With more stages, what is
/// in service writes the next year's history, from which the next policy goes farther. Over many seeds:
/// collection cases, cash within 60 days, churn, and how far from the best that the world allows.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom bench promotion --seeds 20")]
pub(crate) struct Args {
    /// A world that comes with lagom, or a world file.
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    world: PathBuf,
    /// People in it.
    #[arg(long, default_value_t = 12_000)]
    customers: usize,
    /// Years of history after each of which a policy asks the gate.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=20))]
    stages: u16,
    /// Seeds in which the optimum is lived too; it takes as long as all the rest.
    #[arg(long, default_value_t = 2, value_name = "SEEDS")]
    optimum: u64,
    /// Days of history, and days in service.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(150..=3650))]
    days: u16,
    /// Days of history that the policy learns from; the rest judges it.
    #[arg(long, default_value_t = 180)]
    learn_days: u16,
    /// Share of exploration in the ladder's history, in (0, 1).
    #[arg(long, default_value_t = 0.05)]
    exploration: f64,
    /// Days of an invoice's life that are valued.
    #[arg(long, default_value_t = 60)]
    horizon: u16,
    /// Histories, and lives of each policy.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(2..=1000))]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Tilts that are tried, in minor units: how far from the ladder the policy may go. Those of lagom train
    /// if none is named.
    #[arg(long, value_name = "MINOR")]
    tilt: Vec<f64>,
    /// Let the policy go its own way, however little the log can say of it.
    #[arg(long, conflicts_with = "tilt")]
    unanchored: bool,
    /// Let the rule of gentleness bind the policy.
    #[arg(long)]
    gentle: bool,
    /// Configuration of strategy, guardrails, objective and bandit.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// One policy against the ladder, pairs of equal seeds.
#[derive(Debug, Clone, Serialize)]
struct Against {
    policy: &'static str,
    /// Collection cases fewer than under the ladder, as a share of the ladder's.
    case_reduction: Mean,
    /// Cash within 60 days of what was billed, less the ladder's, as a share of the ladder's.
    cash_60: Mean,
    /// Customers more who leave, in a thousand; by their probabilities.
    churned: Mean,
    /// Contacts more, as a share of the ladder's.
    contacts: Mean,
    /// Net value an invoice, major units, more than the ladder's.
    value: Mean,
}

/// What came of one history, over all seeds.
#[derive(Debug, Serialize)]
struct StageReport {
    /// Decisions of a history, on average.
    decisions: f64,
    /// Seeds in which the gate let the policy through.
    passed: usize,
    /// What the gate said of the others.
    refusals: Vec<String>,
    /// Seeds whose off-policy interval of the cases a life, policy less what was in service, lies below zero.
    fewer_cases_foreseen: usize,
    /// Effective number of lives behind the off-policy value, on average.
    ess: f64,
    /// How far each policy was let go, in minor units; none where it was not held.
    tilts_minor: Vec<Option<f64>>,
    /// What is in service after the gate: the policy where it passed, else what was before.
    policy: Against,
    /// The policies whatever the gate said of them.
    ungated: Against,
}

#[derive(Debug, Serialize)]
struct Report {
    world: String,
    customers: usize,
    seeds: usize,
    /// Share of exploration in the history.
    exploration: f64,
    /// Ladder's cases in a thousand invoices that are due.
    ladder_cases: f64,
    /// History by history.
    stages: Vec<StageReport>,
    /// In the first seeds.
    optimum: Option<Against>,
    /// Share of the cases that one operator reports to have lost.
    reported: f64,
    /// Of what is in service at the end.
    holds: Holds,
}

/// The bars.
#[derive(Debug, Serialize)]
struct Holds {
    fewer_cases: bool,
    cash_not_inferior: bool,
    churn_not_higher: bool,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    if args.learn_days.saturating_add(args.horizon) >= args.days {
        let (learn, horizon, days) = (args.learn_days, args.horizon, args.days);
        return Err(format!(
            "--learn-days {learn} and --horizon {horizon} leave no invoice of the --days {days} to be \
             judged on; learn from fewer days or simulate more"
        )
        .into());
    }
    if !(args.exploration > 0.0 && args.exploration < 1.0) {
        let given = args.exploration;
        return Err(format!("--exploration {given} must lie in (0, 1)").into());
    }
    let mut config = Config::load(args.config.as_deref())?;
    config.cold_start.exploration = args.exploration;
    let own = args.config.is_some();
    let of = world(&args.world)?;
    let trial = TrialPlan {
        customers: args.customers,
        ..trial(of, args.customers, args.days, args.gentle, own, &config)?
    };
    let plan = PromotionPlan {
        trial,
        learn_days: args.learn_days,
        horizon_days: args.horizon,
        gate: GateSpec::default(),
        tilts_minor: if args.unanchored {
            Vec::new()
        } else if args.tilt.is_empty() {
            TILTS_MINOR.to_vec()
        } else {
            args.tilt.clone()
        },
        stages: usize::from(args.stages),
    };
    // The ladder's life, each stage's history and life, the optimum's.
    let lives = (1 + 2 * u64::from(args.stages)) * args.seeds + args.optimum.min(args.seeds);
    let bar = progress(lives * u64::from(args.days), "days");
    let seeds = args.seed..args.seed.saturating_add(args.seeds);
    let found = promote(&plan, seeds, args.optimum, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let report = Report::of(&plan, &found).ok_or("no history was lived")?;
    out.report(&report, || text(&report))?;
    let holds = &report.holds;
    let all = holds.fewer_cases && holds.cash_not_inferior && holds.churn_not_higher;
    Ok(if all { Answer::Yes } else { Answer::No })
}

fn share(part: i64, of: i64) -> f64 {
    part as f64 / of.max(1) as f64
}

/// Of the seeds in which the policy was lived; none where that were fewer than two.
fn against(
    plan: &PromotionPlan,
    policy: &'static str,
    found: &[Promotion],
    of: impl Fn(&Promotion) -> Option<&Tally>,
) -> Option<Against> {
    let pairs: Vec<(&Tally, &Tally)> = found
        .iter()
        .filter_map(|one| Some((of(one)?, &one.ladder)))
        .collect();
    if pairs.len() < 2 {
        return None;
    }
    let mean = |gain: &dyn Fn(&Tally, &Tally) -> f64| {
        let gains = pairs.iter().map(|(new, old)| gain(new, old));
        Mean::of(&gains.collect::<Vec<f64>>())
    };
    let cash = |one: &Tally| share(one.collected_60_minor, one.billed_minor);
    let more = |new: u64, old: u64| new as f64 / old.max(1) as f64 - 1.0;
    let objective = &plan.trial.parts.objective;
    let customers = plan.trial.customers as f64;
    Some(Against {
        policy,
        case_reduction: mean(&|new, old| -more(new.collection_cases, old.collection_cases)),
        cash_60: mean(&|new, old| cash(new) / cash(old) - 1.0),
        churned: mean(&|new, old| {
            1000.0 * (new.expected.churned - old.expected.churned) / customers
        }),
        contacts: mean(&|new, old| more(new.contacts, old.contacts)),
        value: mean(&|new, old| {
            (value_per_invoice(new, objective) - value_per_invoice(old, objective)) / 100.0
        }),
    })
}

impl StageReport {
    /// Of the history with this number.
    fn of(plan: &PromotionPlan, found: &[Promotion], number: usize) -> Option<Self> {
        let stages: Vec<&Stage> = found
            .iter()
            .filter_map(|one| one.stages.get(number))
            .collect();
        let n = stages.len().max(1) as f64;
        let average =
            |of: &dyn Fn(&Stage) -> f64| stages.iter().map(|one| of(one)).sum::<f64>() / n;
        let passed = |one: &&&Stage| one.valuation.verdict.passed;
        let foreseen = |one: &&&Stage| {
            let cases = &one.valuation.episode.difference["collection_cases"];
            cases.interval.high < 0.0
        };
        let refused = stages.iter().filter(|one| !one.valuation.verdict.passed);
        Some(Self {
            decisions: average(&|one| one.decisions as f64),
            passed: stages.iter().filter(passed).count(),
            refusals: refused
                .map(|one| one.valuation.verdict.words.clone())
                .collect(),
            fewer_cases_foreseen: stages.iter().filter(foreseen).count(),
            ess: average(&|one| one.valuation.episode.overlap.ess),
            tilts_minor: stages
                .iter()
                .map(|one| Some(one.anchoring.as_ref()?.anchor()?.tilt_minor))
                .collect(),
            policy: against(plan, "promoted", found, |one| {
                Some(&one.stages.get(number)?.in_service)
            })?,
            ungated: against(plan, "candidate", found, |one| {
                Some(&one.stages.get(number)?.candidate)
            })?,
        })
    }
}

impl Report {
    fn of(plan: &PromotionPlan, found: &[Promotion]) -> Option<Self> {
        let stages: Vec<StageReport> = (0..plan.stages)
            .map(|number| StageReport::of(plan, found, number))
            .collect::<Option<_>>()?;
        let policy = &stages.last()?.policy;
        let holds = Holds {
            fewer_cases: policy.case_reduction.low > 0.0,
            cash_not_inferior: policy.cash_60.low > -CASH_MARGIN,
            churn_not_higher: policy.churned.high <= 0.0,
        };
        let cases = found.iter().map(|one| {
            1000.0 * one.ladder.collection_cases as f64 / one.ladder.invoices.max(1) as f64
        });
        Some(Self {
            world: plan.trial.world.name.clone(),
            customers: plan.trial.customers,
            seeds: found.len(),
            exploration: plan.trial.parts.cold_start.exploration,
            ladder_cases: cases.sum::<f64>() / found.len().max(1) as f64,
            optimum: against(plan, "optimum", found, |one| one.optimum.as_ref()),
            reported: REPORTED,
            holds,
            stages,
        })
    }
}

fn cell(one: Mean, scale: f64) -> String {
    let [mean, low, high] = [one.mean, one.low, one.high].map(|value| scale * value);
    format!("{mean:+.2} ({low:+.2} to {high:+.2})")
}

type Row = (&'static str, fn(&Against) -> Mean, f64);

/// What is told of each policy, and by how much it is multiplied.
const ROWS: [Row; 5] = [
    ("collection cases fewer, %", |one| one.case_reduction, 100.0),
    ("cash within 60 days, %", |one| one.cash_60, 100.0),
    ("customers lost, of 1,000", |one| one.churned, 1.0),
    ("contacts, %", |one| one.contacts, 100.0),
    ("net value an invoice, SEK", |one| one.value, 1.0),
];

fn text(report: &Report) -> String {
    let mut text = format!(
        "{}: {} customers, {} seeds, {:.0} % explored; the ladder opens {:.1} collection cases in 1,000 \
         invoices\n",
        report.world,
        report.customers,
        report.seeds,
        100.0 * report.exploration,
        report.ladder_cases,
    );
    for (number, stage) in report.stages.iter().enumerate() {
        text += &format!(
            "\nhistory {}, {:.0} decisions: the gate let {} of {} policies through; effectively {:.0} lives; \
             fewer cases foreseen from the log alone in {}\n",
            number + 1,
            stage.decisions,
            stage.passed,
            report.seeds,
            stage.ess,
            stage.fewer_cases_foreseen,
        );
        for words in stage.refusals.iter().take(3) {
            text += &format!("  {words}\n");
        }
        text += &format!(
            "{:<36} {:<28} {:<28}\n",
            "against the ladder, 95 % interval",
            "in service after the gate",
            "candidates, gate or not",
        );
        for (name, of, scale) in ROWS {
            let [policy, ungated] = [&stage.policy, &stage.ungated].map(|one| cell(of(one), scale));
            text += &format!("{name:<36} {policy:<28} {ungated:<28}\n");
        }
    }
    let reduction = report
        .stages
        .last()
        .map_or(f64::NAN, |stage| stage.policy.case_reduction.mean);
    let reported = report.reported;
    text += &format!(
        "\none operator reports {:.0} % fewer cases: what is in service is {:+.1} points from it\n",
        100.0 * reported,
        100.0 * (reduction - reported),
    );
    if let Some(optimum) = &report.optimum {
        text += "the optimum of this world, latent traits seen, against the ladder:\n";
        for (name, of, scale) in ROWS {
            text += &format!("{name:<36} {}\n", cell(of(optimum), scale));
        }
        let best = optimum.case_reduction.mean;
        let gained = 100.0 * reduction / best;
        text += &format!("{gained:.0} % of the cases that this world allows to be lost are lost\n");
    }
    let mark = |holds: bool| if holds { "yes" } else { "NO " };
    let holds = &report.holds;
    text += &format!(
        "{} fewer collection cases\n{} cash within 60 days not less by more than {:.0} %\n{} churn not higher\n",
        mark(holds.fewer_cases),
        mark(holds.cash_not_inferior),
        100.0 * CASH_MARGIN,
        mark(holds.churn_not_higher),
    );
    text
}
