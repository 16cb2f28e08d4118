//! From a customer's history to the vectors at its decision points.

use super::{DatasetOptions, Point, Points, Stage};
use crate::labels::{Loyalty, Settlement};
use lagom_features::domain::{Customer, CustomerId, Days, Invoice, InvoiceId, Timestamp, Zone};
use lagom_features::{
    ExtractError, Extractor, FeatureSpec, History, Ledger, LedgerMemory, Scratch, Segments, View,
};
use lagom_model::hazard::Moment;

/// The points of some customers.
#[derive(Default)]
pub(crate) struct Part {
    pub(super) points: Vec<Point>,
    /// Row-major.
    pub(super) cells: Vec<f64>,
}

impl Part {
    /// How many points there are.
    pub(crate) fn rows(&self) -> usize {
        self.points.len()
    }
}

/// Makes points of customers.
pub(crate) struct Maker<'a> {
    extractor: Extractor,
    options: &'a DatasetOptions,
    points: Points<'a>,
    segments: &'a Segments,
}

impl<'a> Maker<'a> {
    pub(crate) fn new(
        spec: &FeatureSpec,
        options: &'a DatasetOptions,
        points: Points<'a>,
        segments: &'a Segments,
    ) -> Self {
        Self {
            extractor: Extractor::new(spec),
            options,
            points,
            segments,
        }
    }

    /// The points of these customers.
    pub(crate) fn part<'h>(
        &self,
        memory: &mut Memory,
        customers: impl Iterator<Item = (&'h CustomerId, &'h History)>,
    ) -> Part {
        let mut part = Part::default();
        for (customer_id, history) in customers {
            let mut filling = Filling {
                customer_id,
                history,
                extractor: &self.extractor,
                options: self.options,
                segments: self.segments,
                memory,
                part: &mut part,
            };
            match self.points {
                Points::Stages => filling.stages(),
                Points::Asked(asked) => {
                    filling.asked(asked.get(customer_id).map_or(&[], Vec::as_slice));
                }
            }
        }
        part
    }
}

/// What is kept from one customer to the next.
#[derive(Default)]
pub(crate) struct Memory {
    scratch: Scratch,
    ledger: LedgerMemory,
    vector: Vec<f64>,
}

struct Filling<'a> {
    customer_id: &'a CustomerId,
    history: &'a History,
    extractor: &'a Extractor,
    options: &'a DatasetOptions,
    segments: &'a Segments,
    memory: &'a mut Memory,
    part: &'a mut Part,
}

impl Filling<'_> {
    fn stages(&mut self) {
        let end = self.history.as_of(self.options.as_of);
        let (zone, loyalty) = (zone_of(&end), Loyalty::of(end.events()));
        for invoice in end.invoices() {
            if !self.options.draws(&invoice.invoice_id) {
                continue;
            }
            let settlement = Settlement::of(invoice, end.events_of(&invoice.invoice_id), &zone);
            for (stage, at) in decision_points(self.history, invoice, self.options) {
                self.add(invoice, (stage, at), &settlement, &loyalty);
            }
        }
    }

    fn asked(&mut self, questions: &[(InvoiceId, Timestamp)]) {
        let end = self.history.as_of(self.options.as_of);
        let (zone, loyalty) = (zone_of(&end), Loyalty::of(end.events()));
        let mut last: Option<(&Invoice, Settlement)> = None;
        for (invoice_id, at) in questions {
            let kept = last.take_if(|(invoice, _)| invoice.invoice_id == *invoice_id);
            last = kept.or_else(|| {
                let invoice = end.invoice(invoice_id)?;
                let settlement = Settlement::of(invoice, end.events_of(invoice_id), &zone);
                Some((invoice, settlement))
            });
            if let Some((invoice, settlement)) = &last {
                self.add(invoice, (Stage::Asked, *at), settlement, &loyalty);
            }
        }
    }

    fn add(
        &mut self,
        invoice: &Invoice,
        (stage, at): (Stage, Timestamp),
        settlement: &Settlement,
        loyalty: &Loyalty,
    ) {
        let Memory {
            scratch,
            ledger: memory,
            vector,
        } = &mut *self.memory;
        let id = &invoice.invoice_id;
        let view = self.history.as_of(at);
        let ledger = Ledger::in_memory(&view, memory);
        let wanted =
            stage == Stage::Asked || ledger.invoice(id).is_some_and(|state| !state.is_closed());
        let moment = ledger.invoice(id).map_or_else(
            || Moment {
                late_in_days: settlement.late_from().days_since(at),
                age_days: at.days_since(invoice.issued_at),
            },
            |state| Moment::of(state, &zone_of(&view), at),
        );
        let extracted = wanted && {
            let segments = self.segments;
            let made =
                (self.extractor).extract_among(scratch, &view, &ledger, id, segments, vector);
            match made {
                Err(ExtractError::Week { week }) => {
                    unreachable!("the week of {week} was not added up for {id} at {at}")
                }
                made => made.is_ok(),
            }
        };
        ledger.recycle(memory);
        if !extracted {
            return;
        }
        let known_until = self.options.known_until;
        self.part.cells.extend_from_slice(vector);
        self.part.points.push(Point {
            customer_id: self.customer_id.clone(),
            invoice_id: id.clone(),
            stage,
            at,
            issued_at: invoice.issued_at,
            late_from: settlement.late_from(),
            moment,
            settled_at: settlement.settled_from(at),
            settled_before: settlement.owed_before(at) <= 0,
            late: settlement.late(known_until),
            paid: settlement.paid_within(at, self.options.paid_days, known_until),
            left: loyalty.left_within(at, self.options.left_days, known_until),
            left_at: loyalty.left_from(at),
            left_before: loyalty.gone_before(at),
        });
    }
}

/// The zone of the customer as far as `view` knows it; UTC where it does not.
pub(crate) fn zone_of(view: &View<'_>) -> Zone {
    view.customer()
        .map_or_else(Zone::utc, Customer::zone_or_utc)
}

/// The instants at which the invoice may be asked about, by what was known of it at its issue: a
/// correction that came later must not move an earlier decision.
fn decision_points(
    history: &History,
    invoice: &Invoice,
    options: &DatasetOptions,
) -> Vec<(Stage, Timestamp)> {
    let recordings = history.invoices().iter();
    let Some(recorded_at) = recordings
        .filter(|one| one.value.invoice_id == invoice.invoice_id)
        .map(|one| one.recorded_at.max(one.value.issued_at))
        .min()
    else {
        return Vec::new();
    };
    let issue = recorded_at + Days::SHORTEST;
    let view = history.as_of(issue);
    let due_on = view
        .invoice(&invoice.invoice_id)
        .map_or(invoice.due_on, |known| known.due_on);
    let zone = zone_of(&view);
    let after = |days: u16| due_on.plus_days(i32::from(days)).start(&zone);
    let later = options
        .after_days
        .iter()
        .map(|&days| (Stage::After(days), after(days)));
    let before = options.before_days.iter().map(|&days| {
        let at = due_on.plus_days(-i32::from(days)).start(&zone);
        (Stage::Before(days), at)
    });
    let mut points = vec![(Stage::Issue, issue)];
    points.extend(before);
    points.push((Stage::Due, after(0)));
    points.extend(later);
    points.retain(|&(stage, at)| at < options.as_of && (stage == Stage::Issue || at > issue));
    points
}
