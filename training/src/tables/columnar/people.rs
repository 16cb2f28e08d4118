//! The customers of a folder while its events are read, and the currencies of their invoices.

use super::columns::Columns;
use lagom_features::domain::{Currency, CustomerId, EventRow, Invoice, InvoiceId};
use lagom_features::{History, HistoryBuilder, Recorded};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Customers without events whose results are held at once.
pub(super) const SILENT_TOGETHER: usize = 4_096;

/// The customers met so far.
#[derive(Default)]
pub(super) struct People {
    places: HashMap<CustomerId, usize>,
    builders: Vec<HistoryBuilder>,
    /// Which of them have been handed out to be read whole.
    met: Vec<bool>,
}

impl People {
    pub(super) fn place(&mut self, id: &CustomerId) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        self.places.insert(id.clone(), self.builders.len());
        self.builders.push(HistoryBuilder::new());
        self.met.push(false);
        self.builders.len() - 1
    }

    pub(super) fn builder(&mut self, id: &CustomerId) -> &mut HistoryBuilder {
        let place = self.place(id);
        &mut self.builders[place]
    }

    /// Takes every event; none where one is not plainly right.
    pub(super) fn events(&mut self, columns: &Columns<'_>, currencies: &Currencies) -> Option<()> {
        let mut theirs: HashMap<usize, Rows> = HashMap::new();
        for rows in columns.runs() {
            let id = CustomerId::new(columns.customer_id.get(rows.start)?).ok()?;
            let place = self.place(&id);
            let one = theirs.entry(place).or_insert_with(|| Rows {
                builder: std::mem::take(&mut self.builders[place]),
                customer_id: id,
                place,
                runs: Vec::new(),
            });
            one.runs.push(rows);
        }
        let mut theirs: Vec<Rows> = theirs.into_values().collect();
        let right = theirs
            .par_iter_mut()
            .try_for_each(|one| one.read(columns, currencies));
        for one in theirs {
            self.builders[one.place] = one.builder;
        }
        right
    }

    /// The rows of each customer; those of the first may go on from `open`. None where a customer
    /// was met before.
    pub(super) fn whole(&mut self, columns: &Columns<'_>, open: Option<Rows>) -> Option<Vec<Rows>> {
        let mut theirs: Vec<Rows> = open.into_iter().collect();
        for run in columns.runs() {
            let id = columns.customer_id.get(run.start)?;
            if let Some(last) = theirs.last_mut()
                && last.customer_id.as_str() == id
            {
                last.runs = vec![run];
                continue;
            }
            let customer_id = CustomerId::new(id).ok()?;
            let place = self.place(&customer_id);
            if std::mem::replace(&mut self.met[place], true) {
                return None;
            }
            theirs.push(Rows {
                builder: std::mem::take(&mut self.builders[place]),
                customer_id,
                place,
                runs: vec![run],
            });
        }
        Some(theirs)
    }

    /// The customers that no event was read of.
    pub(super) fn unmet(self) -> impl Iterator<Item = (CustomerId, History)> {
        let Self {
            places,
            mut builders,
            met,
        } = self;
        let unmet = places.into_iter().filter(move |(_, place)| !met[*place]);
        unmet.map(move |(id, place)| (id, std::mem::take(&mut builders[place]).finish()))
    }

    pub(super) fn histories(self) -> BTreeMap<CustomerId, History> {
        let finish = |builder: HistoryBuilder| builder.finish();
        let histories: Vec<History> = self.builders.into_par_iter().map(finish).collect();
        let mut histories: Vec<Option<History>> = histories.into_iter().map(Some).collect();
        let places = self.places.into_iter();
        places
            .filter_map(|(id, place)| Some((id, histories[place].take()?)))
            .collect()
    }
}

/// The rows of one customer.
pub(super) struct Rows {
    builder: HistoryBuilder,
    customer_id: CustomerId,
    place: usize,
    runs: Vec<Range<usize>>,
}

impl Rows {
    /// The customer with everything that was read, once.
    pub(super) fn finish(&mut self) -> (CustomerId, History) {
        let builder = std::mem::take(&mut self.builder);
        (self.customer_id.clone(), builder.finish())
    }

    pub(super) fn read(&mut self, columns: &Columns<'_>, currencies: &Currencies) -> Option<()> {
        self.builder.reserve(self.runs.iter().map(Range::len).sum());
        for row in std::mem::take(&mut self.runs).into_iter().flatten() {
            let event = columns.event(row, &self.customer_id)?;
            if !event.faults().is_empty() || !currencies.allow(&event) {
                return None;
            }
            self.builder.push(&event).ok()?;
        }
        Some(())
    }
}

/// In which currency each invoice is.
#[derive(Default)]
pub(super) struct Currencies {
    of_invoice: HashMap<InvoiceId, Currency>,
    /// That of all of them, where it is one.
    only: Option<Currency>,
}

impl Currencies {
    pub(super) fn note(&mut self, invoice: &Recorded<Invoice>) {
        let currency = invoice.value.amount.currency;
        let first = self.of_invoice.is_empty();
        self.only = self.only.filter(|only| *only == currency);
        if first {
            self.only = Some(currency);
        }
        let id = invoice.value.invoice_id.clone();
        self.of_invoice.insert(id, currency);
    }

    pub(super) fn allow(&self, event: &EventRow<'_>) -> bool {
        let Some(amount) = event.amount else {
            return true;
        };
        if self.only == Some(amount.currency) {
            return true;
        }
        let id = event.invoice_id.and_then(|id| InvoiceId::new(id).ok());
        let of_invoice = id.and_then(|id| self.of_invoice.get(&id));
        of_invoice.is_none_or(|currency| *currency == amount.currency)
    }
}
