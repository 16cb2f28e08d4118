//! `lagom copy`: a log from one store to another.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::store::{self, StoreUrl};
use lagom_features::domain::TenantId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// Writes the log of a tenant anew in another store, which must be empty, then reads both and
/// compares them record by record. Moves a company from SQLite to PostgreSQL and back. Stop its
/// servers first: what they write meanwhile would be missing, and is reported.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lagom copy --from file:lagom.db --to postgres://lagom@db.internal/lagom"
)]
pub(crate) struct Args {
    /// Store to read, as `[store] url` names it.
    #[arg(long, value_name = "URL")]
    from: String,
    /// Empty store to write.
    #[arg(long, value_name = "URL")]
    to: String,
    /// Certificates, in PEM, that a database's may be signed by beside the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Whose log.
    #[arg(long, default_value = "default")]
    tenant: String,
}

#[derive(Debug, Serialize)]
struct Report {
    from: String,
    to: String,
    records: BTreeMap<&'static str, u64>,
    digest: String,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let tenant = TenantId::new(args.tenant.clone())?;
    let place = |url: &str| {
        let place = StoreUrl::read(url, args.ca.as_deref(), Path::new(""))?;
        Ok::<_, Failure>(match tenant == TenantId::default() {
            true => place,
            false => place.of_tenant(&tenant),
        })
    };
    let (from, to) = (place(&args.from)?, place(&args.to)?);
    if from.file().is_some_and(|path| !path.exists()) {
        return Err(format!("--from {from}: there is no such file").into());
    }
    let runtime = Runtime::new()?;
    let source = from.read_only(&tenant)?;
    let target = to.open(&tenant)?;
    let wait = |append| runtime.block_on(append);
    let copied = store::copy(&source, &*target, &wait, &mut || ())?;
    let report = Report {
        from: from.to_string(),
        to: to.to_string(),
        records: copied.kinds,
        digest: copied.digest,
    };
    out.report(&report, || {
        let counts = report.records.iter();
        let counts: Vec<String> = counts.map(|(kind, n)| format!("{n} {kind}")).collect();
        format!(
            "copied {} from {} to {}; read again, both are equal (BLAKE3 {})",
            counts.join(", "),
            report.from,
            report.to,
            report.digest
        )
    })?;
    Ok(Answer::Yes)
}
