//! The two reference tables as columns.

use std::{collections::HashMap, path::Path};

/// Rows of a CSV file by column name.
#[derive(Debug)]
struct Columns(HashMap<String, Vec<String>>);

impl Columns {
    fn read(path: &Path) -> Self {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let names: Vec<String> = reader
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        let mut columns: HashMap<String, Vec<String>> =
            names.iter().map(|n| (n.clone(), Vec::new())).collect();
        for record in reader.records() {
            for (name, value) in names.iter().zip(&record.unwrap()) {
                columns.get_mut(name).unwrap().push(value.to_owned());
            }
        }
        Self(columns)
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        self.0[name]
            .iter()
            .map(|value| value.parse().unwrap())
            .collect()
    }
}

/// One row a customer.
#[derive(Debug)]
pub(crate) struct Customers(Columns);

/// One arm's values of some columns.
pub(crate) type Arm = Vec<Vec<f64>>;

impl Customers {
    pub(crate) fn read(path: &Path) -> Self {
        Self(Columns::read(path))
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        self.0.numbers(name)
    }

    pub(crate) fn arms(&self) -> &[String] {
        &self.0.0["arm"]
    }

    pub(crate) fn segments(&self) -> &[String] {
        &self.0.0["segment"]
    }

    /// The values of `names` in the control (ladder) and the treatment (bandit), of the customers
    /// that `keep` accepts by row.
    pub(crate) fn split(&self, names: &[&str], keep: impl Fn(usize) -> bool) -> (Arm, Arm) {
        let columns: Vec<Vec<f64>> = names.iter().map(|name| self.numbers(name)).collect();
        self.split_columns(&columns, keep)
    }

    /// As [`Self::split`], for columns at hand.
    pub(crate) fn split_columns(
        &self,
        columns: &[Vec<f64>],
        keep: impl Fn(usize) -> bool,
    ) -> (Arm, Arm) {
        let of = |arm: &str| -> Arm {
            let rows: Vec<usize> = (0..self.arms().len())
                .filter(|row| self.arms()[*row] == arm && keep(*row))
                .collect();
            columns
                .iter()
                .map(|column| rows.iter().map(|row| column[*row]).collect())
                .collect()
        };
        (of("ladder"), of("bandit"))
    }
}

/// One row an invoice.
#[derive(Debug)]
pub(crate) struct Invoices(Columns);

/// Invoices of one arm: times, payments, customers.
pub(crate) type ArmDurations = (Vec<f64>, Vec<bool>, Vec<usize>);

impl Invoices {
    pub(crate) fn read(path: &Path) -> Self {
        Self(Columns::read(path))
    }

    pub(crate) fn durations(&self, arm: &str) -> ArmDurations {
        let times = self.0.numbers("days_after_due");
        let paid = self.0.numbers("paid_observed");
        let mut durations = ArmDurations::default();
        for (row, of) in self.0.0["arm"].iter().enumerate() {
            if of == arm {
                durations.0.push(times[row]);
                durations.1.push(paid[row] == 1.0);
                durations
                    .2
                    .push(self.0.0["customer_id"][row].parse().unwrap());
            }
        }
        durations
    }
}
