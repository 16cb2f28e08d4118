//! A message is preferred to waiting once its gain has been seen, and not for being the luckiest estimate.

use crate::case::Case;
use crate::decisions::{FRIENDLY, decision, late, taught};
use lagom_model::decide::PolicyKind;
use lagom_model::guardrails::Override;
use lagom_model::log::Decision;
use lagom_model::policy::gentle;
use lagom_model::strategy::Strategy;

type Lessons<'a> = &'a [(&'a str, f64, usize)];

/// As much better as is worth more than the harm of a message, if it is true.
const LUCK: Lessons<'_> = &[("wait", 0.50, 400), (FRIENDLY, 0.58, 400)];
const SEEN: Lessons<'_> = &[("wait", 0.2, 3_000), (FRIENDLY, 0.6, 3_000)];

/// The pack's own rule where no probability is given.
fn sure(against_waiting: Option<f64>) -> Case {
    let mut case = late();
    if let Some(surely) = against_waiting {
        case.spec.overrides.push(Override::set(
            gentle::RULE,
            "against_waiting",
            surely,
            "decided by the board",
        ));
    }
    case
}

fn advised(lessons: Lessons<'_>, against_waiting: Option<f64>, name: &str) -> Decision {
    let case = sure(against_waiting);
    let snapshot = taught(&case, Strategy::default(), PolicyKind::Bandit, lessons);
    let decided = decision(&case, &snapshot, name);
    assert!(decided.fallback.is_none(), "{:?}", decided.fallback);
    decided
}

fn waiting(decided: &Decision) -> f64 {
    let sum: f64 = decided.eligible.iter().map(|one| one.probability).sum();
    assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    assert!(decided.eligible.iter().all(|one| one.probability > 0.0));
    let wait = (decided.eligible.iter()).find(|one| one.action.to_string() == "wait");
    wait.unwrap().probability
}

#[test]
fn what_may_be_luck_is_left_to_exploration() {
    let bold = waiting(&advised(LUCK, Some(0.5), "d"));
    let careful = waiting(&advised(LUCK, None, "d"));
    assert!(bold < 0.5, "{bold}");
    assert!(careful > 0.9, "{careful}");
}

#[test]
fn what_has_been_seen_often_enough_is_done() {
    let careful = waiting(&advised(SEEN, None, "d"));
    assert!(careful < 0.1, "{careful}");
}

#[test]
fn who_must_be_surer_never_waits_less() {
    let mut last = 0.0;
    for surely in [0.5, 0.6, 0.75, 0.9, 0.99, 0.999_999] {
        let chance = waiting(&advised(LUCK, Some(surely), "d"));
        assert!(chance >= last, "{surely}: {chance} after {last}");
        last = chance;
    }
    assert!(last > waiting(&advised(LUCK, Some(0.5), "d")));
}

/// What a step is expected to be worth is an estimate; being sure of it is a matter of choosing.
#[test]
fn the_expected_value_is_the_estimate_however_sure_one_must_be() {
    let [bold, careful] = [0.5, 0.75].map(|surely| {
        let mut draws = (0..1_000).map(|n| advised(SEEN, Some(surely), &format!("d{n}")));
        let friendly = draws.find(|one| one.action.to_string() == FRIENDLY);
        friendly.unwrap().expected_value.unwrap()
    });
    assert!(
        (bold - careful).abs() < 1e-9 * bold.abs(),
        "{bold} {careful}"
    );
}
