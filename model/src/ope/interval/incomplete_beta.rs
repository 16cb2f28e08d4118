//! The regularised incomplete beta function and its inverse.

/// `I_x(a, b)` for `a, b > 0` and `x` in [0, 1], by Lentz's continued fraction.
pub(super) fn regularised(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let log_front =
        a * x.ln() + b * (-x).ln_1p() + libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    let front = log_front.exp();
    // The fraction converges fast below the mean of the distribution.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..10_000_u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        value *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// The `x` with `I_x(a, b) = probability`, by bisection to the last bit.
pub(super) fn quantile(probability: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if regularised(middle, a, b) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{quantile, regularised};

    #[test]
    fn closed_forms_hold() {
        // I_x(1, b) = 1 − (1−x)^b and I_x(a, 1) = x^a.
        for x in [0.01_f64, 0.3, 0.5, 0.9, 0.999] {
            assert!((regularised(x, 1.0, 3.5) - (1.0 - (1.0 - x).powf(3.5))).abs() < 1e-14);
            assert!((regularised(x, 2.5, 1.0) - x.powf(2.5)).abs() < 1e-14);
        }
    }

    #[test]
    fn the_quantile_inverts() {
        for (a, b) in [(0.5, 0.5), (18.9, 8.2), (2.0, 300.0)] {
            for probability in [0.025, 0.5, 0.975] {
                let x = quantile(probability, a, b);
                assert!((regularised(x, a, b) - probability).abs() < 1e-13);
            }
        }
    }
}
