//! The verdict in one English sentence, from the grounds of the decision.

use lagom_model::statistics::decision::{Decision, IntegrityFailure, Reason, Verdict};

/// What to do with `treatment`, and why.
pub(super) fn of(decision: &Decision, control: &str, treatment: &str) -> String {
    let verdict = match decision.verdict {
        Verdict::Ship => format!("ship `{treatment}`"),
        Verdict::KeepRunning => "keep running".to_owned(),
        Verdict::StopForHarm => format!("stop `{treatment}`, it does harm"),
        Verdict::KeepControl => format!("keep `{control}`"),
        Verdict::CannotJudge => "the experiment cannot be judged".to_owned(),
    };
    let grounds: Vec<String> = decision.reasons.iter().map(ground).collect();
    format!("{verdict}: {}", grounds.join("; "))
}

fn ground(reason: &Reason) -> String {
    match reason {
        Reason::Integrity(failure) => integrity(failure),
        Reason::GuardrailHarmful { metric } => {
            format!("guardrail `{metric}` is worse and outside its margin")
        }
        Reason::Deteriorated { metric } => format!("`{metric}` is worse than in the control"),
        Reason::Superior { metric } => format!("`{metric}` is better"),
        Reason::NoneSuperior => "no success metric is shown to be better".to_owned(),
        Reason::GuardrailOpen { metric } => {
            format!("guardrail `{metric}` is not yet shown to be safe")
        }
        Reason::GuardrailsSafe => "all guardrails are within their margins".to_owned(),
        Reason::PlannedSizeNotReached { reached, planned } => {
            format!("{reached} of {planned} planned customers are in")
        }
    }
}

fn integrity(failure: &IntegrityFailure) -> String {
    match failure {
        IntegrityFailure::SampleRatio { p } => {
            format!(
                "the arms' sizes do not fit their shares (p = {p:.1e}), so customers went missing or astray"
            )
        }
        IntegrityFailure::Leak { customers } => {
            format!("{customers} customers are in an arm that was to get none")
        }
        IntegrityFailure::MixedExposure { customers } => {
            format!("{customers} customers were in several arms")
        }
        IntegrityFailure::TrainingNotIsolated => {
            "the reviewed policy learnt from this experiment's own customers".to_owned()
        }
        IntegrityFailure::PlanChanged => "the plan was changed after the start".to_owned(),
        IntegrityFailure::OffPolicyDisagrees { arm } => format!(
            "the logged probabilities of {arm} say something else of the control than it shows"
        ),
        IntegrityFailure::TooFewCustomers {
            smaller_arm,
            needed,
        } => {
            format!("the smaller arm has {smaller_arm} customers, {needed} are needed")
        }
    }
}
