//! Logs whose truth is known: an offer has a fifth more invoices paid within ten days, of slow payers and of
//! fast ones, and slow payers are offered one four times as often.
#![allow(clippy::unwrap_used)]

use super::*;
use lagom_features::domain::{
    Action, Currency, Date, DecisionId, Event, EventId, EventType, Invoice, InvoiceId, Money,
    RequestId, TenantId,
};
use lagom_model::log::Choice;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Differences that every offer makes: of those paid within ten days, half of whom would have paid within thirty
/// anyway, after twenty days, and who pay after five on average.
const TRUTH: [f64; 3] = [0.2, 0.1, 0.2 * (5.0 - 25.0)];

fn t(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn decision(id: &str, customer: &CustomerId, invoice: &InvoiceId, chance: f64) -> Decision {
    let offer: Action = "discount_offer.email.friendly.d0-midday".parse().unwrap();
    let choice = |action: &Action, probability| Choice {
        action: action.id(),
        probability,
    };
    Decision {
        tenant: TenantId::default(),
        decision_id: DecisionId::new(id).unwrap(),
        request_id: RequestId::new(id).unwrap(),
        decided_at: t("2026-01-05T06:00:00Z"),
        customer_id: customer.clone(),
        invoice_id: invoice.clone(),
        eligible: vec![
            choice(&Action::WAIT, 1.0 - chance),
            choice(&offer, 0.25 * chance),
            choice(
                &"discount_offer.sms.friendly.d0-midday".parse().unwrap(),
                0.75 * chance,
            ),
        ],
        action: offer,
        send_at: None,
        send_until: None,
        next_evaluation_at: t("2026-01-10T06:00:00Z"),
        fee_minor: 0,
        price_minor: None,
        shadow_price_minor: None,
        probability: chance,
        blocked: Vec::new(),
        features: Vec::new(),
        feature_fingerprint: String::new(),
        model_id: None,
        policy: "uniform".to_owned(),
        policy_generation: 0,
        objective_id: String::new(),
        strategy_id: String::new(),
        guardrail_pack: String::new(),
        draw: 0.5,
        experiment: None,
        arm: None,
        payment_propensity: None,
        churn_risk: None,
        expected_value: None,
        fallback: None,
        reason: String::new(),
    }
}

/// Two invoices each of so many customers, with what came of a decision about each.
fn log(customers: usize, seed: u64) -> (BTreeMap<CustomerId, History>, Vec<Decision>) {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let (mut histories, mut decisions) = (BTreeMap::new(), Vec::new());
    for who in 0..customers {
        let id = CustomerId::new(format!("c{who}")).unwrap();
        let mut history = History::default();
        let slow = draw.random_bool(0.5);
        for number in 0..2 {
            let name = format!("i{who}-{number}");
            let invoice_id = InvoiceId::new(name.clone()).unwrap();
            let issued = t("2026-01-04T06:00:00Z");
            let amount = Money::new(1_000, Currency::SEK);
            let invoice = Invoice {
                invoice_id: invoice_id.clone(),
                customer_id: id.clone(),
                issued_at: issued,
                due_on: Date::parse("2026-02-03").unwrap(),
                amount,
                terms_days: Some(30),
                payment_method: None,
                billing_channel: None,
                product: None,
            };
            history.record_invoice(issued, invoice);
            let chance = if slow { 0.8 } else { 0.2 };
            let mut made = decision(&name, &id, &invoice_id, chance);
            let offered = draw.random_bool(chance);
            if !offered {
                made.action = Action::WAIT;
            }
            let soon = if slow { 0.2 } else { 0.6 } + if offered { TRUTH[0] } else { 0.0 };
            let day = if draw.random_bool(soon) {
                draw.random_range(1..=9)
            } else if draw.random_bool(0.5) {
                20
            } else {
                70
            };
            let at = made.decided_at + Days::whole(day);
            let event_id = EventId::new(format!("p{name}")).unwrap();
            let kind = EventType::PaymentSucceeded;
            let mut paid = Event::new(event_id, kind, id.clone(), at, at);
            paid.invoice_id = Some(invoice_id);
            paid.amount = Some(amount);
            history.record_event(&paid);
            decisions.push(made);
        }
        histories.insert(id, history);
    }
    (histories, decisions)
}

fn end() -> Timestamp {
    t("2026-06-01")
}

#[test]
fn drawn_offers_tell_their_effect_although_slow_payers_were_offered_more() {
    let logs = 240;
    let (mut inside, mut found_in) = ([0; 3], [const { Vec::new() }; 3]);
    for seed in 0..logs {
        let (histories, decisions) = log(300, seed);
        let found = discount_effects(&histories, &decisions, end());
        let [effect] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(effect.basis, Basis::Randomised);
        assert_eq!((effect.decisions, effect.customers), (600, 300));
        assert!(effect.effective_offers < effect.offers as f64);
        for (place, contrast) in effect.contrasts.iter().enumerate() {
            let band = contrast.difference;
            inside[place] += u32::from((band.low..=band.high).contains(&TRUTH[place]));
            found_in[place].push(band.expected);
        }
    }
    // 228 of 240 are expected; below 215 are 0.1 % of such counts.
    assert!(inside.iter().all(|count| *count >= 215), "{inside:?}");
    for (place, found) in found_in.iter().enumerate() {
        let n = found.len() as f64;
        let mean = found.iter().sum::<f64>() / n;
        let squares = found.iter().map(|one| (one - mean).powi(2)).sum::<f64>();
        let error = (squares / (n - 1.0) / n).sqrt();
        let off = (mean - TRUTH[place]).abs() / error;
        assert!(off < 4.0, "{}: {mean}, {off} errors off", MEASURES[place]);
    }
}

#[test]
fn the_same_offers_by_a_rule_are_an_association_and_mislead() {
    let (histories, mut decisions) = log(1_500, 7);
    for decision in &mut decisions {
        decision.eligible = vec![Choice {
            action: decision.action.id(),
            probability: 1.0,
        }];
    }
    let found = discount_effects(&histories, &decisions, end());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].basis, Basis::Association);
    // Slow payers have the offers: 0.2 · 0.8 + 0.6 · 0.2 + 0.2 against 0.2 · 0.2 + 0.6 · 0.8.
    let band = found[0].contrasts[0].difference;
    assert!((band.expected - (0.48 - 0.52)).abs() < 0.05, "{band:?}");
    assert!(band.high < TRUTH[0]);
}

#[test]
fn drawn_and_ruled_offers_are_told_apart_and_few_say_nothing() {
    let (histories, mut decisions) = log(400, 3);
    let half = decisions.len() / 2;
    for decision in &mut decisions[..half] {
        decision.eligible.clear();
    }
    let found = discount_effects(&histories, &decisions, end());
    let bases: Vec<Basis> = found.iter().map(|one| one.basis).collect();
    assert_eq!(bases, [Basis::Randomised, Basis::Association]);
    assert_eq!(found[0].decisions + found[1].decisions, 800);
    assert!(discount_effects(&histories, &decisions[..40], end()).is_empty());
    assert!(discount_effects(&histories, &[], end()).is_empty());
    // Thirty days after a decision must be over, and nobody is asked of what was paid before.
    assert!(discount_effects(&histories, &decisions, t("2026-02-01")).is_empty());
    for decision in &mut decisions {
        decision.decided_at = t("2026-04-01");
    }
    assert!(discount_effects(&histories, &decisions, end()).is_empty());
}
