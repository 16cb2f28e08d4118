//! How fast off-policy evaluation is: the whole catalogue, with intervals, on a log of millions of decisions.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use lagom_model::ope::{
    Facets, OpeError, Round,
    report::{Intake, Options},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Actions of the generated log: three channels, five timings, two tones.
pub const ACTIONS: usize = 30;
/// Decisions a customer.
const DECISIONS_EACH: usize = 4;
/// Distinct distributions the log cycles through, so that drawing them is not what is measured.
const TEMPLATES: usize = 1_024;

/// A measurement, in seconds of wall time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluationSpeed {
    /// Decisions evaluated.
    pub decisions: usize,
    /// Actions of each.
    pub actions: usize,
    /// Estimators valued.
    pub estimators: usize,
    /// Intervals and sequences given.
    pub intervals: usize,
    /// Reading the distributions: weights, support, calibration, sequences.
    pub read_seconds: f64,
    /// Every value and interval.
    pub estimate_seconds: f64,
    /// Both.
    pub seconds: f64,
    /// Decisions a second.
    pub decisions_per_second: f64,
}

/// Evaluates a generated log of so many decisions, four a customer, by the whole catalogue.
///
/// # Errors
/// No decisions.
pub fn measure(decisions: usize, seed: u64) -> Result<EvaluationSpeed, OpeError> {
    let options = Options {
        bootstrap: None,
        ..options()
    };
    let log = Log::generate(seed);
    let start = Instant::now();
    let intake = log.read(decisions, options)?;
    let read = start.elapsed().as_secs_f64();
    let report = intake.finish()?;
    let seconds = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "decisions are far below 2^53")]
    let per_second = decisions as f64 / seconds;
    Ok(EvaluationSpeed {
        decisions,
        actions: ACTIONS,
        estimators: report.value.len(),
        intervals: report.interval.len(),
        read_seconds: read,
        estimate_seconds: seconds - read,
        seconds,
        decisions_per_second: per_second,
    })
}

/// Seconds of the whole report on a log of so many decisions, bootstrap included; the best of
/// three runs.
///
/// # Errors
/// No decisions.
pub fn with_bootstrap(decisions: usize, seed: u64) -> Result<f64, OpeError> {
    let log = Log::generate(seed);
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        log.read(decisions, options())?.finish()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// The values of the same report, by estimator.
///
/// # Errors
/// No decisions.
pub fn values(decisions: usize, seed: u64) -> Result<BTreeMap<String, f64>, OpeError> {
    let options = Options {
        bootstrap: None,
        ..options()
    };
    Ok(Log::generate(seed)
        .read(decisions, options)?
        .finish()?
        .value)
}

/// Resamples of each interval of [`with_bootstrap`].
#[must_use]
pub fn resamples() -> usize {
    options()
        .bootstrap
        .map_or(0, |bootstrap| bootstrap.resamples)
}

/// Writes the log of [`with_bootstrap`] for another program: `action`, `reward` and `propensity`,
/// a number a decision, `target` and `predicted`, [`ACTIONS`] numbers a decision; all 64-bit
/// floats, little-endian.
///
/// # Errors
/// Where the files cannot be written.
pub fn write_log(folder: &Path, decisions: usize, seed: u64) -> io::Result<()> {
    let create = |name| File::create(folder.join(name)).map(BufWriter::new);
    let (mut action, mut reward) = (create("action")?, create("reward")?);
    let (mut propensity, mut target) = (create("propensity")?, create("target")?);
    let mut predicted = create("predicted")?;
    Log::generate(seed).each(decisions, |round, _| {
        let taken = u32::try_from(round.action).map_err(io::Error::other)?;
        put(&mut action, &[f64::from(taken)])?;
        put(&mut reward, &[round.reward])?;
        put(&mut propensity, &[round.propensity])?;
        put(&mut target, round.target)?;
        put(&mut predicted, round.predicted.unwrap_or_default())
    })?;
    for mut file in [action, reward, propensity, target, predicted] {
        file.flush()?;
    }
    Ok(())
}

fn put(file: &mut impl Write, numbers: &[f64]) -> io::Result<()> {
    numbers
        .iter()
        .try_for_each(|number| file.write_all(&number.to_le_bytes()))
}

fn options() -> Options {
    Options {
        rewards: Some((0.0, 1.0)),
        ..Options::default()
    }
}

/// Distributions to draw decisions from.
struct Log {
    facets: Facets,
    target: Vec<Vec<f64>>,
    logging: Vec<Vec<f64>>,
    predicted: Vec<Vec<f64>>,
    seed: u64,
}

impl Log {
    fn generate(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut rows = |floor: f64, normalised: bool| -> Vec<Vec<f64>> {
            (0..TEMPLATES)
                .map(|_| {
                    let row: Vec<f64> = (0..ACTIONS)
                        .map(|_| floor + random.random::<f64>())
                        .collect();
                    let total: f64 = if normalised { row.iter().sum() } else { 1.0 };
                    row.into_iter().map(|one| one / total).collect()
                })
                .collect()
        };
        let levels = |level: fn(u32) -> u32| (0..30_u32).map(level).collect();
        let facets = Facets::new(vec![
            ("channel".to_owned(), levels(|action| action / 10)),
            ("timing".to_owned(), levels(|action| action / 2 % 5)),
            ("tone".to_owned(), levels(|action| action % 2)),
        ]);
        Self {
            facets: facets.expect("every facet has a level for every action"),
            target: rows(0.0, true),
            logging: rows(0.1, true),
            predicted: rows(0.0, false),
            seed,
        }
    }

    fn read(&self, decisions: usize, options: Options) -> Result<Intake, OpeError> {
        let mut intake = Intake::new(options, self.facets.partitions(), true)?;
        self.each(decisions, |round, customer| {
            intake.push(round, Some(customer))
        })?;
        Ok(intake)
    }

    /// Draws the decisions one by one, each with its customer.
    fn each<E>(
        &self,
        decisions: usize,
        mut visit: impl FnMut(&Round<'_>, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ 1);
        for decision in 0..decisions {
            let template = decision % TEMPLATES;
            let (logging, predicted) = (&self.logging[template], &self.predicted[template]);
            let draw = random.random::<f64>();
            let mut reached = 0.0;
            let action = logging.iter().position(|share| {
                reached += share;
                draw < reached
            });
            let action = action.unwrap_or(ACTIONS - 1);
            let pays = random.random::<f64>() < 0.3 + 0.4 * predicted[action];
            let round = Round {
                action,
                reward: f64::from(pays),
                propensity: logging[action],
                target: &self.target[template],
                logging: Some(logging),
                predicted: Some(predicted),
            };
            let customer = u32::try_from(decision / DECISIONS_EACH).unwrap_or(u32::MAX);
            visit(&round, customer)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn twenty_estimators_are_measured_with_their_intervals() {
        let speed = measure(20_000, 1).unwrap();
        assert!(speed.estimators >= 20 && speed.intervals >= speed.estimators);
        assert!(speed.seconds >= speed.read_seconds && speed.decisions_per_second > 0.0);
        assert!(measure(0, 1).is_err());
        assert!(with_bootstrap(500, 1).unwrap() > 0.0 && resamples() >= 100);
    }

    #[test]
    fn another_program_gets_the_same_log() {
        let folder = tempfile::tempdir().unwrap();
        write_log(folder.path(), 300, 7).unwrap();
        let numbers = |name| -> Vec<f64> {
            let bytes = std::fs::read(folder.path().join(name)).unwrap();
            let chunks = bytes.chunks_exact(8);
            chunks
                .map(|one| f64::from_le_bytes(one.try_into().unwrap()))
                .collect()
        };
        let (reward, target) = (numbers("reward"), numbers("target"));
        assert_eq!((reward.len(), target.len()), (300, 300 * ACTIONS));
        let report = Log::generate(7)
            .read(300, options())
            .unwrap()
            .finish()
            .unwrap();
        let mean = reward.iter().sum::<f64>() / 300.0;
        assert!((report.logged_value - mean).abs() < 1e-12);
        let (action, propensity) = (numbers("action"), numbers("propensity"));
        let weighed = (0..300).map(|row| {
            let taken = row * ACTIONS + action[row] as usize;
            target[taken] / propensity[row] * reward[row]
        });
        assert!((report.value["ips"] - weighed.sum::<f64>() / 300.0).abs() < 1e-12);
    }
}
