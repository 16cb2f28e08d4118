//! One connection for everything that is looked up: look-ups of many callers share it at once.

use super::Base;
use super::connect::{Part, failed};
use super::lookups::{FIND, UNSEEN};
use super::scan::link;
use crate::store::chain::{self, Link, Tail};
use crate::store::keys::{HOUSE, Index};
use crate::store::{Entry, StoreError};
use lagom_model::log::Decision;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio_postgres::{Client, Row, Statement};

/// How long a look-up may take before the connection counts as lost.
const STALLED: Duration = Duration::from_secs(4);
/// Ranges of news that are asked for at once, and records that they may bring.
const GAPS: usize = 256;
const NEWS: i64 = 1_024;
/// How long the lease of learning lasts without being kept, in seconds.
const LEASE: f64 = 10.0;

/// When to try to connect again: at once, then ever less often.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    pause: Duration,
    until: Option<Instant>,
    last: Option<StoreError>,
}

impl Backoff {
    pub(super) const PAUSE: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(1);

    /// Why there is no connection, while it is too early to try again.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match (&self.last, self.until) {
            (Some(error), Some(until)) if Instant::now() < until => Err(error.clone()),
            _ => Ok(()),
        }
    }

    pub(super) fn failed(&mut self, error: &StoreError) {
        self.pause = (self.pause * 2).clamp(Self::PAUSE, Self::LONGEST);
        self.until = Some(Instant::now() + self.pause);
        self.last = Some(error.clone());
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }
}

#[derive(Debug)]
struct Session {
    client: Client,
    find: Statement,
    head: Statement,
    news: Statement,
    unseen: Statement,
    lead: Statement,
}

impl Session {
    async fn open(base: &Base) -> Result<Self, StoreError> {
        let client = base.database.connect().await?;
        let preparing = failed("preparing to read");
        let news = "SELECT l.seq, l.kind, l.crc, l.body, \
             (SELECT p.crc FROM lagom_log p WHERE p.tenant = l.tenant AND p.seq = l.seq - 1) \
             FROM lagom_log l JOIN unnest($2::bigint[], $3::bigint[]) AS gap (first, last) \
             ON l.seq BETWEEN gap.first AND gap.last \
             WHERE l.tenant = $1 AND l.seq BETWEEN $4 AND $5 ORDER BY l.seq LIMIT $6";
        let lead = "UPDATE lagom_head SET leader = $2, \
             leads_until = clock_timestamp() + make_interval(secs => $3) \
             WHERE tenant = $1 AND ($4 OR leader IS NULL OR leader = $2 \
             OR leads_until < clock_timestamp())";
        let head = "SELECT seq FROM lagom_head WHERE tenant = $1";
        Ok(Self {
            find: client.prepare(FIND).await.map_err(&preparing)?,
            head: client.prepare(head).await.map_err(&preparing)?,
            news: client.prepare(news).await.map_err(&preparing)?,
            unseen: client.prepare(UNSEEN).await.map_err(&preparing)?,
            lead: client.prepare(lead).await.map_err(&preparing)?,
            client,
        })
    }
}

#[derive(Debug, Default)]
struct Slot {
    session: Option<Arc<Session>>,
    backoff: Backoff,
}

#[derive(Debug)]
pub(super) struct Reader {
    base: Arc<Base>,
    slot: Mutex<Slot>,
}

impl Reader {
    pub(super) fn new(base: Arc<Base>) -> Self {
        Self {
            base,
            slot: Mutex::default(),
        }
    }

    /// The connection, made anew if it was lost.
    async fn session(&self) -> Result<Arc<Session>, StoreError> {
        let mut slot = self.slot.lock().await;
        if let Some(session) = slot.session.as_ref().filter(|one| !one.client.is_closed()) {
            return Ok(Arc::clone(session));
        }
        slot.session = None;
        slot.backoff.check()?;
        match Session::open(&self.base).await {
            Ok(session) => {
                let session = Arc::new(session);
                slot.backoff.succeeded();
                slot.session = Some(Arc::clone(&session));
                Ok(session)
            }
            Err(error) => {
                slot.backoff.failed(&error);
                Err(error)
            }
        }
    }

    /// Asks, and gives the connection up where the answer does not come.
    async fn ask<T>(
        &self,
        doing: &'static str,
        session: &Arc<Session>,
        question: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(STALLED, question).await {
            Ok(answer) => answer.map_err(failed(doing)),
            Err(_) => {
                let mut slot = self.slot.lock().await;
                slot.session.take_if(|one| Arc::ptr_eq(one, session));
                Err(StoreError::io(doing, &"the database does not answer"))
            }
        }
    }

    async fn found(&self, index: Index, key: &str) -> Result<Option<Link>, StoreError> {
        let session = self.session().await?;
        let kind = index as i16;
        let (client, tenant) = (&session.client, &self.base.tenant);
        let parts: [Part<'_>; 3] = [tenant, &kind, &key];
        let question = client.query_opt(&session.find, &parts);
        let row = self.ask("reading a decision", &session, question).await?;
        row.map(|row| checked(&row)).transpose()
    }

    /// The decision to which a key leads, which must be what was asked for.
    pub(super) async fn decision(
        &self,
        index: Index,
        key: &str,
    ) -> Result<Option<Decision>, StoreError> {
        let Some(link) = self.found(index, key).await? else {
            return Ok(None);
        };
        let entry = match link.entry(&self.base.catalogues) {
            Ok(entry) => entry,
            // Its strategy may be that of a replica whose records have not been taken in.
            Err(_) => {
                self.learn_catalogues().await?;
                link.entry(&self.base.catalogues)?
            }
        };
        match entry {
            Entry::Decided(one)
                if one.decision_id.as_str() == key || one.request_id.as_str() == key =>
            {
                Ok(Some(Arc::unwrap_or_clone(one)))
            }
            other => Err(StoreError::Damaged {
                seq: link.seq,
                reason: format!(
                    "the decision under `{key}` was expected, not this {:?}",
                    other.kind()
                ),
            }),
        }
    }

    /// Reads every catalogue that the log names.
    pub(super) async fn learn_catalogues(&self) -> Result<(), StoreError> {
        let session = self.session().await?;
        let sql = "SELECT key FROM lagom_key WHERE tenant = $1 AND kind = $2";
        let kind = Index::Catalogue as i16;
        let (client, tenant) = (&session.client, &self.base.tenant);
        let parts: [Part<'_>; 2] = [tenant, &kind];
        let question = client.query(sql, &parts);
        let rows = self
            .ask("reading the catalogues", &session, question)
            .await?;
        for row in rows {
            let key: String = row.get(0);
            if self.base.catalogues.get(&key).is_none()
                && let Some(link) = self.found(Index::Catalogue, &key).await?
            {
                let entry = link.entry(&self.base.catalogues)?;
                self.base.catalogues.learn(&entry);
            }
        }
        Ok(())
    }

    async fn head(&self, session: &Arc<Session>) -> Result<i64, StoreError> {
        let parts: [Part<'_>; 1] = [&self.base.tenant];
        let question = session.client.query_one(&session.head, &parts);
        let row = self.ask("reading the head of the log", session, question);
        Ok(row.await?.get(0))
    }

    /// What has not been taken in, from its beginning. Erased records are taken in by passing them.
    pub(super) async fn news(&self) -> Result<Vec<(i64, Entry)>, StoreError> {
        let session = self.session().await?;
        let head = self.head(&session).await?;
        loop {
            let gaps = self.base.taken().gaps(head, GAPS);
            let (Some(first), Some(last)) = (gaps.first(), gaps.last()) else {
                return Ok(Vec::new());
            };
            let (first, last) = (first.0, last.1);
            let (from, to): (Vec<i64>, Vec<i64>) = gaps.into_iter().unzip();
            let (client, tenant) = (&session.client, &self.base.tenant);
            let parts: [Part<'_>; 6] = [tenant, &from, &to, &first, &last, &NEWS];
            let question = client.query(&session.news, &parts);
            let rows = self.ask("reading the log", &session, question).await?;
            if rows.is_empty() {
                return Err(chain::missing(first));
            }
            let mut news = Vec::with_capacity(rows.len());
            for row in &rows {
                let link = checked(row)?;
                if link.erased() {
                    self.base.taken().add(link.seq, link.seq);
                    continue;
                }
                let entry = link.entry(&self.base.catalogues)?;
                self.base.catalogues.learn(&entry);
                news.push((link.seq, entry));
            }
            if !news.is_empty() {
                return Ok(news);
            }
        }
    }

    pub(super) async fn unchanged(&self, about: &str) -> Result<(), StoreError> {
        let session = self.session().await?;
        let after = self.base.taken().upto();
        let (client, tenant) = (&session.client, &self.base.tenant);
        let abouts = [about, HOUSE];
        let abouts = abouts.as_slice();
        let parts: [Part<'_>; 3] = [tenant, &abouts, &after];
        let question = client.query(&session.unseen, &parts);
        let rows = self.ask("looking for news", &session, question).await?;
        let taken = self.base.taken();
        match rows.iter().all(|row| taken.has(row.get(1))) {
            true => Ok(()),
            false => Err(StoreError::Overtaken),
        }
    }

    pub(super) async fn lead(&self, from_others: bool) -> Result<bool, StoreError> {
        let leading = self.take_lease(from_others).await;
        let leads = matches!(leading, Ok(true));
        self.base.leads.store(leads, Ordering::Release);
        leading
    }

    async fn take_lease(&self, from_others: bool) -> Result<bool, StoreError> {
        let session = self.session().await?;
        let (client, tenant) = (&session.client, &self.base.tenant);
        let parts: [Part<'_>; 4] = [tenant, &self.base.me, &LEASE, &from_others];
        let question = client.execute(&session.lead, &parts);
        let rows = self.ask("keeping the lease of learning", &session, question);
        Ok(rows.await? == 1)
    }
}

/// A row `seq, kind, crc, body` and the checksum before it.
fn checked(row: &Row) -> Result<Link, StoreError> {
    let link = link(row);
    let before: Option<i64> = row.get(4);
    let crc = before.and_then(|crc| u32::try_from(crc).ok());
    link.follows(Tail {
        seq: link.seq - 1,
        crc: crc.unwrap_or(0),
    })?;
    Ok(link)
}
