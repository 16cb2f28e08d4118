//! What would truly follow from a step, and from another after it: the world's own probabilities, without its luck.
//!
//! ```text
//! S_j(t) = Π_{s ≤ t} (1 − hazard_j(s))        j: the message is opened, or not
//! P(unpaid at t) = P(opened) S_opened(t) + (1 − P(opened)) S_not(t)
//! ```
//! A step that is planned for later is only taken if the invoice is unpaid by then.

use super::Life;
use super::receive::Message;
use crate::simulator::bill::Bill;
use crate::simulator::person::Received;
use lagom_features::domain::{Action, Date, InvoiceId, Kind};
use std::collections::HashMap;

/// Days between the two parts of a payment that comes in two.
const SECOND_PART_DAYS: usize = 7;

/// How far ahead an outlook goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// Cash and collection cases count up to this many days after the due date.
    pub cash_days_after_due: u16,
    /// Customers who leave count up to this many days from today.
    pub churn_days: u16,
}

/// Expectations over the world's luck, if nobody does anything after the steps.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prospect {
    /// Owed now, in minor units.
    pub outstanding_minor: f64,
    /// Collected, in minor units.
    pub collected_minor: f64,
    /// P(taken) of each step.
    pub taken: [f64; 2],
    /// P(complaint).
    pub complaint: f64,
    /// Support contacts.
    pub support_contacts: f64,
    /// P(consent withdrawn).
    pub opt_out: f64,
    /// P(handed over to a collector).
    pub collection_case: f64,
    /// P(leaves).
    pub churned: f64,
}

/// What can follow for one unpaid invoice from today on.
#[derive(Debug)]
pub struct Outlook<'a> {
    life: &'a Life,
    bill: &'a Bill,
    /// The last day whose cash counts.
    cash_until: Date,
    /// The last day on which leaving counts.
    churn_until: Date,
    /// P(paid that day) if nothing further is sent, for each day from today up to `cash_until`.
    hazards: Vec<f64>,
    /// What a further message adds to the hazard, for each unit of its boost and each day.
    gains: Vec<f64>,
    quiet: Path,
    leaves_anyway: f64,
    /// P(leaves) with further messages, by kind, day of arrival and harshness of each.
    leaves: HashMap<Vec<(Kind, Date, bool)>, f64>,
}

/// The mean over all ways; `None` if there are none.
fn mean(ways: &[Way], of: impl Fn(&Path) -> f64) -> Option<f64> {
    let sum = ways.iter().map(|way| way.chance * of(&way.path)).sum();
    (!ways.is_empty()).then_some(sum)
}

/// A bill's way to being paid from today on.
#[derive(Debug)]
struct Path {
    /// P(unpaid) at the start of each day from today on, and after the last.
    unpaid: Vec<f64>,
    collected: f64,
}

impl Life {
    /// What can follow for an invoice; `None` where it is paid. The effects of today's world are
    /// taken to last.
    #[must_use]
    pub fn outlook(&self, invoice_id: &InvoiceId, horizon: Horizon) -> Option<Outlook<'_>> {
        let &(who, serial) = self.by_invoice.get(invoice_id)?;
        let bill = self.bills.iter().find(|bill| bill.serial == serial)?;
        let cash_until = bill
            .invoice
            .due_on
            .plus_days(i32::from(horizon.cash_days_after_due));
        let churn_until = self.today.plus_days(i32::from(horizon.churn_days));
        let days =
            || (0..=cash_until.days_since(self.today)).map(|ahead| self.today.plus_days(ahead));
        let hazards: Vec<f64> = match bill.pays_on.or(bill.rest_on) {
            Some(on) => days().map(|day| f64::from(u8::from(on == day))).collect(),
            None => days().map(|day| self.hazard(bill, day)).collect(),
        };
        let gains = match bill.pays_on.or(bill.rest_on) {
            Some(_) => vec![0.0; hazards.len()],
            None => days().map(|day| self.hazard_gain(bill, day)).collect(),
        };
        let mut outlook = Outlook {
            life: self,
            bill,
            cash_until,
            churn_until,
            hazards,
            gains,
            quiet: Path {
                unpaid: Vec::new(),
                collected: 0.0,
            },
            leaves_anyway: self.leaves(who, &[], churn_until),
            leaves: HashMap::new(),
        };
        outlook.quiet = outlook.path(&[]);
        Some(outlook)
    }

    /// P(leaves from today up to `last`).
    fn leaves(&self, who: usize, further: &[Received], last: Date) -> f64 {
        let person = &self.people[who];
        if person.left_on.is_some() {
            return 0.0;
        }
        let effects = self.effects_on(who);
        let days = (0..=last.days_since(self.today)).map(|ahead| self.today.plus_days(ahead));
        let stays: f64 = days
            .map(|day| 1.0 - person.churn_hazard(&self.world, &effects, day, further))
            .product();
        1.0 - stays
    }
}

/// A step on its way to the customer.
struct Planned<'a> {
    action: &'a Action,
    message: Message,
}

/// One way to be paid: which of the messages so far were opened.
struct Way {
    chance: f64,
    /// Day of arrival and boost of each that was.
    opened: Vec<(Date, f64)>,
    path: Path,
}

impl Outlook<'_> {
    /// What follows if `steps` are taken, each on its day if the invoice is unpaid by then, and nothing
    /// is done by anybody afterwards; in the order of their days, two at most.
    #[must_use]
    pub fn prospect(&mut self, steps: &[(&Action, Date)]) -> Prospect {
        let (life, bill) = (self.life, self.bill);
        let mut prospect = Prospect {
            outstanding_minor: bill.unpaid_minor as f64,
            collection_case: bill
                .claimed_on
                .filter(|_| !bill.in_collection)
                .map_or(0.0, |on| self.case(&self.quiet, on)),
            churned: self.leaves_anyway,
            ..Prospect::default()
        };
        let mut ways: Vec<Way> = Vec::with_capacity(4);
        let mut planned: Vec<Planned<'_>> = Vec::with_capacity(2);
        for (place, &(action, on)) in steps.iter().take(2).enumerate() {
            let taken = mean(&ways, |path| self.unpaid_on(path, on));
            let taken = taken.unwrap_or_else(|| self.unpaid_on(&self.quiet, on));
            prospect.taken[place] = taken;
            let Some(channel) = action.channel.filter(|_| action.kind.is_contact()) else {
                continue;
            };
            let mut message = life.message(action, bill.who, bill.serial, channel, on);
            let fatigue = &life.world.fatigue;
            let tires = |one: &Planned<'_>| {
                let days = message.arrives_on.days_since(one.message.arrives_on);
                (0..i32::from(fatigue.window_days)).contains(&days)
            };
            if planned.last().is_some_and(tires) {
                message.boost *= fatigue.effect_factor;
                message.complaint = (message.complaint * fatigue.complaint_factor).min(1.0);
            }
            ways = self.fork(ways, &message);
            if action.kind == Kind::CollectionClaim && bill.claimed_on.is_none() {
                let cases = mean(&ways, |path| self.case(path, on));
                prospect.collection_case = cases.unwrap_or(0.0);
            }
            prospect.complaint += taken * message.complaint;
            prospect.support_contacts += taken * message.support;
            prospect.opt_out += taken * message.opt_out;
            planned.push(Planned { action, message });
            let stirred = self.stirred(&planned);
            prospect.churned += taken * (stirred - prospect.churned);
        }
        let collected = mean(&ways, |path| path.collected);
        prospect.collected_minor = collected.unwrap_or(self.quiet.collected);
        prospect
    }

    /// Each way, with the message opened and not.
    fn fork(&self, ways: Vec<Way>, message: &Message) -> Vec<Way> {
        let before = if ways.is_empty() {
            vec![(1.0, Vec::new())]
        } else {
            let known = ways.into_iter();
            known.map(|way| (way.chance, way.opened)).collect()
        };
        let mut after = Vec::with_capacity(2 * before.len());
        for (chance, closed) in before {
            let mut opened = closed.clone();
            opened.push((message.arrives_on, message.boost));
            for (share, opened) in [(message.opened, opened), (1.0 - message.opened, closed)] {
                after.push(Way {
                    chance: chance * share,
                    path: self.path(&opened),
                    opened,
                });
            }
        }
        after
    }

    /// P(leaves) where all these messages arrive.
    fn stirred(&mut self, planned: &[Planned<'_>]) -> f64 {
        let (life, bill, until) = (self.life, self.bill, self.churn_until);
        let kind = |one: &Planned<'_>| {
            let message = &one.message;
            (
                one.action.kind,
                message.arrives_on,
                message.harsh_to_newcomer,
            )
        };
        let key: Vec<_> = planned.iter().map(kind).collect();
        *self.leaves.entry(key).or_insert_with(|| {
            let received = planned.iter().map(|one| Received {
                kind: one.action.kind,
                arrives_on: one.message.arrives_on,
                opened: true,
                boost: one.message.boost,
                invoice: bill.serial,
                harsh_to_newcomer: one.message.harsh_to_newcomer,
            });
            life.leaves(bill.who, &received.collect::<Vec<_>>(), until)
        })
    }

    /// P(unpaid) at the start of a day.
    fn unpaid_on(&self, path: &Path, day: Date) -> f64 {
        let ahead = usize::try_from(day.days_since(self.life.today)).unwrap_or(0);
        let last = path.unpaid.len() - 1;
        path.unpaid[ahead.min(last)]
    }

    /// P(handed over), for a claim sent on `claimed_on`.
    fn case(&self, path: &Path, claimed_on: Date) -> f64 {
        let patience = i32::from(self.life.world.stir.collection_after_claim_days);
        let on = claimed_on.plus_days(patience);
        if on > self.cash_until {
            return 0.0;
        }
        // Cases are handed over in the evening, after the day's payments.
        self.unpaid_on(path, on.plus_days(1))
    }

    /// With messages that are opened: day of arrival and boost of each.
    fn path(&self, further: &[(Date, f64)]) -> Path {
        let (life, bill) = (self.life, self.bill);
        let fades = 0.5_f64.powf(1.0 / life.world.message.half_life_days);
        let mut boost = 0.0;
        let split = if bill.rest_on.is_some() {
            0.0
        } else {
            life.world.invoices.partial_share
        };
        let (all, half) = (bill.unpaid_minor as f64, (bill.unpaid_minor / 2) as f64);
        let (mut unpaid, mut collected) = (1.0, 0.0);
        let mut path = Vec::with_capacity(self.hazards.len() + 1);
        let days = self.hazards.len();
        for (ahead, (&hazard, &gain)) in self.hazards.iter().zip(&self.gains).enumerate() {
            path.push(unpaid);
            let arriving = further.iter().filter(|(on, _)| {
                let arrives = on.days_since(life.today).max(0);
                arrives == ahead as i32
            });
            boost += arriving.map(|(_, boost)| boost).sum::<f64>();
            let hazard = (hazard + gain * boost).min(1.0);
            boost *= fades;
            let paid = unpaid * hazard;
            unpaid -= paid;
            let second = if ahead + SECOND_PART_DAYS < days {
                all
            } else {
                half
            };
            collected += paid * ((1.0 - split) * all + split * second);
        }
        path.push(unpaid);
        Path {
            unpaid: path,
            collected,
        }
    }
}
