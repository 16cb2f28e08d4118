//! Feature vectors at every decision point of every customer, with what came of each.
//!
//! A decision point is an instant at which lagom could have been asked about an invoice: when it
//! was issued, on its due date, and on set days after it while it was unpaid as far as was known
//! then. Its vector is made by the extractor that serves, of a view at that instant.

mod maker;

pub(crate) use maker::{Maker, Memory, Part, zone_of};

use crate::progress::work;
use crate::segments::{self, Wanted};
use lagom_features::domain::{CustomerId, InvoiceId, Timestamp};
use lagom_features::{FeatureSpec, History, Segments, week_of};
use lagom_model::hazard::Moment;
use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Customers whose points are made one after another.
const TOGETHER: usize = 16;

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
