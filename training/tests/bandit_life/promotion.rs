//! What is in service after each history, in a world whose truth is known.

use crate::untaught::untaught;
use lagom_features::domain::Date;
use lagom_model::decide::{ColdStart, SnapshotParts};
use lagom_model::ope::gate::GateSpec;
use lagom_training::simulator::World;
use lagom_training::trial::{Promotion, PromotionPlan, Stage, TrialPlan, promote};
use std::ops::Range;

/// A gate that any policy passes which the log can speak of at all.
fn open() -> GateSpec {
    GateSpec {
        margin: -1e12,
        lives: 1,
        ess: 0.0,
        calibration: 0.0,
        churn: 1e6,
        complaints: 1e6,
        contacts: 1e6,
        ..GateSpec::default()
    }
}

/// A gate that none passes.
fn shut() -> GateSpec {
    GateSpec {
        lives: usize::MAX,
        ..GateSpec::default()
    }
}

fn lived(seeds: Range<u64>, gate: GateSpec) -> Vec<Promotion> {
    let (learning, parts) = untaught();
    let plan = PromotionPlan {
        trial: TrialPlan {
            world: World::built_in(),
            customers: 150,
            days: 200,
            start: Date::parse("2026-01-01").unwrap(),
            window_days: 30,
            grace_hours: 24,
            parts: SnapshotParts {
                cold_start: ColdStart {
                    rounds: 100_000,
                    exploration: 0.2,
                },
                ..parts
            },
            learning,
        },
        learn_days: 120,
        horizon_days: 40,
        gate,
        tilts_minor: vec![2_000.0],
        stages: 2,
    };
    promote(&plan, seeds, 0, &|| ()).unwrap()
}

#[test]
fn what_passes_is_in_service_and_writes_the_next_history() {
    let [open, shut] = [open(), shut()].map(|gate| lived(5..6, gate).remove(0));
    assert_eq!(open.ladder, shut.ladder);
    assert!(open.optimum.is_none());
    for stage in &open.stages {
        let words = &stage.valuation.verdict.words;
        assert!(stage.valuation.verdict.passed, "{words}");
        assert_eq!(stage.in_service, stage.candidate);
        assert_ne!(stage.in_service, open.ladder);
    }
    for stage in &shut.stages {
        assert!(!stage.valuation.verdict.passed);
        assert_eq!(stage.in_service, shut.ladder);
        assert_ne!(stage.candidate, shut.ladder);
    }
    let [first, second] = [0, 1].map(|number| (&open.stages[number], &shut.stages[number]));
    // How far a policy may go is chosen with the gate in mind; the first year is the ladder's under both.
    assert_eq!(first.0.decisions, first.1.decisions);
    assert_eq!(first.0.valuation.lives, first.1.valuation.lives);
    let logged = |stage: &Stage| stage.valuation.episode.incumbent.clone();
    assert_eq!(logged(first.0), logged(first.1));
    // The second year was written by somebody else.
    assert_ne!(second.0.decisions, second.1.decisions);
    assert_ne!(logged(second.0), logged(second.1));
    assert_ne!(second.0.candidate, second.1.candidate);
    // Policies of both years are judged on the lives of one.
    assert!(second.1.valuation.lives < 3 * first.1.valuation.lives / 2);
}

#[test]
fn a_seed_is_the_same_alone_and_among_others() {
    let all = lived(5..8, open());
    for (seed, one) in (5..).zip(&all) {
        let alone = lived(seed..seed + 1, open()).remove(0);
        assert_eq!(alone.ladder, one.ladder);
        let candidates = |of: &Promotion| -> Vec<_> {
            let stages = of.stages.iter();
            stages.map(|stage| stage.candidate.clone()).collect()
        };
        assert_eq!(candidates(&alone), candidates(one));
    }
    assert_ne!(all[0].ladder, all[1].ladder);
}
