//! The figures of a world, and what they say of each claim.

use crate::cli::bench::mean::Mean;
use lagom_model::objective::Objective;
use lagom_model::policy::gentle::Harshness;
use lagom_training::trial::{
    Asked, Curve, Step, Stretch, Trial, TrialPlan, Who, asked, regret, slope, value_per_invoice,
};
use serde::Serialize;

/// Decisions between which the growth of regret is judged.
const MARKS: [usize; 5] = [2_000, 4_000, 8_000, 14_000, 20_000];
/// Matured decisions after which the bandit should have learnt.
const LEARNT: usize = 20_000;
/// Decisions within which it should recover from a change.
const RECOVERY: usize = 5_000;
/// Decisions over which a level is averaged.
const LEVEL: usize = 2_000;

/// What one policy is worth.
#[derive(Debug, Clone, Serialize)]
struct Worth {
    policy: &'static str,
    /// Major units an invoice, against waiting.
    against_wait: Mean,
    /// Major units an invoice, against the ladder; pairs of equal seeds.
    against_ladder: Mean,
    /// Share of what was billed, collected within 60 days.
    collected_60: f64,
    contacts: f64,
    collection_cases: f64,
    decisions: f64,
}

/// How a change on the way was met: stretches of the bandit's decisions.
#[derive(Debug, Clone, Serialize)]
struct Change {
    from_day: u16,
    /// The last decisions before it.
    before: Stretch,
    /// The first after it.
    after: Stretch,
    /// The last within the decisions that recovery may take.
    recovered: Stretch,
}

/// What one seed says: how far the others differ is how far chance goes.
#[derive(Debug, Clone, Serialize)]
struct Seed {
    seed: u64,
    /// Share of the gap from the ladder to the best linear policy that is closed at last.
    closed: f64,
    regret_slope: Option<f64>,
    /// Bandit less ladder, major units an invoice.
    against_ladder: f64,
    /// P(any step but waiting) at last.
    contacts: f64,
}

/// One world.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    world: String,
    customers: usize,
    days: u16,
    seeds: usize,
    policies: Vec<Worth>,
    marks: Vec<usize>,
    /// Cumulative regret at the marks, in minor units.
    regret: Vec<f64>,
    regret_slope: Option<f64>,
    /// The bandit's first decisions.
    first: Stretch,
    /// Its decisions just before 20,000 have matured, or its last.
    learnt: Stretch,
    /// Outcomes that had matured by then.
    matured: usize,
    /// Where the regret lies that is left by then.
    missed: Vec<Asked>,
    /// Each seed by itself.
    by_seed: Vec<Seed>,
    changes: Vec<Change>,
}

fn worth(trials: &[Trial], who: Who, objective: &Objective) -> Worth {
    let value = |trial: &Trial, who: Who| {
        let life = trial.lives.iter().find(|life| life.who == who);
        life.map_or(f64::NAN, |life| {
            value_per_invoice(&life.tally, objective) / 100.0
        })
    };
    let against = |other: Who| {
        let gains = trials.iter().map(|one| value(one, who) - value(one, other));
        Mean::of(&gains.collect::<Vec<f64>>())
    };
    let average = |of: &dyn Fn(&lagom_training::trial::Lived) -> f64| {
        let lives = trials.iter().flat_map(|one| &one.lives);
        let own = lives.filter(|life| life.who == who);
        own.map(of).sum::<f64>() / trials.len() as f64
    };
    let per_1000 = |count: u64, invoices: u64| 1000.0 * count as f64 / invoices.max(1) as f64;
    Worth {
        policy: who.name(),
        against_wait: against(Who::Wait),
        against_ladder: against(Who::Ladder),
        collected_60: average(&|life| {
            life.tally.collected_60_minor as f64 / life.tally.billed_minor.max(1) as f64
        }),
        contacts: average(&|life| per_1000(life.tally.contacts, life.tally.invoices)),
        collection_cases: average(&|life| {
            per_1000(life.tally.collection_cases, life.tally.invoices)
        }),
        decisions: average(&|life| life.decisions as f64),
    }
}

/// A stretch of every curve: `place` says from where to where it lies in each.
fn steps(curves: &[Curve], place: impl Fn(&Curve) -> (usize, usize)) -> Vec<&Step> {
    let own = curves.iter().flat_map(|curve| {
        let (from, to) = place(curve);
        let to = to.min(curve.steps.len());
        &curve.steps[from.min(to)..to]
    });
    own.collect()
}

fn stretch(curves: &[Curve], place: impl Fn(&Curve) -> (usize, usize)) -> Stretch {
    Stretch::of(steps(curves, place))
}

/// Where the last decisions lie before enough have matured.
fn last(curve: &Curve) -> (usize, usize) {
    let place = curve.steps.iter().position(|one| one.matured >= LEARNT);
    let end = place.unwrap_or(curve.steps.len());
    (end.saturating_sub(LEVEL), end)
}

fn marks(curves: &[Curve]) -> Vec<usize> {
    let shortest = curves.iter().map(|curve| curve.steps.len()).min();
    let within = MARKS.into_iter().filter(|&mark| Some(mark) <= shortest);
    within.collect()
}

impl Seed {
    fn of(seed: u64, trial: &Trial, objective: &Objective) -> Self {
        let curves = std::slice::from_ref(&trial.curve);
        let (learnt, marks) = (stretch(curves, last), marks(curves));
        let against = worth(std::slice::from_ref(trial), Who::Bandit, objective).against_ladder;
        Self {
            seed,
            closed: learnt.closed_to_linear(),
            regret_slope: slope(&marks, &regret(curves, &marks)),
            against_ladder: against.mean,
            contacts: learnt.contacts,
        }
    }
}

impl Report {
    pub(super) fn of(
        plan: &TrialPlan,
        first_seed: u64,
        trials: &[Trial],
        objective: &Objective,
    ) -> Self {
        let curves: Vec<Curve> = trials.iter().map(|one| one.curve.clone()).collect();
        let marks = marks(&curves);
        let regret = regret(&curves, &marks);
        let matured = curves.iter().filter_map(|curve| {
            let last = last(curve).1.checked_sub(1)?;
            Some(curve.steps[last].matured)
        });
        let changes = plan.world.change.iter().map(|change| {
            let day = plan.start.plus_days(i32::from(change.from_day));
            let at = |curve: &Curve| curve.steps.partition_point(|one| one.day < day);
            Change {
                from_day: change.from_day,
                before: stretch(&curves, |one| (at(one).saturating_sub(LEVEL), at(one))),
                after: stretch(&curves, |one| (at(one), at(one) + LEVEL / 2)),
                recovered: stretch(&curves, |one| {
                    (at(one) + RECOVERY - LEVEL / 2, at(one) + RECOVERY)
                }),
            }
        });
        Self {
            world: plan.world.name.clone(),
            customers: plan.customers,
            days: plan.days,
            seeds: trials.len(),
            policies: Who::ALL.map(|who| worth(trials, who, objective)).into(),
            regret_slope: slope(&marks, &regret),
            marks,
            regret,
            first: stretch(&curves, |_| (0, LEVEL)),
            learnt: stretch(&curves, last),
            matured: matured.min().unwrap_or(0),
            missed: asked(&steps(&curves, last)),
            by_seed: (first_seed..)
                .zip(trials)
                .map(|(seed, one)| Seed::of(seed, one, objective))
                .collect(),
            changes: changes.collect(),
        }
    }

    /// The figures, for a terminal.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "\n{}: {} customers, {} days, {} seeds\n\
             policy       against waiting (SEK an invoice)  against the ladder           paid 60d  \
             contacts  cases\n",
            self.world, self.customers, self.days, self.seeds
        );
        for one in &self.policies {
            let (wait, ladder) = (one.against_wait, one.against_ladder);
            text += &format!(
                "{:<12} {:>+7.2} ({:+.2} to {:+.2})          {:>+7.2} ({:+.2} to {:+.2})    {:>6.2} %  \
                 {:>8.0}  {:>5.1}\n",
                one.policy,
                wait.mean,
                wait.low,
                wait.high,
                ladder.mean,
                ladder.low,
                ladder.high,
                100.0 * one.collected_60,
                one.contacts,
                one.collection_cases,
            );
        }
        let slope = self.regret_slope.map_or_else(
            || "none: it is not positive throughout".to_owned(),
            |slope| format!("{slope:.2}"),
        );
        let regret: Vec<String> = (self.regret.iter().zip(&self.marks))
            .map(|(regret, mark)| format!("{:.0} at {mark}", regret / 100.0))
            .collect();
        text += &format!(
            "regret net of the floor, SEK: {}; log-log slope {slope}\n",
            regret.join(", ")
        );
        text += &line("first decisions", &self.first);
        text += &line(&format!("{} matured", self.matured), &self.learnt);
        for one in &self.missed {
            let taken = one.taken.iter().zip(Harshness::GRADES);
            let taken: Vec<String> = taken
                .filter(|(chance, _)| **chance >= 0.005)
                .map(|(chance, grade)| format!("{grade} {:.0} %", 100.0 * chance))
                .collect();
            text += &format!(
                "  linear takes {:<9} {:>3.0} % of them: regret {:.3} of all, bandit takes {}\n",
                one.grade,
                100.0 * one.share,
                one.regret / 100.0,
                taken.join(", ")
            );
        }
        for one in &self.by_seed {
            let slope = in_figures(one.regret_slope);
            text += &format!(
                "  seed {}: closed {:.0} % of linear, slope {slope}, {:+.2} against the ladder, contacts {:.0} %\n",
                one.seed,
                100.0 * one.closed,
                one.against_ladder,
                100.0 * one.contacts,
            );
        }
        for change in &self.changes {
            text += &line(&format!("before day {}", change.from_day), &change.before);
            text += &line("right after", &change.after);
            text += &line(&format!("{RECOVERY} after"), &change.recovered);
        }
        text
    }
}

fn in_figures(slope: Option<f64>) -> String {
    slope.map_or_else(|| "none".to_owned(), |slope| format!("{slope:.2}"))
}

/// One stretch against the ladder, in major units a decision.
fn line(name: &str, one: &Stretch) -> String {
    format!(
        "{name:<18} a decision, against the ladder's: bandit {:+.3}, without floor {:+.3}, waiting {:+.3}, \
         linear {:+.3}, clairvoyant {:+.3}; closed {:.0} % of linear, {:.0} % of clairvoyant; contacts \
         {:.0} %\n",
        one.bandit / 100.0,
        one.net / 100.0,
        one.wait / 100.0,
        one.linear / 100.0,
        one.best / 100.0,
        100.0 * one.closed_to_linear(),
        100.0 * one.closed_to_best(),
        100.0 * one.contacts,
    )
}

/// All worlds in a table, after their own figures.
pub(super) fn summary(reports: &[Report]) -> String {
    let mut text =
        "\nworld               bandit against ladder (95 %)   regret slope  closed of linear\n"
            .to_owned();
    for report in reports {
        let bandit = report.policies.iter().find(|one| one.policy == "bandit");
        let gain = bandit.map_or_else(String::new, |one| {
            let gain = one.against_ladder;
            format!("{:+.2} ({:+.2} to {:+.2})", gain.mean, gain.low, gain.high)
        });
        let slope = report.regret_slope;
        text += &format!(
            "{:<18}  {gain:<29}  {:<12}  {:.0} %\n",
            report.world,
            in_figures(slope),
            100.0 * report.learnt.closed_to_linear(),
        );
    }
    text
}
