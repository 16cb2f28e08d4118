//! What a decision and an update cost, on the shape other programs were timed on.

use std::sync::Arc;
use std::time::Instant;

use lagom_model::bandit::{
    ActionSet, ActionSpace, BanditConfig, Facet, Layout, Learner, Round, Scorer, Scratch,
    SufficientStatistics, Valuation, draw,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::cpu_time::Stopwatch;
use super::error::StreamError;

/// Levels of channel, timing and tone: 300 actions.
const LEVELS: [u16; 3] = [5, 10, 6];
/// Entries of the context.
const CONTEXT: usize = 40;
/// Rounds over which an update is averaged, starting from nothing.
const ROUNDS: usize = 20_000;
/// Decisions that are timed, one by one.
const DECISIONS: usize = 20_000;

/// Times of one thread.
#[derive(Debug, Clone, Serialize)]
pub struct LatencyReport {
    /// Actions, all eligible.
    pub actions: usize,
    /// Entries of the context.
    pub context: usize,
    /// Coefficients of the model.
    pub coefficients: usize,
    /// Fastest decision: scores, distribution, floor and draw, in microseconds.
    pub decide_us_min: f64,
    /// Median decision, in microseconds.
    pub decide_us_median: f64,
    /// Rounds over which the update is averaged.
    pub rounds: usize,
    /// CPU per round of folding alone, in microseconds.
    pub fold_us: f64,
    /// CPU per round of folding and of all publications the schedule asked for, in microseconds.
    pub update_us_amortised: f64,
    /// Generations published on the way.
    pub generations: u64,
}

/// Times decisions and updates under a configuration.
///
/// # Errors
/// When the bandit refuses the configuration.
pub fn measure_latency(config: &BanditConfig) -> Result<LatencyReport, StreamError> {
    let layout = layout()?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let contexts: Vec<f64> = (0..ROUNDS * CONTEXT)
        .map(|_| rng.random::<f64>() * 2.0 - 1.0)
        .collect();
    let actions = layout.space().len();
    let taken: Vec<(usize, f64)> = (0..ROUNDS)
        .map(|_| {
            (
                rng.random_range(0..actions),
                f64::from(rng.random::<bool>()),
            )
        })
        .collect();
    let rounds = || {
        let known = contexts.chunks_exact(CONTEXT).zip(&taken);
        known.map(|(context, (action, reward))| Round {
            context,
            action: *action,
            heads: std::slice::from_ref(reward),
            weight: 1.0,
        })
    };

    let mut folded = SufficientStatistics::new(Arc::clone(&layout));
    let watch = Stopwatch::start();
    for round in rounds() {
        folded.fold(&round)?;
    }
    let fold_us = watch.seconds() * 1e6 / ROUNDS as f64;

    let empty = SufficientStatistics::new(Arc::clone(&layout));
    let mut learner = Learner::new(empty, config, 1.0)?;
    let watch = Stopwatch::start();
    for round in rounds() {
        learner.fold(&round)?;
        learner.refresh(1.0)?;
    }
    let update_us_amortised = watch.seconds() * 1e6 / ROUNDS as f64;

    let mut decisions = time_decisions(&learner, &contexts)?;
    decisions.sort_by(f64::total_cmp);
    Ok(LatencyReport {
        actions,
        context: CONTEXT,
        coefficients: layout.dimensions().iter().sum(),
        decide_us_min: decisions[0],
        decide_us_median: decisions[decisions.len() / 2],
        rounds: ROUNDS,
        fold_us,
        update_us_amortised,
        generations: learner.generation().number(),
    })
}

fn layout() -> Result<Arc<Layout>, StreamError> {
    let facet = |name: &str, at: usize| {
        Facet::contextual(name, (0..LEVELS[at]).map(|level| level.to_string()))
    };
    let facets = vec![facet("channel", 0), facet("timing", 1), facet("tone", 2)];
    let [channels, timings, tones] = LEVELS;
    let actions = (0..channels)
        .flat_map(|channel| (0..timings).map(move |timing| (channel, timing)))
        .flat_map(|(channel, timing)| (0..tones).map(move |tone| vec![channel, timing, tone]))
        .collect();
    let space = ActionSpace::new(facets, actions, None)?;
    let names = (0..CONTEXT).map(|entry| format!("s{entry}")).collect();
    let heads = vec!["success".to_owned()];
    Ok(Arc::new(Layout::new(space, names, heads)?))
}

/// Microseconds of each decision: scores, distribution, floor and draw.
fn time_decisions(learner: &Learner, contexts: &[f64]) -> Result<Vec<f64>, StreamError> {
    let valuation = Valuation {
        head_weights: vec![1.0],
        action_values: Vec::new(),
    };
    let scorer = Scorer::new(Arc::clone(learner.generation()), &valuation)?;
    let digest = scorer.generation().digest();
    let everything = ActionSet::all(learner.sums().layout().space().len());
    let mut scratch = Scratch::default();
    let mut times = Vec::with_capacity(DECISIONS);
    for (at, context) in contexts.chunks_exact(CONTEXT).take(DECISIONS).enumerate() {
        let decision_id = format!("decision-{at}");
        let started = Instant::now();
        scorer.decide(context, &everything, &mut scratch)?;
        let chosen = scratch.select(draw(&decision_id, &digest));
        times.push(started.elapsed().as_secs_f64() * 1e6);
        std::hint::black_box(chosen);
    }
    Ok(times)
}
