#![allow(clippy::unwrap_used)]
use super::*;
use lagom_features::domain::Kind;

#[test]
fn the_default_has_waiting_first_a_person_second_and_no_fee() {
    let strategy = Strategy::default();
    let catalogue = strategy.catalogue();
    assert!(catalogue[WAIT].is_wait());
    assert_eq!(catalogue[HUMAN_REVIEW].kind, Kind::HumanReview);
    assert!((60..=120).contains(&catalogue.len()), "{}", catalogue.len());
    assert!(
        catalogue
            .iter()
            .all(|action| strategy.fee_minor(action) == 0)
    );
}
