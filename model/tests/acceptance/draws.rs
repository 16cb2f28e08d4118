//! Seeded random numbers of the kinds the simulations need.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of draws.
pub(crate) struct Draws {
    rng: ChaCha8Rng,
    spare: Option<f64>,
}

impl Draws {
    /// The stream of one replication of one simulation.
    pub(crate) fn new(simulation: u64, replication: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(simulation);
        rng.set_stream(replication);
        Self { rng, spare: None }
    }

    /// Uniform on [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.rng.random()
    }

    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Standard normal, by Marsaglia's polar method.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(value) = self.spare.take() {
            return value;
        }
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = (-2.0 * s.ln() / s).sqrt();
                self.spare = Some(v * scale);
                return u * scale;
            }
        }
    }

    /// Cash of one customer: lognormal with a heavy tail.
    pub(crate) fn cash(&mut self) -> f64 {
        (1.2 * self.normal()).exp()
    }

    /// Exponential with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }

    /// Invoices of one customer: at least one, three on average, many at times.
    pub(crate) fn invoices(&mut self) -> usize {
        let mut invoices = 1;
        while self.chance(2.0 / 3.0) {
            invoices += 1;
        }
        invoices
    }
}
