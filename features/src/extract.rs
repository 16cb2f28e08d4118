//! The only way to a feature vector, when training and when serving.
//!
//! One backward pass over the events of a [`View`] and one over its invoices feed every feature;
//! what the view does not hold, no feature can see. The numbers are the same bits on every
//! platform and for every order in which the records arrived. NaN is *unknown*.

pub(crate) mod attribute;
pub(crate) mod finish;
mod fold;
mod invoices;
mod moment;
mod pooling;
mod row;
mod step;

use crate::domain::{EventType, InvoiceId, Timestamp};
use crate::history::View;
use crate::ledger::Ledger;
use crate::segments::{Segments, Week, week_of};
use crate::spec::FeatureSpec;
use crate::spec::feature::{Column, Definition, Feature, Op, Rows};
use fold::Fold;
use invoices::Facts;
use moment::Moment;
use row::{Followed, Row, Trail, Whose};
use step::{Step, StepKind};
use thiserror::Error;

pub(crate) use pooling::Pooler;

/// Why a vector could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExtractError {
    /// The invoice was not issued or not recorded before the instant.
    #[error("invoice `{invoice_id}` was not known before {now}; record it first")]
    Invoice {
        /// Which.
        invoice_id: InvoiceId,
        /// The instant of the view.
        now: Timestamp,
    },
    /// The spec has features by segment, and what they are pooled to is not at hand.
    #[error("the features by segment as of {week} are not at hand")]
    Week {
        /// The beginning of the week.
        week: Timestamp,
    },
}

/// Memory that extraction reuses; after the first vector of a size nothing more is allocated.
#[derive(Debug, Default)]
pub struct Scratch {
    folds: Vec<Fold>,
    values: Vec<Vec<f64>>,
    facets: Vec<Vec<u64>>,
    facts: Vec<Facts>,
    order: Vec<u32>,
}

impl Scratch {
    /// Empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// A spec, compiled.
#[derive(Debug, Clone)]
pub struct Extractor {
    features: Vec<Feature>,
    fingerprint: String,
    width: usize,
    /// What a row does to each feature, by place.
    steps: Vec<Step>,
    by_type: Vec<Vec<usize>>,
    contacts: Vec<usize>,
    settlements: Vec<usize>,
    dues: Vec<usize>,
    invoices: Vec<usize>,
    /// Whether any feature is made of invoices as rows.
    needs_invoices: bool,
    /// Whether any feature is pooled by segment.
    pools: bool,
}

impl Extractor {
    /// Compiles `spec`.
    #[must_use]
    pub fn new(spec: &FeatureSpec) -> Self {
        Self::of(spec.features().to_vec(), spec.fingerprint(), spec.width())
    }

    fn of(features: Vec<Feature>, fingerprint: &str, width: usize) -> Self {
        let pooled = |one: &Feature| matches!(one.definition, Definition::Pooled(_));
        let mut plan = Self {
            pools: features.iter().any(pooled),
            fingerprint: fingerprint.to_owned(),
            width,
            steps: vec![Step::NONE; features.len()],
            features,
            by_type: vec![Vec::new(); EventType::ALL.len()],
            contacts: Vec::new(),
            settlements: Vec::new(),
            dues: Vec::new(),
            invoices: Vec::new(),
            needs_invoices: false,
        };
        for (place, feature) in plan.features.iter().enumerate() {
            let Definition::Aggregate(aggregate) = &feature.definition else {
                continue;
            };
            plan.steps[place] = Step::of(aggregate);
            match &aggregate.rows {
                Rows::Events(types) => {
                    for kind in types {
                        plan.by_type[kind.index()].push(place);
                    }
                }
                Rows::Contacts => plan.contacts.push(place),
                Rows::Settlements => plan.settlements.push(place),
                Rows::Dues => plan.dues.push(place),
                Rows::Invoices => plan.invoices.push(place),
            }
        }
        let of_invoices = [&plan.settlements, &plan.dues, &plan.invoices];
        plan.needs_invoices = of_invoices.iter().any(|places| !places.is_empty());
        plan
    }

    /// Fingerprint of the spec.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// How many numbers a vector has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Writes the vector of `invoice_id` at the instant of `view` to `out`, in the order of the
    /// spec. `ledger` must be that of the same view.
    ///
    /// # Errors
    /// [`ExtractError::Invoice`] where the view does not hold the invoice; `out` is then empty.
    pub fn extract(
        &self,
        view: &View<'_>,
        ledger: &Ledger<'_>,
        invoice_id: &InvoiceId,
        out: &mut Vec<f64>,
    ) -> Result<(), ExtractError> {
        self.extract_with(&mut Scratch::new(), view, ledger, invoice_id, out)
    }

    /// [`Self::extract`] with memory kept between calls.
    ///
    /// # Errors
    /// As [`Self::extract`].
    pub fn extract_with(
        &self,
        scratch: &mut Scratch,
        view: &View<'_>,
        ledger: &Ledger<'_>,
        invoice_id: &InvoiceId,
        out: &mut Vec<f64>,
    ) -> Result<(), ExtractError> {
        let none = Segments::none();
        self.extract_among(scratch, view, ledger, invoice_id, none, out)
    }

    /// [`Self::extract_with`] where `segments` holds what other customers have been pooled to; a spec
    /// without features by segment does not look at it.
    ///
    /// # Errors
    /// As [`Self::extract`], and [`ExtractError::Week`] where the week of the view is not in `segments`;
    /// `out` is then empty.
    pub fn extract_among(
        &self,
        scratch: &mut Scratch,
        view: &View<'_>,
        ledger: &Ledger<'_>,
        invoice_id: &InvoiceId,
        segments: &Segments,
        out: &mut Vec<f64>,
    ) -> Result<(), ExtractError> {
        out.clear();
        let unknown = || ExtractError::Invoice {
            invoice_id: invoice_id.clone(),
            now: view.now(),
        };
        let slot = view.slot(invoice_id);
        let place = slot.and_then(|slot| ledger.place(slot));
        let place = place.ok_or_else(unknown)?;
        let state = &ledger.invoices()[place];
        let week = self.week(view.now(), segments)?;
        let mut moment = Moment {
            currency: Some(state.invoice.amount.currency),
            state: Some(state),
            place: Some(place),
            ..Moment::of(view)
        };
        self.pass(scratch, view, ledger, &mut moment);
        self.write(scratch, &moment, week, out);
        Ok(())
    }

    /// What its features by segment are read from; nothing where there are none.
    fn week<'s>(
        &self,
        now: Timestamp,
        segments: &'s Segments,
    ) -> Result<Option<&'s Week>, ExtractError> {
        if !self.pools {
            return Ok(None);
        }
        let week = week_of(now);
        let found = segments.week(&self.fingerprint, week);
        found.map(Some).ok_or(ExtractError::Week { week })
    }

    /// Passes all rows to the folds of `scratch`.
    fn pass(
        &self,
        scratch: &mut Scratch,
        view: &View<'_>,
        ledger: &Ledger<'_>,
        moment: &mut Moment<'_>,
    ) {
        self.begin(scratch, moment);
        if self.needs_invoices {
            invoices::gather(scratch, ledger, moment);
        }
        self.pass_events(scratch, view, ledger, moment);
        self.pass_invoices(scratch, ledger, moment);
    }

    fn begin(&self, scratch: &mut Scratch, moment: &Moment<'_>) {
        let features = self.features.len();
        scratch.folds.clear();
        scratch.values.resize_with(features, Vec::new);
        scratch.facets.resize_with(features, Vec::new);
        for (place, feature) in self.features.iter().enumerate() {
            scratch.values[place].clear();
            scratch.facets[place].clear();
            let (since, rows) = match &feature.definition {
                Definition::Aggregate(aggregate) => moment.bounds(aggregate.window),
                _ => (Timestamp::MAX, 0),
            };
            scratch.folds.push(Fold::new(since, rows));
        }
    }

    fn pass_events(
        &self,
        scratch: &mut Scratch,
        view: &View<'_>,
        ledger: &Ledger<'_>,
        moment: &mut Moment<'_>,
    ) {
        let mut trail = Trail::default();
        let mut autopay = None;
        for event in view.events().rev() {
            let place = event.slot().and_then(|slot| ledger.place(slot));
            if self.needs_invoices {
                invoices::note_engagement(&mut scratch.facts, event, place);
            }
            match event.kind() {
                EventType::AutopayEnabled => autopay = autopay.or(Some(true)),
                EventType::AutopayDisabled => autopay = autopay.or(Some(false)),
                _ => {}
            }
            let whose = match (place, event.slot()) {
                (Some(_), _) if place == moment.place => Whose::Asked,
                (_, Some(_)) => Whose::Other,
                (_, None) => Whose::Unattached,
            };
            let wanted = &self.by_type[event.kind().index()];
            if !wanted.is_empty() {
                let row = Row::event(event, whose, Followed::UNKNOWN);
                self.feed(scratch, wanted, &row, moment);
            }
            if event.kind() == EventType::ContactSent && !self.contacts.is_empty() {
                let followed = trail.after(event.occurred_at(), moment.now);
                let row = Row::event(event, whose, followed);
                self.feed(scratch, &self.contacts, &row, moment);
            }
            if !self.contacts.is_empty() {
                trail.pass(event);
            }
        }
        moment.autopay = autopay.or(moment.autopay);
    }

    fn pass_invoices(&self, scratch: &mut Scratch, ledger: &Ledger<'_>, moment: &Moment<'_>) {
        type When = fn(&Facts, Timestamp) -> Option<Timestamp>;
        let sources: [(&[usize], When); 3] = [
            (&self.settlements, |facts, _| facts.settled_at),
            (&self.dues, |facts, now| {
                Some(facts.late_from).filter(|&at| at < now)
            }),
            (&self.invoices, |facts, _| Some(facts.issued_at)),
        ];
        for (wanted, when) in sources {
            if wanted.is_empty() {
                continue;
            }
            invoices::order_backwards(scratch, ledger, |facts| when(facts, moment.now));
            for position in 0..scratch.order.len() {
                let facts = scratch.facts[scratch.order[position] as usize];
                if let Some(at) = when(&facts, moment.now) {
                    self.feed(scratch, wanted, &Row::invoice(at, facts), moment);
                }
            }
        }
    }

    fn feed(&self, scratch: &mut Scratch, wanted: &[usize], row: &Row<'_>, moment: &Moment<'_>) {
        let mut last: Option<(Column, f64)> = None;
        for &place in wanted {
            let fold = &mut scratch.folds[place];
            if row.at < fold.since || fold.rows_left == 0 {
                continue;
            }
            let step = self.steps[place];
            if !row.whose.within(step.scope) {
                continue;
            }
            if step.unfiltered {
                match step.kind {
                    StepKind::Row => {
                        fold.rows_left -= 1;
                        fold.row(row.at);
                        continue;
                    }
                    StepKind::Value(column) => {
                        let value = match last {
                            Some((of, value)) if of == column => value,
                            _ => row.value(column, moment),
                        };
                        last = Some((column, value));
                        fold.rows_left -= 1;
                        fold.value(value);
                        continue;
                    }
                    StepKind::Other => {}
                }
            }
            let Definition::Aggregate(aggregate) = &self.features[place].definition else {
                continue;
            };
            if !step.unfiltered && !row.passes(&aggregate.filter, moment) {
                continue;
            }
            fold.rows_left -= 1;
            match &aggregate.op {
                Op::Quantile(column, _) => {
                    let value = row.value(*column, moment);
                    if !value.is_nan() {
                        scratch.values[place].push(value);
                    }
                }
                Op::Distinct(facet) => scratch.facets[place].extend(row.facet(*facet, moment)),
                op => fold.take(op, row, moment),
            }
        }
    }

    fn write(
        &self,
        scratch: &mut Scratch,
        moment: &Moment<'_>,
        week: Option<&Week>,
        out: &mut Vec<f64>,
    ) {
        let mut pooled = 0;
        for (place, feature) in self.features.iter().enumerate() {
            let value = match &feature.definition {
                Definition::Aggregate(aggregate) => match &aggregate.op {
                    Op::Quantile(_, q) => finish::quantile(&mut scratch.values[place], *q),
                    Op::Distinct(_) => finish::distinct(&mut scratch.facets[place]),
                    op => scratch.folds[place].finish(op, moment.now),
                },
                Definition::Attribute { attribute, days } => {
                    if attribute.is_text() {
                        let word = attribute::text(*attribute, moment);
                        finish::levels(feature, word, out);
                        continue;
                    }
                    attribute::number(*attribute, days, moment)
                }
                Definition::Pair { op, left, right } => finish::pair(*op, out[*left], out[*right]),
                Definition::Pooled(aggregate) => {
                    let place = pooled;
                    pooled += 1;
                    let value = |week: &Week| {
                        week.value(&aggregate.op, place, moment.customer, moment.currency)
                    };
                    week.map_or(f64::NAN, value)
                }
            };
            finish::transformed(feature, value, out);
        }
    }
}
