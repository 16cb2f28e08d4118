//! Feature vectors at every decision point of every customer, with what came of each.
//!
//! A decision point is an instant at which lagom could have been asked about an invoice: when it
//! was issued, on its due date, and on set days after it while it was unpaid as far as was known
//! then. Its vector is made by the extractor that serves, of a view at that instant.

use crate::labels::{Loyalty, Settlement};
use crate::progress::work;
use crate::segments::{self, Wanted};
use lagom_features::domain::{Customer, CustomerId, Days, Invoice, InvoiceId, Timestamp, Zone};
use lagom_features::{
    ExtractError, Extractor, FeatureSpec, History, Ledger, LedgerMemory, Scratch, Segments, View,
    week_of,
};
use lagom_model::hazard::Moment;
use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// When in an invoice's life a decision point lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Just after its issue became known.
    Issue,
    /// When the day so many days before its due date began.
    Before(u16),
    /// When its due date began.
    Due,
    /// When the day so many days after its due date began.
    After(u16),
    /// An instant that was asked for.
    Asked,
}

/// The decision points to look at.
#[derive(Debug, Clone, Copy)]
pub enum Points<'a> {
    /// Every stage of every invoice drawn, while it was unpaid as far as was known.
    Stages,
    /// These, paid or not.
    Asked(&'a Questions),
}

impl Points<'_> {
    /// The weeks that the points look at; until `as_of` where they are not known one by one.
    pub(crate) fn weeks(&self) -> Option<BTreeSet<Timestamp>> {
        match self {
            Self::Stages => None,
            Self::Asked(asked) => {
                let asked = asked.values().flatten();
                Some(asked.map(|(_, at)| week_of(*at)).collect())
            }
        }
    }

    /// What `histories`, which are everybody, add up to at the points.
    pub(crate) fn segments(
        &self,
        spec: &FeatureSpec,
        histories: &BTreeMap<CustomerId, History>,
        as_of: Timestamp,
    ) -> Segments {
        let weeks = self.weeks();
        let wanted = weeks.as_ref().map_or(Wanted::Until(as_of), Wanted::At);
        segments::of(spec, histories.values(), wanted)
    }
}

/// Invoices and instants by customer.
pub type Questions = BTreeMap<CustomerId, Vec<(InvoiceId, Timestamp)>>;

/// What is to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetOptions {
    /// Nothing recorded from this instant on is read, for features or labels.
    pub as_of: Timestamp,
    /// What happened before this instant, at most `as_of`, has been reported by then: windows that
    /// close later are not known.
    pub known_until: Timestamp,
    /// Days within which an invoice counts as paid.
    pub paid_days: u16,
    /// Days within which a customer counts as having left.
    pub left_days: u16,
    /// Days before the due date at which there are decision points, falling: a model is asked on any
    /// day, and what it was never shown between issue and due date it would only guess at.
    pub before_days: Vec<u16>,
    /// Days after the due date at which there are decision points.
    pub after_days: Vec<u16>,
    /// Share of the invoices that are looked at, drawn by the digest of their ids and the seed.
    pub share: f64,
    /// Seed of that draw.
    pub seed: u64,
}

impl DatasetOptions {
    fn draws(&self, invoice_id: &InvoiceId) -> bool {
        if self.share >= 1.0 {
            return true;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(invoice_id.as_str().as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        (u64::from_le_bytes(first) as f64) < self.share * u64::MAX as f64
    }
}

/// One decision point.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Whose.
    pub customer_id: CustomerId,
    /// About which invoice.
    pub invoice_id: InvoiceId,
    /// Where in the invoice's life.
    pub stage: Stage,
    /// The instant of the view.
    pub at: Timestamp,
    /// When the invoice was issued.
    pub issued_at: Timestamp,
    /// First instant after its due date.
    pub late_from: Timestamp,
    /// Where the invoice stood at `at`, by what was known of it then.
    pub moment: Moment,
    /// When it was settled, at `at` or later, as far as is known.
    pub settled_at: Option<Timestamp>,
    /// Whether nothing was owed just before `at`, known then or not.
    pub settled_before: bool,
    /// Whether it was late at all.
    pub late: Option<bool>,
    /// Whether it was settled within [`DatasetOptions::paid_days`] of the point.
    pub paid: Option<bool>,
    /// Whether the customer left within [`DatasetOptions::left_days`] of the point.
    pub left: Option<bool>,
    /// When the customer left, at `at` or later, as far as is known.
    pub left_at: Option<Timestamp>,
    /// Whether the customer had left before `at`.
    pub left_before: bool,
}

/// Points and their vectors.
#[derive(Debug, Clone)]
pub struct Dataset {
    names: Vec<String>,
    points: Vec<Point>,
    /// Row-major, points × names; NaN is unknown.
    features: Array2<f64>,
}

impl Dataset {
    /// Every decision point before `options.as_of`, ordered by customer, invoice and time. The
    /// customers are shared out over the machine's cores; the result does not depend on it. They are
    /// everybody there is, where the spec has features by segment.
    #[must_use]
    pub fn build(
        histories: &BTreeMap<CustomerId, History>,
        spec: &FeatureSpec,
        options: &DatasetOptions,
    ) -> Self {
        Self::at(histories, spec, options, Points::Stages)
    }

    /// [`Self::build`] at other decision points; one whose invoice was not known then is left out.
    #[must_use]
    pub fn at(
        histories: &BTreeMap<CustomerId, History>,
        spec: &FeatureSpec,
        options: &DatasetOptions,
        points: Points<'_>,
    ) -> Self {
        let segments = points.segments(spec, histories, options.as_of);
        let customers: Vec<_> = histories.iter().collect();
        Self::of(&customers, spec, options, points, &segments)
    }

    /// [`Self::at`] of some customers, where everybody adds up to `segments`.
    pub(crate) fn of(
        customers: &[(&CustomerId, &History)],
        spec: &FeatureSpec,
        options: &DatasetOptions,
        points: Points<'_>,
        segments: &Segments,
    ) -> Self {
        let maker = Maker::new(spec, options, points, segments);
        let extracting = work("features", "customers", customers.len());
        let parts = customers
            .par_chunks(TOGETHER)
            .map_init(Memory::default, |memory, customers| {
                extracting.advance(customers.len());
                maker.part(memory, customers.iter().copied())
            })
            .collect();
        Self::join(spec, parts)
    }

    /// Parts behind one another.
    pub(crate) fn join(spec: &FeatureSpec, parts: Vec<Part>) -> Self {
        let rows = parts.iter().map(|part| part.points.len()).sum();
        let mut points = Vec::with_capacity(rows);
        let mut cells = Vec::with_capacity(rows * spec.width());
        for part in parts {
            points.extend(part.points);
            cells.extend(part.cells);
        }
        let features = Array2::from_shape_vec((rows, spec.width()), cells)
            .expect("every point has a vector of the spec's width");
        Self {
            names: spec.names().into_iter().map(str::to_owned).collect(),
            points,
            features,
        }
    }

    /// The same points with other vectors, a row each.
    pub(crate) fn with_features(self, names: &[&str], features: Array2<f64>) -> Self {
        Self {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            points: self.points,
            features,
        }
    }

    /// Names of the columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The points, a row each.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The vectors, of shape (points, names).
    #[must_use]
    pub fn features(&self) -> ArrayView2<'_, f64> {
        self.features.view()
    }

    /// One vector; `row` is below the number of points.
    #[must_use]
    pub fn row(&self, row: usize) -> ArrayView1<'_, f64> {
        self.features.row(row)
    }
}

/// Customers whose points are made one after another.
const TOGETHER: usize = 16;

/// The points of some customers.
#[derive(Default)]
pub(crate) struct Part {
    points: Vec<Point>,
    cells: Vec<f64>,
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

fn zone_of(view: &View<'_>) -> Zone {
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
