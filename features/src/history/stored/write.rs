//! Writing.

use super::{VERSION, has};
use crate::domain::{Country, Currency, Customer, CustomerKind, Invoice, Zone};
use crate::history::{History, Known, Recorded};
use std::collections::HashMap;

pub(super) fn history(history: &History) -> Vec<u8> {
    let mut to = Writer {
        bytes: vec![VERSION],
        texts: HashMap::new(),
    };
    to.number(history.customers().len() as u64);
    for one in history.customers() {
        to.customer(one);
    }
    to.number(history.invoices().len() as u64);
    for one in history.invoices() {
        to.invoice(one);
    }
    let events = history.events();
    to.number(events.len() as u64);
    let (mut before, mut id_before) = (0, "");
    for event in events {
        to.event(event, before, id_before);
        (before, id_before) = (event.occurred_at().micros(), event.event_id());
    }
    to.bytes
}

struct Writer<'a> {
    bytes: Vec<u8>,
    /// Numbers of the texts that have been written.
    texts: HashMap<&'a str, u64>,
}

impl<'a> Writer<'a> {
    /// Seven bits a byte, the lowest first.
    fn number(&mut self, mut number: u64) {
        while number > 0x7F {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Small in absolute value is short.
    fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }

    fn raw(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Its number, from 1; followed by the text where the number is new.
    fn text(&mut self, text: &'a str) {
        let next = self.texts.len() as u64 + 1;
        match self.texts.get(text) {
            Some(&number) => self.number(number),
            None => {
                self.texts.insert(text, next);
                self.number(next);
                self.raw(text);
            }
        }
    }

    fn optional(&mut self, text: Option<&'a str>) {
        match text {
            Some(text) => self.text(text),
            None => self.number(0),
        }
    }

    /// 0 unknown, 1 no, 2 yes.
    fn flag(&mut self, flag: Option<bool>) {
        self.number(flag.map_or(0, |flag| 1 + u64::from(flag)));
    }

    fn customer(&mut self, one: &'a Recorded<Customer>) {
        let Customer {
            tenant,
            customer_id,
            created_at,
            kind,
            country,
            time_zone,
            language,
            segment,
            autopay,
            annual_margin_minor,
            currency,
            vulnerable,
            minor,
        } = &one.value;
        self.signed(one.recorded_at.micros());
        self.text(tenant.as_str());
        self.text(customer_id.as_str());
        self.signed(created_at.micros());
        self.optional(kind.map(CustomerKind::name));
        self.optional(country.as_ref().map(Country::as_str));
        self.optional(time_zone.as_ref().map(Zone::name));
        self.optional(language.as_deref());
        self.optional(segment.as_deref());
        self.flag(*autopay);
        self.flag(annual_margin_minor.map(|_| true));
        self.signed(annual_margin_minor.unwrap_or_default());
        self.optional(currency.as_ref().map(Currency::as_str));
        self.flag(*vulnerable);
        self.flag(*minor);
    }

    fn invoice(&mut self, one: &'a Recorded<Invoice>) {
        let Invoice {
            invoice_id,
            customer_id,
            issued_at,
            due_on,
            amount,
            terms_days,
            payment_method,
            billing_channel,
            product,
        } = &one.value;
        self.signed(one.recorded_at.micros());
        self.text(invoice_id.as_str());
        self.text(customer_id.as_str());
        self.signed(issued_at.micros());
        self.signed(i64::from(due_on.days()));
        self.signed(amount.minor_units);
        self.text(amount.currency.as_str());
        self.number(terms_days.map_or(0, |days| 1 + u64::from(days)));
        self.optional(payment_method.as_deref());
        self.optional(billing_channel.as_deref());
        self.optional(product.as_deref());
    }

    fn event(&mut self, event: Known<'a>, before: i64, id_before: &str) {
        let id = event.event_id();
        let common = common(id_before, id);
        self.number(common as u64);
        self.raw(&id[common..]);
        self.signed(event.occurred_at().micros().wrapping_sub(before));
        let occurred = event.occurred_at().micros();
        self.signed(event.recorded_at().micros().wrapping_sub(occurred));
        self.text(event.kind().name());
        self.text(event.customer_id().as_str());
        let amount = event.amount();
        let mut bits = 0;
        for (bit, is_there) in [
            (has::INVOICE, event.invoice_id().is_some()),
            (has::DECISION, event.decision_id().is_some()),
            (has::CHANNEL, event.channel().is_some()),
            (has::AMOUNT, amount.is_some()),
            (has::METHOD, event.method().is_some()),
            (has::DEVICE, event.device().is_some()),
            (has::DWELL, event.dwell_ms().is_some()),
            (has::TONE, event.tone().is_some()),
            (has::UNTIL, event.until().is_some()),
            (has::REASON, event.reason().is_some()),
        ] {
            bits |= if is_there { bit } else { 0 };
        }
        self.number(bits);
        if let Some(id) = event.invoice_id() {
            self.text(id.as_str());
        }
        if let Some(id) = event.decision_id() {
            self.text(id.as_str());
        }
        if let Some(channel) = event.channel() {
            self.text(channel.name());
        }
        if let Some((amount, currency)) = amount.zip(event.currency()) {
            self.signed(amount.minor_units);
            self.text(currency.as_str());
        }
        if let Some(method) = event.method() {
            self.text(method);
        }
        if let Some(device) = event.device() {
            self.text(device);
        }
        if let Some(dwell) = event.dwell_ms() {
            self.number(u64::from(dwell));
        }
        if let Some(tone) = event.tone() {
            self.text(tone.name());
        }
        if let Some(until) = event.until() {
            self.signed(until.micros().wrapping_sub(occurred));
        }
        if let Some(reason) = event.reason() {
            self.text(reason);
        }
    }
}

/// How many bytes both begin with, whole characters only.
fn common(before: &str, id: &str) -> usize {
    let same = before.bytes().zip(id.bytes());
    let mut length = same.take_while(|(a, b)| a == b).count();
    while !id.is_char_boundary(length) {
        length -= 1;
    }
    length
}
