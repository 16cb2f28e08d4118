#![allow(clippy::unwrap_used)]

use crate::bandit::fixture::{layout, rounds, space, sums};
use crate::bandit::{BanditConfig, BanditError, Generation};

fn generation() -> Generation {
    let layout = layout(space(), 3, 2);
    let sums = sums(&layout, &rounds(&layout, 300, 11));
    Generation::fit(&sums, &BanditConfig::default(), 1, 1.0, 1.0).unwrap()
}

#[test]
fn contributions_add_up_to_the_prediction_and_say_where_they_come_from() {
    let generation = generation();
    let context = [0.7, -0.1, 0.4];
    // reminder, sms, firm, d3: the last of the catalogue.
    let explained = generation.explain(&context, 12).unwrap();
    let predicted = generation.predict(&context, 12).unwrap();
    assert_eq!(explained.len(), 2);
    for (head, prediction) in explained.iter().zip(predicted) {
        let sum: f64 = head.contributions.iter().map(|part| part.value).sum();
        assert!((sum - prediction).abs() < 1e-12 && (head.prediction - prediction).abs() < 1e-12);
        let sorted = head
            .contributions
            .windows(2)
            .all(|pair| pair[0].value.abs() >= pair[1].value.abs());
        assert!(sorted);
    }
    let mut constants: Vec<&str> = explained[0]
        .contributions
        .iter()
        .filter(|part| part.entry.is_none())
        .map(|part| part.part.as_str())
        .collect();
    constants.sort_unstable();
    assert_eq!(
        constants,
        [
            "baseline",
            "channel=sms",
            "channel=sms & timing=d3",
            "channel=sms & tone=firm",
            "kind=reminder",
            "kind=reminder & channel=sms",
            "kind=reminder & timing=d3",
            "kind=reminder & tone=firm",
            "timing=d3",
            "tone=firm",
            "tone=firm & timing=d3",
        ]
    );
}

#[test]
fn an_action_outside_the_catalogue_is_refused() {
    assert_eq!(
        generation().explain(&[0.0; 3], 13),
        Err(BanditError::UnknownAction {
            action: 13,
            actions: 13
        })
    );
}
