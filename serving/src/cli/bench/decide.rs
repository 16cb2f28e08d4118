//! `lagom bench decide`: what one decision of the bandit costs, and what learning from one does.

use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use lagom_model::bandit::{
    ActionSet, ActionSpace, BanditConfig, Facet, Layout, Learner, Round, Scorer, Scratch,
    SufficientStatistics, Valuation, draw,
};
use serde::Serialize;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const CHANNELS: u16 = 5;
const TONES: u16 = 4;
const TIMINGS: u16 = 15;
const ENTRIES: usize = 40;
/// Decisions timed at once; the best and the median of [`BATCHES`] batches are reported.
const TOGETHER: usize = 200;
const BATCHES: usize = 50;
/// Recorded on another machine, for 300 actions of 40 shared and 10 own features: Vowpal Wabbit
/// 9.11.9, prediction alone, its text already parsed.
const VW_BEST_US: f64 = 365.0;
const VW_MEDIAN_US: f64 = 650.0;

/// Times a decision (scores, distribution, floor, draw) over 300 structured actions and 40 context
/// entries, and the learning of one outcome, refits included, beside the bare arithmetic of the
/// scores in the same run.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom bench decide")]
pub(crate) struct Args {
    /// Outcomes learnt from.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(100..))]
    rounds: u32,
}

/// Wall time in microseconds unless said otherwise.
#[derive(Debug, Serialize)]
struct Report {
    actions: usize,
    entries: usize,
    decide_best_us: f64,
    decide_median_us: f64,
    /// Multiply-adds of the scores alone, as a plain loop.
    floor_best_us: f64,
    times_floor: f64,
    update_us: f64,
    vw_best_us: f64,
    vw_median_us: f64,
    vw_best_over_decide: f64,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let levels = |count: u16| (0..count).map(|level| level.to_string());
    let facets = vec![
        Facet::contextual("channel", levels(CHANNELS)),
        Facet::contextual("tone", levels(TONES)),
        Facet::fixed("timing", levels(TIMINGS)),
    ];
    let mut actions = Vec::new();
    for channel in 0..CHANNELS {
        for tone in 0..TONES {
            actions.extend((0..TIMINGS).map(|timing| vec![channel, tone, timing]));
        }
    }
    let names = (0..ENTRIES).map(|entry| format!("x{entry}")).collect();
    let space = ActionSpace::new(facets, actions, None)?;
    let layout = Arc::new(Layout::new(space, names, vec!["reward".to_owned()])?);
    let count = layout.space().len();

    let sums = SufficientStatistics::new(Arc::clone(&layout));
    let mut learner = Learner::new(sums, &BanditConfig::default(), 1.0)?;
    let contexts: Vec<Vec<f64>> = (0..args.rounds).map(context).collect();
    let started = Instant::now();
    for (number, context) in contexts.iter().enumerate() {
        learner.fold(&Round {
            context,
            action: number * 7 % count,
            heads: &[f64::from(u8::from(number % 3 == 0))],
            weight: 1.0,
        })?;
        learner.refresh(1.0)?;
    }
    let update_us = started.elapsed().as_secs_f64() * 1e6 / f64::from(args.rounds);

    let valuation = Valuation {
        head_weights: vec![1.0],
        action_values: Vec::new(),
    };
    let scorer = Scorer::new(Arc::clone(learner.generation()), &valuation)?;
    let digest = scorer.generation().digest();
    let everything = ActionSet::from_predicate(count, |_| true);
    let mut scratch = Scratch::default();
    let mut decide = Vec::with_capacity(BATCHES);
    for _ in 0..BATCHES {
        let started = Instant::now();
        for context in contexts.iter().cycle().take(TOGETHER) {
            scorer.decide(context, &everything, &mut scratch)?;
            black_box(scratch.select(draw("decision", &digest)));
        }
        decide.push(per_decision_us(started));
    }
    let mut floor: Vec<f64> = (0..BATCHES).map(|_| bare_scores(&contexts)).collect();
    decide.sort_by(f64::total_cmp);
    floor.sort_by(f64::total_cmp);
    let report = Report {
        actions: count,
        entries: ENTRIES,
        decide_best_us: decide[0],
        decide_median_us: decide[BATCHES / 2],
        floor_best_us: floor[0],
        times_floor: decide[0] / floor[0],
        update_us,
        vw_best_us: VW_BEST_US,
        vw_median_us: VW_MEDIAN_US,
        vw_best_over_decide: VW_BEST_US / decide[0],
    };
    out.report(&report, || text(&report))?;
    Ok(Answer::Yes)
}

fn per_decision_us(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6 / TOGETHER as f64
}

/// Numbers in [−1, 1) without a pattern that a fit could find.
fn context(round: u32) -> Vec<f64> {
    let entry = |entry: usize| {
        let key = (u64::from(round) << 8 | entry as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (key >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..ENTRIES).map(entry).collect()
}

/// One row of coefficients for the baseline and each contextual level, three sums an action.
fn bare_scores(contexts: &[Vec<f64>]) -> f64 {
    let rows = usize::from(1 + CHANNELS + TONES);
    let matrix = black_box(vec![0.5; rows * ENTRIES]);
    let mut sums = vec![0.0; rows];
    let started = Instant::now();
    for context in contexts.iter().cycle().take(TOGETHER) {
        for (sum, row) in sums.iter_mut().zip(matrix.chunks_exact(ENTRIES)) {
            *sum = row.iter().zip(context).map(|(w, x)| w * x).sum();
        }
        for channel in 1..=usize::from(CHANNELS) {
            for tone in 1..=usize::from(TONES) {
                for _ in 0..TIMINGS {
                    black_box(sums[0] + sums[channel] + sums[usize::from(CHANNELS) + tone]);
                }
            }
        }
    }
    per_decision_us(started)
}

fn text(report: &Report) -> String {
    format!(
        "{} actions, {} context entries; wall time on one core, other work on the machine counts in\n\
         decision (scores, distribution, floor, draw): {:.2} us at best, {:.2} us median\n\
         bare scores in the same run: {:.2} us at best; a decision takes {:.1} times that\n\
         update, refits included: {:.1} us on average\n\
         recorded elsewhere: Vowpal Wabbit {:.0} us at best, {:.0} us median, without parsing: \
         {:.0} times a decision here",
        report.actions,
        report.entries,
        report.decide_best_us,
        report.decide_median_us,
        report.floor_best_us,
        report.times_floor,
        report.update_us,
        report.vw_best_us,
        report.vw_median_us,
        report.vw_best_over_decide,
    )
}
