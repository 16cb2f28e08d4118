#![allow(clippy::unwrap_used)]

use super::*;

fn at(day: i64) -> Timestamp {
    Timestamp::from_micros(day * 86_400_000_000).unwrap()
}

fn phase(number: u32, day: i64, salt: &str, digest: &str, share: f64) -> Phase {
    Phase {
        experiment: "spring".to_owned(),
        number,
        started_at: at(day),
        salt: salt.to_owned(),
        digest: digest.to_owned(),
        shares: vec![
            ("ladder".to_owned(), share),
            ("bandit".to_owned(), 1.0 - share),
        ],
        isolated: true,
        plan: format!("plan {digest}"),
    }
}

fn generation(number: u64, day: i64, excluded: &[&str]) -> Generation {
    Generation {
        number,
        published_at: at(day),
        excluded: excluded.iter().map(|&name| name.to_owned()).collect(),
    }
}

fn learnt(generations: &[u64], models: &[&str]) -> Learnt {
    Learnt {
        generations: generations.iter().copied().collect(),
        models: models.iter().map(|&name| name.to_owned()).collect(),
    }
}

fn told(design: Option<&Design>, learnt: &Learnt) -> Told {
    let agreed = Agreed::of(design, "spring", at(100));
    agreed.report(None, learnt, 0).isolation.state
}

#[test]
fn a_generation_of_before_or_that_left_the_customers_out_is_isolated() {
    let design = Design {
        phases: vec![phase(1, 10, "s", "a", 0.5)],
        generations: vec![
            generation(1, 5, &[]),
            generation(2, 20, &["autumn", "spring"]),
            generation(3, 30, &["autumn"]),
        ],
        models: vec![
            Trained {
                id: "old".to_owned(),
                as_of: at(10),
                excluded: Vec::new(),
            },
            Trained {
                id: "new".to_owned(),
                as_of: at(11),
                excluded: Vec::new(),
            },
        ],
    };
    assert_eq!(
        told(Some(&design), &learnt(&[1, 2], &["old"])),
        Told::Isolated
    );
    assert_eq!(
        told(Some(&design), &learnt(&[1, 3], &["old"])),
        Told::NotIsolated
    );
    assert_eq!(
        told(Some(&design), &learnt(&[1], &["new"])),
        Told::NotIsolated
    );
    assert_eq!(told(Some(&design), &learnt(&[4], &[])), Told::CannotTell);
    assert_eq!(
        told(Some(&design), &learnt(&[1], &["gone"])),
        Told::CannotTell
    );
    // What is known to be bad outweighs what is not known.
    assert_eq!(
        told(Some(&design), &learnt(&[3, 4], &[])),
        Told::NotIsolated
    );
    assert_eq!(told(None, &learnt(&[1], &[])), Told::CannotTell);
    assert_eq!(told(None, &learnt(&[], &[])), Told::Isolated);
}

#[test]
fn a_change_under_the_same_draw_is_a_changed_plan_and_a_new_draw_is_not() {
    let changed = |phases: Vec<Phase>, plan: Option<&str>| {
        let design = Design {
            phases,
            ..Design::default()
        };
        let agreed = Agreed::of(Some(&design), "spring", at(100));
        agreed.report(plan, &Learnt::default(), 0).failures() == [IntegrityFailure::PlanChanged]
    };
    let one = phase(1, 10, "s", "a", 0.5);
    assert!(!changed(vec![one.clone()], None));
    assert!(!changed(vec![one.clone()], Some("plan a")));
    assert!(changed(vec![one.clone()], Some("plan b")));
    assert!(changed(
        vec![one.clone(), phase(2, 20, "s", "b", 0.5)],
        None
    ));
    // Changed and changed back is changed.
    let back = phase(3, 30, "s", "a", 0.5);
    assert!(changed(
        vec![one.clone(), phase(2, 20, "s", "b", 0.5), back],
        None
    ));
    assert!(!changed(
        vec![one.clone(), phase(2, 20, "other", "b", 0.5)],
        None
    ));
    assert!(!changed(
        vec![one.clone(), phase(2, 20, "s", "a", 0.2)],
        None
    ));
    // After the day of the review.
    assert!(!changed(vec![one, phase(2, 200, "s", "b", 0.5)], None));
}

#[test]
fn customers_of_other_shares_or_another_draw_are_left_out() {
    let since = |phases: Vec<Phase>| {
        let design = Design {
            phases,
            ..Design::default()
        };
        Agreed::of(Some(&design), "spring", at(100)).since()
    };
    let one = phase(1, 10, "s", "a", 0.5);
    assert_eq!(since(vec![one.clone()]), Some(at(10)));
    assert_eq!(
        since(vec![one.clone(), phase(2, 20, "s", "b", 0.5)]),
        Some(at(10))
    );
    assert_eq!(
        since(vec![one.clone(), phase(2, 20, "s", "a", 0.1)]),
        Some(at(20))
    );
    assert_eq!(since(vec![one, phase(2, 20, "t", "a", 0.5)]), Some(at(20)));
    assert_eq!(since(Vec::new()), None);
}
