//! The common factor on the prior, chosen by what the data say of it.

use super::config::BanditConfig;
use super::error::BanditError;
use super::fit::block_evidence;
use super::normal_equations::NormalEquations;
use super::prior::{HeadGroup, head_groups};
use super::statistics::SufficientStatistics;

/// Rounds' worth of the assumption that a head's noise is a third of its span.
pub(super) const NOISE_ROUNDS: f64 = 1.0;
pub(super) const NOISE_VARIANCE: f64 = 0.1;
/// Largest number of steps away from the start.
const STEPS: usize = 12;

/// Climbs from `start` to the nearest maximum of the log evidence plus log prior of `κ`, in steps of the
/// configured ratio.
pub(super) fn shrinkage(
    sums: &SufficientStatistics,
    config: &BanditConfig,
    variance: f64,
    discount: f64,
    start: f64,
) -> Result<f64, BanditError> {
    let search = config.shrinkage;
    if search.spread <= 0.0 || sums.rounds() < search.from_rounds {
        return Ok(1.0);
    }
    let layout = sums.layout();
    let blocks: Vec<Block> = (0..layout.dimensions().len())
        .filter(|&index| sums.block_rounds(index) > 0)
        .map(|index| Block {
            index,
            equations: NormalEquations::assemble(sums, index, discount),
            groups: head_groups(config, layout, index, variance, 1.0),
        })
        .collect();
    let evidence = |kappa: f64| log_evidence(&blocks, config, layout.heads().len(), kappa);
    let mut best = (start, evidence(start)?);
    for ratio in [search.step, 1.0 / search.step] {
        let mut climbed = false;
        for _ in 0..STEPS {
            let kappa = best.0 * ratio;
            let value = evidence(kappa)?;
            if value <= best.1 {
                break;
            }
            best = (kappa, value);
            climbed = true;
        }
        if climbed {
            break;
        }
    }
    Ok(best.0)
}

/// A block's equations and its penalties before the common factor.
struct Block {
    index: usize,
    equations: NormalEquations,
    groups: Vec<HeadGroup>,
}

/// `ln p(y | κ) + ln p(κ)` up to a constant, over all blocks and heads; see
/// [`Shrinkage`](super::Shrinkage) for the formula.
fn log_evidence(
    blocks: &[Block],
    config: &BanditConfig,
    heads: usize,
    kappa: f64,
) -> Result<f64, BanditError> {
    let mut log_volume = 0.0;
    let mut weight = 0.0;
    let mut unexplained = vec![0.0; heads];
    for block in blocks {
        weight += block.equations.weight;
        for group in &block.groups {
            let part = block_evidence(block.index, &block.equations, group, kappa)?;
            log_volume += group.heads.len() as f64 * part.log_volume;
            for (head, explained) in part.explained {
                unexplained[head] += block.equations.squares[head] - explained;
            }
        }
    }
    let log_misfit: f64 = unexplained
        .iter()
        .enumerate()
        .map(|(head, &rest)| {
            let span = config.span(head);
            libm::log(rest.max(0.0) / (span * span) + NOISE_ROUNDS * NOISE_VARIANCE)
        })
        .sum();
    let deviation = libm::log(kappa) / config.shrinkage.spread;
    Ok(log_volume - 0.5 * (weight + NOISE_ROUNDS) * log_misfit - 0.5 * deviation * deviation)
}
