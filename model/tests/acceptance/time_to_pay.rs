//! The interval of the restricted mean time to pay covers the truth when customers have many
//! invoices that resemble each other.

use lagom_model::statistics::{
    Alpha,
    survival::{Durations, RmstDifference},
};

use crate::{assert_at_least, assert_at_most, assert_near, draws::Draws};

const TAU: f64 = 60.0;

/// Invoices of customers with a gamma(2) frailty: each customer's invoices are paid at the same
/// exponential rate `hazard × frailty`, some are censored by the day of review.
fn arm(draws: &mut Draws, customers: usize, hazard: f64) -> (Vec<f64>, Vec<bool>, Vec<usize>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for customer in 0..customers {
        let frailty = 0.5 * (draws.exponential() + draws.exponential());
        for _ in 0..draws.invoices() {
            let paid = draws.exponential() / (hazard * frailty);
            let watched = 15.0 + 120.0 * draws.uniform();
            columns.0.push(paid.min(watched));
            columns.1.push(paid <= watched);
            columns.2.push(customer);
        }
    }
    columns
}

/// `∫₀^τ (1 + λt/2)^-2 dt`: the truth under that frailty.
fn truth(hazard: f64) -> f64 {
    2.0 / hazard * (1.0 - 1.0 / (1.0 + 0.5 * hazard * TAU))
}

#[test]
fn the_clustered_interval_covers_and_the_naive_does_not() {
    let (control_hazard, treatment_hazard) = (0.04, 0.05);
    let expected = truth(treatment_hazard) - truth(control_hazard);
    let replications = 4000;
    let (mut covered, mut naive) = (0, 0);
    for replication in 0..replications {
        let mut draws = Draws::new(41, replication);
        let control = arm(&mut draws, 300, control_hazard);
        let treatment = arm(&mut draws, 300, treatment_hazard);
        let [control, treatment] = [&control, &treatment].map(|(time, event, cluster)| Durations {
            time,
            event,
            cluster,
        });
        let difference =
            RmstDifference::between(control, treatment, TAU, Alpha::FIVE_PERCENT).unwrap();
        naive += u32::from((difference.diff - expected).abs() <= 1.959_964 * difference.se_naive);
        covered += u32::from(difference.z.unwrap().ci.contains(expected));
    }
    let share = |count: u32| f64::from(count) / replications as f64;
    assert_near(
        "coverage of the time to pay, by customer",
        share(covered),
        0.95,
        0.015,
    );
    assert_at_most(
        "coverage as if invoices were independent",
        share(naive),
        0.92,
    );
    assert_at_least(
        "coverage as if invoices were independent, yet not absurd",
        share(naive),
        0.5,
    );
}
