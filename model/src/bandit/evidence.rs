//! The common factor on the prior, chosen by what the data say of it.

use super::config::BanditConfig;
use super::error::BanditError;
use super::fit::block_evidence;
use super::statistics::SufficientStatistics;

/// Rounds' worth of the assumption that a head's noise is a third of its span.
const NOISE_ROUNDS: f64 = 1.0;
const NOISE_VARIANCE: f64 = 0.1;
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
    let evidence = |kappa: f64| log_evidence(sums, config, variance, discount, kappa);
    let mut best = (start, evidence(start)?);
    for ratio in [search.step, 1.0 / search.step] {
        let from = best.0;
        for _ in 0..STEPS {
            let kappa = best.0 * ratio;
            let value = evidence(kappa)?;
            if value <= best.1 {
                break;
            }
            best = (kappa, value);
        }
        if best.0 > from || best.0 < from {
            break;
        }
    }
    Ok(best.0)
}

/// `ln p(y | κ) + ln p(κ)` up to a constant, over all blocks and heads; see
/// [`Shrinkage`](super::Shrinkage) for the formula.
fn log_evidence(
    sums: &SufficientStatistics,
    config: &BanditConfig,
    variance: f64,
    discount: f64,
    kappa: f64,
) -> Result<f64, BanditError> {
    let layout = sums.layout();
    let heads = layout.heads().len();
    let mut log_volume = 0.0;
    let mut weight = 0.0;
    let mut unexplained = vec![0.0; heads];
    for (index, block) in sums.blocks().iter().enumerate() {
        if block.rounds() == 0 {
            continue;
        }
        let mut penalties = config.prior.penalties(layout, index, variance);
        for penalty in &mut penalties {
            *penalty *= kappa;
        }
        let part = block_evidence(index, block, heads, &penalties, discount)?;
        log_volume += part.log_volume;
        weight += block.weight() * discount;
        for (head, rest) in unexplained.iter_mut().enumerate() {
            *rest += block.square(head) * discount - part.explained[head];
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
    Ok(heads as f64 * log_volume
        - 0.5 * (weight + NOISE_ROUNDS) * log_misfit
        - 0.5 * deviation * deviation)
}
