//! Where a log is kept: `file:PATH` or `postgres://…`.

use super::postgres::{self, Database};
use super::sqlite::{self, SqliteStore};
use super::{PostgresStore, Store, StoreError, Visit};
use lagom_features::domain::TenantId;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place for logs. Shown without a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// One file of SQLite a tenant.
    File(PathBuf),
    /// A database of PostgreSQL for all tenants.
    Postgres(Box<Database>),
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Postgres(database) => write!(f, "{database}"),
        }
    }
}

impl StoreUrl {
    /// Reads what `[store]` says: relative paths start at `folder`, and `ca` names a file of
    /// certificates that a database's may be signed by.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn read(url: &str, ca: Option<&Path>, folder: &Path) -> Result<Self, String> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let ca = ca.map(|ca| folder.join(ca));
            return Database::read(url, ca).map(|database| Self::Postgres(Box::new(database)));
        }
        match url.strip_prefix("file:").filter(|path| !path.is_empty()) {
            Some(path) => Ok(Self::File(folder.join(path))),
            None => Err(format!(
                "`{url}` is not a store; write file:PATH, such as file:lagom.db, or \
                 postgres://USER@HOST/DATABASE"
            )),
        }
    }

    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// The same place for another tenant: `lagom.db` becomes `lagom.TENANT.db`; in a database every
    /// record says whose it is.
    #[must_use]
    pub fn of_tenant(&self, tenant: &TenantId) -> Self {
        match self {
            Self::File(path) => Self::File(beside(path, tenant)),
            Self::Postgres(database) => Self::Postgres(database.clone()),
        }
    }

    /// Opens the log of a tenant, and makes it where there is none. Blocks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(&self, tenant: &TenantId) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::File(path) => Arc::new(SqliteStore::open(path)?),
            Self::Postgres(database) => Arc::new(PostgresStore::open(database, tenant)?),
        })
    }

    /// Opens an existing log for reading alone, beside servers that write it. Blocks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read_only(&self, tenant: &TenantId) -> Result<ReadStore, StoreError> {
        Ok(match self {
            Self::File(path) => ReadStore::File(SqliteStore::read_only(path)?),
            Self::Postgres(database) => {
                ReadStore::Postgres(PostgresStore::read_only(database, tenant)?)
            }
        })
    }
}

/// A log that can be read, and that others may be writing.
#[derive(Debug)]
pub enum ReadStore {
    /// Of a file.
    File(sqlite::ReadOnly),
    /// Of a database, which may be a standby.
    Postgres(postgres::ReadOnly),
}

impl ReadStore {
    /// Visits every record that is committed now, in order, and checks all of them.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub fn scan(&self, visit: Visit<'_>) -> Result<i64, StoreError> {
        match self {
            Self::File(store) => store.scan(visit),
            Self::Postgres(store) => store.scan(visit),
        }
    }
}

fn beside(store: &Path, tenant: &TenantId) -> PathBuf {
    let stem = store.file_stem().unwrap_or_default().to_string_lossy();
    let extension = store.extension().unwrap_or_default().to_string_lossy();
    store.with_file_name(format!("{stem}.{tenant}.{extension}"))
}
