//! The standard normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

/// Density at `x`: `exp(-x²/2)/√(2π)`.
#[must_use]
pub fn pdf(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// Distribution function `Φ(x) = P(X ≤ x)`.
#[must_use]
pub fn cdf(x: f64) -> f64 {
    sf(-x)
}

/// Survival function `P(X > x)`, to about 1e-15 relative until it underflows near x = 38.
#[must_use]
pub fn sf(x: f64) -> f64 {
    0.5 * libm::erfc(x * FRAC_1_SQRT_2)
}

/// `ln P(X > x)`, also where [`sf`] underflows.
///
/// Beyond x = 30 by the asymptotic series of Mills' ratio,
/// ```text
/// P(X > x) = φ(x)/x · (1 - 1/x² + 3/x⁴ - 15/x⁶ + 105/x⁸ - …)
/// ```
/// whose first left-out term is below 1e-13 there.
#[must_use]
pub fn ln_sf(x: f64) -> f64 {
    if x < 30.0 {
        return sf(x).ln();
    }
    let y = 1.0 / (x * x);
    let series = y * (-1.0 + y * (3.0 + y * (-15.0 + y * (105.0 - 945.0 * y))));
    -0.5 * x * x - x.ln() - 0.5 * (LN_2 + PI.ln()) + series.ln_1p()
}

/// Two-sided p-value of a z statistic: `P(|X| > |z|)`.
#[must_use]
pub fn two_sided_p(z: f64) -> f64 {
    libm::erfc(z.abs() * FRAC_1_SQRT_2)
}

/// Upper quantile: the `x` with `P(X > x) = p`. Infinite at 0 and 1, NaN outside [0, 1].
///
/// `isf(0.025)` is the 1.96 of a 95 % interval. Small `p` keep their full precision, which
/// `quantile(1 - p)` would throw away.
#[must_use]
pub fn isf(p: f64) -> f64 {
    -quantile(p)
}

/// Quantile: the `x` with `P(X ≤ x) = p`. Infinite at 0 and 1, NaN outside [0, 1].
///
/// Wichura's rational approximation (Algorithm AS 241, Applied Statistics 37 (1988) 477) followed by
/// one Halley step on the exact tail, which makes it exact to the last place or two.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    if p > 0.5 {
        // 1 - p is exact here (Sterbenz), and the lower tail is the precise one.
        return -quantile(1.0 - p);
    }
    let x = wichura(p);
    let error = (cdf(x) - p) / pdf(x);
    if error.is_finite() {
        x - error / (1.0 + 0.5 * x * error)
    } else {
        x
    }
}

/// AS 241 for `0 < p ≤ 1/2`.
fn wichura(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * horner(&CENTRE.0, r) / horner(&CENTRE.1, r);
    }
    let r = (-p.ln()).sqrt();
    let x = if r <= 5.0 {
        horner(&MIDDLE.0, r - 1.6) / horner(&MIDDLE.1, r - 1.6)
    } else {
        horner(&FAR.0, r - 5.0) / horner(&FAR.1, r - 5.0)
    };
    -x
}

fn horner(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

type Rational = ([f64; 8], [f64; 8]);

const CENTRE: Rational = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);

const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

const FAR: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_7e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

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
    fn tails_and_quantiles_equal_mpmath() {
        // mpmath 1.4: erfc at 40 digits.
        close(sf(1.0), 0.158_655_253_931_457_05, 1e-15);
        close(sf(10.0), 7.619_853_024_160_527e-24, 1e-14);
        close(sf(-3.0), 0.998_650_101_968_369_9, 1e-15);
        close(ln_sf(38.734_809_330_492_126), -754.769_069_518_149_2, 1e-12);
        close(isf(0.025), 1.959_963_984_540_054_2, 1e-15);
        close(isf(1e-300), 37.047_096_299_361_2, 1e-14);
        close(quantile(0.999), 3.090_232_306_167_813_5, 1e-14);
    }

    #[test]
    fn the_quantile_inverts_the_tail() {
        for exponent in 1..300 {
            let p = 0.4 * 10f64.powi(-exponent);
            close(sf(isf(p)), p, 1e-12);
        }
        assert_eq!(quantile(0.5), 0.0);
        assert_eq!(quantile(0.0), f64::NEG_INFINITY);
        assert!(quantile(1.5).is_nan());
    }

    #[test]
    fn the_series_meets_the_tail() {
        close(ln_sf(30.0), sf(30.0).ln(), 1e-13);
    }
}
