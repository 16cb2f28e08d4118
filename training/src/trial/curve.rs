//! A bandit's decisions, valued by the truth: how fast it learnt, and how far it came.

use lagom_features::domain::Date;
use lagom_model::policy::gentle::Harshness;
use serde::Serialize;

/// One decision. Values are means over the world's luck and the draw, in minor units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// When.
    pub day: Date,
    /// Outcomes counted by then.
    pub matured: usize,
    /// Of the bandit's distribution.
    pub bandit: f64,
    /// Of its distribution without the floor.
    pub net: f64,
    /// Of the ladder's step in the same case.
    pub ladder: f64,
    /// Of the best linear policy's step.
    pub linear: f64,
    /// Of the best eligible step for somebody who knows the latent traits.
    pub best: f64,
    /// Of waiting.
    pub wait: f64,
    /// P(any step but waiting).
    pub contacts: f64,
    /// Place in [`Harshness::GRADES`] of the best linear policy's step; what reaches no customer, such as a
    /// person's look, is nothing.
    pub asked: usize,
    /// P(a step of each grade), in the order of [`Harshness::GRADES`], reckoned likewise.
    pub grades: [f64; Harshness::GRADES.len()],
}

/// All decisions of a life, in order.
#[derive(Debug, Clone, Default)]
pub struct Curve {
    /// The decisions.
    pub steps: Vec<Step>,
}

/// Means over a stretch of decisions, in minor units a decision; all against the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Stretch {
    /// Decisions.
    pub decisions: usize,
    /// Bandit less ladder.
    pub bandit: f64,
    /// Bandit without its floor, less ladder.
    pub net: f64,
    /// Waiting less ladder.
    pub wait: f64,
    /// The best linear policy less ladder.
    pub linear: f64,
    /// The best step less ladder.
    pub best: f64,
    /// P(any step but waiting).
    pub contacts: f64,
}

impl Stretch {
    /// Means over `steps`.
    #[must_use]
    pub fn of<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Self {
        let mut sum = Self::default();
        for step in steps {
            sum.decisions += 1;
            sum.bandit += step.bandit - step.ladder;
            sum.net += step.net - step.ladder;
            sum.wait += step.wait - step.ladder;
            sum.linear += step.linear - step.ladder;
            sum.best += step.best - step.ladder;
            sum.contacts += step.contacts;
        }
        let n = sum.decisions.max(1) as f64;
        Self {
            bandit: sum.bandit / n,
            net: sum.net / n,
            wait: sum.wait / n,
            linear: sum.linear / n,
            best: sum.best / n,
            contacts: sum.contacts / n,
            ..sum
        }
    }

    /// Share of the way from the ladder to the best linear policy.
    #[must_use]
    pub fn closed_to_linear(&self) -> f64 {
        self.net / self.linear
    }

    /// Share of the way from the ladder to somebody who knows the latent traits.
    #[must_use]
    pub fn closed_to_best(&self) -> f64 {
        self.net / self.best
    }
}

/// The decisions in which the best linear policy takes a step of one grade, and what the bandit does there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Asked {
    /// The grade, of [`Harshness::GRADES`].
    pub grade: &'static str,
    /// Share of all decisions, in `[0, 1]`.
    pub share: f64,
    /// The best linear policy's value less that of the bandit without its floor, in minor units spread
    /// over all decisions: what the grades add up to is the mean regret.
    pub regret: f64,
    /// P(the bandit takes a step of each grade) there.
    pub taken: [f64; Harshness::GRADES.len()],
}

/// Where the regret of `steps` lies: one entry a grade that the best linear policy asks for.
#[must_use]
pub fn asked(steps: &[&Step]) -> Vec<Asked> {
    let all = steps.len().max(1) as f64;
    let grades = Harshness::GRADES.into_iter().enumerate();
    grades
        .filter_map(|(at, grade)| {
            let own = || steps.iter().filter(|step| step.asked == at);
            let n = own().count() as f64;
            let mut taken = [0.0; Harshness::GRADES.len()];
            for step in own() {
                for (sum, chance) in taken.iter_mut().zip(step.grades) {
                    *sum += chance / n;
                }
            }
            (n > 0.0).then(|| Asked {
                grade,
                share: n / all,
                regret: own().map(|step| step.linear - step.net).sum::<f64>() / all,
                taken,
            })
        })
        .collect()
}

/// Cumulative regret against the best linear policy, net of the floor's share, after each of
/// `marks` decisions, averaged over curves that are long enough.
#[must_use]
pub fn regret(curves: &[Curve], marks: &[usize]) -> Vec<f64> {
    marks
        .iter()
        .map(|&mark| {
            let long: Vec<f64> = curves
                .iter()
                .filter(|curve| curve.steps.len() >= mark)
                .map(|curve| {
                    let steps = curve.steps[..mark].iter();
                    steps.map(|step| step.linear - step.net).sum()
                })
                .collect();
            long.iter().sum::<f64>() / long.len() as f64
        })
        .collect()
}

/// Slope of the logarithm of cumulative regret against that of the number of decisions, by least
/// squares over the marks; `None` where a regret is not positive.
#[must_use]
pub fn slope(marks: &[usize], regret: &[f64]) -> Option<f64> {
    if marks.len() < 2 || regret.iter().any(|&one| one.is_nan() || one <= 0.0) {
        return None;
    }
    let n = marks.len() as f64;
    let x: Vec<f64> = marks.iter().map(|&mark| (mark as f64).ln()).collect();
    let y: Vec<f64> = regret.iter().map(|one| one.ln()).collect();
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let shared: f64 = x
        .iter()
        .zip(&y)
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    let spread: f64 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
    Some(shared / spread)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn step(linear: f64, net: f64) -> Step {
        Step {
            day: Date::parse("2026-01-01").unwrap(),
            matured: 0,
            bandit: net,
            net,
            ladder: 0.0,
            linear,
            best: 2.0 * linear,
            wait: 0.0,
            contacts: 0.5,
            asked: 0,
            grades: [0.5, 0.5, 0.0, 0.0, 0.0, 0.0],
        }
    }

    #[test]
    fn the_grades_regrets_add_up_to_the_mean_regret() {
        let claim = Step {
            asked: 5,
            ..step(8.0, 2.0)
        };
        let steps = [step(4.0, 1.0), step(4.0, 3.0), claim, step(1.0, 1.0)];
        let asked = asked(&steps.iter().collect::<Vec<_>>());
        let found: Vec<_> = asked.iter().map(|one| (one.grade, one.share)).collect();
        assert_eq!(found, [("nothing", 0.75), ("claim", 0.25)]);
        assert_eq!((asked[0].regret, asked[1].regret), (1.0, 1.5));
        assert_eq!(asked[1].taken, step(0.0, 0.0).grades);
    }

    #[test]
    fn the_slope_of_regret_that_grows_with_the_root_is_a_half() {
        let steps = (0..20_000_i32)
            .map(|t| step(1.0, 1.0 - (f64::from(t + 1).sqrt() - f64::from(t).sqrt())))
            .collect();
        let marks = [2_000, 5_000, 20_000];
        let regret = regret(&[Curve { steps }], &marks);
        assert!((slope(&marks, &regret).unwrap() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_share_of_the_gap_is_that_of_the_means() {
        let stretch = Stretch::of(&[step(4.0, 1.0), step(4.0, 3.0)]);
        assert!((stretch.closed_to_linear() - 0.5).abs() < 1e-12);
        assert!((stretch.closed_to_best() - 0.25).abs() < 1e-12);
    }
}
