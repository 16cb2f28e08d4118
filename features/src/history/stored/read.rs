//! Reading.

use super::{StoredError, VERSION, has};
use crate::domain::event::EventRow;
use crate::domain::{
    Country, Currency, Customer, CustomerId, Date, Invoice, InvoiceId, Money, TenantId, Timestamp,
    Zone,
};
use crate::history::{History, HistoryBuilder, Recorded};

pub(super) fn history(bytes: &[u8]) -> Result<History, StoredError> {
    let mut from = Reader {
        bytes,
        at: 0,
        texts: Vec::new(),
    };
    let found = from.byte()?;
    if found != VERSION {
        return Err(StoredError::Version { found });
    }
    let mut history = HistoryBuilder::new();
    for _ in 0..from.count()? {
        history.describe(from.customer()?);
    }
    for _ in 0..from.count()? {
        history.invoice(from.invoice()?);
    }
    from.events(&mut history)?;
    if from.at < bytes.len() {
        return Err(from.malformed("its end"));
    }
    Ok(history.finish())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Texts by their number, from 1.
    texts: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn malformed(&self, what: &'static str) -> StoredError {
        StoredError::Malformed { at: self.at, what }
    }

    fn byte(&mut self) -> Result<u8, StoredError> {
        let byte = self.bytes.get(self.at).copied();
        let byte = byte.ok_or_else(|| self.malformed("more bytes"))?;
        self.at += 1;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64, StoredError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                return Err(self.malformed("a number of 64 bits"));
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.malformed("a number of 64 bits"))
    }

    fn small<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, StoredError> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| self.malformed(what))
    }

    fn signed(&mut self) -> Result<i64, StoredError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// How many come: no more than there are bytes for.
    fn count(&mut self) -> Result<usize, StoredError> {
        let count: usize = self.small("a count")?;
        if count > self.bytes.len() - self.at {
            return Err(self.malformed("a count that the bytes can hold"));
        }
        Ok(count)
    }

    fn raw(&mut self) -> Result<&'a str, StoredError> {
        let length = self.count()?;
        let text = &self.bytes[self.at..self.at + length];
        let text = std::str::from_utf8(text).map_err(|_| self.malformed("a text"))?;
        self.at += length;
        Ok(text)
    }

    fn optional(&mut self) -> Result<Option<&'a str>, StoredError> {
        let number: usize = self.small("a text's number")?;
        if number == 0 {
            return Ok(None);
        }
        if number == self.texts.len() + 1 {
            let text = self.raw()?;
            self.texts.push(text);
        }
        let text = self.texts.get(number - 1).copied();
        text.map(Some)
            .ok_or_else(|| self.malformed("a text that was there before"))
    }

    fn text(&mut self) -> Result<&'a str, StoredError> {
        self.optional()?.ok_or_else(|| self.malformed("a text"))
    }

    fn owned(&mut self) -> Result<Option<String>, StoredError> {
        Ok(self.optional()?.map(str::to_owned))
    }

    fn flag(&mut self) -> Result<Option<bool>, StoredError> {
        match self.number()? {
            0 => Ok(None),
            1 => Ok(Some(false)),
            2 => Ok(Some(true)),
            _ => Err(self.malformed("yes, no or unknown")),
        }
    }

    fn time(&mut self) -> Result<Timestamp, StoredError> {
        let micros = self.signed()?;
        self.instant(micros)
    }

    fn instant(&self, micros: i64) -> Result<Timestamp, StoredError> {
        Timestamp::from_micros(micros).map_err(|_| self.malformed("an instant"))
    }

    /// A text that means something.
    fn read<T, E>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StoredError> {
        let text = self.text()?;
        read(text).map_err(|_| self.malformed(what))
    }

    fn maybe<T, E>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoredError> {
        let text = self.optional()?;
        let read = text.map(read).transpose();
        read.map_err(|_| self.malformed(what))
    }

    fn customer(&mut self) -> Result<Recorded<Customer>, StoredError> {
        let recorded_at = self.time()?;
        let tenant = self.read("a tenant", |text| TenantId::new(text))?;
        let customer_id = self.read("a customer", |text| CustomerId::new(text))?;
        let created_at = self.time()?;
        let kind = self.maybe("a kind of customer", str::parse)?;
        let country = self.maybe("a country", Country::new)?;
        let time_zone = self.maybe("a zone", Zone::parse)?;
        let language = self.owned()?;
        let segment = self.owned()?;
        let autopay = self.flag()?;
        let margin_known = self.flag()?;
        let margin = self.signed()?;
        let value = Customer {
            tenant,
            customer_id,
            created_at,
            kind,
            country,
            time_zone,
            language,
            segment,
            autopay,
            annual_margin_minor: margin_known.map(|_| margin),
            currency: self.maybe("a currency", Currency::new)?,
            vulnerable: self.flag()?,
            minor: self.flag()?,
        };
        Ok(Recorded { recorded_at, value })
    }

    fn invoice(&mut self) -> Result<Recorded<Invoice>, StoredError> {
        let recorded_at = self.time()?;
        let invoice_id = self.read("an invoice", |text| InvoiceId::new(text))?;
        let customer_id = self.read("a customer", |text| CustomerId::new(text))?;
        let issued_at = self.time()?;
        let due = i32::try_from(self.signed()?).map_err(|_| self.malformed("a day"))?;
        let due_on = Date::from_days(due);
        if due_on.days() != due {
            return Err(self.malformed("a day"));
        }
        let amount = self.money()?;
        let terms: u32 = self.small("days")?;
        let terms = terms.checked_sub(1).map(u16::try_from).transpose();
        let value = Invoice {
            invoice_id,
            customer_id,
            issued_at,
            due_on,
            amount,
            terms_days: terms.map_err(|_| self.malformed("days"))?,
            payment_method: self.optional()?.map(Box::from),
            billing_channel: self.optional()?.map(Box::from),
            product: self.optional()?.map(Box::from),
        };
        Ok(Recorded { recorded_at, value })
    }

    fn money(&mut self) -> Result<Money, StoredError> {
        let minor_units = self.signed()?;
        let currency = self.read("a currency", Currency::new)?;
        Ok(Money::new(minor_units, currency))
    }

    fn events(&mut self, into: &mut HistoryBuilder) -> Result<(), StoredError> {
        let count = self.count()?;
        into.reserve(count);
        let (mut before, mut id) = (0_i64, String::new());
        let mut customer: Option<CustomerId> = None;
        for _ in 0..count {
            let common: usize = self.small("a length")?;
            if !id.is_char_boundary(common) {
                return Err(self.malformed("a length within the id before"));
            }
            id.truncate(common);
            id.push_str(self.raw()?);
            let occurred = before.wrapping_add(self.signed()?);
            before = occurred;
            let occurred_at = self.instant(occurred)?;
            let recorded = occurred.wrapping_add(self.signed()?);
            let recorded_at = self.instant(recorded)?;
            let kind = self.read("a type of event", str::parse)?;
            let whose = self.text()?;
            let customer_id = match &customer {
                Some(same) if same.as_str() == whose => same.clone(),
                _ => CustomerId::new(whose).map_err(|_| self.malformed("a customer"))?,
            };
            let bits = self.number()?;
            if bits & !has::ALL != 0 {
                return Err(self.malformed("fields of an event"));
            }
            let has = |bit: u64| bits & bit != 0;
            let mut row = EventRow {
                event_id: &id,
                occurred_at,
                recorded_at,
                customer_id: &customer_id,
                invoice_id: None,
                decision_id: None,
                kind,
                channel: None,
                tone: None,
                amount: None,
                method: None,
                device: None,
                dwell_ms: None,
                until: None,
                reason: None,
            };
            if has(has::INVOICE) {
                row.invoice_id = Some(self.text()?);
            }
            if has(has::DECISION) {
                row.decision_id = Some(self.text()?);
            }
            if has(has::CHANNEL) {
                row.channel = Some(self.read("a channel", str::parse)?);
            }
            if has(has::AMOUNT) {
                row.amount = Some(self.money()?);
            }
            if has(has::METHOD) {
                row.method = Some(self.text()?);
            }
            if has(has::DEVICE) {
                row.device = Some(self.text()?);
            }
            if has(has::DWELL) {
                row.dwell_ms = Some(self.small("milliseconds")?);
            }
            if has(has::TONE) {
                row.tone = Some(self.read("a tone", str::parse)?);
            }
            if has(has::UNTIL) {
                let until = occurred.wrapping_add(self.signed()?);
                row.until = Some(self.instant(until)?);
            }
            if has(has::REASON) {
                row.reason = Some(self.text()?);
            }
            into.push(&row).map_err(|_| self.malformed("an id"))?;
            customer = Some(customer_id);
        }
        Ok(())
    }
}
