//! Segments declared before the start: first whether they differ at all, then each.

use std::collections::BTreeMap;

use lagom_model::statistics::{
    Alpha, StatisticsError, effect::Effect, heterogeneity::Heterogeneity, multiplicity,
};
use serde::Serialize;

use super::{cohort::Arm, error::ReviewError, plan::Segment, values::MetricValues};
use crate::flat_table::FlatTable;

/// One metric by one segmentation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentReport {
    /// Column of the table.
    pub column: String,
    /// Effects of segments with enough customers in both arms.
    pub by_segment: BTreeMap<String, Effect>,
    /// The test that they share one effect; absent below two segments.
    pub heterogeneity: Option<Heterogeneity>,
    /// Holm-adjusted two-sided p-values within this segmentation, in the order of `by_segment`.
    pub holm: Vec<f64>,
    /// Segments too small to show.
    pub hidden: Vec<HiddenSegment>,
}

/// A segment with too few customers to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HiddenSegment {
    /// Its name.
    pub segment: String,
    /// Customers in the control arm.
    pub n_c: u64,
    /// Customers in the treatment arm.
    pub n_t: u64,
}

/// The rows of both arms by segment.
#[derive(Debug)]
pub(super) struct SegmentRows {
    column: String,
    smallest: u64,
    rows: BTreeMap<String, [Vec<usize>; 2]>,
}

impl SegmentRows {
    /// Splits the rows of two arms; customers of unknown segment belong to none.
    pub(super) fn of(
        table: &FlatTable,
        segment: &Segment,
        control: &Arm,
        treatment: &Arm,
    ) -> Result<Self, ReviewError> {
        let values = &table.column(&segment.column)?.values;
        let mut rows: BTreeMap<String, [Vec<usize>; 2]> = BTreeMap::new();
        for (side, arm) in [control, treatment].into_iter().enumerate() {
            for row in &arm.rows {
                if let Some(name) = values.text(*row) {
                    rows.entry(name).or_default()[side].push(*row);
                }
            }
        }
        Ok(Self {
            column: segment.column.clone(),
            smallest: segment.smallest,
            rows,
        })
    }

    /// One metric by these segments, on its judged values.
    pub(super) fn report(
        &self,
        values: &MetricValues,
        alpha: Alpha,
    ) -> Result<SegmentReport, StatisticsError> {
        let mut by_segment = BTreeMap::new();
        let mut hidden = Vec::new();
        for (name, [control, treatment]) in &self.rows {
            let sizes = [control, treatment]
                .map(|rows| rows.iter().filter(|row| values.known(**row)).count() as u64);
            if sizes.iter().any(|size| *size < self.smallest) {
                hidden.push(HiddenSegment {
                    segment: name.clone(),
                    n_c: sizes[0],
                    n_t: sizes[1],
                });
                continue;
            }
            let effect = Effect::between(
                &values.estimate(control)?,
                &values.estimate(treatment)?,
                alpha,
            );
            by_segment.insert(name.clone(), effect);
        }
        let pairs: Vec<(f64, f64)> = by_segment
            .values()
            .map(|effect| (effect.absolute.diff, effect.absolute.se))
            .filter(|(_, se)| *se > 0.0)
            .collect();
        let p: Vec<f64> = by_segment
            .values()
            .map(|effect| effect.absolute.z.as_ref().map_or(1.0, |test| test.p))
            .collect();
        Ok(SegmentReport {
            column: self.column.clone(),
            heterogeneity: (pairs.len() > 1)
                .then(|| Heterogeneity::of(&pairs))
                .transpose()?,
            holm: multiplicity::holm(&p),
            by_segment,
            hidden,
        })
    }
}
