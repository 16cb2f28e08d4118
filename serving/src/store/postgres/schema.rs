//! The tables, version by version.

use super::Base;
use super::connect::failed;
use crate::store::StoreError;
use std::time::Duration;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// Each brings the tables one version further. Statements are never changed, only added, and leave
/// what an older replica needs, so that replicas can be replaced one by one.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE lagom_head (
        tenant text PRIMARY KEY, seq bigint NOT NULL, crc bigint NOT NULL,
        leader text, leads_until timestamptz
    );
    CREATE TABLE lagom_log (
        tenant text NOT NULL, seq bigint NOT NULL, kind smallint NOT NULL, crc bigint NOT NULL,
        about text, body bytea NOT NULL, PRIMARY KEY (tenant, seq)
    );
    CREATE INDEX lagom_log_about ON lagom_log (tenant, about, seq) WHERE about IS NOT NULL;
    CREATE TABLE lagom_key (
        tenant text NOT NULL, kind smallint NOT NULL, key text NOT NULL, seq bigint NOT NULL,
        PRIMARY KEY (tenant, kind, key)
    );",
    // Decisions stay in their rows as they are: squeezed and moved out of line, which is what happens
    // to rows of more than 2 KB otherwise, they take twice as long to write.
    "
    DO $$ BEGIN
        ALTER TABLE lagom_log ALTER COLUMN body SET STORAGE EXTERNAL;
        ALTER TABLE lagom_log SET (toast_tuple_target = 8160);
    EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
        RAISE NOTICE 'records are stored as this database does by itself';
    END $$;",
];

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS lagom_version (
    version integer PRIMARY KEY, since timestamptz NOT NULL DEFAULT now())";

/// How often replicas that begin at once may get into each other's way.
const TRIES: u32 = 20;

/// Brings the tables to this version, and begins the log of the tenant if there is none.
pub(super) async fn prepare(base: &Base) -> Result<(), StoreError> {
    let mut client = base.database.connect().await?;
    for _ in 0..TRIES {
        match migrate(&mut client).await {
            Err(Step::Collided) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(Step::Failed(error)) => return Err(error),
            Ok(()) => break,
        }
    }
    check_version(&client).await?;
    let begin =
        "INSERT INTO lagom_head (tenant, seq, crc) VALUES ($1, 0, 0) ON CONFLICT DO NOTHING";
    let begun = client.execute(begin, &[&base.tenant]).await;
    begun.map(drop).map_err(failed("beginning the log"))
}

/// Whether the tables are those of this version.
pub(super) async fn check(base: &Base) -> Result<(), StoreError> {
    check_version(&base.database.connect().await?).await
}

async fn check_version(client: &Client) -> Result<(), StoreError> {
    let sql = "SELECT coalesce(max(version), 0) FROM lagom_version";
    let row = client.query_one(sql, &[]).await;
    let found: i32 = row.map_err(failed("reading the store's format"))?.get(0);
    let expected = STEPS.len() as u32;
    if found == expected as i32 {
        return Ok(());
    }
    Err(StoreError::Format {
        found: found.to_string(),
        expected,
    })
}

enum Step {
    /// Another replica makes the same table at this moment.
    Collided,
    Failed(StoreError),
}

impl From<tokio_postgres::Error> for Step {
    fn from(error: tokio_postgres::Error) -> Self {
        let collisions = [
            SqlState::UNIQUE_VIOLATION,
            SqlState::DUPLICATE_TABLE,
            SqlState::DUPLICATE_OBJECT,
        ];
        match error.code() {
            Some(code) if collisions.contains(code) => Self::Collided,
            _ => Self::Failed(failed("making the tables")(error)),
        }
    }
}

async fn migrate(client: &mut Client) -> Result<(), Step> {
    let sql = "SELECT to_regclass('lagom_version') IS NOT NULL";
    if !client.query_one(sql, &[]).await?.get::<_, bool>(0) {
        client.batch_execute(VERSIONS).await?;
    }
    let transaction = client.transaction().await?;
    transaction
        .batch_execute("LOCK TABLE lagom_version IN SHARE ROW EXCLUSIVE MODE")
        .await?;
    let sql = "SELECT coalesce(max(version), 0) FROM lagom_version";
    let done: i32 = transaction.query_one(sql, &[]).await?.get(0);
    for (version, step) in (1_i32..)
        .zip(STEPS)
        .skip(usize::try_from(done).unwrap_or(0))
    {
        transaction.batch_execute(step).await?;
        let sql = "INSERT INTO lagom_version (version) VALUES ($1)";
        transaction.execute(sql, &[&version]).await?;
        tracing::info!(version, "the tables are brought to a new version");
    }
    Ok(transaction.commit().await?)
}
