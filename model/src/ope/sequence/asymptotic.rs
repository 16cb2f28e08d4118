//! The asymptotic confidence sequence: a normal interval that may be watched.

use crate::{
    ope::{
        error::OpeError,
        estimate::Estimate,
        interval::{Interval, check_level, student::standard_error},
        numeric::real,
    },
    statistics::{Alpha, asymptotic_cs::AsymptoticCs},
};

/// The interval of an estimate that is looked at continuously.
///
/// ```text
/// value ± se √G √( 2 (G ρ² + 1) / (G ρ)² · ln( √(G ρ² + 1) / α ) )
/// ρ = √( (−2 ln α + ln(−2 ln α + 1)) / planned )
/// ```
///
/// with `G` independent units (rounds, or customers when given), narrowest near
/// `planned` units, which must be fixed before looking. Waudby-Smith, Arbour,
/// Sinha, Kennedy and Ramdas (Ann. Stat. 52, 2024, arXiv 2103.06476). The
/// guarantee is asymptotic: a gate takes
/// [`EmpiricalBernstein`](super::EmpiricalBernstein) instead.
///
/// # Errors
/// Fewer than two units, `planned` below one, or a confidence outside (0.5, 1).
pub fn asymptotic(
    estimate: &Estimate,
    customers: Option<&[u32]>,
    planned: f64,
    confidence: f64,
) -> Result<Interval, OpeError> {
    check_level(confidence)?;
    let sequence = AsymptoticCs::new(Alpha::new(1.0 - confidence)?, planned)?;
    let (error, units) = standard_error(estimate, customers)?;
    let half = error * sequence.half_width(real(units), sequence.rho());
    Ok(Interval {
        low: estimate.value - half,
        high: estimate.value + half,
        confidence,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::asymptotic;
    use crate::ope::{estimate::Estimate, interval::student::student};

    #[test]
    fn watching_costs_width_and_keeps_coverage_where_a_fixed_interval_loses_it() {
        let (mut watched, mut fixed) = (0, 0);
        for seed in 0..300 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let rows: Vec<f64> = (0..1000)
                .map(|_| f64::from(random.random::<f64>() < 0.3) * 2.0)
                .collect();
            let looks = (100..=1000).step_by(10);
            let (mut held, mut held_fixed) = (true, true);
            for look in looks {
                let estimate = Estimate::mean_of(&rows[..look]);
                held &= asymptotic(&estimate, None, 1000.0, 0.95)
                    .unwrap()
                    .covers(0.6);
                held_fixed &= student(&estimate, None, 0.95).unwrap().covers(0.6);
            }
            watched += usize::from(!held);
            fixed += usize::from(!held_fixed);
        }
        assert!(
            watched <= 15,
            "{watched} of 300 lost the truth at some look"
        );
        assert!(
            fixed > 45,
            "a fixed interval is meant to fail here: {fixed} of 300"
        );
    }
}
