//! A log with a fault is refused, with the round and the value.

use lagom_model::ope::{
    Estimator, Facets, OpeError, Overlap, Rounds, Shrinkage, Terms,
    overlap::Requirements,
    report::{Options, report},
};
use ndarray::{Array2, array};

fn rounds(actions: Vec<u32>, rewards: Vec<f64>, p: Vec<f64>) -> Result<Rounds, OpeError> {
    let n = actions.len();
    let target = Array2::from_shape_fn((n, 2), |(_, action)| [0.25, 0.75][action]);
    Rounds::new(actions, rewards, p, target)
}

#[test]
fn faults_name_the_round_and_the_value() {
    let fault = rounds(vec![0, 2], vec![0.0, 1.0], vec![0.5, 0.5]).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "round 1: action 2 is not one of the 2 actions (0 to 1)"
    );
    let fault = rounds(vec![0, 1], vec![0.0, f64::NAN], vec![0.5, 0.5]).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "round 1: reward NaN is not a finite number"
    );
    let fault = rounds(vec![0, 1], vec![0.0, 1.0], vec![0.5, 0.0]).unwrap_err();
    assert!(
        fault
            .to_string()
            .starts_with("round 1: logged propensity 0 is not in (0, 1]")
    );
    let fault = rounds(vec![], vec![], vec![]).unwrap_err();
    assert_eq!(fault, OpeError::NoRounds);
    let fault = rounds(vec![0, 1], vec![0.0], vec![0.5, 0.5]).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "the rewards has 1 rows where 2 are needed"
    );
}

#[test]
fn distributions_must_be_distributions() {
    let log = |target| Rounds::new(vec![0], vec![1.0], vec![0.5], target);
    let fault = log(array![[0.5, 0.6]]).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "round 0: target probabilities sum to 1.1, not to 1"
    );
    let fault = log(array![[1.5, -0.5]]).unwrap_err();
    assert!(
        fault.to_string().contains("probability 1.5 of action 0"),
        "{fault}"
    );
    let log = log(array![[0.5, 0.5]]).unwrap();
    assert!(log.clone().with_logging(array![[0.2, 0.2]]).is_err());
    assert!(log.clone().with_predicted(array![[f64::NAN, 0.0]]).is_err());
    assert!(log.clone().with_predicted(array![[0.0, 0.0, 0.0]]).is_err());
    assert!(log.clone().with_customers(vec![0, 0]).is_err());
    let facets = Facets::new(vec![("tone".to_owned(), vec![0, 1, 2])]).unwrap();
    assert!(log.with_facets(facets).is_err());
}

#[test]
fn what_the_log_lacks_is_listed_and_the_rest_is_given() {
    let log = rounds(vec![0, 1, 1, 0], vec![0.0, 1.0, 1.0, 0.0], vec![0.5; 4]).unwrap();
    let report = report(&log, &Options::default()).unwrap();
    assert!((report.value["ips"] - 0.75).abs() < 1e-12);
    assert!(!report.value.contains_key("dr"));
    let reason = &report
        .left_out
        .iter()
        .find(|one| one.name == "dr")
        .unwrap()
        .reason;
    assert!(reason.contains("a reward model"), "{reason}");
    assert!(
        report
            .left_out
            .iter()
            .any(|one| one.name.starts_with("mips"))
    );
    assert!(!report.support.known && report.calibration.is_none());
    assert!(
        !report.shortfalls.is_empty(),
        "four rounds are no basis for a verdict"
    );
}

#[test]
fn policies_that_never_agree_have_no_self_normalised_value() {
    let log = Rounds::new(
        vec![0, 0],
        vec![1.0, 1.0],
        vec![0.5, 0.5],
        array![[0.0, 1.0], [0.0, 1.0]],
    );
    let terms = Terms::of(&log.unwrap());
    let snips = Estimator::importance(Shrinkage::None).self_normalised();
    assert_eq!(snips.value(&terms).unwrap_err(), OpeError::NoWeight);
}

#[test]
fn overlap_counts_and_judges() {
    let p = vec![0.25, 0.75, 0.75, 0.25];
    let even = Overlap::of(&Terms::of(
        &rounds(vec![0, 1, 1, 0], vec![1.0; 4], p).unwrap(),
    ));
    assert!((even.ess - 4.0).abs() < 1e-12 && (even.mean_weight - 1.0).abs() < 1e-12);
    let required = Requirements {
        ess: 4.0,
        one_round_share: 0.3,
        ..Requirements::default()
    };
    assert!(even.shortfalls(&required).is_empty());

    let p = vec![0.25, 0.75, 0.0075, 0.25];
    let skew = Overlap::of(&Terms::of(
        &rounds(vec![0, 1, 1, 0], vec![1.0; 4], p).unwrap(),
    ));
    assert!((skew.max_weight - 100.0).abs() < 1e-9 && skew.ess < 1.1);
    assert_eq!(skew.shortfalls(&required).len(), 2);
}

#[test]
fn rounds_that_the_log_could_not_support_are_counted() {
    let log = Rounds::new(vec![0, 0, 1], vec![1.0; 3], vec![1.0, 0.5, 0.5], {
        array![[0.4, 0.6], [0.4, 0.6], [1.0, 0.0]]
    })
    .unwrap()
    .with_logging(array![[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]])
    .unwrap();
    let report = report(&log, &Options::default()).unwrap();
    assert_eq!(report.support.unsupported_rounds, Some(1));
    assert!((report.support.unsupported_mass.unwrap() - 0.2).abs() < 1e-12);
}

#[test]
fn a_segment_is_valued_by_its_own_rounds() {
    let log = rounds(vec![0, 1, 1, 0], vec![2.0, 1.0, 3.0, 4.0], vec![0.5; 4]).unwrap();
    let terms = Terms::of(&log.with_customers(vec![0, 0, 1, 1]).unwrap());
    let segment = terms.select(&[1, 2]).unwrap();
    let ips = Estimator::importance(Shrinkage::None);
    assert!((ips.value(&segment).unwrap() - 1.5 * 2.0).abs() < 1e-12);
    assert_eq!(segment.customers().unwrap(), [0, 1]);
    assert!(terms.select(&[4]).is_err() && terms.select(&[]).is_err());
}
