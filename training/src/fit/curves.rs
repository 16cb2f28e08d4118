//! Where a number column's curve bends, and which of its values stand apart.

/// Knots of a curve at most.
const MOST_KNOTS: usize = 20;
/// A column with up to this many different values gets a knot at each.
const FEW_VALUES: usize = 24;
/// Values that a curve may jump at.
const MOST_SPECIAL: usize = 6;
/// Share of the rows that must hold one exact value before the curve may jump there.
const SPECIAL_SHARE: f64 = 0.01;
/// Rows that must hold it.
const SPECIAL_ROWS: usize = 30;
/// Share of the rows beyond the outermost knots on either side: a curve must not bend to a handful of rows.
const TAIL: f64 = 0.005;

/// Knots and special values of one curve.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CurvePlan {
    /// Strictly ascending, at least 2.
    pub(super) knots: Vec<f64>,
    /// Ascending; values many rows share exactly in a column that is otherwise spread out.
    pub(super) special: Vec<f64>,
}

/// Plans a curve over `numbers` (`NaN` missing). `None` when fewer than two different values are known.
pub(super) fn plan(numbers: &[f64]) -> Option<CurvePlan> {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let runs: Vec<(f64, usize)> = sorted
        .chunk_by(|a, b| a == b)
        .map(|run| (run[0], run.len()))
        .collect();
    if runs.len() < 2 {
        return None;
    }
    if runs.len() <= FEW_VALUES {
        return Some(CurvePlan {
            knots: runs.iter().map(|(value, _)| *value).collect(),
            special: Vec::new(),
        });
    }
    let least = SPECIAL_ROWS.max((SPECIAL_SHARE * sorted.len() as f64) as usize);
    let mut special: Vec<(f64, usize)> = runs
        .iter()
        .copied()
        .filter(|(_, count)| *count >= least)
        .collect();
    special.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.total_cmp(&b.0)));
    special.truncate(MOST_SPECIAL);
    let mut special: Vec<f64> = special.into_iter().map(|(value, _)| value).collect();
    special.sort_unstable_by(f64::total_cmp);
    let rest: Vec<f64> = sorted
        .iter()
        .copied()
        .filter(|x| !special.contains(x))
        .collect();
    let spread = if rest.len() < sorted.len() / 10 {
        &sorted
    } else {
        &rest
    };
    let knots = quantile_knots(spread, MOST_KNOTS);
    if knots.len() >= 2 {
        return Some(CurvePlan { knots, special });
    }
    Some(CurvePlan {
        knots: vec![sorted[0], sorted[sorted.len() - 1]],
        special,
    })
}

/// Plans a declared spline: `knots` knots (at least 2) at evenly spaced quantiles of the known `numbers`, and no value
/// that stands apart. `None` when fewer than two different values are known.
pub(super) fn spline(numbers: &[f64], knots: usize) -> Option<CurvePlan> {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    if first == last {
        return None;
    }
    let mut knots = quantile_knots(&sorted, knots);
    if knots.len() < 2 {
        // Nearly all rows hold one value: a line between the ends is what is left.
        knots = vec![first, last];
    }
    Some(CurvePlan {
        knots,
        special: Vec::new(),
    })
}

/// Knots at evenly spaced quantiles of ascending `sorted`, from [`TAIL`] to 1 − [`TAIL`]; equal ones fall together.
fn quantile_knots(sorted: &[f64], knots: usize) -> Vec<f64> {
    let last = sorted.len() - 1;
    let mut knots: Vec<f64> = (0..knots)
        .map(|knot| {
            let level = TAIL + (1.0 - 2.0 * TAIL) * knot as f64 / (knots - 1) as f64;
            sorted[(level * last as f64).round() as usize]
        })
        .collect();
    knots.dedup();
    knots
}

/// The place of each number between `knots`: the knot at or left of it and the share of the way to the next. Numbers
/// outside are at the ends; a missing number is at `knots.len()`.
pub(super) fn places(numbers: &[f64], knots: &[f64]) -> (Vec<u16>, Vec<f64>) {
    let last = knots.len() - 2;
    numbers
        .iter()
        .map(|x| {
            if x.is_nan() {
                return (knots.len() as u16, 0.0);
            }
            let left = knots
                .partition_point(|knot| knot < x)
                .saturating_sub(1)
                .min(last);
            let share = (x - knots[left]) / (knots[left + 1] - knots[left]);
            (left as u16, share.clamp(0.0, 1.0))
        })
        .unzip()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{places, plan, spline};

    #[test]
    fn few_values_get_a_knot_each() {
        let numbers: Vec<f64> = (0..100).map(|i| f64::from(i % 7) - 2.0).collect();
        let curve = plan(&numbers).unwrap();
        assert_eq!(curve.knots, [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        assert!(curve.special.is_empty());
    }

    #[test]
    fn many_zeros_in_a_spread_out_column_stand_apart() {
        let numbers: Vec<f64> = (0..1000)
            .map(|i| if i % 3 == 0 { 0.0 } else { f64::from(i) })
            .collect();
        let curve = plan(&numbers).unwrap();
        assert_eq!(curve.special, [0.0]);
        assert_eq!(curve.knots.len(), 20);
        assert!(curve.knots[0] > 0.0 && curve.knots[19] < 999.0);
    }

    #[test]
    fn a_declared_spline_bends_at_its_quantiles_and_nowhere_else() {
        let numbers: Vec<f64> = (0..=2000).map(f64::from).collect();
        let curve = spline(&numbers, 5).unwrap();
        // Quantiles 0.005, 0.2525, 0.5, 0.7475 and 0.995 of 0, 1, … 2000.
        assert_eq!(curve.knots, [10.0, 505.0, 1000.0, 1495.0, 1990.0]);
        let zeros: Vec<f64> = (0..1000)
            .map(|i| if i % 3 == 0 { 0.0 } else { f64::from(i) })
            .collect();
        let curve = spline(&zeros, 4).unwrap();
        assert!(curve.special.is_empty() && curve.knots.len() <= 4);
        let mut nearly = vec![7.0; 999];
        nearly.push(9.0);
        assert_eq!(spline(&nearly, 6).unwrap().knots, [7.0, 9.0]);
        assert_eq!(spline(&[3.0, f64::NAN, 3.0], 5), None);
    }

    #[test]
    fn one_value_has_no_curve() {
        assert_eq!(plan(&[3.0, f64::NAN, 3.0]), None);
    }

    #[test]
    fn places_interpolate_and_clamp() {
        let (left, share) = places(&[-5.0, 0.0, 0.5, 1.0, 3.0, 9.0, f64::NAN], &[0.0, 1.0, 4.0]);
        assert_eq!(left, [0, 0, 0, 0, 1, 1, 3]);
        let expected = [0.0, 0.0, 0.5, 1.0, 2.0 / 3.0, 1.0, 0.0];
        for (found, expected) in share.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15);
        }
    }
}
