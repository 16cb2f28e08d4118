//! Do segments differ in their effect, or only by chance?

use serde::Serialize;

use super::{StatisticsError, special::chi_squared};

/// Cochran's test that all segments share one effect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Heterogeneity {
    /// Effect pooled by inverse variances.
    pub pooled: f64,
    /// Its standard error.
    pub se_pooled: f64,
    /// `Σ w_s (d_s - pooled)²`.
    #[serde(rename = "Q")]
    pub q: f64,
    /// Segments minus one.
    pub df: usize,
    /// p-value of "all segments share one effect".
    pub p: f64,
    /// Share of the spread beyond chance, `max(0, (Q-(k-1))/Q)`.
    #[serde(rename = "I2")]
    pub i2: f64,
}

impl Heterogeneity {
    /// Tests `(effect, standard error)` of disjoint segments.
    ///
    /// ```text
    /// w_s = 1/se_s²,   Q = Σ w_s (d_s - d̄)² ~ χ²_{k-1},   I² = max(0, (Q-(k-1))/Q)
    /// ```
    /// Cochran, *Biometrics* 10 (1954) 101; Higgins and Thompson, *Statistics in Medicine* 21 (2002)
    /// 1539. Read this before any segment's own interval; segments are never ranked by p-value.
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] below two segments, [`StatisticsError::OutOfRange`] for a standard
    /// error not above zero.
    pub fn of(segments: &[(f64, f64)]) -> Result<Self, StatisticsError> {
        if segments.len() < 2 {
            return Err(StatisticsError::TooFew {
                what: "a test of heterogeneity, in segments,",
                needed: 2,
                found: segments.len(),
            });
        }
        for (_, se) in segments {
            if !se.is_finite() || *se <= 0.0 {
                return Err(StatisticsError::OutOfRange {
                    what: "a segment's standard error",
                    range: "(0, ∞)",
                    value: *se,
                });
            }
        }
        let weight: f64 = segments.iter().map(|(_, se)| se.powi(-2)).sum();
        let pooled = segments.iter().map(|(d, se)| d * se.powi(-2)).sum::<f64>() / weight;
        let q: f64 = segments
            .iter()
            .map(|(d, se)| ((d - pooled) / se).powi(2))
            .sum();
        let df = segments.len() - 1;
        #[expect(clippy::cast_precision_loss, reason = "segments are few")]
        let freedom = df as f64;
        Ok(Self {
            pooled,
            se_pooled: weight.sqrt().recip(),
            q,
            df,
            p: chi_squared::sf(q, freedom),
            i2: if q > freedom { (q - freedom) / q } else { 0.0 },
        })
    }
}
