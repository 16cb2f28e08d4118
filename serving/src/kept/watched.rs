//! The customers of a rollout, as rows of the file.

use super::file::{Change, Fault, File, said};
use super::head::Sum;
use lagom_features::domain::{CustomerId, DecisionId, Timestamp};
use lagom_model::rollout::guard::Known;
use rusqlite::{Row, params};

const COLUMNS: &str = "customer_id, canary, since, contacts, happened, open";

/// The first of what happened is the lowest bit.
fn bits(happened: [bool; 3]) -> u8 {
    happened
        .iter()
        .rev()
        .fold(0, |bits, one| bits << 1 | u8::from(*one))
}

fn known(row: &Row<'_>) -> Result<Known, Fault> {
    let customer: String = row.get(0).map_err(said)?;
    let since = row.get(2).map_err(said)?;
    let happened: u8 = row.get(4).map_err(said)?;
    let open: Option<String> = row.get(5).map_err(said)?;
    Ok(Known {
        customer: CustomerId::new(customer).map_err(said)?,
        canary: row.get(1).map_err(said)?,
        since: Timestamp::from_micros(since).map_err(said)?,
        contacts: row.get(3).map_err(said)?,
        happened: std::array::from_fn(|place| happened >> place & 1 == 1),
        open: open.map(DecisionId::new).transpose().map_err(said)?,
    })
}

/// Everything of a row, for its sum.
fn key(known: &Known) -> String {
    format!(
        "{}|{}|{}|{}|{}",
        known.customer,
        known.canary,
        known.contacts,
        bits(known.happened),
        known.open.as_ref().map_or("", DecisionId::as_str)
    )
}

fn first(mut rows: rusqlite::Rows<'_>) -> Result<Option<Known>, Fault> {
    rows.next().map_err(said)?.map(known).transpose()
}

impl File {
    /// Visits every customer of a side; their sum.
    pub(super) fn watched(&self, side: usize, visit: &mut dyn FnMut(Known)) -> Result<Sum, Fault> {
        let mut sum = Sum::default();
        let sql = format!("SELECT {COLUMNS} FROM watched WHERE side = ?1");
        let mut rows = self.connection.prepare(&sql).map_err(said)?;
        let mut rows = rows.query([side as i64]).map_err(said)?;
        while let Some(row) = rows.next().map_err(said)? {
            let known = known(row)?;
            sum.add(&key(&known), known.since.micros());
            visit(known);
        }
        Ok(sum)
    }

    /// A customer of a side.
    pub(super) fn watched_customer(
        &self,
        side: usize,
        customer: &CustomerId,
    ) -> Result<Option<Known>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM watched WHERE side = ?1 AND customer_id = ?2");
        let mut find = self.connection.prepare_cached(&sql).map_err(said)?;
        first(
            find.query(params![side as i64, customer.as_str()])
                .map_err(said)?,
        )
    }

    /// The customer of a side whose first decision this is, while its window is open.
    pub(super) fn watched_open(
        &self,
        side: usize,
        decision: &DecisionId,
    ) -> Result<Option<Known>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM watched WHERE side = ?1 AND open = ?2");
        let mut find = self.connection.prepare_cached(&sql).map_err(said)?;
        first(
            find.query(params![side as i64, decision.as_str()])
                .map_err(said)?,
        )
    }
}

impl Change<'_> {
    /// Puts a customer of a side, in place of what was there.
    pub(super) fn put_watched(&self, side: usize, new: &Known, sum: &mut Sum) -> Result<(), Fault> {
        let sql =
            format!("DELETE FROM watched WHERE side = ?1 AND customer_id = ?2 RETURNING {COLUMNS}");
        let mut gone = self.0.prepare_cached(&sql).map_err(said)?;
        let rows = gone.query(params![side as i64, new.customer.as_str()]);
        if let Some(old) = first(rows.map_err(said)?)? {
            sum.remove(&key(&old), old.since.micros());
        }
        let sql = "INSERT INTO watched VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let put = self.0.prepare_cached(sql);
        let put = put.and_then(|mut put| {
            put.execute(params![
                side as i64,
                new.customer.as_str(),
                new.canary,
                new.since.micros(),
                new.contacts,
                bits(new.happened),
                new.open.as_ref().map(DecisionId::as_str),
            ])
        });
        put.map_err(said)?;
        sum.add(&key(new), new.since.micros());
        Ok(())
    }

    /// Drops every customer of a side.
    pub(super) fn drop_watched(&self, side: usize) -> Result<(), Fault> {
        let sql = "DELETE FROM watched WHERE side = ?1";
        self.0.execute(sql, [side as i64]).map(drop).map_err(said)
    }
}
