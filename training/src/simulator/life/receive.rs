//! What a step does to a simulated customer: at once, and from the day on which it arrives.

use super::Life;
use crate::simulator::noise::For;
use crate::simulator::person::Received;
use lagom_features::domain::{
    Action, Channel, CustomerId, Date, Days, DecisionId, Event, EventType, InvoiceId, Kind,
    Timestamp, Tone,
};

/// Days for which a person keeps a case that was handed over for review.
const REVIEW_DAYS: i64 = 14;

/// A message that a company sent to a simulated customer.
#[derive(Debug, Clone)]
pub struct Sent<'a> {
    /// On whose advice.
    pub decision_id: &'a DecisionId,
    /// To whom.
    pub customer_id: &'a CustomerId,
    /// About what.
    pub invoice_id: &'a InvoiceId,
    /// Which step.
    pub action: &'a Action,
    /// When.
    pub at: Timestamp,
}

/// What a message does, as probabilities.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    pub(super) arrives_on: Date,
    /// P(opened).
    pub(super) opened: f64,
    /// Added to the factor of the hazard on the day of opening.
    pub(super) boost: f64,
    /// P(complaint).
    pub(super) complaint: f64,
    /// P(support contact).
    pub(super) support: f64,
    /// P(consent withdrawn).
    pub(super) opt_out: f64,
    pub(super) harsh_to_newcomer: bool,
}

impl Life {
    /// A step is carried out: tells what a company's own systems record of it, and remembers what
    /// it will do. What it stirs up beside payments is in the returned events too. A step that no
    /// customer notices is only counted.
    pub fn receive(&mut self, sent: &Sent<'_>) -> Vec<Event> {
        let Some(&(who, serial)) = self.by_invoice.get(sent.invoice_id) else {
            return Vec::new();
        };
        let place = (sent.action.kind, sent.action.channel);
        *self.tally.sent.entry(place).or_default() += 1;
        if sent.action.kind == Kind::HumanReview {
            return vec![self.review(sent, who, serial)];
        }
        if !sent.action.kind.is_contact() {
            return Vec::new();
        }
        self.tally.contacts += 1;
        let mut record = self.event(EventType::ContactSent, who, Some(serial), sent.at);
        record.invoice_id = Some(sent.invoice_id.clone());
        record.decision_id = Some(sent.decision_id.clone());
        record.channel = sent.action.channel;
        record.tone = sent.action.tone;
        record.reason = Some(sent.action.kind.name().to_owned());
        let mut events = vec![record];
        if let Some(channel) = sent.action.channel {
            self.arrive(sent, who, serial, channel, &mut events);
        }
        events
    }

    /// A person takes the case for two weeks, in which nobody else is to touch it.
    fn review(&self, sent: &Sent<'_>, who: usize, serial: usize) -> Event {
        let mut event = self.event(EventType::HoldPlaced, who, Some(serial), sent.at);
        event.invoice_id = Some(sent.invoice_id.clone());
        event.decision_id = Some(sent.decision_id.clone());
        event.until = Some(sent.at + Days::whole(REVIEW_DAYS));
        event.reason = Some(Kind::HumanReview.name().to_owned());
        event
    }

    fn arrive(
        &mut self,
        sent: &Sent<'_>,
        who: usize,
        serial: usize,
        channel: Channel,
        events: &mut Vec<Event>,
    ) {
        let (world, noise) = (&self.world, self.noise);
        let payer = &world.payer[self.people[who].payer];
        let sent_on = sent.at.date(&world.time_zone);
        let message = self.message(sent.action, who, serial, channel, sent_on);
        let claim = sent.action.kind == Kind::CollectionClaim;
        let key = message.arrives_on.days();
        let opened = noise.happens(message.opened, who, key, For::MessageOpen);
        self.tally.expected.complaints += message.complaint;
        self.tally.expected.support_contacts += message.support;
        self.tally.expected.opt_outs += message.opt_out;
        let stirred = [
            (EventType::ComplaintMade, message.complaint, For::Complaint),
            (EventType::SupportContacted, message.support, For::Support),
            (EventType::ConsentWithdrawn, message.opt_out, For::OptOut),
        ];
        let received = Received {
            kind: sent.action.kind,
            arrives_on: message.arrives_on,
            opened,
            boost: message.boost,
            invoice: serial,
            harsh_to_newcomer: message.harsh_to_newcomer,
        };
        let promises = opened
            && payer.payday_factor > 1.0
            && noise.happens(world.stir.promise_share, who, key, For::Promise);
        let mut harm = Vec::new();
        for (kind, probability, what) in stirred {
            if !noise.happens(probability, who, key, what) {
                continue;
            }
            let mut event = self.event(kind, who, Some(serial), sent.at);
            event.invoice_id = Some(sent.invoice_id.clone());
            event.decision_id = Some(sent.decision_id.clone());
            event.channel = (kind == EventType::ConsentWithdrawn).then_some(channel);
            match kind {
                EventType::ComplaintMade => self.tally.complaints += 1,
                EventType::SupportContacted => self.tally.support_contacts += 1,
                _ => self.tally.opt_outs += 1,
            }
            harm.push(event);
        }
        if promises {
            let mut event = self.event(EventType::PromiseMade, who, Some(serial), sent.at);
            event.invoice_id = Some(sent.invoice_id.clone());
            event.until = Some(sent_on.plus_days(7).at(23, &self.world.time_zone));
            events.push(event);
        }
        if claim && let Some(bill) = self.bills.iter_mut().find(|bill| bill.serial == serial) {
            bill.claimed_on.get_or_insert(sent_on);
        }
        self.people[who].received.push(received);
        for event in harm {
            events.extend(self.report(event, who));
        }
    }

    /// What a message sent on `sent_on` would do, before any luck.
    pub(super) fn message(
        &self,
        action: &Action,
        who: usize,
        serial: usize,
        channel: Channel,
        sent_on: Date,
    ) -> Message {
        let world = &self.world;
        let (person, reach) = (&self.people[who], &world.channel[&channel]);
        let payer = &world.payer[person.payer];
        let arrives_on = sent_on.plus_days(i32::from(reach.delay_days));
        let effects = self.effects_on(who);
        let tone = action.tone.unwrap_or(Tone::Neutral);
        let claim = action.kind == Kind::CollectionClaim;
        let earlier = person
            .arrived_within(world.fatigue.window_days, arrives_on)
            .count();
        let tired = |factor: f64| factor.powi(i32::try_from(earlier).unwrap_or(i32::MAX));
        let power = reach.power * if claim { world.stir.claim_power } else { 1.0 };
        let days_late = self.days_late(serial, arrives_on);
        let takes_hold = payer.takes_hold(tone, days_late) * effects.tone(tone);

        let stir = &world.stir;
        let (mut complaint, support) = if claim {
            (stir.complaint_of_claim, stir.support_after_claim)
        } else {
            let gentle = matches!(
                action.kind,
                Kind::PreDueNotice | Kind::DueDateNotice | Kind::InvoiceRedelivery
            );
            let support = stir.support_after_reminder * if gentle { 0.25 } else { 1.0 };
            (reach.complaint, support)
        };
        complaint *= tired(world.fatigue.complaint_factor) * effects.complaint(channel);
        if person.is_newcomer_to(Some(tone)) {
            complaint *= stir.firm_complaint_factor;
        }
        let disputed = self
            .bills
            .iter()
            .any(|bill| bill.serial == serial && bill.is_disputed_on(arrives_on));
        if disputed {
            complaint *= 5.0;
        }
        Message {
            arrives_on,
            opened: (reach.reach * effects.reach(channel)).min(1.0),
            boost: (power - 1.0) * takes_hold * tired(world.fatigue.effect_factor),
            complaint: complaint.min(1.0),
            support,
            opt_out: reach.opt_out,
            harsh_to_newcomer: person.is_newcomer_to(action.tone),
        }
    }

    /// Days from the due date of an unpaid bill to `on`; 0 where it is paid.
    fn days_late(&self, serial: usize, on: Date) -> i32 {
        let bill = self.bills.iter().find(|bill| bill.serial == serial);
        bill.map_or(0, |bill| on.days_since(bill.invoice.due_on))
    }
}
