//! Student's t distribution, for any (also fractional, also very many) degrees of freedom.

use std::f64::consts::PI;

use super::{normal, root::decreasing_root};

/// Above this many degrees of freedom Hill's expansion is exact to about 1e-15 and the continued
/// fraction needs thousands of steps.
const MANY: f64 = 1e5;

/// Survival function `P(T > t)` with `dof > 0` degrees of freedom; NaN for other `dof`.
#[must_use]
pub fn sf(t: f64, dof: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - sf(-t, dof);
    }
    if bulk(t, dof) {
        return 0.5 * (1.0 - central_mass(t, dof));
    }
    ln_sf(t, dof).exp()
}

/// `ln P(T > t)`, also where [`sf`] underflows.
///
/// ```text
/// P(T > t) = ½ I_x(ν/2, ½),   x = ν/(ν + t²),   t ≥ 0
/// ```
/// by Lentz's continued fraction of the incomplete beta function in the tail and its mirror image
/// in the bulk; above 1e5 degrees of freedom by Hill's transformation to a normal deviate
/// (Comm. ACM 13 (1970) 617).
#[must_use]
pub fn ln_sf(t: f64, dof: f64) -> f64 {
    if dof.is_nan() || dof <= 0.0 || t.is_nan() {
        return f64::NAN;
    }
    if t < 0.0 || bulk(t, dof) {
        return sf(t, dof).ln();
    }
    if dof > MANY {
        return normal::ln_sf(hill(t, dof));
    }
    let (a, b) = (0.5 * dof, 0.5);
    let y = t * t / dof;
    // ln of x^a (1-x)^b / (a B(a, b)) with x = 1/(1+y), 1-x = y/(1+y).
    let front = -(a + b) * y.ln_1p() + b * y.ln() - ln_beta_half(a) - a.ln();
    (0.5f64).ln() + front + continued_fraction(1.0 / (1.0 + y), a, b).ln()
}

/// Density at `t`.
#[must_use]
pub fn pdf(t: f64, dof: f64) -> f64 {
    let a = 0.5 * dof;
    (-(a + 0.5) * (t * t / dof).ln_1p() - ln_beta_half(a)).exp() / dof.sqrt()
}

/// Two-sided p-value `P(|T| > |t|)`.
#[must_use]
pub fn two_sided_p(t: f64, dof: f64) -> f64 {
    2.0 * sf(t.abs(), dof)
}

/// Upper quantile: the `t` with `P(T > t) = p`. Infinite at 0 and 1, NaN outside [0, 1].
///
/// A Cornish–Fisher start from the normal quantile, then Newton steps on `ln P(T > t)` inside a
/// bracket, to the last places of a double.
#[must_use]
pub fn isf(p: f64, dof: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) || dof.is_nan() || dof <= 0.0 {
        return f64::NAN;
    }
    if p > 0.5 {
        return -isf(1.0 - p, dof);
    }
    if p == 0.0 {
        return f64::INFINITY;
    }
    if p == 0.5 {
        return 0.0;
    }
    let z = normal::isf(p);
    let start = z
        + (z.powi(3) + z) / (4.0 * dof)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * dof * dof);
    let target = p.ln();
    let mut high = start.max(1.0);
    while ln_sf(high, dof) > target {
        high *= 2.0;
    }
    decreasing_root(0.0, high, start, |t| {
        let value = ln_sf(t, dof);
        (value - target, -(pdf(t, dof).ln() - value).exp())
    })
}

/// Whether `P(|T| < t)` is the better conditioned side.
fn bulk(t: f64, dof: f64) -> bool {
    t * t < 3.0 && dof <= MANY
}

/// `P(|T| < t) = I_{1-x}(½, ν/2)`, for `t² < 3`.
fn central_mass(t: f64, dof: f64) -> f64 {
    if dof.is_nan() || dof <= 0.0 {
        return f64::NAN;
    }
    let a = 0.5 * dof;
    let y = t * t / dof;
    if y == 0.0 {
        return 0.0;
    }
    let front = -(a + 0.5) * y.ln_1p() + 0.5 * y.ln() - ln_beta_half(a);
    // The leading 1/½ of the fraction with first parameter ½.
    2.0 * front.exp() * continued_fraction(y / (1.0 + y), 0.5, a)
}

/// Hill's normal deviate with the same tail as `t`.
fn hill(t: f64, dof: f64) -> f64 {
    let a = dof - 0.5;
    let b = 48.0 * a * a;
    let y = a * (t * t / dof).ln_1p();
    let w = y.sqrt();
    let correction = (((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + b);
    ((correction + y + 3.0) / b + 1.0) * w
}

/// `ln B(a, ½) = ln √π - (ln Γ(a+½) - ln Γ(a))`, without the cancellation of two large `ln Γ`.
fn ln_beta_half(a: f64) -> f64 {
    let ratio = if a < 30.0 {
        libm::lgamma(a + 0.5) - libm::lgamma(a)
    } else {
        // Asymptotic series of ln Γ(a+½)/Γ(a); the first left-out term is below 1e-17 at a = 30.
        let c = 1.0 / (a * a);
        0.5 * a.ln()
            + (-1.0 / 8.0
                + c * (1.0 / 192.0
                    + c * (-1.0 / 640.0 + c * (17.0 / 14_336.0 - c * 31.0 / 18_432.0))))
                / a
    };
    0.5 * PI.ln() - ratio
}

/// The continued fraction of `I_x(a, b)` by Lentz's method, without its leading factor.
fn continued_fraction(x: f64, a: f64, b: f64) -> f64 {
    let guard = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..20_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() <= tolerance * expected.abs(),
            "found {found:e}, expected {expected:e}"
        );
    }

    #[test]
    fn tails_equal_mpmath() {
        // mpmath 1.4: betainc(ν/2, 1/2, 0, ν/(ν+t²), regularized=True)/2 at 40 digits.
        for (t, dof, expected) in [
            (0.5, 3.7, 0.322_667_816_659_966),
            (2.0, 5.0, 0.050_969_739_414_929_18),
            (1.96, 4000.0, 0.025_032_559_558_874_866),
            (
                7.011_419_843_765_982_5,
                3_918.681_632_257_669,
                1.382_951_122_526_995e-12,
            ),
            (38.7, 2871.3, 2.406_956_382_097_83e-264),
            (2.5, 100_000.0, 0.006_210_459_596_279_523),
            (2.5, 100_001.0, 0.006_210_459_588_336_703),
            (9.0, 250_000.0, 1.136_198_794_940_867e-19),
            (2.0, 2_000_000.0, 0.022_750_199_436_903_377),
        ] {
            close(sf(t, dof), expected, 5e-12);
            close(sf(-t, dof), 1.0 - expected, 1e-14);
        }
        close(ln_sf(40.0, 200_000.0), -801.421_424_090_397_7, 1e-12);
    }

    #[test]
    fn quantiles_equal_mpmath() {
        for (p, dof, expected) in [
            (0.025, 1.0, 12.706_204_736_174_705),
            (0.025, 2.5, 3.574_654_842_003_683),
            (0.025, 4000.0, 1.960_557_228_793_733_6),
            (0.025, 100_000.0, 1.959_987_707_534_609_5),
            (0.0005, 1_000_000.0, 3.290_536_461_248_691),
            (1e-12, 30.0, 11.397_217_523_311_411),
        ] {
            close(isf(p, dof), expected, 1e-12);
            close(
                isf(1.0 - p, dof),
                -expected,
                if p < 1e-6 { 1e-4 } else { 1e-12 },
            );
        }
        assert_eq!(isf(0.5, 7.0), 0.0);
        assert!(isf(0.1, -1.0).is_nan());
    }
}
