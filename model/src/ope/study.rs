//! A small world whose truth is known in closed form, to try estimators and the gate on.
//!
//! A life is up to three decisions between waiting and reminding; a payment ends it. Customers
//! have one to three lives and a lasting inclination to pay, so that their lives hang together.
//! Reminding helps one kind of invoice much and the other hardly, costs something, and now and
//! then drives a customer away. The log reminds more where payment is less likely, so that naive
//! comparison is wrong about it.

use super::calibration::Calibration;
use super::error::OpeError;
use super::gate::{Evidence, GateSpec, Pair, Verdict, judge};
use super::lives::{Followed, Lives};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Decisions of a life at most.
const LONGEST: usize = 3;
/// Share of reminders in the log, by kind of invoice.
pub const LOGGED: Reminding = Reminding([0.5, 0.3]);
/// What a reminder costs, where a payment is worth 1.
const PRICE: f64 = 0.05;
/// What a reminder adds to the risk of losing the customer.
const DRIVES_AWAY: f64 = 0.004;
/// Value, lost customers, contacts.
pub const METRICS: usize = 3;
const WIDTH: usize = 6;

/// A policy: the probability of a reminder by kind of invoice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reminding(pub [f64; 2]);

fn pays(inclination: f64, kind: usize, reminds: bool) -> f64 {
    let helps = [0.20, 0.06][kind];
    let first = [0.15, 0.30][kind] + inclination;
    first + if reminds { helps } else { 0.0 }
}

const INCLINATIONS: [f64; 2] = [-0.1, 0.1];

/// The true value of a life under `policy`: payments less the price of reminders.
#[must_use]
pub fn truth(policy: Reminding) -> f64 {
    let mut value = 0.0;
    for inclination in INCLINATIONS {
        for (kind, share) in policy.0.into_iter().enumerate() {
            let once = share * pays(inclination, kind, true)
                + (1.0 - share) * pays(inclination, kind, false);
            let mut open = 1.0;
            for _ in 0..LONGEST {
                value += open * (once - PRICE * share) / 4.0;
                open *= 1.0 - once;
            }
        }
    }
    value
}

/// One first decision about an invoice, for the one-step value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstStep {
    /// Kind of the invoice.
    pub kind: usize,
    /// Whether [`LOGGED`] reminded.
    pub reminded: bool,
    /// Whether a payment followed.
    pub paid: bool,
}

/// First decisions about invoices of customers who do not come back.
#[must_use]
pub fn first_steps(seed: u64, count: usize) -> Vec<FirstStep> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut step = || {
        let inclination = INCLINATIONS[usize::from(random.random::<f64>() < 0.5)];
        let kind = usize::from(random.random::<f64>() < 0.5);
        let reminded = random.random::<f64>() < LOGGED.0[kind];
        let paid = random.random::<f64>() < pays(inclination, kind, reminded);
        FirstStep {
            kind,
            reminded,
            paid,
        }
    };
    (0..count).map(|_| step()).collect()
}

/// The true probability that a payment follows the first decision under `policy`.
#[must_use]
pub fn first_payment(policy: Reminding) -> f64 {
    let kinds = policy.0.into_iter().enumerate();
    let once = kinds.map(|(kind, share)| {
        share * pays(0.0, kind, true) + (1.0 - share) * pays(0.0, kind, false)
    });
    once.sum::<f64>() / 2.0
}

/// A log of the world, and where its decisions were made.
#[derive(Debug, Clone)]
pub struct Log {
    /// The lives.
    pub lives: Lives,
    places: Vec<(usize, usize, bool)>,
}

fn features(kind: usize, number: usize, reminded: f64) -> [f64; WIDTH] {
    let (kind, number) = (kind as f64, number as f64);
    [
        1.0,
        kind,
        number,
        reminded,
        reminded * kind,
        reminded * number,
    ]
}

/// What the gate says of `candidate` against [`LOGGED`] on a log of so many customers.
///
/// # Errors
/// What the estimators refuse.
pub fn judged(
    seed: u64,
    customers: u32,
    candidate: Reminding,
    spec: &GateSpec,
) -> Result<Verdict, OpeError> {
    let log = Log::draw(seed, customers);
    let (new, old) = (log.follow(candidate), log.follow(LOGGED));
    let (ours, theirs) = (log.lives.value(&new)?, log.lives.value(&old)?);
    let pair = |metric: usize| Pair {
        candidate: &ours[metric].doubly_robust,
        incumbent: &theirs[metric].doubly_robust,
    };
    let calibration = Calibration {
        p_value: 0.5,
        ..Calibration::default()
    };
    let evidence = Evidence {
        customers: log.lives.customers(),
        overlap: [&log.lives.overlap(&new), &log.lives.overlap(&old)],
        calibration: Some(&calibration),
        objections: Vec::new(),
        value: pair(0),
        churn: pair(1),
        complaints: None,
        contacts: pair(2),
    };
    judge(spec, &evidence)
}

/// The policy that looks best of twenty none of which is better than the log, on the customers
/// it was chosen on.
///
/// # Errors
/// What the estimators refuse.
pub fn lucky(seed: u64) -> Result<Reminding, OpeError> {
    let log = Log::draw(seed, 300);
    let mut best = (f64::NEG_INFINITY, LOGGED);
    for k in 0..20 {
        let one = Reminding([0.5 - 0.002 * f64::from(k), 0.3 + 0.02 * f64::from(k)]);
        let value = log.lives.value(&log.follow(one))?[0].doubly_robust.value;
        if value > best.0 {
            best = (value, one);
        }
    }
    Ok(best.1)
}

impl Log {
    /// Lets so many customers live under [`LOGGED`].
    #[must_use]
    pub fn draw(seed: u64, customers: u32) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut log = Self {
            lives: Lives::new(WIDTH, METRICS),
            places: Vec::new(),
        };
        for customer in 0..customers {
            let inclination = INCLINATIONS[usize::from(random.random::<f64>() < 0.5)];
            for _ in 0..random.random_range(1..=3) {
                log.live(&mut random, inclination);
                log.lives.end(customer);
            }
        }
        log
    }

    fn live(&mut self, random: &mut ChaCha8Rng, inclination: f64) {
        let kind = usize::from(random.random::<f64>() < 0.5);
        for number in 0..LONGEST {
            let reminds = random.random::<f64>() < LOGGED.0[kind];
            let paid = random.random::<f64>() < pays(inclination, kind, reminds);
            let reminded = f64::from(u8::from(reminds));
            let left = random.random::<f64>() < DRIVES_AWAY * reminded;
            let value = f64::from(u8::from(paid)) - PRICE * reminded;
            let rewards = [value, f64::from(u8::from(left)), reminded];
            self.lives.push(&features(kind, number, reminded), &rewards);
            self.places.push((kind, number, reminds));
            if paid {
                break;
            }
        }
    }

    /// How `policy` would have acted in every place.
    #[must_use]
    pub fn follow(&self, policy: Reminding) -> Followed {
        let mut followed = Followed::default();
        for &(kind, number, reminded) in &self.places {
            let of = |policy: Reminding| {
                let share = policy.0[kind];
                if reminded { share } else { 1.0 - share }
            };
            followed.weights.push(of(policy) / of(LOGGED));
            let averaged = features(kind, number, policy.0[kind]);
            followed.averaged.extend_from_slice(&averaged);
        }
        followed
    }
}
