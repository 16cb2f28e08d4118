//! `lagom backup`: a copy of the log beside a running server.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::config::Config;
use crate::store::SqliteStore;
use lagom_features::domain::TenantId;
use serde::Serialize;
use std::path::PathBuf;

/// Copies the log of a tenant to one file while its server runs, reads the copy from end to end and
/// checks every record. To restore, stop the server, put the copy in the place of the log, remove the
/// files beside it (`-wal`, `-shm`, `-state`), and start again. A database has its own tools: pg_dump.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom backup --config lagom.toml --out lagom-monday.db")]
pub(crate) struct Args {
    /// Configuration that names the store; defaults if none is named.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// File of the copy; it must not be there.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Whose log.
    #[arg(long, default_value = "default")]
    tenant: String,
}

#[derive(Debug, Serialize)]
struct Report {
    out: PathBuf,
    /// Number and chained checksum of the last record.
    records: i64,
    checksum: String,
    bytes: u64,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let tenant = TenantId::new(args.tenant.clone())?;
    let config = config.of_tenant(&tenant);
    let Some(path) = config.store.file() else {
        let what = "[store] is a database; back it up with its own tools, such as pg_dump";
        return Err(what.into());
    };
    if !path.exists() {
        return Err(format!("[store] {}: there is no such file", path.display()).into());
    }
    let tail = SqliteStore::read_only(path)?.back_up(&args.out)?;
    let report = Report {
        out: args.out.clone(),
        records: tail.seq,
        checksum: format!("{:08x}", tail.crc),
        bytes: std::fs::metadata(&args.out)?.len(),
    };
    out.report(&report, || {
        format!(
            "{} records in {} ({} bytes), every one of them read again and checked",
            report.records,
            report.out.display(),
            report.bytes
        )
    })?;
    Ok(Answer::Yes)
}
