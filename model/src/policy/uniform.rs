//! Every eligible action with the same probability.
//!
//! ```text
//! p(a) = 1/|E| for a in E, else 0
//! ```

/// Fills `probabilities` with one number for each action, in the order of `eligible`. They sum to
/// one if anything is eligible, and are all zero if nothing is.
pub fn fill(eligible: &[bool], probabilities: &mut Vec<f64>) {
    let count = eligible.iter().filter(|&&one| one).count();
    let share = if count == 0 { 0.0 } else { 1.0 / count as f64 };
    probabilities.clear();
    probabilities.extend(eligible.iter().map(|&one| if one { share } else { 0.0 }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_shared_among_what_is_eligible() {
        let mut p = vec![9.0];
        fill(&[true, false, true, true, true], &mut p);
        assert_eq!(p, [0.25, 0.0, 0.25, 0.25, 0.25]);
        fill(&[false, false], &mut p);
        assert_eq!(p, [0.0, 0.0]);
    }
}
