//! Customer-months, from events and outcomes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lagom_features::domain::{CustomerId, DecisionId, EventType, Timestamp, Zone};
use lagom_model::log::Decision;
use lagom_model::objective::Objective;

use super::{Drawn, Unit};
use crate::tables::Tables;

/// What is counted, in order; money in major units. `satisfaction` is the mean of the ratings that
/// a customer gave, `response_hours` how long support let a customer wait in the mean: both are
/// unknown where nothing was reported.
pub(super) const MEASURES: [&str; 12] = [
    "collected",
    "fees",
    "cost",
    "value",
    "churn",
    "contacts",
    "support_contacts",
    "complaints",
    "opt_outs",
    "collection_cases",
    "satisfaction",
    "response_hours",
];
/// The cuts, the whole first.
pub(super) const CUTS: [&str; 4] = ["all", "segment", "product", "audience"];

const MINOR: f64 = 100.0;
const MILLIS_OF_HOUR: f64 = 3_600_000.0;

/// Whether a customer's months add up; of the others the mean is taken.
pub(super) fn adds_up(measure: usize) -> bool {
    !matches!(MEASURES[measure], "satisfaction" | "response_hours")
}

pub(super) struct Counted {
    /// By month (years times twelve) and customer.
    pub(super) units: BTreeMap<(i32, CustomerId), Unit>,
    /// Cut and value of each customer.
    pub(super) cuts: HashMap<CustomerId, Vec<(usize, String)>>,
    pub(super) currency: String,
    /// By month, its decisions whose outcome is not known yet.
    pub(super) awaited: BTreeMap<i32, u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    collected: f64,
    fees: f64,
    cost: f64,
    churn: f64,
    contacts: f64,
    support: f64,
    complaints: f64,
    opt_outs: f64,
    cases: f64,
    ratings: f64,
    rated: f64,
    waited_hours: f64,
    answered: f64,
}

fn month(at: Timestamp) -> i32 {
    let date = at.civil(&Zone::utc()).date();
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1
}

pub(super) fn counted(
    tables: &Tables,
    drawn: &Drawn,
    objective: &Objective,
    as_of: Timestamp,
) -> Result<Counted, String> {
    let mut sums: HashMap<(i32, &CustomerId), Sums> = HashMap::new();
    let mut currencies = BTreeSet::new();
    for event in tables.events.iter().filter(|one| one.recorded_at <= as_of) {
        let Some((_, since)) = drawn.get(&event.customer_id) else {
            continue;
        };
        if event.occurred_at < *since {
            continue;
        }
        let key = (month(event.occurred_at), &event.customer_id);
        let one = sums.entry(key).or_default();
        let amount = event.amount.map_or(0.0, |money| {
            currencies.insert(money.currency.as_str().to_owned());
            money.minor_units as f64
        });
        match event.kind {
            EventType::PaymentSucceeded => one.collected += amount,
            EventType::PaymentRefunded => one.collected -= amount,
            EventType::CustomerChurned => one.churn = 1.0,
            EventType::ContactSent => one.contacts += 1.0,
            EventType::SupportContacted => {
                one.support += 1.0;
                if let Some(millis) = event.dwell_ms {
                    one.waited_hours += f64::from(millis) / MILLIS_OF_HOUR;
                    one.answered += 1.0;
                }
            }
            EventType::ComplaintMade => one.complaints += 1.0,
            EventType::ConsentWithdrawn => one.opt_outs += 1.0,
            EventType::CollectionOpened => one.cases += 1.0,
            EventType::FeedbackGiven => {
                let rating = event
                    .reason
                    .as_deref()
                    .and_then(|text| text.trim().parse::<f64>().ok());
                if let Some(rating) = rating.filter(|rating| rating.is_finite()) {
                    one.ratings += rating;
                    one.rated += 1.0;
                }
            }
            _ => {}
        }
    }
    if currencies.len() > 1 {
        let found: Vec<String> = currencies.into_iter().collect();
        return Err(format!(
            "the tables hold several currencies ({}); a ledger has one",
            found.join(", ")
        ));
    }
    let awaited = money_of_decisions(tables, drawn, as_of, &mut sums);
    let margins: HashMap<&CustomerId, Option<i64>> = tables
        .customers
        .iter()
        .map(|one| (&one.value.customer_id, one.value.annual_margin_minor))
        .collect();
    let mut units = BTreeMap::new();
    for (id, (holdout, since)) in drawn {
        for month in month(*since)..=month(as_of) {
            let one = sums.get(&(month, id)).copied().unwrap_or_default();
            let margin = margins.get(id).copied().flatten();
            let value = objective.cash * one.collected + objective.fee * one.fees
                - one.cost
                - objective.support_contact_minor * one.support
                - objective.complaint_minor * one.complaints
                - objective.opt_out_minor * one.opt_outs
                - objective.collection_case_minor * one.cases
                - one.churn * objective.churn_cost_minor(margin);
            let unit = Unit {
                holdout: *holdout,
                contacted: one.contacts > 0.0,
                values: [
                    one.collected / MINOR,
                    one.fees / MINOR,
                    one.cost / MINOR,
                    value / MINOR,
                    one.churn,
                    one.contacts,
                    one.support,
                    one.complaints,
                    one.opt_outs,
                    one.cases,
                    one.ratings / one.rated,
                    one.waited_hours / one.answered,
                ],
            };
            units.insert((month, id.clone()), unit);
        }
    }
    Ok(Counted {
        units,
        cuts: cuts(tables, drawn),
        currency: currencies.pop_first().unwrap_or_default(),
        awaited,
    })
}

/// One unit a customer, of all months together.
pub(super) fn of_all_months(
    units: &BTreeMap<(i32, CustomerId), Unit>,
) -> BTreeMap<&CustomerId, Unit> {
    let mut whole: BTreeMap<&CustomerId, (Unit, [f64; MEASURES.len()])> = BTreeMap::new();
    for ((_, id), unit) in units {
        let (all, months) = whole.entry(id).or_insert_with(|| {
            let nothing = Unit {
                holdout: unit.holdout,
                contacted: false,
                values: [0.0; MEASURES.len()],
            };
            (nothing, [0.0; MEASURES.len()])
        });
        all.contacted |= unit.contacted;
        for (place, value) in unit.values.iter().enumerate() {
            if value.is_finite() {
                all.values[place] += value;
                months[place] += 1.0;
            }
        }
    }
    let mean = |(id, (mut unit, months)): (_, (Unit, [f64; MEASURES.len()]))| {
        for (place, months) in months
            .into_iter()
            .enumerate()
            .filter(|(at, _)| !adds_up(*at))
        {
            unit.values[place] /= months;
        }
        (id, unit)
    };
    whole.into_iter().map(mean).collect()
}

/// Fees and costs belong to the month of their decision; they are known when its outcome is. By month, the
/// decisions of which it is not.
fn money_of_decisions<'a>(
    tables: &'a Tables,
    drawn: &Drawn,
    as_of: Timestamp,
    sums: &mut HashMap<(i32, &'a CustomerId), Sums>,
) -> BTreeMap<i32, u64> {
    let counts = |one: &&Decision| {
        let since = drawn.get(&one.customer_id);
        one.decided_at <= as_of && since.is_some_and(|(_, since)| one.decided_at >= *since)
    };
    let mut open: HashMap<&DecisionId, &Decision> = tables
        .decisions
        .iter()
        .filter(counts)
        .map(|one| (&one.decision_id, one))
        .collect();
    for outcome in tables.outcomes.iter().filter(|one| one.matured_at <= as_of) {
        if let Some(decision) = open.remove(&outcome.decision_id) {
            let key = (month(decision.decided_at), &decision.customer_id);
            let one = sums.entry(key).or_default();
            one.fees += outcome.fee_minor as f64;
            one.cost += outcome.cost_minor as f64;
        }
    }
    let mut awaited = BTreeMap::new();
    for decision in open.into_values() {
        *awaited.entry(month(decision.decided_at)).or_default() += 1;
    }
    awaited
}

/// The segment, the product of the last invoice, and who the customer is.
fn cuts(tables: &Tables, drawn: &Drawn) -> HashMap<CustomerId, Vec<(usize, String)>> {
    let mut cuts: HashMap<CustomerId, BTreeMap<usize, String>> = HashMap::new();
    let known = |id: &CustomerId| drawn.contains_key(id);
    for one in tables.customers.iter().map(|one| &one.value) {
        if known(&one.customer_id) {
            let theirs = cuts.entry(one.customer_id.clone()).or_default();
            if let Some(segment) = &one.segment {
                theirs.insert(1, segment.clone());
            }
            if let Some(kind) = one.kind {
                theirs.insert(3, kind.name().to_owned());
            }
        }
    }
    for one in tables.invoices.iter().map(|one| &one.value) {
        if let Some(product) = one.product.as_deref().filter(|_| known(&one.customer_id)) {
            let theirs = cuts.entry(one.customer_id.clone()).or_default();
            theirs.insert(2, product.to_owned());
        }
    }
    cuts.into_iter()
        .map(|(id, theirs)| (id, theirs.into_iter().collect()))
        .collect()
}
