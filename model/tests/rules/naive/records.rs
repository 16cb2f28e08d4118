//! What the raw records say, asked one question at a time.

use super::{HOUR, World, is_bank_day, is_british_bank_day, rung, zone};
use lagom_features::domain::time::DAY_MICROS;
use lagom_features::domain::{
    Channel, Date, Event, EventType, InvoiceId, Kind, Timestamp, Tone, Zone,
};
use lagom_model::guardrails::facts::Reserved;
use lagom_model::strategy::When;

impl World<'_> {
    pub(super) fn mine(&self, event: &Event) -> bool {
        event.invoice_id.as_ref() == Some(&self.invoice.invoice_id)
    }

    pub(super) fn mine_or_all(&self, event: &Event) -> bool {
        event.invoice_id.is_none() || self.mine(event)
    }

    pub(super) fn due_on(&self, id: Option<&InvoiceId>) -> Date {
        let moved = self.events.iter().rev().find(|event| {
            event.kind == EventType::DueDateChanged && event.invoice_id.as_ref() == id
        });
        let moved = moved.and_then(|event| event.until);
        // Every invoice of these worlds is due on the same day.
        moved.map_or(self.invoice.due_on, |until| until.date(&Zone::utc()))
    }

    pub(super) fn outstanding(&self) -> i64 {
        let mut owed = self.invoice.amount.minor_units;
        for event in self.events.iter().filter(|event| self.mine(event)) {
            let amount = event.amount.map_or(0, |money| money.minor_units);
            match event.kind {
                EventType::PaymentSucceeded | EventType::CreditIssued => owed -= amount,
                EventType::PaymentRefunded => owed += amount,
                _ => {}
            }
        }
        owed
    }

    pub(crate) fn is_closed(&self) -> bool {
        let written_off = self.happened(EventType::WrittenOff, |event| self.mine(event));
        self.outstanding() <= 0 || written_off
    }

    /// Whether the last of these two kinds of event, of those that `scope` holds, is the first.
    pub(super) fn last_is(
        &self,
        on: EventType,
        off: &[EventType],
        scope: impl Fn(&Event) -> bool,
    ) -> bool {
        let last = self
            .events
            .iter()
            .rev()
            .find(|event| scope(event) && (event.kind == on || off.contains(&event.kind)));
        last.is_some_and(|event| event.kind == on)
    }

    pub(super) fn kind_of(&self, contact: &Event) -> Kind {
        let reason = contact.reason.as_deref().unwrap_or("");
        for &kind in Kind::ALL {
            if reason.split('.').next() == Some(kind.name()) {
                return kind;
            }
        }
        let about = contact
            .invoice_id
            .as_ref()
            .filter(|id| *id == &self.invoice.invoice_id);
        let other = contact.invoice_id.as_ref().filter(|id| id.as_str() == "j");
        let due = self.due_on(about.or(other).or(Some(&self.invoice.invoice_id)));
        if contact.occurred_at.date(&zone(self.customer)) > due {
            Kind::Reminder
        } else {
            Kind::DueDateNotice
        }
    }

    pub(super) fn contacts(&self) -> Vec<&Event> {
        let sent = self.events.iter();
        sent.filter(|event| event.kind == EventType::ContactSent)
            .collect()
    }

    pub(super) fn own_contacts(&self) -> Vec<&Event> {
        let mut all = self.contacts();
        all.retain(|event| self.mine(event));
        all
    }

    /// Steps of the company's own about the invoice, with their rung.
    pub(super) fn steps(&self) -> Vec<(&Event, u8)> {
        let mut own = self.own_contacts();
        own.retain(|event| event.reason.as_deref() != Some("channel"));
        own.into_iter()
            .map(|event| (event, rung(self.kind_of(event), event.tone)))
            .collect()
    }

    pub(super) fn reached(&self) -> u8 {
        let steps = self.steps();
        let reminders = steps.iter().filter(|(_, rung)| *rung == 1).count();
        let highest = steps.iter().map(|(_, rung)| *rung).max().unwrap_or(0);
        if reminders >= 2 {
            highest.max(2)
        } else {
            highest
        }
    }

    pub(super) fn unmatched(&self, at: Timestamp) -> bool {
        let mut money: Vec<&Event> = Vec::new();
        for event in self.events {
            let amount = event.amount.map(|one| one.minor_units);
            match event.kind {
                EventType::PaymentUnmatched => money.push(event),
                EventType::PaymentSucceeded | EventType::PaymentRefunded => {
                    let same = |one: &&Event| one.amount.map(|one| one.minor_units) == amount;
                    if let Some(place) = money.iter().position(same) {
                        money.remove(place);
                    }
                }
                _ => {}
            }
        }
        money.retain(|one| at.micros() < one.occurred_at.micros() + 14 * DAY_MICROS);
        let mut sum = 0;
        for one in money {
            match one.amount {
                Some(amount) if amount.currency == self.invoice.amount.currency => {
                    sum += amount.minor_units;
                }
                _ => return true,
            }
        }
        sum > 0 && 2 * sum >= self.outstanding()
    }

    pub(super) fn held(&self, channel: Option<Channel>, selling: bool, at: Timestamp) -> bool {
        let sells = |event: &Event| event.reason.as_deref() == Some("marketing");
        let mut scopes: Vec<(bool, Option<Channel>, bool)> = Vec::new();
        for event in self.events.iter().filter(|event| self.mine_or_all(event)) {
            scopes.push((event.invoice_id.is_some(), event.channel, sells(event)));
        }
        scopes.iter().any(|&(on_invoice, scope, only_selling)| {
            let last = self.events.iter().rev().find(|event| {
                self.mine_or_all(event)
                    && event.invoice_id.is_some() == on_invoice
                    && event.channel == scope
                    && sells(event) == only_selling
                    && [EventType::HoldPlaced, EventType::HoldReleased].contains(&event.kind)
            });
            last.is_some_and(|event| {
                event.kind == EventType::HoldPlaced
                    && event.until.is_none_or(|until| at < until)
                    && (scope.is_none() || scope == channel)
                    && (selling || !only_selling)
            })
        })
    }

    pub(super) fn consents(&self, channel: Channel, selling: bool) -> bool {
        let last = self.events.iter().rev().find(|event| {
            [EventType::ConsentWithdrawn, EventType::ConsentGranted].contains(&event.kind)
                && event.channel.is_none_or(|one| one == channel)
                && (selling || event.reason.as_deref() != Some("marketing"))
        });
        last.is_none_or(|event| event.kind == EventType::ConsentGranted)
    }

    pub(super) fn in_flight(&self) -> bool {
        use EventType::{PaymentFailed, PaymentInitiated, PaymentSucceeded};
        let fresh = |event: &&Event| {
            event.kind == PaymentInitiated
                && (self.now.micros() - event.occurred_at.micros()) <= 7 * DAY_MICROS
        };
        let own = self.events.iter().rev().find(|event| {
            self.mine(event)
                && [PaymentInitiated, PaymentFailed, PaymentSucceeded].contains(&event.kind)
        });
        let account = self.events.iter().rev().find(|event| {
            (event.invoice_id.is_none() && [PaymentInitiated, PaymentFailed].contains(&event.kind))
                || event.kind == PaymentSucceeded
        });
        own.is_some_and(|event| fresh(&event)) || account.is_some_and(|event| fresh(&event))
    }

    pub(super) fn plan(&self, scope: impl Fn(&Event) -> bool) -> bool {
        let last = self.events.iter().rev().find(|event| {
            scope(event) && [EventType::PlanStarted, EventType::PlanEnded].contains(&event.kind)
        });
        last.is_some_and(|event| {
            event.kind == EventType::PlanStarted && event.until.is_none_or(|until| until > self.now)
        })
    }

    pub(super) fn promised(&self, at: Timestamp) -> bool {
        let last = |scope: &dyn Fn(&Event) -> bool| {
            let events = self.events.iter().rev();
            let mut made =
                events.filter(|event| event.kind == EventType::PromiseMade && scope(event));
            made.next().and_then(|event| event.until)
        };
        let promises = [
            last(&|event| self.mine(event)),
            last(&|event| event.invoice_id.is_none()),
        ];
        promises
            .into_iter()
            .flatten()
            .any(|until| at.micros() < until.micros() + 2 * DAY_MICROS)
    }

    /// Whether a standstill is in force that lasts at least so many days unless it is ended, and
    /// one for a treatment so many days after its end.
    pub(super) fn standstill(&self, at: Timestamp, at_least: i64, beyond: i64) -> bool {
        let begun = |event: &&Event| event.kind == EventType::MoratoriumStarted;
        let Some(place) = self.events.iter().rposition(|event| begun(&event)) else {
            return false;
        };
        let begin = &self.events[place];
        let treated = begin.reason.as_deref() == Some("mental_health_crisis");
        let mut after = self.events[place..].iter();
        if let Some(end) = after.find(|event| event.kind == EventType::MoratoriumEnded) {
            let beyond = if treated { beyond } else { 0 };
            return at.micros() < end.occurred_at.micros() + beyond * DAY_MICROS;
        }
        match begin.until {
            Some(until) if !treated => {
                let least = begin.occurred_at.micros() + at_least * DAY_MICROS;
                at.micros() < until.micros().max(least)
            }
            _ => true,
        }
    }

    pub(super) fn plan_prepared(&self, at: Timestamp, days: i64) -> bool {
        use EventType::{HoldPlaced, PlanEnded, PlanStarted, SupportContacted};
        let prepares = |event: &Event| {
            [HoldPlaced, SupportContacted].contains(&event.kind)
                && event.reason.as_deref() == Some("plan_in_preparation")
        };
        let last = self.events.iter().rev().find(|event| {
            self.mine_or_all(event)
                && (prepares(event) || [PlanStarted, PlanEnded].contains(&event.kind))
        });
        last.is_some_and(|event| {
            prepares(event) && at.micros() < event.occurred_at.micros() + days * DAY_MICROS
        })
    }

    /// Messages that may go out at any moment: of this invoice only, or of any.
    pub(super) fn pending(&self, mine: bool) -> Vec<&Reserved> {
        let messages = self.reserved.iter();
        messages
            .filter(|one| one.action.kind != Kind::RetryDebit)
            .filter(|one| !mine || one.invoice_id == self.invoice.invoice_id)
            .collect()
    }

    /// When a pending one went out, for who sends at `at`.
    fn went_out(&self, one: &Reserved, at: Timestamp) -> i64 {
        if at <= one.until {
            at.micros() - 1
        } else {
            one.at.micros().max(self.now.micros())
        }
    }

    pub(super) fn debit_reserved(&self) -> bool {
        let debits = self.reserved.iter();
        let mut debits = debits.filter(|one| one.action.kind == Kind::RetryDebit);
        debits.any(|one| one.invoice_id == self.invoice.invoice_id)
    }

    /// Kind and tone of every step that charged a fee, or may.
    pub(super) fn charged(&self) -> Vec<(Kind, Option<Tone>)> {
        let sent = self.own_contacts().into_iter();
        let sent = sent.filter(|event| event.amount.is_some_and(|one| one.minor_units > 0));
        let mut all: Vec<(Kind, Option<Tone>)> = sent
            .map(|event| (self.kind_of(event), event.tone))
            .collect();
        for one in self.pending(true) {
            if one.fee_minor > 0 {
                all.push((one.action.kind, one.action.tone));
            }
        }
        all
    }

    /// What a stage asks of what has been done so far.
    pub(crate) fn has_come_to(&self, when: &When) -> bool {
        let steps = self.steps();
        let contacts = steps.len() + self.pending(true).len();
        let mut failed = 0;
        for event in self.events.iter().filter(|event| self.mine(event)) {
            match event.kind {
                EventType::PaymentFailed => failed += 1,
                EventType::PaymentSucceeded => failed = 0,
                _ => {}
            }
        }
        let old = |days: i64| {
            let of_kinds =
                |event: &Event| when.sent.is_empty() || when.sent.contains(&self.kind_of(event));
            let last = steps.iter().rev().find(|(event, _)| of_kinds(event));
            last.is_some_and(|(event, _)| {
                event.occurred_at.micros() + days * DAY_MICROS <= self.now.micros()
            })
        };
        let seen_since = |sent: Timestamp| {
            use EventType::{InvoiceOpened, InvoiceViewed, LinkClicked};
            self.events.iter().any(|event| {
                [InvoiceOpened, InvoiceViewed, LinkClicked].contains(&event.kind)
                    && event.channel.is_some()
                    && event.occurred_at >= sent
            })
        };
        let wants_seen = match (when.seen, steps.last()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wanted), Some((last, _))) => seen_since(last.occurred_at) == wanted,
        };
        contacts >= when.contacts_from.unwrap_or(0)
            && contacts < when.contacts_below.unwrap_or(usize::MAX)
            && failed >= when.failed_debits_from.unwrap_or(0)
            && failed < when.failed_debits_below.unwrap_or(usize::MAX)
            && (when.sent.is_empty() || old(0))
            && when.sent_days.is_none_or(|days| old(i64::from(days)))
            && wants_seen
    }

    pub(super) fn happened(&self, kind: EventType, scope: impl Fn(&Event) -> bool) -> bool {
        self.events
            .iter()
            .any(|event| event.kind == kind && scope(event))
    }

    pub(super) fn vulnerable(&self) -> bool {
        self.customer.vulnerable == Some(true)
            || self.happened(EventType::VulnerabilityFlagged, |_| true)
    }

    pub(super) fn debit_allowed(&self, at: Timestamp) -> bool {
        let last = self.events.iter().rev().find(|event| {
            [EventType::AutopayEnabled, EventType::AutopayDisabled].contains(&event.kind)
        });
        let autopay = match last {
            Some(event) => event.kind == EventType::AutopayEnabled,
            None => self.customer.autopay == Some(true),
        };
        let method = self.invoice.payment_method.as_deref();
        if !autopay && !matches!(method, Some("card" | "direct_debit" | "autogiro")) {
            return false;
        }
        let mut failed: Vec<Timestamp> = Vec::new();
        for event in self.events.iter().filter(|event| self.mine(event)) {
            match event.kind {
                EventType::PaymentFailed => failed.push(event.occurred_at),
                EventType::PaymentSucceeded => failed.clear(),
                _ => {}
            }
        }
        let rested = failed
            .last()
            .is_some_and(|last| at.micros() - last.micros() >= 48 * HOUR);
        failed.len() < 4 && rested
    }

    pub(super) fn undelivered(&self, channel: Channel, at: Timestamp) -> bool {
        use EventType::{DeliveryFailed, InvoiceDelivered, InvoiceOpened, LinkClicked};
        let last = self.events.iter().rev().find(|event| {
            event.channel == Some(channel)
                && [DeliveryFailed, InvoiceDelivered, InvoiceOpened, LinkClicked]
                    .contains(&event.kind)
        });
        last.is_some_and(|event| {
            event.kind == DeliveryFailed
                && at.micros() < event.occurred_at.micros() + 30 * DAY_MICROS
        })
    }

    pub(super) fn sent_within(&self, hours: i64, at: Timestamp) -> usize {
        let contacts = self.contacts();
        let recent = |event: &&&Event| at.micros() - event.occurred_at.micros() < hours * HOUR;
        let pending = self.pending(false).into_iter();
        let pending = pending.filter(|one| at.micros() - self.went_out(one, at) < hours * HOUR);
        contacts.iter().filter(recent).count() + pending.count()
    }

    pub(super) fn claim_deadline(&self, at: Timestamp, british: bool) -> bool {
        let steps = self.steps();
        let claims = steps.iter().rev();
        let mut claims = claims.filter(|(event, _)| self.kind_of(event) == Kind::CollectionClaim);
        let pending = self.pending(true);
        let mut pending = pending.iter().rev();
        let pending = pending.find(|one| one.action.kind == Kind::CollectionClaim);
        let last = match (pending, claims.next()) {
            (Some(one), _) => Timestamp::from_micros(self.went_out(one, at)).unwrap(),
            (None, Some((last, _))) => last.occurred_at,
            (None, None) => return false,
        };
        let zone = zone(self.customer);
        let sent = last.date(&zone);
        let today = at.date(&zone);
        let passed = |is_bank_day: fn(Date) -> bool| {
            let mut bank_days = 0;
            let mut day = sent.plus_days(3);
            while day < today {
                day = day.plus_days(1);
                bank_days += i32::from(is_bank_day(day));
            }
            bank_days
        };
        let slow = passed(is_bank_day) < 4 || (british && passed(is_british_bank_day) < 4);
        today.days_since(sent) < 8 || slow
    }
}
