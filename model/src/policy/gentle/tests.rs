#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn harshness(action: &str, fee_minor: i64) -> Option<Harshness> {
    Harshness::of(&action.parse().unwrap(), fee_minor)
}

#[test]
fn the_scale_rises_with_tone_claim_and_fee() {
    let rising = [
        ("wait", 0),
        ("reminder.sms.friendly.d0-morning", 0),
        ("reminder.sms.friendly.d0-morning", 6000),
        ("reminder.letter.neutral.d1-morning", 0),
        ("reminder.letter.neutral.d1-morning", 1),
        ("plan_offer.letter.firm.d1-morning", 0),
        ("reminder.letter.final.d1-morning", 0),
        ("collection_claim.letter.neutral.d1-morning", 0),
        ("collection_claim.letter.final.d1-morning", 18_000),
    ];
    let levels: Vec<Harshness> = rising
        .iter()
        .map(|&(action, fee)| harshness(action, fee).unwrap())
        .collect();
    assert!(
        levels.windows(2).all(|pair| pair[0] < pair[1]),
        "{levels:?}"
    );
    let same = harshness("invoice_redelivery.email.neutral.d0-morning", 0);
    assert_eq!(
        same,
        harshness("due_date_notice.email.friendly.d0-morning", 0)
    );
    for none in [
        "human_review.none.none.none",
        "retry_debit.none.none.d1-morning",
    ] {
        assert_eq!(harshness(none, 0), None);
    }
    let harsh: Vec<bool> = levels.iter().map(|one| one.is_harsh()).collect();
    let expected = [false, false, true, false, true, true, true, true, true];
    assert_eq!(harsh, expected);
}

/// `wait`, then one of each level without a fee, a friendly one with a fee, and a debit.
fn scale() -> Vec<Option<Harshness>> {
    [
        ("wait", 0),
        ("reminder.sms.friendly.d0-morning", 0),
        ("reminder.sms.neutral.d0-morning", 0),
        ("reminder.sms.firm.d0-morning", 0),
        ("reminder.sms.friendly.d0-morning", 100),
        ("retry_debit.none.none.d1-morning", 0),
    ]
    .map(|(action, fee)| harshness(action, fee))
    .to_vec()
}

fn left(values: [f64; 6], open: [bool; 6], sure: f64) -> [bool; 6] {
    let mut open = open;
    let mut closed = Vec::new();
    let credibly = |a: usize, b: usize| values[a] - values[b] >= sure;
    close(
        &scale(),
        &mut open,
        |place| values[place],
        credibly,
        &mut closed,
    );
    assert!(closed.iter().all(|&place| !open[place]));
    open
}

#[test]
fn each_level_has_to_beat_all_softer_ones() {
    let all = [true; 6];
    // Nothing is known to differ: only the softest message, and what is on no scale.
    let soft = [true, true, false, false, false, true];
    assert_eq!(left([0.0; 6], all, 1.0), soft);
    // Firm is far ahead of everything, waiting included.
    let firm = [0.0, 1.0, 1.0, 9.0, 1.0, 0.0];
    assert_eq!(left(firm, all, 5.0), [true, true, false, true, false, true]);
    assert_eq!(left(firm, all, 8.5), soft);
    // Waiting is as good as firm: it stays closed although the soft messages are far behind.
    assert_eq!(left([9.0, 1.0, 1.0, 9.0, 1.0, 0.0], all, 0.0), soft);
    // Without a friendly one, the neutral one is the softest; a firm one never is.
    let no_friend = [true, false, true, true, false, true];
    assert_eq!(
        left([0.0; 6], no_friend, 1.0),
        [true, false, true, false, false, true]
    );
    let only_firm = [true, false, false, true, false, true];
    assert_eq!(
        left([0.0; 6], only_firm, 1.0),
        [true, false, false, false, false, true]
    );
    assert_eq!(left(firm, only_firm, 5.0), only_firm);
}

#[test]
fn before_anything_is_learnt_the_ladder_is_the_limit() {
    let explored = |rung: usize| {
        let (mut open, mut closed) = (vec![true; 6], Vec::new());
        close_unlearnt(&scale(), &mut open, rung, &mut closed);
        open
    };
    assert_eq!(explored(0), [true, true, false, false, false, true]);
    assert_eq!(explored(2), [true, true, true, false, true, true]);
    assert_eq!(explored(3), [true; 6]);
    assert_eq!(explored(5), [true, true, false, false, false, true]);
}

const ACTIONS: [&str; 11] = [
    "wait",
    "human_review.none.none.none",
    "due_date_notice.email.friendly.d0-morning",
    "reminder.email.friendly.d0-morning",
    "reminder.sms.friendly.d1-morning",
    "reminder.email.neutral.d0-morning",
    "reminder.letter.neutral.d0-morning",
    "reminder.sms.firm.d0-morning",
    "reminder.letter.firm.d0-morning",
    "reminder.letter.final.d0-morning",
    "collection_claim.letter.final.d0-morning",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Said again by pairs of actions: whatever the estimates, what stays open is soft, or beats every
    /// softer action there is and stands for a level that does so credibly; and what is closed fails.
    #[test]
    fn what_is_harsher_has_earned_it(
        values in prop::collection::vec(prop::sample::select(vec![-1.0, 0.0, 1.0, 2.0, 5.0]), 11),
        fees in prop::collection::vec(prop::sample::select(vec![0_i64, 0, 0, 50]), 11),
        rules in prop::collection::vec(prop::bool::weighted(0.7), 11),
        sure in prop::sample::select(vec![0.0, 1.5, 3.0]),
    ) {
        let scale: Vec<Option<Harshness>> = ACTIONS
            .iter()
            .zip(&fees)
            .map(|(action, &fee)| harshness(action, fee))
            .collect();
        let before: Vec<bool> = rules.iter().enumerate().map(|(at, &one)| one || at == 0).collect();
        let mut open = before.clone();
        let mut closed = Vec::new();
        let credibly = |a: usize, b: usize| values[a] - values[b] >= sure;
        close(&scale, &mut open, |place| values[place], credibly, &mut closed);

        let scale = &scale;
        let level = |place: usize| scale[place];
        let among = |of: Option<Harshness>| -> Vec<usize> {
            (0..11).filter(|&one| before[one] && level(one) == of).collect()
        };
        for place in 0..11 {
            if !before[place] || level(place).is_none() || place == 0 {
                prop_assert_eq!(open[place], before[place]);
                continue;
            }
            let softer: Vec<usize> = (0..11)
                .filter(|&one| before[one] && level(one).is_some() && level(one) < level(place))
                .collect();
            let gentle = fees[place] == 0
                && (ACTIONS[place].contains("friendly") || ACTIONS[place].contains("neutral"));
            let first = softer == [0] && gentle;
            let tops = |of: Option<Harshness>| {
                let all = among(of);
                let most = all.iter().map(|&one| values[one]).fold(f64::NEG_INFINITY, f64::max);
                all.into_iter().find(|&one| values[one] == most).unwrap()
            };
            let best = tops(level(place));
            let earned = softer.iter().all(|&one| {
                let rival = tops(level(one));
                values[place] > values[one] && values[best] > values[one] && credibly(best, rival)
            });
            prop_assert_eq!(open[place], first || earned, "{} {:?}", ACTIONS[place], values);
            prop_assert_eq!(open[place], !closed.contains(&place));
        }
        // Asked again among what is left, it closes nothing more.
        let mut again = open.clone();
        let mut more = Vec::new();
        close(scale, &mut again, |place| values[place], credibly, &mut more);
        prop_assert_eq!(again, open);
    }
}
