//! The empirical-Bernstein confidence sequence, round by round.

use lagom_model::ope::sequence::EmpiricalBernstein;

use crate::oracle::{assert_close, column, json, shared, synth};

/// `cs_dr.csv`: lower and upper ends after each of the 2,000 rounds, k = 1.
#[test]
fn every_step_equals_the_reference_path() {
    let Some(folder) = shared() else { return };
    let path = folder.join("oracles/ope/synth/cs_dr.csv");
    let (lower, upper) = (column::<f64>(&path, "lower"), column::<f64>(&path, "upper"));
    let mut sequence = EmpiricalBernstein::new(1.0, (0.0, 1.0), 0.95).unwrap();
    for (time, round) in synth(&folder).iter().enumerate() {
        sequence.push(&round).unwrap();
        let interval = sequence.interval();
        assert!((interval.low - lower[time]).abs() < 1e-9, "lower at {time}");
        assert!(
            (interval.high - upper[time]).abs() < 1e-9,
            "upper at {time}"
        );
    }
}

#[test]
fn final_ends_equal_the_reference_for_every_cap() {
    let Some(folder) = shared() else { return };
    let oracle = json(&folder.join("oracles/ope/confseq.json"));
    for cap in [0.0, 1.0, 5.0] {
        let expected = &oracle[format!("dr_eb_k{cap}")];
        let mut sequence = EmpiricalBernstein::new(cap, (0.0, 1.0), 0.95).unwrap();
        for (time, round) in synth(&folder).iter().enumerate() {
            sequence.push(&round).unwrap();
            if time + 1 == 500 {
                let low = expected["t500"][0].as_f64().unwrap();
                assert_close("low at 500", sequence.interval().low, low, 1e-9);
            }
        }
        let interval = sequence.interval();
        let (low, high) = (&expected["final"][0], &expected["final"][1]);
        assert_close("low", interval.low, low.as_f64().unwrap(), 1e-9);
        assert_close("high", interval.high, high.as_f64().unwrap(), 1e-9);
        assert_close(
            "width",
            interval.width(),
            expected["width"].as_f64().unwrap(),
            1e-9,
        );
    }
}

/// confseq 0.0.11 regularises the variance a little differently.
#[test]
fn without_a_model_it_is_near_confseq_0_0_11() {
    let Some(folder) = shared() else { return };
    let oracle = json(&folder.join("oracles/ope/confseq.json"));
    let mut sequence = EmpiricalBernstein::new(0.0, (0.0, 1.0), 0.95).unwrap();
    for round in synth(&folder).iter() {
        sequence.push(&round).unwrap();
    }
    let theirs = oracle["confseq_empbern_lower_alpha025_final"]
        .as_f64()
        .unwrap();
    assert!((sequence.interval().low - theirs).abs() < 1e-6);
}
