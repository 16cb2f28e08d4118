//! Chance that no policy can move: every draw is a function of the seed, whom it is about, the
//! day, and what for. Two policies in one world therefore meet the same luck (common random
//! numbers), and their difference is due to what they did.

/// What a draw is for. Each has draws of its own, so that one draw more or less elsewhere
/// changes nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Payer,
    Amount,
    IssueDay,
    Autopay,
    Vulnerable,
    Payday,
    OnTime,
    PayEarly,
    Dispute,
    Partial,
    Open,
    Click,
    Pay,
    Churn,
    MessageOpen,
    Complaint,
    Support,
    OptOut,
    Promise,
    Market,
    Report,
}

/// A seeded source of draws.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise {
    seed: u64,
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195).
const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Noise {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Uniform in [0, 1) with 53 bits.
    pub(super) fn uniform(self, who: usize, day: i32, what: For) -> f64 {
        let day = u64::from(day.cast_unsigned());
        let key = mix(mix(mix(self.seed) ^ who as u64) ^ (day << 8 | what as u64));
        (key >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with probability `p`.
    pub(super) fn happens(self, p: f64, who: usize, day: i32, what: For) -> bool {
        self.uniform(who, day, what) < p
    }

    /// Standard normal, by Box and Muller from two uniforms.
    pub(super) fn normal(self, who: usize, day: i32, what: For) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform(who, day, what)).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform(who, !day, what)).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_uniform_and_unrelated_between_days() {
        let noise = Noise::new(7);
        let n = 20_000;
        let draws: Vec<f64> = (0..n).map(|who| noise.uniform(who, 3, For::Pay)).collect();
        let mean = draws.iter().sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let product: f64 = (0..n)
            .map(|who| (draws[who] - 0.5) * (noise.uniform(who, 4, For::Pay) - 0.5))
            .sum();
        assert!((product / n as f64).abs() < 0.002);
    }
}
