//! What can be wrong with a strategy.

use super::spec::{LadderSpec, StepSpec, StrategySpec};
use super::when::When;
use lagom_features::domain::Kind;
use thiserror::Error;

/// Everything that is wrong with a strategy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("[strategy] has {} fault(s): {}", faults.len(), list(faults))]
pub struct StrategyError {
    /// Every fault, in the order of the spec.
    pub faults: Vec<StrategyFault>,
}

fn list(faults: &[StrategyFault]) -> String {
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// One fault. Steps, stages and rungs are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StrategyFault {
    /// A timing cannot be read.
    #[error("steps[{step}].timings: {reason}")]
    Timing {
        /// Which step.
        step: usize,
        /// What the reader says.
        reason: String,
    },
    /// A step has no timing, so it makes no action.
    #[error("steps[{step}].timings is empty; name at least one, such as d0-morning")]
    NoTiming {
        /// Which step.
        step: usize,
    },
    /// A message without channel or tone.
    #[error("steps[{step}].{field} is empty; a {kind} is a message and needs at least one")]
    Missing {
        /// Which step.
        step: usize,
        /// `channels` or `tones`.
        field: &'static str,
        /// Its kind.
        kind: Kind,
    },
    /// A channel or tone where no message is sent.
    #[error("steps[{step}].{field} must be empty; a {kind} sends no message")]
    Needless {
        /// Which step.
        step: usize,
        /// `channels`, `tones` or `fee_minor`.
        field: &'static str,
        /// Its kind.
        kind: Kind,
    },
    /// Waiting and review are in every catalogue.
    #[error("steps[{step}].kind = {kind}: it is in every catalogue already; leave the step out")]
    Always {
        /// Which step.
        step: usize,
        /// `wait` or `human_review`.
        kind: Kind,
    },
    /// An action that an earlier step has.
    #[error("steps[{step}] makes {action}, which is in the catalogue already")]
    Twice {
        /// Which step.
        step: usize,
        /// The action.
        action: String,
    },
    /// An action that no stage ever opens.
    #[error("steps[{step}] makes {action}, which no stage allows; add it to a stage or drop it")]
    NoStage {
        /// Which step.
        step: usize,
        /// The action.
        action: String,
    },
    /// A fee below zero.
    #[error("steps[{step}].fee_minor = {fee_minor}: a fee is at least zero minor units")]
    Fee {
        /// Which step.
        step: usize,
        /// The fee.
        fee_minor: i64,
    },
    /// A discount that is no offer, or none in an offer that names it.
    #[error(
        "steps[{step}].discount_minor = {discount_minor}: only a discount_offer has one, above zero"
    )]
    Discount {
        /// Which step.
        step: usize,
        /// The discount.
        discount_minor: i64,
    },
    /// A price below zero.
    #[error("steps[{step}].price_minor = {price_minor}: a price is at least zero minor units")]
    Price {
        /// Which step.
        step: usize,
        /// The price.
        price_minor: i64,
    },
    /// A wording that would not read back as part of an action.
    #[error("steps[{step}].variants: `{variant}` must be a non-empty name without a dot")]
    Variant {
        /// Which step.
        step: usize,
        /// The wording.
        variant: String,
    },
    /// A span that ends before it begins.
    #[error("{what}[{at}] ends on day {until_day}, before day {from_day} on which it begins")]
    Span {
        /// `stages` or `ladder`.
        what: &'static str,
        /// Which.
        at: usize,
        /// First day.
        from_day: i32,
        /// Last day.
        until_day: i32,
    },
    /// Amounts or counts that leave nothing between them.
    #[error("{what}[{at}].{field}: nothing is {name}_from {from} and {name}_below {below}")]
    Nothing {
        /// `stages` or `ladder`.
        what: &'static str,
        /// Which.
        at: usize,
        /// `when` or `exit`.
        field: &'static str,
        /// Of what: `owed`, `contacts`, `failed_debits` or `early_risk`.
        name: &'static str,
        /// The least.
        from: String,
        /// Below which it must be.
        below: String,
    },
    /// A stage that is left at once.
    #[error("stages[{stage}].exit asks for nothing, so that the stage is never open")]
    Exit {
        /// Which stage.
        stage: usize,
    },
    /// A rung that no action of the catalogue can carry out.
    #[error("ladder[{rung}] sends a {kind} that no step makes over any of its channels")]
    Rung {
        /// Which rung.
        rung: usize,
        /// Its kind.
        kind: Kind,
    },
    /// A rung that begins before the one below it.
    #[error("ladder[{rung}] begins on day {from_day}, before day {before} of the rung below")]
    Order {
        /// Which rung.
        rung: usize,
        /// Its first day.
        from_day: i32,
        /// First day of the rung before it.
        before: i32,
    },
    /// More than guardrails can hold in their bits.
    #[error("{given} {what} are more than the {most} that a strategy may have")]
    TooMany {
        /// What.
        what: &'static str,
        /// How many there are.
        given: usize,
        /// How many there may be.
        most: usize,
    },
}

impl StrategyFault {
    /// Where in the spec it is: the list, the place in it, and the field if it is one.
    #[must_use]
    pub fn place(&self) -> Option<(&'static str, usize, Option<&'static str>)> {
        Some(match *self {
            Self::Timing { step, .. } | Self::NoTiming { step } => ("steps", step, Some("timings")),
            Self::Missing { step, field, .. } | Self::Needless { step, field, .. } => {
                ("steps", step, Some(field))
            }
            Self::Always { step, .. } => ("steps", step, Some("kind")),
            Self::Twice { step, .. } | Self::NoStage { step, .. } => ("steps", step, None),
            Self::Fee { step, .. } => ("steps", step, Some("fee_minor")),
            Self::Discount { step, .. } => ("steps", step, Some("discount_minor")),
            Self::Price { step, .. } => ("steps", step, Some("price_minor")),
            Self::Variant { step, .. } => ("steps", step, Some("variants")),
            Self::Span { what, at, .. } => (what, at, Some("until_day")),
            Self::Nothing {
                what, at, field, ..
            } => (what, at, Some(field)),
            Self::Exit { stage } => ("stages", stage, Some("exit")),
            Self::Rung { rung, .. } => ("ladder", rung, None),
            Self::Order { rung, .. } => ("ladder", rung, Some("from_day")),
            Self::TooMany { .. } => return None,
        })
    }
}

/// Adds every fault of `spec` that expanding its steps does not meet.
pub(super) fn check(spec: &StrategySpec, faults: &mut Vec<StrategyFault>) {
    for at in 0..spec.steps.len() {
        check_step(spec, at, faults);
    }
    let stages = spec.stages.iter().map(|one| (one.from_day, one.until_day));
    let rungs = spec.ladder.iter().map(|one| (one.from_day, one.until_day));
    let spans = stages.enumerate().map(|(at, span)| ("stages", at, span));
    for (what, at, (from_day, until_day)) in
        spans.chain(rungs.enumerate().map(|(at, span)| ("ladder", at, span)))
    {
        if let Some(until_day) = until_day.filter(|&until| until < from_day) {
            faults.push(StrategyFault::Span {
                what,
                at,
                from_day,
                until_day,
            });
        }
    }
    for (stage, spec_stage) in spec.stages.iter().enumerate() {
        check_when("stages", stage, "when", &spec_stage.when, faults);
        if let Some(exit) = &spec_stage.exit {
            check_when("stages", stage, "exit", exit, faults);
            if exit.is_always() {
                faults.push(StrategyFault::Exit { stage });
            }
        }
    }
    for (rung, spec_rung) in spec.ladder.iter().enumerate() {
        check_when("ladder", rung, "when", &spec_rung.when, faults);
    }
    for (rung, spec_rung) in spec.ladder.iter().enumerate() {
        let kind = spec_rung.kind;
        let carried = |channel| {
            let mut steps = spec.steps.iter().filter(|step| step.kind == kind);
            steps.any(|step| step.channels.contains(channel))
        };
        let silent = |step: &StepSpec| step.kind == kind && step.channels.is_empty();
        let made = if kind == Kind::RetryDebit {
            spec_rung.channels.is_empty() && spec.steps.iter().any(silent)
        } else {
            spec_rung.channels.iter().any(carried)
        };
        if !made {
            faults.push(StrategyFault::Rung { rung, kind });
        }
        let same = |below: &&LadderSpec| below.when == spec_rung.when;
        let before = spec.ladder[..rung].iter().rev().find(same);
        let before = before.map(|below| below.from_day);
        if let Some(before) = before.filter(|&before| spec_rung.from_day < before) {
            faults.push(StrategyFault::Order {
                rung,
                from_day: spec_rung.from_day,
                before,
            });
        }
    }
}

fn check_when(
    what: &'static str,
    at: usize,
    field: &'static str,
    when: &When,
    faults: &mut Vec<StrategyFault>,
) {
    if let Some((name, from, below)) = when.empty_span() {
        faults.push(StrategyFault::Nothing {
            what,
            at,
            field,
            name,
            from,
            below,
        });
    }
}

fn check_step(spec: &StrategySpec, at: usize, faults: &mut Vec<StrategyFault>) {
    let step = &spec.steps[at];
    let kind = step.kind;
    if matches!(kind, Kind::Wait | Kind::HumanReview) {
        faults.push(StrategyFault::Always { step: at, kind });
        return;
    }
    if step.timings.is_empty() {
        faults.push(StrategyFault::NoTiming { step: at });
    }
    if step.fee_minor < 0 {
        let fee_minor = step.fee_minor;
        faults.push(StrategyFault::Fee {
            step: at,
            fee_minor,
        });
    }
    if let Some(discount_minor) = step.discount_minor
        && (kind != Kind::DiscountOffer || discount_minor <= 0)
    {
        faults.push(StrategyFault::Discount {
            step: at,
            discount_minor,
        });
    }
    if let Some(price_minor) = step.price_minor.filter(|&price| price < 0) {
        faults.push(StrategyFault::Price {
            step: at,
            price_minor,
        });
    }
    for (field, empty) in [
        ("channels", step.channels.is_empty()),
        ("tones", step.tones.is_empty()),
    ] {
        match (kind.is_contact(), empty) {
            (true, true) => faults.push(StrategyFault::Missing {
                step: at,
                field,
                kind,
            }),
            (false, false) => faults.push(StrategyFault::Needless {
                step: at,
                field,
                kind,
            }),
            _ => {}
        }
    }
    if !kind.is_contact() && step.fee_minor != 0 {
        let field = "fee_minor";
        faults.push(StrategyFault::Needless {
            step: at,
            field,
            kind,
        });
    }
    for variant in &step.variants {
        if variant.is_empty() || variant.contains('.') {
            let variant = variant.clone();
            faults.push(StrategyFault::Variant { step: at, variant });
        }
    }
}
