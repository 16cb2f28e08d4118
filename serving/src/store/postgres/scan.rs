//! The whole log in order, page by page, within one view of the database.

use super::connect::{Part, failed};
use super::{Base, Threads};
use crate::store::chain::{self, Link, Tail};
use crate::store::filed::{Filed, Sum};
use crate::store::keys::Index;
use crate::store::{Depth, StoreError, Visit};
use std::sync::Arc;
use tokio_postgres::{Client, Row};

/// Records that are fetched together.
const PAGE: i64 = 1_024;
/// Keys that are fetched together.
const KEYS: i64 = 16_384;

pub(super) fn scan(
    base: &Arc<Base>,
    threads: &Threads,
    depth: Depth,
    visit: Visit<'_>,
) -> Result<i64, StoreError> {
    let own = Arc::clone(base);
    let view = Arc::new(threads.wait(async move { View::open(own).await })?);
    let mut tail = Tail::EMPTY;
    let mut filed = Filed::default();
    loop {
        let (own, after) = (Arc::clone(&view), tail.seq);
        let page = threads.wait(async move { own.page(after).await })?;
        for row in &page {
            let link = link(row);
            tail = link.follows(tail)?;
            if link.erased() {
                continue;
            }
            let entry = link.entry_to(depth, &base.catalogues)?;
            base.catalogues.learn(&entry);
            filed.add(link.seq, &entry);
            visit(link.seq, entry)?;
        }
        if page.is_empty() {
            break;
        }
    }
    chain::ends_at(tail.seq, view.head)?;
    filed.check(|index| {
        let own = Arc::clone(&view);
        threads.wait(async move { own.summed(index).await })
    })?;
    Ok(tail.seq)
}

/// A row `seq, kind, crc, body`.
pub(super) fn link(row: &Row) -> Link {
    Link {
        seq: row.get(0),
        // What is out of range fits no checksum.
        kind: u8::try_from(row.get::<_, i16>(1)).unwrap_or(u8::MAX),
        crc: u32::try_from(row.get::<_, i64>(2)).unwrap_or(0),
        body: row.get(3),
    }
}

/// A connection that sees the database as it was when it was opened.
struct View {
    base: Arc<Base>,
    client: Client,
    head: i64,
}

impl View {
    async fn open(base: Arc<Base>) -> Result<Self, StoreError> {
        let reading = failed("reading the log");
        let client = base.database.connect().await?;
        // Who reads is not to be cut off while it thinks.
        let begin = "SET idle_in_transaction_session_timeout = 0; \
                     BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        client.batch_execute(begin).await.map_err(&reading)?;
        let sql = "SELECT seq FROM lagom_head WHERE tenant = $1";
        let head = client.query_opt(sql, &[&base.tenant]).await;
        let head = head.map_err(&reading)?.map_or(0, |row| row.get(0));
        Ok(Self { base, client, head })
    }

    async fn page(&self, after: i64) -> Result<Vec<Row>, StoreError> {
        let sql = "SELECT seq, kind, crc, body FROM lagom_log \
                   WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        let parts: [Part<'_>; 3] = [&self.base.tenant, &after, &PAGE];
        let rows = self.client.query(sql, &parts).await;
        rows.map_err(failed("reading the log"))
    }

    async fn summed(&self, index: Index) -> Result<Sum, StoreError> {
        let sql = "SELECT key, seq FROM lagom_key \
                   WHERE tenant = $1 AND kind = $2 AND key > $3 ORDER BY key LIMIT $4";
        let mut sum = Sum::default();
        let mut last = String::new();
        loop {
            let kind = index as i16;
            let parts: [Part<'_>; 4] = [&self.base.tenant, &kind, &last, &KEYS];
            let rows = self.client.query(sql, &parts).await;
            let rows = rows.map_err(failed("reading an index of the log"))?;
            for row in &rows {
                sum.add(row.get(0), row.get(1));
            }
            match rows.last() {
                Some(row) => last = row.get(0),
                None => return Ok(sum),
            }
        }
    }
}
