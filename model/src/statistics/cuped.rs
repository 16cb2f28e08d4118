//! CUPED: variance taken out by what was known before the experiment.

use serde::Serialize;

use super::{Alpha, ArmEstimate, Moments, StatisticsError, TestResult, difference::Difference};

/// A comparison adjusted by one pre-period covariate.
///
/// Deng, Xu, Kohavi and Walker, WSDM 2013 (doi:10.1145/2433396.2433413).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cuped {
    /// Slope `cov(Y, X)/var(X)` over both arms together.
    pub theta: f64,
    /// Correlation of outcome and covariate over both arms together.
    pub corr_pooled: f64,
    /// Share by which the adjustment lowers the variance of the difference, `1 - se²/se_raw²`; near
    /// `corr_pooled²` when the arms are alike.
    pub variance_reduction: f64,
    /// Adjusted control arm: moments of `Y - θX`. Its mean is on no scale a reader knows; only
    /// differences of adjusted means have a meaning.
    pub control: ArmEstimate,
    /// Adjusted treatment arm.
    pub treatment: ArmEstimate,
    /// Difference of the adjusted means.
    pub absolute: Difference,
    /// The adjusted difference over the **unadjusted** control mean, by the exact delta method;
    /// absent when that mean is zero.
    pub relative_exact_delta: Option<AdjustedLift>,
    /// The same lift with the standard error of gbstats, for comparison only: its gradient takes the
    /// unadjusted treatment mean.
    pub relative_gbstats: Option<AdjustedLift>,
}

/// A lift after adjustment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdjustedLift {
    /// Adjusted difference over the absolute unadjusted control mean.
    pub lift: f64,
    /// Standard error of the lift.
    pub se: f64,
    /// The normal test.
    pub z: Option<TestResult>,
}

impl Cuped {
    /// Adjusts dimension `outcome` by dimension `covariate` of the two arms' moments.
    ///
    /// ```text
    /// θ  = cov(Y, X)/var(X), arms concatenated
    /// Y' = Y - θX
    /// ```
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] below two units an arm, [`StatisticsError::ZeroDenominator`]
    /// when the covariate does not vary.
    pub fn adjust(
        control: &Moments,
        treatment: &Moments,
        outcome: usize,
        covariate: usize,
        alpha: Alpha,
    ) -> Result<Self, StatisticsError> {
        let raw = ArmEstimate::mean(control, outcome)?;
        let raw_t = ArmEstimate::mean(treatment, outcome)?;
        let mut both = control.clone();
        both.merge(treatment);
        let (c_yx, c_xx) = (
            both.comoment(outcome, covariate),
            both.comoment(covariate, covariate),
        );
        if c_xx <= 0.0 {
            return Err(StatisticsError::ZeroDenominator {
                what: "the variance of the pre-period covariate",
            });
        }
        let theta = c_yx / c_xx;
        let corr_pooled = c_yx / (c_xx * both.comoment(outcome, outcome)).sqrt();
        let adjusted_c = adjusted(control, outcome, covariate, theta);
        let adjusted_t = adjusted(treatment, outcome, covariate, theta);
        let raw_se = (raw.variance_of_mean() + raw_t.variance_of_mean()).sqrt();
        let absolute = Difference::between(&adjusted_c, &adjusted_t, alpha);
        let gradient = LiftGradient {
            control,
            outcome,
            covariate,
            theta,
            treatment: adjusted_t,
            diff: absolute.diff,
            alpha,
        };
        let exact = 1.0 + absolute.diff / raw.mean;
        Ok(Self {
            theta,
            corr_pooled,
            variance_reduction: 1.0 - (absolute.se / raw_se).powi(2),
            control: adjusted_c,
            treatment: adjusted_t,
            relative_exact_delta: gradient.lift(exact),
            relative_gbstats: gradient.lift(raw_t.mean / raw.mean),
            absolute,
        })
    }
}

fn adjusted(arm: &Moments, outcome: usize, covariate: usize, theta: f64) -> ArmEstimate {
    ArmEstimate {
        n: arm.n(),
        mean: arm.mean(outcome) - theta * arm.mean(covariate),
        variance: arm.variance(outcome) - 2.0 * theta * arm.covariance(outcome, covariate)
            + theta * theta * arm.variance(covariate),
    }
}

/// The delta method of `(Ȳ'_t - Ȳ'_c)/Ȳ_c` in the arms' means.
struct LiftGradient<'a> {
    control: &'a Moments,
    outcome: usize,
    covariate: usize,
    theta: f64,
    treatment: ArmEstimate,
    diff: f64,
    alpha: Alpha,
}

impl LiftGradient<'_> {
    /// The lift when the derivative in the control outcome is `-pull/m_c`:
    /// ```text
    /// ∂r/∂Ȳ_c = -(1+r)/m_c,   ∂r/∂X̄_c = θ/m_c
    /// ```
    fn lift(&self, pull: f64) -> Option<AdjustedLift> {
        let mean = self.control.mean(self.outcome);
        if mean == 0.0 {
            return None;
        }
        let (y, x) = (self.outcome, self.covariate);
        let spread = pull * pull * self.control.variance(y)
            - 2.0 * pull * self.theta * self.control.covariance(y, x)
            + self.theta * self.theta * self.control.variance(x);
        let se =
            (self.treatment.variance_of_mean() + spread / self.control.n()).sqrt() / mean.abs();
        let lift = self.diff / mean.abs();
        Some(AdjustedLift {
            lift,
            se,
            z: TestResult::normal(lift, se, self.alpha),
        })
    }
}

/// A ratio made a mean, so that it can be adjusted: moments of `[Z, X…]` of both arms with
/// ```text
/// Z = R_c + (M - R_c D)/mean(D_c)
/// ```
/// where `R_c = ΣM/ΣD` and `mean(D_c)` are those of the **control** for both arms; else the two
/// arms would be measured with different rods. `covariates` are the dimensions kept after `Z`.
///
/// # Errors
/// [`StatisticsError::ZeroDenominator`] when the control's denominators sum to zero.
pub fn linearise_ratio(
    control: &Moments,
    treatment: &Moments,
    numerator: usize,
    denominator: usize,
    covariates: &[usize],
) -> Result<(Moments, Moments), StatisticsError> {
    let size = control.mean(denominator);
    if size == 0.0 {
        return Err(StatisticsError::ZeroDenominator {
            what: "the sum of a ratio's denominators in the control arm",
        });
    }
    let ratio = control.mean(numerator) / size;
    let mut linear = vec![0.0; control.dimensions()];
    linear[numerator] += 1.0 / size;
    linear[denominator] -= ratio / size;
    let units: Vec<Vec<f64>> = covariates
        .iter()
        .map(|covariate| {
            let mut weights = vec![0.0; control.dimensions()];
            weights[*covariate] = 1.0;
            weights
        })
        .collect();
    let mut rows: Vec<(f64, &[f64])> = vec![(ratio, &linear)];
    rows.extend(units.iter().map(|weights| (0.0, weights.as_slice())));
    Ok((control.combine(&rows), treatment.combine(&rows)))
}
