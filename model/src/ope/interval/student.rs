//! Student's t on rounds, or on customers where several rounds share one.

use super::{Interval, check_level, student_quantile};
use crate::{
    ope::{
        error::OpeError,
        estimate::Estimate,
        numeric::{real, sum},
    },
    statistics::special::normal,
};

/// `value ± t_{G−1} se`, where the `G` independent units are rounds, or the
/// customers when given (one number a round).
///
/// # Errors
/// Fewer than two units, another number of customers than rounds, or a
/// confidence outside (0, 1).
pub fn student(
    estimate: &Estimate,
    customers: Option<&[u32]>,
    confidence: f64,
) -> Result<Interval, OpeError> {
    check_level(confidence)?;
    let (error, units) = standard_error(estimate, customers)?;
    let half = error * student_quantile(0.5 + confidence / 2.0, real(units) - 1.0);
    Ok(Interval {
        low: estimate.value - half,
        high: estimate.value + half,
        confidence,
    })
}

/// `value ± z se`: the same with the normal quantile, as many tools print it.
///
/// # Errors
/// As [`student`].
pub fn gaussian(
    estimate: &Estimate,
    customers: Option<&[u32]>,
    confidence: f64,
) -> Result<Interval, OpeError> {
    check_level(confidence)?;
    let (error, _) = standard_error(estimate, customers)?;
    let half = error * normal::isf(0.5 - confidence / 2.0);
    Ok(Interval {
        low: estimate.value - half,
        high: estimate.value + half,
        confidence,
    })
}

/// The standard error of an estimate, and the number of independent units.
///
/// ```text
/// se² = G/(G−1) Σ_g (Σ_{i in g} ψᵢ)² / n²
/// ```
///
/// With every round a unit of its own this is the usual `var(z)/n` with `n − 1`.
/// Liang and Zeger, Biometrika 73 (1986), for the clustered sum.
///
/// # Errors
/// Fewer than two units, or another number of customers than rounds.
pub fn standard_error(
    estimate: &Estimate,
    customers: Option<&[u32]>,
) -> Result<(f64, usize), OpeError> {
    let rounds = estimate.influence.len();
    let (squares, units, unit) = match customers {
        None => {
            let squares = sum(estimate.influence.iter().map(|psi| psi * psi));
            (squares, rounds, "rounds")
        }
        Some(customers) => {
            let totals = by_customer(&estimate.influence, customers)?;
            let units = totals.iter().filter(|(_, count)| *count > 0).count();
            let squares = sum(totals.iter().map(|(total, _)| total * total));
            (squares, units, "customers")
        }
    };
    if units < 2 {
        return Err(OpeError::TooFew {
            what: "an interval",
            needed: 2,
            found: units,
            unit,
        });
    }
    let groups = real(units);
    let variance = groups / (groups - 1.0) * squares / real(rounds).powi(2);
    Ok((variance.sqrt(), units))
}

/// Sum and number of the values of every customer; customers are small numbers.
pub(in crate::ope) fn by_customer(
    values: &[f64],
    customers: &[u32],
) -> Result<Vec<(f64, usize)>, OpeError> {
    if customers.len() != values.len() {
        return Err(OpeError::Shape {
            what: "the column of customers",
            unit: "rows",
            found: customers.len(),
            expected: values.len(),
        });
    }
    let largest = customers.iter().copied().max().unwrap_or(0) as usize;
    let mut totals = vec![(0.0, 0_usize); largest + 1];
    for (value, &customer) in values.iter().zip(customers) {
        let entry = &mut totals[customer as usize];
        entry.0 += value;
        entry.1 += 1;
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{standard_error, student};
    use crate::ope::estimate::Estimate;

    #[test]
    fn every_round_its_own_customer_changes_nothing() {
        let estimate = Estimate::mean_of(&[1.0, 4.0, 2.0, 8.0]);
        let alone = standard_error(&estimate, None).unwrap();
        let named = standard_error(&estimate, Some(&[3, 0, 2, 1])).unwrap();
        assert!((alone.0 - named.0).abs() < 1e-15);
        assert_eq!(alone.1, named.1);
    }

    #[test]
    fn copies_of_a_customer_add_no_knowledge() {
        let once = Estimate::mean_of(&[1.0, 4.0, 2.0, 8.0]);
        let thrice =
            Estimate::mean_of(&[1.0, 4.0, 2.0, 8.0, 1.0, 4.0, 2.0, 8.0, 1.0, 4.0, 2.0, 8.0]);
        let customers = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3];
        let honest = student(&thrice, Some(&customers), 0.95).unwrap();
        let alone = student(&once, None, 0.95).unwrap();
        assert!((honest.low - alone.low).abs() < 1e-12);
        let naive = student(&thrice, None, 0.95).unwrap();
        assert!(naive.width() < 0.6 * honest.width());
    }

    #[test]
    fn one_customer_is_not_enough() {
        let estimate = Estimate::mean_of(&[1.0, 4.0]);
        assert!(student(&estimate, Some(&[0, 0]), 0.95).is_err());
    }
}
