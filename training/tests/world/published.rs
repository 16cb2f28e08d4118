//! Every shipped world against the published aggregates, one by one, before any policy runs in it.
//!
//! Each row names the aggregate, where it was published or assumed, and the range in which a world
//! must show it; a world whose name says that something is different there says so in a row of its own.

use super::{LADDER, Lived, live_in, shipped};
use lagom_features::domain::{Channel, Event, EventType, InvoiceId, Kind, Zone};
use std::collections::BTreeMap;

const CUSTOMERS: usize = 6_000;

/// What a world showed.
type Measured = BTreeMap<&'static str, f64>;

/// Name, where it is from, and the range.
type Row = (&'static str, &'static str, f64, f64);

/// Invoices with what became of them, by days from the due date.
struct Fates {
    /// Day of the last payment; none where nothing came.
    paid: BTreeMap<InvoiceId, i32>,
    /// Day of the first reminder.
    reminded: BTreeMap<InvoiceId, i32>,
}

fn fates(lived: &Lived) -> Fates {
    let mut fates = Fates {
        paid: BTreeMap::new(),
        reminded: BTreeMap::new(),
    };
    for event in &lived.events {
        let Some(invoice) = &event.invoice_id else {
            continue;
        };
        let day = event
            .occurred_at
            .date(&Zone::utc())
            .days_since(lived.due[invoice]);
        match event.kind {
            EventType::PaymentSucceeded => {
                let last = fates.paid.entry(invoice.clone()).or_insert(day);
                *last = (*last).max(day);
            }
            EventType::ContactSent => {
                fates.reminded.entry(invoice.clone()).or_insert(day);
            }
            _ => {}
        }
    }
    fates
}

/// Invoices that fell due in the judged months.
fn judged(lived: &Lived) -> impl Iterator<Item = &InvoiceId> {
    let months = (super::day("2026-02-01"), super::day("2026-06-30"));
    let due = lived.due.iter();
    due.filter(move |(_, due)| (months.0..=months.1).contains(due))
        .map(|(invoice, _)| invoice)
}

/// Share of the judged invoices that were unpaid at the end of day `on`, of all.
fn unpaid(lived: &Lived, fates: &Fates, on: i32) -> f64 {
    let (mut all, mut open) = (0.0, 0.0);
    for invoice in judged(lived) {
        all += 1.0;
        open += f64::from(u8::from(
            fates.paid.get(invoice).is_none_or(|&day| day > on),
        ));
    }
    open / all
}

/// Events of one kind that followed a contact over one channel, of one kind of step, a contact.
fn stirred(lived: &Lived, what: EventType, sent: impl Fn(&Event) -> bool) -> f64 {
    let mut by_decision = BTreeMap::new();
    for event in lived
        .events
        .iter()
        .filter(|one| one.kind == EventType::ContactSent)
    {
        by_decision.insert(event.decision_id.clone(), sent(event));
    }
    let contacts = by_decision.values().filter(|&&counted| counted).count();
    let harm = lived.events.iter().filter(|one| one.kind == what);
    let of = harm.filter(|one| by_decision.get(&one.decision_id) == Some(&true));
    of.count() as f64 / contacts as f64
}

fn over(channel: Channel) -> impl Fn(&Event) -> bool {
    move |event| {
        event.channel == Some(channel) && event.reason.as_deref() == Some(Kind::Reminder.name())
    }
}

fn claims(event: &Event) -> bool {
    event.reason.as_deref() == Some(Kind::CollectionClaim.name())
}

fn measure(world: &str) -> Measured {
    let lived = |steps: &[(i32, &str)]| live_in(shipped(world), CUSTOMERS, steps);
    let ladder = lived(LADDER);
    let waited = lived(&[]);
    let texted = lived(&[
        (0, "reminder.sms.friendly.d0-morning"),
        (5, "reminder.email.neutral.d0-morning"),
        (12, "reminder.letter.firm.d0-morning"),
        (26, "collection_claim.letter.final.d0-morning"),
    ]);
    let of = fates(&ladder);
    let tally = ladder.life.tally();
    let late = unpaid(&ladder, &of, 0);
    let answered = {
        let reminded: Vec<_> = judged(&ladder)
            .filter_map(|invoice| of.reminded.get(invoice).map(|&day| (invoice, day)))
            .collect();
        let paid = reminded
            .iter()
            .filter(|(invoice, day)| of.paid.get(*invoice).is_some_and(|&paid| paid <= day + 7));
        paid.count() as f64 / reminded.len() as f64
    };
    let churned = |lived: &Lived| lived.life.tally().expected.churned;
    let harm = |what, channel| stirred(&ladder, what, over(channel));
    BTreeMap::from([
        ("late, of invoices", late),
        (
            "unpaid on day 28, of those unpaid on day 5",
            unpaid(&ladder, &of, 28) / unpaid(&ladder, &of, 5),
        ),
        ("paid within 7 days of the first e-mail", answered),
        ("unpaid on day 60, of late", unpaid(&ladder, &of, 60) / late),
        ("unpaid on day 60, of invoices", unpaid(&ladder, &of, 60)),
        (
            "unpaid on day 25 with a text on the due date, of without",
            unpaid(&texted, &fates(&texted), 25) / unpaid(&ladder, &of, 25),
        ),
        (
            "collection cases, of invoices",
            tally.collection_cases as f64 / tally.invoices as f64,
        ),
        (
            "paid within 30 days more than by waiting, points",
            100.0 * (super::collected_30(&ladder) - super::collected_30(&waited)),
        ),
        (
            "churn under the ladder, of that by waiting",
            churned(&ladder) / churned(&waited),
        ),
        (
            "complaints, an e-mail",
            harm(EventType::ComplaintMade, Channel::Email),
        ),
        (
            "complaints, a letter",
            harm(EventType::ComplaintMade, Channel::Letter),
        ),
        (
            "complaints, a claim",
            stirred(&ladder, EventType::ComplaintMade, claims),
        ),
        (
            "calls for support, a reminder",
            harm(EventType::SupportContacted, Channel::Email),
        ),
        (
            "calls for support, a claim",
            stirred(&ladder, EventType::SupportContacted, claims),
        ),
        (
            "opt-outs, an e-mail",
            harm(EventType::ConsentWithdrawn, Channel::Email),
        ),
        (
            "opt-outs, a text",
            stirred(&texted, EventType::ConsentWithdrawn, over(Channel::Sms)),
        ),
        (
            "complaints, a text",
            stirred(&texted, EventType::ComplaintMade, over(Channel::Sms)),
        ),
    ])
}

#[test]
fn print() {
    for (name, ..) in super::SHIPPED {
        println!("{name}");
        for (what, value) in measure(name) {
            println!("  {what}: {value:.4}");
        }
    }
}
