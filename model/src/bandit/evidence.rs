//! The factors on the prior, chosen by what the data say of them.

use super::config::BanditConfig;
use super::error::BanditError;
use super::fit::block_evidence;
use super::layout::Layout;
use super::normal_equations::NormalEquations;
use super::prior::{ByKind, Factors, KindFactors, head_group, kin};
use super::statistics::SufficientStatistics;

/// Rounds' worth of the assumption that a head's noise is a third of its span.
pub(super) const NOISE_ROUNDS: f64 = 1.0;
pub(super) const NOISE_VARIANCE: f64 = 0.1;
/// Largest number of steps away from the start.
const STEPS: usize = 12;

/// Climbs from `start` to a maximum of the log evidence plus the log prior of the factors: first the
/// common one, then those of each group of heads in turn.
pub(super) fn factors(
    sums: &SufficientStatistics,
    config: &BanditConfig,
    variance: f64,
    discount: f64,
    start: &Factors,
) -> Result<Factors, BanditError> {
    let search = config.shrinkage;
    let mut found = start.clone();
    let common = search.spread > 0.0 && sums.rounds() >= search.from_rounds;
    let kinds = (search.by_kind).filter(|kinds| sums.rounds() >= kinds.from_rounds);
    if !common {
        found.common = 1.0;
    }
    if kinds.is_none() {
        found.by_head.clear();
    }
    if !common && kinds.is_none() {
        return Ok(found);
    }
    let layout = sums.layout();
    let blocks: Vec<Block> = (0..layout.dimensions().len())
        .filter(|&index| sums.block_rounds(index) > 0)
        .map(|index| Block {
            index,
            equations: NormalEquations::assemble(sums, index, discount),
        })
        .collect();
    let kin = kin(config, layout);
    let evidence = Evidence {
        blocks,
        config,
        layout,
        variance,
    };
    if common {
        let total = |common: f64| {
            let tried = Factors {
                common,
                ..found.clone()
            };
            let deviation = libm::log(common) / search.spread;
            let parts = kin.iter().map(|heads| evidence.of(heads, &tried));
            parts
                .sum::<Result<f64, _>>()
                .map(|sum| sum - 0.5 * deviation * deviation)
        };
        found.common = climb(found.common, search.step, total)?;
    }
    if let Some(kinds) = kinds {
        found
            .by_head
            .resize(layout.heads().len(), KindFactors::default());
        for heads in &kin {
            evidence.climb_kinds(heads, kinds, &mut found)?;
        }
    }
    Ok(found)
}

/// Climbs from `start` in steps of `step` while `value` grows, in the one direction or the other.
fn climb(
    start: f64,
    step: f64,
    mut value: impl FnMut(f64) -> Result<f64, BanditError>,
) -> Result<f64, BanditError> {
    let mut best = (start, value(start)?);
    for ratio in [step, 1.0 / step] {
        let mut climbed = false;
        for _ in 0..STEPS {
            let next = best.0 * ratio;
            let there = value(next)?;
            if there <= best.1 {
                break;
            }
            best = (next, there);
            climbed = true;
        }
        if climbed {
            break;
        }
    }
    Ok(best.0)
}

struct Block {
    index: usize,
    equations: NormalEquations,
}

/// What the data say of the factors.
struct Evidence<'a> {
    blocks: Vec<Block>,
    config: &'a BanditConfig,
    layout: &'a Layout,
    variance: f64,
}

impl Evidence<'_> {
    /// `ln p(y | factors)` of a group of heads up to a constant, over all blocks; see
    /// [`Shrinkage`](super::Shrinkage) for the formula.
    fn of(&self, heads: &[usize], factors: &Factors) -> Result<f64, BanditError> {
        let mut log_volume = 0.0;
        let mut weight = 0.0;
        let mut unexplained = vec![0.0; heads.len()];
        for Block { index, equations } in &self.blocks {
            weight += equations.weight;
            let (config, layout, variance) = (self.config, self.layout, self.variance);
            let group = head_group(config, layout, *index, variance, factors, heads.to_vec());
            let part = block_evidence(*index, equations, &group)?;
            log_volume += heads.len() as f64 * part.log_volume;
            for (rest, (head, explained)) in unexplained.iter_mut().zip(part.explained) {
                *rest += equations.squares[head] - explained;
            }
        }
        let log_misfit: f64 = (heads.iter().zip(unexplained))
            .map(|(&head, rest)| {
                let span = self.config.span(head);
                libm::log(rest.max(0.0) / (span * span) + NOISE_ROUNDS * NOISE_VARIANCE)
            })
            .sum();
        Ok(log_volume - 0.5 * (weight + NOISE_ROUNDS) * log_misfit)
    }

    /// Climbs the factors of one group of heads, one kind of effect after the other.
    fn climb_kinds(
        &self,
        heads: &[usize],
        search: ByKind,
        found: &mut Factors,
    ) -> Result<(), BanditError> {
        type Kind = fn(&mut KindFactors) -> &mut f64;
        let kinds: [Kind; 3] = [
            |kinds| &mut kinds.level,
            |kinds| &mut kinds.context,
            |kinds| &mut kinds.pair,
        ];
        for kind in kinds {
            let mut own = found.of(heads[0]);
            let start = *kind(&mut own);
            let best = climb(start, search.step, |factor| {
                *kind(&mut own) = factor;
                for &head in heads {
                    found.by_head[head] = own;
                }
                let deviation = libm::log(factor) / search.spread;
                Ok(self.of(heads, found)? - 0.5 * deviation * deviation)
            })?;
            *kind(&mut own) = best;
            for &head in heads {
                found.by_head[head] = own;
            }
        }
        Ok(())
    }
}
