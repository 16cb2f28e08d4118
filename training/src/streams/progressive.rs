//! Progressive validation: decide first, then see the cost of what was drawn, once, in order.

use std::sync::Arc;

use lagom_model::bandit::{
    ActionSet, ActionSpace, BanditConfig, Layout, Learner, Round, Scorer, Scratch,
    SufficientStatistics, Valuation, draw,
};
use serde::Serialize;

use super::COMPARISON_FLOOR;
use super::cpu_time::Stopwatch;
use super::error::StreamError;
use super::labelled::LabelledStream;

/// What came of a stream.
#[derive(Debug, Clone, Serialize)]
pub struct StreamReport {
    /// Rounds of one order.
    pub rounds: usize,
    /// Classes to choose from.
    pub actions: usize,
    /// Names of the orders.
    pub orders: Vec<String>,
    /// Progressive validation cost of each order, at the floor of the comparison.
    pub cost: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// The floor of the comparison.
    pub floor: f64,
    /// The same with the floor that serving uses.
    pub serving_default: FloorResult,
    /// What always choosing one class would have cost, the best of them.
    pub best_fixed_action: FixedAction,
    /// What drawing evenly would cost.
    pub uniform_cost: f64,
    /// Rounds decided and learnt per second of CPU.
    pub rounds_per_cpu_second: f64,
    /// The configuration, which is the same for every stream.
    pub config: BanditConfig,
}

/// Costs at one floor.
#[derive(Debug, Clone, Serialize)]
pub struct FloorResult {
    /// The floor.
    pub floor: f64,
    /// Progressive validation cost of each order.
    pub cost: Vec<f64>,
    /// Their mean.
    pub mean: f64,
}

/// One class, always.
#[derive(Debug, Clone, Serialize)]
pub struct FixedAction {
    /// The class.
    pub action: String,
    /// Its mean cost over the stream.
    pub cost: f64,
}

/// Runs every order of a stream with the configuration's rule, at the floor of the comparison and at the
/// configured one.
///
/// # Errors
/// When the bandit refuses the configuration or a feature.
pub fn run_stream(
    stream: &LabelledStream,
    config: &BanditConfig,
) -> Result<StreamReport, StreamError> {
    let mut compared = config.clone();
    compared.exploration.floor = COMPARISON_FLOOR;
    let watch = Stopwatch::start();
    let at_comparison = run_orders(stream, &compared)?;
    let seconds = watch.seconds();
    let rounds: usize = stream.orders.iter().map(|(_, rows)| rows.len()).sum();
    Ok(StreamReport {
        rounds: stream.orders.first().map_or(0, |(_, rows)| rows.len()),
        actions: stream.classes.len(),
        orders: stream.orders.iter().map(|(name, _)| name.clone()).collect(),
        cost: at_comparison.cost,
        mean: at_comparison.mean,
        floor: COMPARISON_FLOOR,
        serving_default: run_orders(stream, config)?,
        best_fixed_action: best_fixed_action(stream),
        uniform_cost: 1.0 - 1.0 / stream.classes.len() as f64,
        rounds_per_cpu_second: rounds as f64 / seconds.max(f64::MIN_POSITIVE),
        config: compared,
    })
}

fn run_orders(stream: &LabelledStream, config: &BanditConfig) -> Result<FloorResult, StreamError> {
    let cost = stream
        .orders
        .iter()
        .map(|(name, rows)| run_order(stream, name, rows, config))
        .collect::<Result<Vec<f64>, StreamError>>()?;
    Ok(FloorResult {
        floor: config.exploration.floor,
        mean: cost.iter().sum::<f64>() / cost.len() as f64,
        cost,
    })
}

fn run_order(
    stream: &LabelledStream,
    name: &str,
    rows: &[usize],
    config: &BanditConfig,
) -> Result<f64, StreamError> {
    let actions = stream.classes.len();
    let layout = Layout::new(
        ActionSpace::plain(actions)?,
        stream.feature_names.clone(),
        vec!["success".to_owned()],
    )?;
    let sums = SufficientStatistics::new(Arc::new(layout));
    let mut learner = Learner::new(sums, config, 1.0)?;
    let valuation = Valuation {
        head_weights: vec![1.0],
        action_values: Vec::new(),
    };
    let mut scorer = Scorer::new(Arc::clone(learner.generation()), &valuation)?;
    let mut scratch = Scratch::default();
    let everything = ActionSet::all(actions);
    let mut cost = 0.0;
    for (at, &row) in rows.iter().enumerate() {
        let context = stream.row(row);
        scorer.decide(context, &everything, &mut scratch)?;
        let u = draw(&format!("{name}/{at}"), &scorer.generation().digest());
        let action = scratch.select(u).unwrap_or_default();
        let success = f64::from(action == stream.labels[row]);
        cost += 1.0 - success;
        learner.fold(&Round {
            context,
            action,
            heads: &[success],
            weight: 1.0,
        })?;
        if let Some(generation) = learner.refresh(1.0)? {
            scorer = Scorer::new(generation, &valuation)?;
        }
    }
    Ok(cost / rows.len() as f64)
}

fn best_fixed_action(stream: &LabelledStream) -> FixedAction {
    let mut counts = vec![0_usize; stream.classes.len()];
    for &label in &stream.labels {
        counts[label] += 1;
    }
    let mut best = 0;
    for (class, &count) in counts.iter().enumerate() {
        if count > counts[best] {
            best = class;
        }
    }
    FixedAction {
        action: stream.classes[best].clone(),
        cost: 1.0 - counts[best] as f64 / stream.labels.len() as f64,
    }
}
