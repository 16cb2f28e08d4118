//! Structured actions under constraints, with outcomes that arrive late.

use std::collections::VecDeque;
use std::sync::Arc;

use lagom_model::bandit::{
    BanditConfig, Layout, Learner, Round, Scorer, Scratch, SufficientStatistics, Valuation, draw,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::COMPARISON_FLOOR;
use super::cpu_time::Stopwatch;
use super::delayed_world::DelayedWorld;
use super::error::StreamError;

/// Rounds after which an outcome is known.
const DELAY: usize = 500;
/// Rounds of history a warm start is given, logged by drawing evenly from what was eligible.
const HISTORY: usize = 20_000;

/// What came of the delayed stream.
#[derive(Debug, Clone, Serialize)]
pub struct DelayedReport {
    /// Rounds of one seed.
    pub rounds: usize,
    /// Actions of the catalogue.
    pub actions: usize,
    /// Rounds after which an outcome is known.
    pub delay: usize,
    /// Names of the seeds.
    pub seeds: Vec<String>,
    /// Mean true success of each seed, from a cold start.
    pub mean_success: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Mean true success of the last fifth of the rounds, over the seeds.
    pub last_fifth: f64,
    /// The same after a warm start.
    pub warm_start: WarmStart,
    /// The floor of the comparison.
    pub floor: f64,
    /// Mean true success of the best single action over the rounds in which it is eligible.
    pub best_single_action: f64,
    /// That action's index.
    pub best_single_action_index: usize,
    /// Mean true success of drawing evenly from what is eligible.
    pub random: f64,
    /// Mean true success of the best eligible action of each round.
    pub optimum: f64,
    /// Rounds decided and learnt per second of CPU, from a cold start.
    pub rounds_per_cpu_second: f64,
    /// The configuration.
    pub config: BanditConfig,
}

/// What came of it after learning from a log.
#[derive(Debug, Clone, Serialize)]
pub struct WarmStart {
    /// Logged rounds learnt before the first decision.
    pub history_rounds: usize,
    /// Mean true success of each seed.
    pub mean_success: Vec<f64>,
    /// Their mean.
    pub mean: f64,
}

/// Runs every seed from a cold start and from a warm one.
///
/// The history of a warm start is drawn from the same world: contexts and eligible sets of random rounds,
/// an action drawn evenly, a fresh outcome by the true probability.
///
/// # Errors
/// When the bandit refuses the configuration or a context.
pub fn run_delayed(
    world: &DelayedWorld,
    config: &BanditConfig,
) -> Result<DelayedReport, StreamError> {
    let mut config = config.clone();
    config.exploration.floor = COMPARISON_FLOOR;
    let layout = Arc::new(Layout::new(
        world.space.clone(),
        world.context_names.clone(),
        vec!["success".to_owned()],
    )?);
    let mut cold = Vec::new();
    let mut warm = Vec::new();
    let mut seconds = 0.0;
    for (index, (name, uniforms)) in world.seeds.iter().enumerate() {
        let watch = Stopwatch::start();
        let nothing = SufficientStatistics::new(Arc::clone(&layout));
        cold.push(run_seed(world, name, uniforms, nothing, &config)?);
        seconds += watch.seconds();
        let history = history(world, &layout, index as u64)?;
        warm.push(run_seed(world, name, uniforms, history, &config)?);
    }
    let rounds = world.rounds();
    let (best_single_action_index, best_single_action) = best_single_action(world);
    let (random, optimum) = bounds(world);
    let mean_of = |runs: &[Vec<f64>]| mean(&runs.iter().map(|run| mean(run)).collect::<Vec<_>>());
    Ok(DelayedReport {
        rounds,
        actions: world.space.len(),
        delay: DELAY,
        seeds: world.seeds.iter().map(|(name, _)| name.clone()).collect(),
        mean: mean_of(&cold),
        last_fifth: mean(
            &cold
                .iter()
                .map(|run| mean(&run[rounds - rounds / 5..]))
                .collect::<Vec<_>>(),
        ),
        mean_success: cold.iter().map(|run| mean(run)).collect(),
        warm_start: WarmStart {
            history_rounds: HISTORY,
            mean: mean_of(&warm),
            mean_success: warm.iter().map(|run| mean(run)).collect(),
        },
        floor: COMPARISON_FLOOR,
        best_single_action,
        best_single_action_index,
        random,
        optimum,
        rounds_per_cpu_second: (rounds * world.seeds.len()) as f64 / seconds.max(f64::MIN_POSITIVE),
        config,
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// True success probabilities of what was chosen, round after round.
fn run_seed(
    world: &DelayedWorld,
    name: &str,
    uniforms: &[f64],
    sums: SufficientStatistics,
    config: &BanditConfig,
) -> Result<Vec<f64>, StreamError> {
    let valuation = Valuation {
        head_weights: vec![1.0],
        action_values: Vec::new(),
    };
    let mut learner = Learner::new(sums, config, 1.0)?;
    let mut scorer = Scorer::new(Arc::clone(learner.generation()), &valuation)?;
    let mut scratch = Scratch::default();
    let mut pending: VecDeque<(usize, usize, f64)> = VecDeque::with_capacity(DELAY + 1);
    let mut chosen = Vec::with_capacity(world.rounds());
    for (round, &uniform) in uniforms.iter().enumerate() {
        if pending.len() == DELAY
            && let Some((earlier, action, reward)) = pending.pop_front()
        {
            learner.fold(&Round {
                context: world.context(earlier),
                action,
                heads: &[reward],
                weight: 1.0,
            })?;
            if let Some(generation) = learner.refresh(1.0)? {
                scorer = Scorer::new(generation, &valuation)?;
            }
        }
        scorer.decide(world.context(round), &world.eligible[round], &mut scratch)?;
        let u = draw(&format!("{name}/{round}"), &scorer.generation().digest());
        let action = scratch.select(u).unwrap_or_default();
        let success = world.success(round, action);
        chosen.push(success);
        pending.push_back((round, action, f64::from(uniform < success)));
    }
    Ok(chosen)
}

/// A log of evenly drawn actions.
fn history(
    world: &DelayedWorld,
    layout: &Arc<Layout>,
    seed: u64,
) -> Result<SufficientStatistics, StreamError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut sums = SufficientStatistics::new(Arc::clone(layout));
    for _ in 0..HISTORY {
        let round = rng.random_range(0..world.rounds());
        let eligible: Vec<usize> = world.eligible[round].iter().collect();
        let action = eligible[rng.random_range(0..eligible.len())];
        let reward = f64::from(rng.random::<f64>() < world.success(round, action));
        sums.fold(&Round {
            context: world.context(round),
            action,
            heads: &[reward],
            weight: 1.0,
        })?;
    }
    Ok(sums)
}

/// The action with the highest mean true success over the rounds in which it is eligible.
fn best_single_action(world: &DelayedWorld) -> (usize, f64) {
    let actions = world.space.len();
    let mut totals = vec![(0.0, 0_usize); actions];
    for (round, eligible) in world.eligible.iter().enumerate() {
        for action in eligible.iter() {
            totals[action].0 += world.success(round, action);
            totals[action].1 += 1;
        }
    }
    let means = totals
        .iter()
        .map(|&(sum, count)| sum / count.max(1) as f64)
        .enumerate();
    means.fold(
        (0, 0.0),
        |best, (action, mean)| {
            if mean > best.1 { (action, mean) } else { best }
        },
    )
}

/// Mean true success of drawing evenly and of the best eligible action.
fn bounds(world: &DelayedWorld) -> (f64, f64) {
    let per_round = (0..world.rounds()).map(|round| {
        let successes: Vec<f64> = world.eligible[round]
            .iter()
            .map(|action| world.success(round, action))
            .collect();
        (
            mean(&successes),
            successes.iter().copied().fold(0.0, f64::max),
        )
    });
    let (even, best): (Vec<f64>, Vec<f64>) = per_round.unzip();
    (mean(&even), mean(&best))
}
