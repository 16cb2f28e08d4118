//! The lower branch of Lambert's W, as far as confidence sequences need it.

/// `-W₋₁(-exp(-s))` for `s ≥ 1`: the root `u ≥ 1` of `u - ln u = s`. NaN for `s < 1`.
///
/// Writing the argument as `-exp(-s)` keeps it exact where it would underflow.
#[must_use]
pub fn minus_w_lower_of_minus_exp(s: f64) -> f64 {
    if s.is_nan() || s < 1.0 {
        return f64::NAN;
    }
    // Near the branch point u = 1 + √(2(s-1)) + …, far from it u = s + ln s + …; both start above
    // the root's convex neighbourhood, so Newton converges from either.
    let mut u = if s < 2.0 {
        1.0 + (2.0 * (s - 1.0)).sqrt() + (s - 1.0) * 2.0 / 3.0
    } else {
        s + s.ln()
    };
    for _ in 0..50 {
        if u <= 1.0 {
            return 1.0;
        }
        let next = u - (u - u.ln() - s) * u / (u - 1.0);
        if (next - u).abs() <= f64::EPSILON * u {
            return next;
        }
        u = next;
    }
    u
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_its_equation() {
        for s in [1.0, 1.000_001, 1.5, 2.0, 7.0, 50.0, 1e6] {
            let u = minus_w_lower_of_minus_exp(s);
            assert!(u >= 1.0);
            assert!((u - u.ln() - s).abs() < 1e-9 * s.max(1.0), "s {s}, u {u}");
        }
        assert!(minus_w_lower_of_minus_exp(0.5).is_nan());
    }
}
