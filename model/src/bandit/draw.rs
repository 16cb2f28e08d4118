//! The draw: one number a decision, and the action it selects.

use super::digest::Digest;

/// A number in `[0, 1)` that the decision's id and the generation determine.
///
/// ```text
/// u = ⌊ BLAKE3_key(id) / 2^11 ⌋ · 2^-53        key = the generation's digest, first 8 bytes little-endian
/// ```
/// Keyed by the decision, not the customer: a customer's next decision draws afresh, else exploration
/// would freeze. Anyone with the log can prove the draw.
#[must_use]
pub fn draw(decision_id: &str, generation: &Digest) -> f64 {
    let hash = blake3::keyed_hash(generation.as_bytes(), decision_id.as_bytes());
    let mut first = [0_u8; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    (u64::from_le_bytes(first) >> 11) as f64 * f64::powi(2.0, -53)
}

/// The action that `u` selects: the first at which the cumulative probability exceeds it.
///
/// Never an action of probability 0; where rounding leaves the sum at or below `u`, the last action of
/// positive probability. `None` when there is none.
#[must_use]
pub fn select(probabilities: &[f64], u: f64) -> Option<usize> {
    let mut cumulative = 0.0;
    let mut last = None;
    for (action, &probability) in probabilities.iter().enumerate() {
        if probability > 0.0 {
            cumulative += probability;
            last = Some(action);
            if u < cumulative {
                return last;
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn digest(fill: char) -> Digest {
        Digest::try_from(fill.to_string().repeat(64)).unwrap()
    }

    #[test]
    fn a_draw_is_in_range_and_depends_on_decision_and_generation() {
        let u = draw("d-1", &digest('0'));
        assert!((0.0..1.0).contains(&u));
        assert_eq!(u.to_bits(), draw("d-1", &digest('0')).to_bits());
        assert!((u - draw("d-2", &digest('0'))).abs() > 0.0);
        assert!((u - draw("d-1", &digest('1'))).abs() > 0.0);
    }

    #[test]
    fn selection_inverts_the_cumulative_distribution() {
        let probabilities = [0.0, 0.25, 0.0, 0.5, 0.25, 0.0];
        let at = |u| select(&probabilities, u).unwrap();
        assert_eq!(
            [at(0.0), at(0.2499), at(0.25), at(0.7499), at(0.75)],
            [1, 1, 3, 3, 4]
        );
        // Rounding may leave the sum a little below 1: the last possible action takes the rest.
        assert_eq!(at(1.0), 4);
        assert_eq!(select(&[0.0, 0.0], 0.5), None);
    }
}
