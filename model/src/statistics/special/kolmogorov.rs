//! Kolmogorov's limiting distribution of a scaled largest distance between two step functions.

use std::f64::consts::PI;

/// Survival function of `lim √n D_n`.
///
/// ```text
/// P(K > x) = 2 Σ_{k≥1} (-1)^{k-1} exp(-2 k² x²)
///          = 1 - √(2π)/x Σ_{k≥1} exp(-(2k-1)² π²/(8 x²))
/// ```
/// the first form for large `x`, the second (its Jacobi transform) for small.
#[must_use]
pub fn sf(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x < 0.8 {
        let sum: f64 = (1..=8)
            .map(|k| {
                let odd = f64::from(2 * k - 1);
                (-odd * odd * PI * PI / (8.0 * x * x)).exp()
            })
            .sum();
        return 1.0 - (2.0 * PI).sqrt() / x * sum;
    }
    let alternating: f64 = (1..=12)
        .map(|k| {
            let k = f64::from(k);
            let sign = if k % 2.0 == 0.0 { -1.0 } else { 1.0 };
            sign * (-2.0 * k * k * x * x).exp()
        })
        .sum();
    2.0 * alternating
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_series_agree_where_they_meet() {
        let below = sf(0.8 - 1e-13);
        let above = sf(0.8);
        assert!((below - above).abs() < 1e-12, "{below} {above}");
        assert!(sf(0.05) > 1.0 - 1e-15);
        assert!(sf(4.0) < 1e-13);
    }
}
