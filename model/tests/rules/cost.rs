//! What screening costs. Run with `--ignored --nocapture`; a loaded machine proves nothing, so it
//! is no gate.

#![allow(clippy::print_stderr)]

use crate::case::{Case, EVERYTHING};
use lagom_model::strategy::{StageSpec, Strategy, StrategySpec};
use std::hint::black_box;
use std::time::Instant;

fn four_hundred() -> Strategy {
    let mut spec: StrategySpec = EVERYTHING.spec().clone();
    for step in &mut spec.steps {
        step.tones.truncate(2);
        step.channels.truncate(2);
    }
    spec.stages = vec![StageSpec {
        until_day: Some(400),
        ..spec.stages[0].clone()
    }];
    Strategy::new(spec).unwrap()
}

#[test]
#[ignore = "a measurement"]
fn screening_costs_microseconds() {
    let case = Case::new("2026-11-01", "2026-11-23T06:00:00Z")
        .sent(
            "due_date_notice.email.friendly.d0-morning",
            "2026-11-01T09:00:00Z",
            0,
        )
        .sent(
            "reminder.email.friendly.d0-morning",
            "2026-11-17T09:00:00Z",
            0,
        )
        .sent("reminder.sms.neutral.d0-morning", "2026-11-20T09:00:00Z", 0);
    let (facts, guardrails) = (case.facts(), case.guardrails());
    for strategy in [Strategy::default(), four_hundred()] {
        let mut verdicts = Vec::new();
        let rounds = 200;
        let mut best = f64::INFINITY;
        for _ in 0..500 {
            let begun = Instant::now();
            for _ in 0..rounds {
                guardrails.screen(black_box(&facts), &strategy, None, &mut verdicts);
                black_box(&verdicts);
            }
            best = best.min(begun.elapsed().as_secs_f64() / f64::from(rounds));
        }
        let allowed = verdicts.iter().filter(|one| one.is_allowed()).count();
        let (micros, actions) = (best * 1e6, strategy.catalogue().len());
        eprintln!("{micros:.2} µs for {actions} actions, {allowed} of them allowed");
    }
    let history = case.history();
    let begun = Instant::now();
    for _ in 0..10_000 {
        let view = history.as_of(case.now);
        let ledger = lagom_features::Ledger::of(&view);
        let id = crate::case::invoice_id("i");
        black_box(lagom_model::guardrails::Facts::of(&view, &ledger, &id));
    }
    eprintln!(
        "{:.2} µs for the facts",
        begun.elapsed().as_secs_f64() * 1e2
    );
}
