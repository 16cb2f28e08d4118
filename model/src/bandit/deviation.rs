//! How sure single scores are, from the inverse factor that a generation keeps and stores.

use super::cholesky::dot;
use super::generation::{BlockWeights, Generation};
use super::layout::AtomKind;

/// `sqrt(φ' (A + κΛ)⁻¹ φ) = ‖L⁻¹ φ‖` of one row of features.
pub(super) fn deviation(block: &BlockWeights, features: &[f64]) -> f64 {
    let mut squares = 0.0;
    let mut rest = block.whitening.as_slice();
    for length in 1..=features.len() {
        let (row, after) = rest.split_at(length);
        rest = after;
        let z = dot(row, &features[..length]);
        squares += z * z;
    }
    squares.sqrt()
}

/// `‖L⁻¹ (φ(x, a) − φ(x, reference))‖` of each eligible action. In a composed catalogue the reference
/// has the baseline alone, which all share, so that its own deviation is 0 and each part's `L⁻¹ φ` is
/// computed once; in a plain one nothing is shared, and the row is the action's own.
pub(super) fn deviations(
    generation: &Generation,
    context: &[f64],
    eligible: &[u32],
    into: &mut Vec<f64>,
) {
    let layout = generation.layout();
    if !layout.space().is_composed() {
        let features: Vec<f64> = std::iter::once(1.0)
            .chain(context.iter().copied())
            .collect();
        into.extend(eligible.iter().map(|&action| {
            let block = layout.block_of(action as usize);
            let features = &features[..layout.dimensions()[block]];
            deviation(generation.block(block), features)
        }));
        return;
    }
    let whitening = &generation.block(0).whitening;
    let dimension = layout.dimensions()[0];
    let mut parts: Vec<Option<Vec<f64>>> = vec![None; layout.atoms().len()];
    let mut sum = vec![0.0; dimension];
    into.extend(eligible.iter().map(|&action| {
        sum.fill(0.0);
        for &atom in layout.atoms_of(action as usize) {
            let at = atom as usize;
            let (kind, offset) = (layout.atoms()[at].kind, layout.atoms()[at].offset);
            if kind == AtomKind::Baseline {
                continue;
            }
            let context = if layout.atoms()[at].contextual {
                context
            } else {
                &[]
            };
            let part =
                parts[at].get_or_insert_with(|| whitened(whitening, dimension, offset, context));
            for (sum, &own) in sum[offset..].iter_mut().zip(part.iter()) {
                *sum += own;
            }
        }
        sum.iter().map(|z| z * z).sum::<f64>().sqrt()
    }));
}

/// `L⁻¹` times a part's features, from the part's own place on; before it there is nothing.
fn whitened(whitening: &[f64], dimension: usize, offset: usize, context: &[f64]) -> Vec<f64> {
    (offset..dimension)
        .map(|row| {
            let start = row * (row + 1) / 2;
            let own = &whitening[start + offset..=start + row];
            let entries = own[1..].iter().zip(context);
            own[0] + entries.map(|(w, x)| w * x).sum::<f64>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::explore::RuleConfig;
    use super::super::fixture::{layout, rounds, space, sums, unit_ridge};
    use super::*;

    #[test]
    fn deviations_are_those_of_differences_to_the_reference() {
        let layout = layout(space(), 4, 3);
        let sums = sums(&layout, &rounds(&layout, 90, 11));
        let mut config = unit_ridge();
        config.exploration.rule = RuleConfig::Thompson { noise: 0.3 };
        let generation = Generation::fit(&sums, &config, 1, 1.0, 1.0).unwrap();
        let context = [0.4, -0.2, 0.9, 0.1];
        let eligible: Vec<u32> = (0..13).collect();
        let mut own = Vec::new();
        deviations(&generation, &context, &eligible, &mut own);
        assert!(own[0].abs() < 1e-12);
        let with_noise = |action: usize| {
            let worth = [1.0, 0.0, 0.0];
            generation.deviation(&context, (action, 0), &worth).unwrap()
        };
        let noise = with_noise(1) / own[1];
        for (action, own) in own.iter().enumerate().skip(1) {
            assert!((with_noise(action) - noise * own).abs() < 1e-9, "{action}");
        }
    }
}
