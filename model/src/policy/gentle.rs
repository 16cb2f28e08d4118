//! Gentle first: a harsher step is open only where it is credibly worth more, for this customer, than
//! every softer one.
//!
//! ```text
//! nothing < friendly < neutral < firm < final < collection claim     with a fee: half a level more
//! open(a)  ⟺  v(a) > v(b) and P(v(a*) > v(b)) ≥ credibility          for the best b of each softer level
//! ```
//! `a*` is the best step of a's level, so that what is weighed is the treatment of a person; channel and
//! time are left to the policy. The probability is that of the bandit's posterior. Doing nothing is a
//! softer step too. The softest messages that the rules leave open, if they are friendly or neutral and
//! without a fee, need no such proof: who has never been written to could never be.
//!
//! Open is not preferred. The best of hundreds of estimates is partly the luckiest, so that some message
//! nearly always seems to be worth more than nothing, even where none moves anybody. Before steps are
//! compared with doing nothing, all are held back by the same amount:
//!
//! ```text
//! v'(a) = v(a) − z · sd(gain of a* against doing nothing)      z: the normal quantile of `against_waiting`
//! ```
//! `a*` is the most valuable step but waiting. Only gains are doubted (cash, collection cases avoided):
//! harm is expected from the start. What is not sure enough is left to exploration, which finds out.
//!
//! The rule binds who chooses by estimates. Before there are any, exploration goes no further than the
//! ladder. The ladder itself, and chance, are what people have decided to do or to measure.

use lagom_features::domain::{Action, Kind, Tone};

/// The rule's id: what it refuses rests on estimates.
pub const RULE: &str = "global.gentle_first";

/// Place of a step on the scale of harshness; what sends nothing to the customer has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Harshness(u8);

impl Harshness {
    const LEVELS: usize = 12;
    const NOTHING: Self = Self(0);
    const FRIENDLY: Self = Self(2);
    const NEUTRAL: Self = Self(4);
    const FIRM: Self = Self(6);
    const FINAL: Self = Self(8);
    const CLAIM: Self = Self(10);

    /// Of an action with this fee. Notices and offers are asked of nobody in a neutral tone that a
    /// friendly one would soften: up to the neutral tone they are friendly.
    #[must_use]
    pub fn of(action: &Action, fee_minor: i64) -> Option<Self> {
        if action.is_wait() {
            return Some(Self::NOTHING);
        }
        if !action.kind.is_contact() {
            return None;
        }
        let level = match (action.kind, action.tone) {
            (Kind::CollectionClaim, _) => Self::CLAIM,
            (_, Some(Tone::Final)) => Self::FINAL,
            (_, Some(Tone::Firm)) => Self::FIRM,
            (Kind::Reminder, Some(Tone::Neutral) | None) => Self::NEUTRAL,
            _ => Self::FRIENDLY,
        };
        Some(Self(level.0 + u8::from(fee_minor > 0)))
    }

    /// Names of its grades, softest first; a fee is of the grade that it comes with.
    pub const GRADES: [&str; 6] = ["nothing", "friendly", "neutral", "firm", "final", "claim"];

    /// Its place among [`GRADES`](Self::GRADES).
    #[must_use]
    pub const fn grade(self) -> usize {
        (self.0 / 2) as usize
    }

    /// Whether it is what a report counts as harsh: a firm or final tone, a claim, or any fee.
    #[must_use]
    pub const fn is_harsh(self) -> bool {
        self.0 >= Self::FIRM.0 || self.0 % 2 == 1
    }
}

/// The best open step of a level.
#[derive(Debug, Clone, Copy)]
struct Best {
    place: usize,
    value: f64,
}

/// Closes in `open` what is not gentle first, and adds the places to `closed`.
///
/// `scale` holds the harshness of every action, `value` its estimate; `credibly(a, b)` says whether a is
/// credibly worth more than b, and is asked only where the estimate says that it is.
pub fn close(
    scale: &[Option<Harshness>],
    open: &mut [bool],
    value: impl Fn(usize) -> f64,
    mut credibly: impl FnMut(usize, usize) -> bool,
    closed: &mut Vec<usize>,
) {
    let mut best: [Option<Best>; Harshness::LEVELS] = [None; Harshness::LEVELS];
    for (place, level) in scale.iter().enumerate() {
        if let Some(level) = level.filter(|_| open[place]) {
            let own = &mut best[usize::from(level.0)];
            let value = value(place);
            if own.is_none_or(|one| value > one.value) {
                *own = Some(Best { place, value });
            }
        }
    }
    // Above this value a step of the level is open; none where the level is closed.
    let mut above: [Option<f64>; Harshness::LEVELS] = [None; Harshness::LEVELS];
    above[0] = Some(f64::NEG_INFINITY);
    for level in 1..Harshness::LEVELS {
        let Some(own) = best[level] else { continue };
        let softer = best[..level].iter().flatten();
        let soft = [Harshness::FRIENDLY, Harshness::NEUTRAL].contains(&Harshness(level as u8));
        let first_message = best[1..level].iter().flatten().next().is_none();
        above[level] = if soft && first_message {
            Some(f64::NEG_INFINITY)
        } else {
            let most = softer
                .clone()
                .map(|one| one.value)
                .fold(f64::NEG_INFINITY, f64::max);
            let beats = own.value > most;
            let mut softer = softer;
            let sure = beats && softer.all(|one| credibly(own.place, one.place));
            sure.then_some(most)
        };
    }
    for (place, level) in scale.iter().enumerate() {
        let Some(level) = level.filter(|_| open[place]) else {
            continue;
        };
        let keeps = above[usize::from(level.0)]
            .is_some_and(|least| least == f64::NEG_INFINITY || value(place) > least);
        if !keeps {
            open[place] = false;
            closed.push(place);
        }
    }
}

/// Closes what nothing has been learnt about yet: everything harsher than the ladder's own step, but
/// the softest messages.
pub fn close_unlearnt(
    scale: &[Option<Harshness>],
    open: &mut [bool],
    rung: usize,
    closed: &mut Vec<usize>,
) {
    let known = closed.len();
    close(scale, open, |_| 0.0, |_, _| false, closed);
    let reached = scale[rung];
    let mut at = known;
    while at < closed.len() {
        if scale[closed[at]] <= reached {
            open[closed.swap_remove(at)] = true;
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests;
