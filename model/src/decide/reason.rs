//! A decision in one line, for a person.

use super::choose::Chosen;
use super::snapshot::PolicyKind;
use crate::guardrails::{Guardrails, Verdict};
use crate::strategy::HUMAN_REVIEW;
use lagom_features::domain::Action;

/// Why this action, in one line.
pub(super) fn reason(
    action: &Action,
    chosen: &Chosen,
    guardrails: &Guardrails,
    verdicts: &[Verdict],
) -> String {
    let open = chosen.distribution.len();
    let refused = verdicts.len().saturating_sub(open);
    let what = if action.is_wait() {
        "wait".to_owned()
    } else {
        action.to_string()
    };
    // Where even a person is refused, one rule closes the case.
    let closed = verdicts
        .get(HUMAN_REVIEW)
        .and_then(|verdict| match verdict {
            Verdict::Refused(rule) => Some(guardrails.rule(*rule)),
            Verdict::Allowed => None,
        });
    let who = match (closed, &chosen.fallback, chosen.policy) {
        (Some(rule), ..) => format!("{}, by rule {}", rule.source, rule.id),
        (None, Some(reason), _) => reason.clone(),
        (None, None, PolicyKind::Ladder) => "the rules ladder decides".to_owned(),
        (None, None, PolicyKind::Uniform) => "every open action is as likely".to_owned(),
        (None, None, PolicyKind::Bandit) => match chosen.expected_value {
            Some(value) if !action.is_wait() => format!(
                "worth {value:+.0} minor units against waiting by what was learnt from earlier \
                 outcomes"
            ),
            _ => "no open step is credibly worth more than waiting, or waiting was explored"
                .to_owned(),
        },
    };
    format!(
        "{what} ({:.1} % likely): {who}; {open} of {} actions were open, {refused} refused by rules",
        100.0 * chosen.probability,
        open + refused
    )
}
