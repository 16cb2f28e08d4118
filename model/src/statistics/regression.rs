//! Lin's regression adjustment with HC2 standard errors.

use serde::Serialize;

use super::{Alpha, StatisticsError, TestResult};

/// One arm's units: an outcome and any number of pre-period covariates.
#[derive(Debug, Clone, Copy)]
pub struct ArmSample<'a> {
    /// Outcome, one value a unit.
    pub outcome: &'a [f64],
    /// Covariates, each with one value a unit.
    pub covariates: &'a [&'a [f64]],
}

/// The effect at the common mean of the covariates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinAdjusted {
    /// Adjusted treatment minus adjusted control.
    pub diff: f64,
    /// HC2 standard error, for the effect on the customers of this experiment.
    pub se: f64,
    /// Standard error for the effect on all customers like them: adds what is uncertain about the
    /// common mean of the covariates, `(d'S_x d)/N` with `d` the difference of the slopes
    /// (Negi and Wooldridge, *Econometric Reviews* 40 (2021) 504).
    pub se_population: f64,
    /// Slopes of the covariates in the control arm.
    pub slopes_c: Vec<f64>,
    /// Slopes of the covariates in the treatment arm.
    pub slopes_t: Vec<f64>,
    /// The normal test; absent when the standard error is zero.
    pub z: Option<TestResult>,
}

/// Adjusts by least squares with a slope per arm and covariate.
///
/// ```text
/// y = a + b·T + c'(x - x̄) + d'(x - x̄)·T,   effect b,   x̄ over both arms
/// Var = Σ_i w_i² e_i²/(1 - h_i)
/// ```
/// with `w` the weights by which the fit at `x̄` depends on each outcome, `e` residuals, `h`
/// leverages. Lin, *Annals of Applied Statistics* 7 (2013) 295 (arXiv 1208.2301): never less
/// precise asymptotically than no adjustment, also with arms of unequal size. The interacted
/// regression is two regressions, one an arm, so it is computed as such.
///
/// # Errors
/// [`StatisticsError::Length`] for columns of unequal length, [`StatisticsError::TooFew`] unless
/// each arm has at least two units more than covariates, [`StatisticsError::Collinear`] when a
/// covariate is constant or depends on others within an arm.
pub fn lin_adjust(
    control: ArmSample<'_>,
    treatment: ArmSample<'_>,
    alpha: Alpha,
) -> Result<LinAdjusted, StatisticsError> {
    if control.covariates.len() != treatment.covariates.len() {
        return Err(StatisticsError::Length {
            left_name: "the control arm's covariates",
            left: control.covariates.len(),
            right_name: "the treatment arm's",
            right: treatment.covariates.len(),
        });
    }
    let fit_c = ArmFit::of(control)?;
    let fit_t = ArmFit::of(treatment)?;
    let (n_c, n_t) = (fit_c.n, fit_t.n);
    let centre: Vec<f64> = fit_c
        .means
        .iter()
        .zip(&fit_t.means)
        .map(|(c, t)| (c * n_c + t * n_t) / (n_c + n_t))
        .collect();
    let (at_c, variance_c) = fit_c.at(control, &centre);
    let (at_t, variance_t) = fit_t.at(treatment, &centre);
    let diff = at_t - at_c;
    let variance = variance_c + variance_t;
    let se = variance.sqrt();
    let slopes: Vec<f64> = fit_t
        .slopes
        .iter()
        .zip(&fit_c.slopes)
        .map(|(t, c)| t - c)
        .collect();
    let units = n_c + n_t;
    let spread =
        spread_along(&slopes, control, &centre) + spread_along(&slopes, treatment, &centre);
    Ok(LinAdjusted {
        diff,
        se,
        se_population: (variance + spread / (units * (units - 1.0))).sqrt(),
        slopes_c: fit_c.slopes,
        slopes_t: fit_t.slopes,
        z: TestResult::normal(diff, se, alpha),
    })
}

/// `Σ_i (d'(x_i - x̄))²` over the units of an arm.
fn spread_along(direction: &[f64], arm: ArmSample<'_>, centre: &[f64]) -> f64 {
    (0..arm.outcome.len())
        .map(|row| {
            let along: f64 = direction
                .iter()
                .zip(arm.covariates.iter().zip(centre))
                .map(|(d, (x, m))| d * (x[row] - m))
                .sum();
            along * along
        })
        .sum()
}

/// Least squares within one arm, around the arm's own means.
struct ArmFit {
    n: f64,
    outcome_mean: f64,
    means: Vec<f64>,
    slopes: Vec<f64>,
    factor: Cholesky,
}

impl ArmFit {
    fn of(arm: ArmSample<'_>) -> Result<Self, StatisticsError> {
        let (units, width) = (arm.outcome.len(), arm.covariates.len());
        for covariate in arm.covariates {
            if covariate.len() != units {
                return Err(StatisticsError::Length {
                    left_name: "the outcome",
                    left: units,
                    right_name: "a covariate",
                    right: covariate.len(),
                });
            }
        }
        if units < width + 2 {
            return Err(StatisticsError::TooFew {
                what: "a regression within an arm",
                needed: width + 2,
                found: units,
            });
        }
        let outcome_mean = mean(arm.outcome);
        let means: Vec<f64> = arm.covariates.iter().map(|x| mean(x)).collect();
        let mut gram = vec![0.0; width * width];
        let mut moment = vec![0.0; width];
        for a in 0..width {
            let (x, m) = (arm.covariates[a], means[a]);
            moment[a] = x
                .iter()
                .zip(arm.outcome)
                .map(|(x, y)| (x - m) * (y - outcome_mean))
                .sum();
            for b in 0..=a {
                let (z, mz) = (arm.covariates[b], means[b]);
                let sum: f64 = x.iter().zip(z).map(|(x, z)| (x - m) * (z - mz)).sum();
                gram[a * width + b] = sum;
                gram[b * width + a] = sum;
            }
        }
        let factor = Cholesky::of(&gram, width)
            .map_err(|column| StatisticsError::Collinear { column, units })?;
        #[expect(clippy::cast_precision_loss, reason = "a count of units")]
        let n = units as f64;
        Ok(Self {
            n,
            outcome_mean,
            slopes: factor.solve(&moment),
            means,
            factor,
        })
    }

    /// The fitted value at `centre` and its HC2 variance.
    fn at(&self, arm: ArmSample<'_>, centre: &[f64]) -> (f64, f64) {
        let offset: Vec<f64> = centre.iter().zip(&self.means).map(|(c, m)| c - m).collect();
        let fitted = self.outcome_mean + dot(&offset, &self.slopes);
        let direction = self.factor.solve(&offset);
        let mut deviation = vec![0.0; centre.len()];
        let mut variance = 0.0;
        for (row, y) in arm.outcome.iter().enumerate() {
            for (d, (x, m)) in deviation
                .iter_mut()
                .zip(arm.covariates.iter().zip(&self.means))
            {
                *d = x[row] - m;
            }
            let residual = y - self.outcome_mean - dot(&deviation, &self.slopes);
            let leverage = 1.0 / self.n + self.factor.quadratic(&deviation);
            let weight = 1.0 / self.n + dot(&deviation, &direction);
            // A unit of leverage 1 is fitted exactly; its residual carries no information.
            if leverage < 1.0 - 1e-12 {
                variance += weight * weight * residual * residual / (1.0 - leverage);
            }
        }
        (fitted, variance)
    }
}

/// `L Lᵀ` of a small symmetric positive definite matrix.
struct Cholesky {
    lower: Vec<f64>,
    width: usize,
}

impl Cholesky {
    /// The factor, or the first column that depends on those before it.
    fn of(matrix: &[f64], width: usize) -> Result<Self, usize> {
        let mut lower = vec![0.0; width * width];
        for i in 0..width {
            for j in 0..=i {
                let known: f64 = (0..j)
                    .map(|k| lower[i * width + k] * lower[j * width + k])
                    .sum();
                let rest = matrix[i * width + j] - known;
                if i == j {
                    // Twelve digits lost to the columns before: nothing of its own is left.
                    if rest.is_nan() || rest <= 1e-12 * matrix[i * width + i].abs() {
                        return Err(i);
                    }
                    lower[i * width + i] = rest.sqrt();
                } else {
                    lower[i * width + j] = rest / lower[j * width + j];
                }
            }
        }
        Ok(Self { lower, width })
    }

    /// `L⁻¹ b`.
    fn forward(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for i in 0..self.width {
            let known: f64 = (0..i).map(|k| self.lower[i * self.width + k] * x[k]).sum();
            x[i] = (x[i] - known) / self.lower[i * self.width + i];
        }
        x
    }

    fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = self.forward(b);
        for i in (0..self.width).rev() {
            let known: f64 = (i + 1..self.width)
                .map(|k| self.lower[k * self.width + i] * x[k])
                .sum();
            x[i] = (x[i] - known) / self.lower[i * self.width + i];
        }
        x
    }

    /// `bᵀ (L Lᵀ)⁻¹ b`.
    fn quadratic(&self, b: &[f64]) -> f64 {
        self.forward(b).iter().map(|v| v * v).sum()
    }
}

fn mean(values: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of units")]
    let n = values.len() as f64;
    let first = values.iter().sum::<f64>() / n;
    // A second pass removes the rounding of the first.
    first + values.iter().map(|v| v - first).sum::<f64>() / n
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
