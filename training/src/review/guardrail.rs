//! Is a guardrail kept, by the plan's margin and rule?

use lagom_model::statistics::{
    Alpha, Interval, StatisticsError,
    asymptotic_cs::AsymptoticCs,
    effect::Effect,
    non_inferiority::{AbsoluteMargin, Direction, GuardrailState, RelativeMargin},
    proportions::{NonInferiority, TwoProportions, miettinen_nurminen},
    special::normal,
};
use serde::Serialize;

use super::{
    contest::Contest,
    effects::Effects,
    plan::{IntervalRule, Margin},
};

/// A guardrail's numbers.
///
/// Everything is turned so that **room** is what is left until the margin: positive room is good,
/// and the guardrail is safe once its lower confidence bound is above zero.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GuardrailReport {
    /// The margin, in the metric's unit or as a share of the control.
    pub margin: f64,
    /// `absolute` or `relative`.
    pub margin_kind: &'static str,
    /// One-sided level: half the plan's.
    pub alpha: f64,
    /// Estimated room: the good-signed difference plus the margin.
    pub room: f64,
    /// Its standard error.
    pub se: f64,
    /// One-sided fixed-sample p-value of "the margin is not kept".
    pub p: f64,
    /// The always-valid p-value of the same.
    pub p_sequential: f64,
    /// Lower bound of the room by the plan's rule.
    pub bound: f64,
    /// What follows.
    pub state: GuardrailState,
    /// The test of a mean at a relative margin.
    pub relative: Option<RelativeMargin>,
    /// The test at an absolute margin.
    pub absolute: Option<AbsoluteMargin>,
    /// Score tests, for proportions of which less is better at an absolute margin.
    pub proportion: Option<NonInferiority>,
}

/// The room of a guardrail.
struct Room {
    estimate: f64,
    se: f64,
    /// One-sided p-value of the fixed look.
    p: f64,
    relative: Option<RelativeMargin>,
    absolute: Option<AbsoluteMargin>,
}

/// Judges a guardrail. Adjustment by covariates is left to success metrics: a guardrail is read on
/// the scale its margin was agreed on.
pub(super) fn judge(
    contest: &Contest<'_>,
    effects: &Effects,
    margin: Margin,
    direction: Direction,
) -> Result<GuardrailReport, StatisticsError> {
    let base = effects
        .winsorised
        .as_ref()
        .map_or(&effects.raw, |w| &w.effect);
    let alpha = contest.plan.alpha.half();
    let mut room = room(base, margin, direction)?;
    let score = match (margin, contest.proportions()) {
        (Margin::Absolute(points), Some(arms))
            if effects.winsorised.is_none() && direction == Direction::Lower =>
        {
            Some((points, arms))
        }
        _ => None,
    };
    if let Some((points, arms)) = &score {
        // Few events: the score test keeps its level where the normal approximation does not.
        room.p = arms.not_above(*points).ni_miettinen_nurminen.p;
    }
    let units = base.n_c + base.n_t;
    let (bound, p_sequential) = bound(contest, &room, score.as_ref(), units, alpha)?;
    let good = direction.good_interval(effects.judged.ci);
    let (margin, margin_kind) = match margin {
        Margin::Absolute(loss) => (loss, "absolute"),
        Margin::Relative(share) => (share, "relative"),
    };
    Ok(GuardrailReport {
        margin,
        margin_kind,
        alpha: alpha.value(),
        room: room.estimate,
        se: room.se,
        p: room.p,
        p_sequential,
        bound,
        state: GuardrailState::of(bound, good, 0.0, Direction::Higher),
        relative: room.relative,
        absolute: room.absolute,
        proportion: score.map(|(points, arms)| arms.not_above(points)),
    })
}

fn room(base: &Effect, margin: Margin, direction: Direction) -> Result<Room, StatisticsError> {
    Ok(match margin {
        Margin::Absolute(loss) => {
            let (diff, se) = (base.absolute.diff, base.absolute.se);
            let test = AbsoluteMargin::test(diff, se, loss, direction)?;
            Room {
                estimate: direction.good(diff) + loss,
                se,
                p: test.p,
                relative: None,
                absolute: Some(test),
            }
        }
        Margin::Relative(share) => {
            let test = RelativeMargin::test(&base.control(), &base.treatment(), share, direction)?;
            Room {
                estimate: test.contrast,
                se: test.se,
                p: test.p_t,
                relative: Some(test),
                absolute: None,
            }
        }
    })
}

/// The lower bound of the room by the plan's rule, and its always-valid p-value.
fn bound(
    contest: &Contest<'_>,
    room: &Room,
    score: Option<&(f64, TwoProportions)>,
    units: f64,
    alpha: Alpha,
) -> Result<(f64, f64), StatisticsError> {
    if let (Some((points, arms)), true) = (score, room.se.is_nan() || room.se <= 0.0) {
        // Nothing happened in either arm: the score interval still knows how few were watched, and
        // a fifth of the level keeps it from being spent at the first look.
        let alpha = match contest.design.rule {
            IntervalRule::Fixed => alpha.value(),
            IntervalRule::Sequential | IntervalRule::Hybrid => 0.2 * alpha.value(),
        };
        let ci = miettinen_nurminen::interval(arms, Alpha::new(2.0 * alpha)?);
        return Ok((points - ci.high, room.p));
    }
    if room.se.is_nan() || room.se <= 0.0 {
        return Ok((room.estimate, if room.estimate > 0.0 { 0.0 } else { 1.0 }));
    }
    let design = contest.design;
    let fixed = |alpha: Alpha| -> Result<f64, StatisticsError> {
        Ok(match score {
            Some((points, arms)) => {
                let Interval { high, .. } =
                    miettinen_nurminen::interval(arms, Alpha::new(2.0 * alpha.value())?);
                points - high
            }
            None => room.estimate - room.se * normal::isf(alpha.value()),
        })
    };
    let sequence = |alpha: Alpha| -> Result<AsymptoticCs, StatisticsError> {
        AsymptoticCs::new(alpha, design.planned)
    };
    let watched = sequence(alpha)?;
    let p_sequential = watched.one_sided_p(units, room.estimate, room.se);
    let bound = match design.rule {
        IntervalRule::Fixed => fixed(alpha)?,
        IntervalRule::Sequential => watched.lower_bound(units, room.estimate, room.se),
        IntervalRule::Hybrid => {
            let daily = sequence(Alpha::new(0.2 * alpha.value())?)?.lower_bound(
                units,
                room.estimate,
                room.se,
            );
            if units >= design.planned {
                daily.max(fixed(Alpha::new(0.8 * alpha.value())?)?)
            } else {
                daily
            }
        }
    };
    Ok((bound, p_sequential))
}
