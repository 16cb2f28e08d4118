//! Time from the first question about an invoice to its full payment.

use lagom_model::statistics::StatisticsError;
use lagom_model::statistics::survival::{Durations, KaplanMeier, RestrictedMean};

/// Invoices of one arm; a customer's stand together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pay {
    time: Vec<f64>,
    paid: Vec<bool>,
    customer: Vec<usize>,
}

impl Pay {
    /// An invoice of the customer with this number: paid in full after `days`, or unpaid and
    /// watched for so long.
    pub(super) fn push(&mut self, customer: usize, days: f64, paid: bool) {
        self.time.push(days);
        self.paid.push(paid);
        self.customer.push(customer);
    }

    pub(super) fn invoices(&self) -> usize {
        self.time.len()
    }

    /// The curve at whole days until `tau`, and the restricted mean.
    #[expect(clippy::type_complexity, reason = "the form in which it is written")]
    pub(super) fn restricted_mean(
        &self,
        tau: f64,
    ) -> Result<(Vec<(f64, f64, u64)>, RestrictedMean), StatisticsError> {
        let curve = KaplanMeier::of(&self.time, &self.paid)?;
        let durations = Durations {
            time: &self.time,
            event: &self.paid,
            cluster: &self.customer,
        };
        let mean = RestrictedMean::with_curve(&curve, durations, tau)?;
        let mut days = vec![0.0];
        while days[days.len() - 1] + 1.0 <= tau {
            days.push(days[days.len() - 1] + 1.0);
        }
        let mut sorted = self.time.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let points = days.into_iter().map(|day| {
            let gone = sorted.partition_point(|time| *time < day);
            (day, curve.survival(day), (sorted.len() - gone) as u64)
        });
        Ok((points.collect(), mean))
    }
}
