//! Who is compared with whom, and who is left out.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{error::ReviewError, plan::Plan, report::Exclusions};
use crate::flat_table::{FlatTable, Values};

/// The customers of every arm, as rows of the table in its order.
#[derive(Debug)]
pub(super) struct Cohort {
    /// Arms by name, the control first, then by name.
    pub(super) arms: Vec<Arm>,
    /// Customers of every arm as assigned, before the maturity gate: what shares are tested on.
    pub(super) assigned: Vec<u64>,
    /// Who was left out.
    pub(super) exclusions: Exclusions,
}

/// One arm.
#[derive(Debug, Clone)]
pub(super) struct Arm {
    pub(super) name: String,
    /// Rows of the table.
    pub(super) rows: Vec<usize>,
    /// Whether the plan gave it customers.
    pub(super) planned: bool,
}

impl Cohort {
    /// Splits the table into arms.
    pub(super) fn of(table: &FlatTable, plan: &Plan) -> Result<Self, ReviewError> {
        let arms = &table.column(&plan.arm)?.values;
        let customers = &table.column(&plan.customer)?.values;
        let exposure = match &plan.gate {
            Some(gate) => Some((gate, table.numbers(&gate.exposed)?)),
            None => None,
        };
        let mut exclusions = Exclusions::default();
        let mixed = mixed_customers(arms, customers)?;
        exclusions.mixed_customers = mixed.len() as u64;
        let mut rows: BTreeMap<String, (u64, Vec<usize>)> = plan
            .shares
            .iter()
            .map(|(arm, _)| (arm.clone(), (0, Vec::new())))
            .collect();
        for row in 0..table.rows() {
            let Some(arm) = arms.text(row) else {
                exclusions.without_arm += 1;
                continue;
            };
            if customers
                .text(row)
                .is_none_or(|customer| mixed.contains(&customer))
            {
                exclusions.rows_of_mixed_or_nameless += 1;
                continue;
            }
            let entry = rows.entry(arm).or_default();
            entry.0 += 1;
            if let Some((gate, exposed)) = exposure
                && !gate.window.is_mature(exposed[row], gate.as_of)
            {
                exclusions.immature += 1;
                continue;
            }
            entry.1.push(row);
        }
        Self::ordered(rows, plan, exclusions)
    }

    fn ordered(
        mut rows: BTreeMap<String, (u64, Vec<usize>)>,
        plan: &Plan,
        exclusions: Exclusions,
    ) -> Result<Self, ReviewError> {
        let found = rows.iter().filter(|(_, (count, _))| *count > 0);
        let found: Vec<String> = found.map(|(arm, _)| arm.clone()).collect();
        let control = rows
            .remove(&plan.control)
            .filter(|(_, rows)| !rows.is_empty())
            .ok_or_else(|| ReviewError::NoControl {
                control: plan.control.clone(),
                found,
            })?;
        let shares: HashMap<&str, f64> = plan
            .shares
            .iter()
            .map(|(arm, share)| (arm.as_str(), *share))
            .collect();
        let (mut arms, mut assigned) = (Vec::new(), Vec::new());
        for (name, (count, rows)) in std::iter::once((plan.control.clone(), control)).chain(rows) {
            let planned =
                shares.is_empty() || shares.get(name.as_str()).is_some_and(|share| *share > 0.0);
            arms.push(Arm {
                name,
                rows,
                planned,
            });
            assigned.push(count);
        }
        if !arms
            .iter()
            .skip(1)
            .any(|arm| arm.planned && !arm.rows.is_empty())
        {
            return Err(ReviewError::NoTreatment {
                control: plan.control.clone(),
            });
        }
        Ok(Self {
            arms,
            assigned,
            exclusions,
        })
    }

    /// The control arm.
    pub(super) fn control(&self) -> &Arm {
        &self.arms[0]
    }

    /// The arms compared with the control: planned, with customers.
    pub(super) fn treatments(&self) -> impl Iterator<Item = &Arm> {
        self.arms
            .iter()
            .skip(1)
            .filter(|arm| arm.planned && !arm.rows.is_empty())
    }

    /// The planned shares in the order of the arms.
    pub(super) fn shares(&self, plan: &Plan) -> Vec<f64> {
        let share = |arm: &Arm| match plan.shares.iter().find(|(name, _)| *name == arm.name) {
            Some((_, share)) => *share,
            None if plan.shares.is_empty() => 1.0,
            None => 0.0,
        };
        self.arms.iter().map(share).collect()
    }
}

/// Customers seen in more than one arm; a customer twice in one arm is a fault of the table.
fn mixed_customers(arms: &Values, customers: &Values) -> Result<HashSet<String>, ReviewError> {
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(customers.len());
    let mut mixed = HashSet::new();
    for row in 0..customers.len() {
        let (Some(customer), Some(arm)) = (customers.text(row), arms.text(row)) else {
            continue;
        };
        let Some(first) = seen.get(&customer) else {
            seen.insert(customer, row);
            continue;
        };
        if arms.text(*first).as_ref() == Some(&arm) {
            return Err(ReviewError::RepeatedCustomer {
                customer,
                arm,
                first: *first,
                second: row,
            });
        }
        mixed.insert(customer);
    }
    Ok(mixed)
}
