//! The default world against published figures, and against the claim that waiting, a gentle and
//! a firm message are each right for somebody in it.

#![allow(clippy::unwrap_used)]

use lagom_features::domain::{
    Action, CustomerId, Date, DecisionId, Event, EventType, InvoiceId, Zone,
};
use lagom_model::objective::Objective;
use lagom_training::simulator::{Life, Sent, World};
use std::collections::BTreeMap;

mod published;

const CUSTOMERS: usize = 12_000;

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

struct Lived {
    life: Life,
    events: Vec<Event>,
    due: BTreeMap<InvoiceId, Date>,
}

/// Lives from January to September and sends each step that many days after the due date, to
/// whoever has not paid by then.
fn live(steps: &[(i32, &str)]) -> Lived {
    live_in(World::built_in(), CUSTOMERS, steps)
}

fn live_in(world: World, customers: usize, steps: &[(i32, &str)]) -> Lived {
    let judged = (day("2026-02-01"), day("2026-06-30"));
    let mut life = Life::begin(world, customers, 11, day("2026-01-01"), judged);
    let actions: Vec<(i32, Action)> = steps
        .iter()
        .map(|&(after, id)| (after, id.parse().unwrap()))
        .collect();
    let (mut events, mut due, mut sends) = (Vec::new(), BTreeMap::new(), 0_u32);
    while life.today() < day("2026-09-05") {
        let today = life.today();
        let unpaid: Vec<(CustomerId, InvoiceId, Date)> = life
            .unpaid()
            .map(|(customer, invoice, due)| (customer.clone(), invoice.clone(), due))
            .collect();
        for (customer_id, invoice_id, due_on) in &unpaid {
            for (_, action) in actions
                .iter()
                .filter(|(after, _)| today.days_since(*due_on) == *after)
            {
                sends += 1;
                let decision_id = DecisionId::new(format!("d{sends}")).unwrap();
                events.extend(life.receive(&Sent {
                    decision_id: &decision_id,
                    customer_id,
                    invoice_id,
                    action,
                    at: today.at(9, &Zone::utc()),
                }));
            }
        }
        let lived = life.live_day();
        due.extend(
            lived
                .invoices
                .into_iter()
                .map(|invoice| (invoice.invoice_id, invoice.due_on)),
        );
        events.extend(lived.events);
    }
    Lived { life, events, due }
}

/// Value per kind of payer: cash collected up to 60 days after the due date, less what messages
/// cost and stirred up.
fn value_by_payer(lived: &Lived) -> BTreeMap<String, f64> {
    let objective = Objective::default();
    let payers: BTreeMap<CustomerId, String> = lived
        .life
        .customers()
        .map(|one| one.customer_id.clone())
        .map(|id| (id.clone(), lived.life.payer_of(&id).unwrap().to_owned()))
        .collect();
    let mut values = BTreeMap::new();
    for event in &lived.events {
        let value: &mut f64 = values
            .entry(payers[&event.customer_id].clone())
            .or_default();
        *value += match event.kind {
            EventType::PaymentSucceeded => {
                let due_on = lived.due[event.invoice_id.as_ref().unwrap()];
                let paid_on = event.occurred_at.date(&Zone::utc());
                let in_time = paid_on.days_since(due_on) <= 60;
                f64::from(u8::from(in_time)) * event.amount.unwrap().minor_units as f64
            }
            EventType::ContactSent => {
                let kind = event.reason.as_ref().unwrap().parse().unwrap();
                -objective.price_minor(kind, event.channel)
            }
            EventType::ComplaintMade => -objective.complaint_minor,
            EventType::SupportContacted => -objective.support_contact_minor,
            EventType::ConsentWithdrawn => -objective.opt_out_minor,
            EventType::CollectionOpened => -objective.collection_case_minor,
            EventType::CustomerChurned => -objective.churn_cost_minor(None),
            _ => 0.0,
        };
    }
    values
}

const LADDER: &[(i32, &str)] = &[
    (5, "reminder.email.neutral.d0-morning"),
    (12, "reminder.letter.firm.d0-morning"),
    (26, "collection_claim.letter.final.d0-morning"),
];

#[test]
fn the_default_world_shows_the_published_shares() {
    let lived = live(LADDER);
    let tally = lived.life.tally();
    let late = tally.late_invoices as f64 / tally.invoices as f64;
    assert!((0.18..0.24).contains(&late), "late {late}");
    let cases = tally.collection_cases as f64 / tally.invoices as f64;
    assert!((0.005..0.05).contains(&cases), "collection cases {cases}");
    let unpaid = 1.0 - tally.collected_60_minor as f64 / tally.billed_minor as f64;
    assert!(
        (0.005..0.03).contains(&unpaid),
        "unpaid after 60 days {unpaid}"
    );
    let churned = tally.churned as f64 / CUSTOMERS as f64;
    assert!(
        (0.06..0.13).contains(&churned),
        "left in eight months {churned}"
    );
}

#[test]
fn messages_lift_payment_a_little_not_wonderfully() {
    let waited = live(&[]);
    let reminded = live(&[(3, "reminder.sms.friendly.d0-evening")]);
    let share = |lived: &Lived| {
        let tally = lived.life.tally();
        tally.collected_30_minor as f64 / tally.billed_minor as f64
    };
    let lift = share(&reminded) - share(&waited);
    assert!((0.001..0.03).contains(&lift), "lift {lift}");
}

#[test]
fn waiting_gentle_and_firm_are_each_right_for_somebody() {
    let arms = [
        ("wait", live(&[])),
        ("gentle", live(&[(3, "reminder.sms.friendly.d0-evening")])),
        ("firm", live(&[(3, "reminder.sms.firm.d0-evening")])),
    ];
    let values: Vec<_> = arms
        .iter()
        .map(|(name, lived)| (*name, value_by_payer(lived)))
        .collect();
    let best = |payer: &str| {
        values
            .iter()
            .max_by(|a, b| a.1[payer].total_cmp(&b.1[payer]))
            .unwrap()
            .0
    };
    let mut table = String::new();
    for payer in [
        "reliable",
        "forgetful",
        "cash_tight",
        "avoider",
        "insolvent",
    ] {
        for (name, by_payer) in &values {
            let against = by_payer[payer] - values[0].1[payer];
            table += &format!("{payer} {name} {:+.0} ", against / 100.0);
        }
    }
    assert_eq!(best("avoider"), "firm", "{table}");
    assert_eq!(best("unaware"), "gentle", "{table}");
    assert_eq!(best("forgetful"), "wait", "{table}");
}

/// The digest of each shipped world's file.
///
/// A world is fixed before any policy runs in it: who changes one changes its digest here, and says
/// why. What a world must show is in [`published`].
const SHIPPED: [(&str, &str); 10] = [
    ("default", "b1b66629cd4c3068"),
    ("nothing-works", "44c6f74ce7eab1c1"),
    ("gentle-wins", "4b9b88151ac049d1"),
    ("firm-wins-late", "5ff953263abfd1b9"),
    ("channel-broken", "6bb86d826e9153f0"),
    ("drift", "318f942fd5ef9f8d"),
    ("adversarial-delay", "fce1955202be3594"),
    ("business-customers", "de2e4d1e433b9268"),
    ("tiny-data", "50d0965ef5152828"),
    ("two-markets", "196a02012fc08ff5"),
];

fn shipped(name: &str) -> World {
    World::shipped(name).unwrap()
}

/// Collected up to 30 days after the due date, as a share of what was billed.
fn collected_30(lived: &Lived) -> f64 {
    let tally = lived.life.tally();
    tally.collected_30_minor as f64 / tally.billed_minor as f64
}

#[test]
fn the_shipped_worlds_are_those_that_were_written_down() {
    let files = World::shipped_files();
    let found: Vec<(&str, String)> = files
        .iter()
        .map(|(name, text)| (*name, World::digest(text)))
        .collect();
    let expected: Vec<(&str, String)> = SHIPPED
        .iter()
        .map(|(name, digest)| (*name, (*digest).to_owned()))
        .collect();
    assert_eq!(found, expected);
}

/// When each invoice was paid, by customer and due date.
fn paid_on(lived: &Lived) -> BTreeMap<(CustomerId, Date), Vec<Date>> {
    let mut paid: BTreeMap<(CustomerId, Date), Vec<Date>> = BTreeMap::new();
    let payments = lived.events.iter();
    for event in payments.filter(|event| event.kind == EventType::PaymentSucceeded) {
        let due_on = lived.due[event.invoice_id.as_ref().unwrap()];
        let key = (event.customer_id.clone(), due_on);
        let on = event.occurred_at.date(&Zone::utc());
        paid.entry(key).or_default().push(on);
    }
    paid
}

#[test]
fn messages_move_nobody_where_nothing_works() {
    let moved = |world: &str| {
        let lived = |steps| paid_on(&live_in(shipped(world), 3_000, steps));
        let (waited, texted) = (
            lived(&[]),
            lived(&[(3, "reminder.sms.friendly.d0-evening")]),
        );
        let both = waited
            .iter()
            .filter_map(|(key, on)| Some((on, texted.get(key)?)));
        both.filter(|(without, with)| without != with).count()
    };
    assert_eq!(moved("nothing-works"), 0);
    assert!(moved("default") > 0);
}

#[test]
fn each_world_is_as_its_name_says() {
    let share = |world: &str, step: &str, after: i32| {
        collected_30(&live_in(shipped(world), 3_000, &[(after, step)]))
    };
    let friendly = "reminder.sms.friendly.d0-evening";
    let firm = "reminder.sms.firm.d0-evening";
    let email = "reminder.email.friendly.d0-evening";
    assert!(share("gentle-wins", friendly, 3) > share("gentle-wins", firm, 3) + 0.002);
    assert!(share("firm-wins-late", firm, 12) > share("firm-wins-late", friendly, 12) + 0.002);
    assert!(share("channel-broken", email, 3) < share("channel-broken", friendly, 3));
}

#[test]
fn harm_is_reported_late_and_some_of_it_never() {
    let step = &[(3, "reminder.sms.friendly.d0-evening")];
    let lived = live_in(shipped("adversarial-delay"), 3_000, step);
    let days_late = |event: &Event| {
        let day = |at: lagom_features::domain::Timestamp| at.date(&Zone::utc());
        day(event.recorded_at).days_since(day(event.occurred_at))
    };
    let of = |kind: EventType| lived.events.iter().filter(move |event| event.kind == kind);
    assert!(of(EventType::CustomerChurned).all(|event| (30..=61).contains(&days_late(event))));
    assert!(of(EventType::PaymentSucceeded).all(|event| (0..=3).contains(&days_late(event))));
    let prompt = live_in(shipped("default"), 3_000, step);
    let called = |lived: &Lived| {
        let kind = EventType::SupportContacted;
        lived
            .events
            .iter()
            .filter(|event| event.kind == kind)
            .count() as f64
    };
    let told = called(&lived) / lived.life.tally().support_contacts as f64;
    assert!((0.5..0.95).contains(&told), "told of {told}");
    let all = called(&prompt) / prompt.life.tally().support_contacts as f64;
    assert_eq!(all, 1.0);
}

#[test]
fn two_markets_hold_customers_of_two_countries() {
    let lived = live_in(shipped("two-markets"), 3_000, &[]);
    let customers = lived.life.customers();
    let germans = customers
        .filter(|one| one.country.is_some_and(|country| country.as_str() == "DE"))
        .count();
    let share = germans as f64 / 3_000.0;
    assert!((share - 0.4).abs() < 0.03, "{share}");
}
