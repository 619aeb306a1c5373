//! Migrates a database to the schema of this program, and checks that it has it.

use diesel::{
    Connection as _, RunQueryDsl as _,
    connection::SimpleConnection as _,
    migration::{MigrationSource, MigrationVersion},
    pg::Pg,
    sql_query,
    sql_types::{BigInt, Nullable},
};
use diesel_async::{AsyncPgConnection, async_connection_wrapper::AsyncConnectionWrapper};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{PgConfig, PgOpenError, word_index};
use crate::{error::StoreError, number::count};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Version of the migration that created the index of photos by word, which the program fills.
const PHOTO_WORDS: &str = "00000000000120";

/// Key of the advisory lock that a migrating process holds: `rapid` in ASCII, which no other program should use.
const LOCK: &str = "SELECT pg_advisory_lock(491363789156)";

/// Greatest transaction id in the log, by one search of the index for each namespace, and the server's next one.
const TRANSACTIONS: &str = "
    WITH RECURSIVE names (namespace) AS (
        (SELECT namespace FROM events ORDER BY namespace LIMIT 1)
        UNION ALL
        SELECT (SELECT next.namespace FROM events AS next WHERE next.namespace > names.namespace
                ORDER BY next.namespace LIMIT 1)
        FROM names WHERE names.namespace IS NOT NULL
    )
    SELECT max((SELECT last.xid FROM events AS last WHERE last.namespace = names.namespace
                ORDER BY last.xid DESC LIMIT 1)) AS stored,
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
    FROM names";

/// A blocking connection, as the migrations of Diesel need it.
type Blocking = AsyncConnectionWrapper<AsyncPgConnection>;

/// Runs the pending migrations, all or none, and returns their versions. Rejects a database that a newer program has migrated or that was
/// restored from a dump.
///
/// Processes that migrate at the same time wait for each other: the first one runs the migrations.
pub async fn migrate(config: &PgConfig) -> Result<Vec<String>, PgOpenError> {
    blocking(config, |connection| {
        sql_query(LOCK).execute(connection)?;
        reject_newer(connection)?;
        let applied = connection.transaction(run_pending)?;
        reject_future_transactions(connection)?;
        Ok(applied)
    })
    .await
}

/// Runs the pending migrations, in the caller's transaction, and returns their versions.
fn run_pending(connection: &mut Blocking) -> Result<Vec<String>, PgOpenError> {
    let applied: Vec<String> = connection
        .run_pending_migrations(MIGRATIONS)
        .map_err(PgOpenError::Migration)?
        .iter()
        .map(ToString::to_string)
        .collect();
    if applied.iter().any(|version| version == PHOTO_WORDS) {
        word_index::fill(connection)?;
    }
    Ok(applied)
}

/// Reverts all migrations: deletes all data. For tests of the migrations.
#[doc(hidden)]
pub async fn revert(config: &PgConfig) -> Result<(), PgOpenError> {
    blocking(config, |connection| {
        sql_query(LOCK).execute(connection)?;
        connection
            .revert_all_migrations(MIGRATIONS)
            .map_err(PgOpenError::Migration)?;
        Ok(())
    })
    .await
}

/// Rejects a database whose schema is not that of this program, or that was restored from a dump. Changes nothing.
pub(super) async fn check(config: &PgConfig) -> Result<(), PgOpenError> {
    blocking(config, |connection| {
        let known = newest_known()?;
        if !has_migrations(connection)? {
            return Err(PgOpenError::OlderSchema {
                found: "none".to_owned(),
                known,
            });
        }
        let found = reject_newer(connection)?;
        if connection
            .has_pending_migration(MIGRATIONS)
            .map_err(PgOpenError::Migration)?
        {
            return Err(PgOpenError::OlderSchema { found, known });
        }
        reject_future_transactions(connection)
    })
    .await
}

/// Runs a function with a connection of its own, which is closed afterwards; that releases its locks.
async fn blocking<T: Send + 'static>(
    config: &PgConfig,
    run: impl FnOnce(&mut Blocking) -> Result<T, PgOpenError> + Send + 'static,
) -> Result<T, PgOpenError> {
    let connection = config
        .migration_connector()?
        .connect()
        .await
        .map_err(StoreError::from)?;
    tokio::task::spawn_blocking(move || run(&mut Blocking::from(connection)))
        .await
        .map_err(StoreError::from)?
}

/// Returns true if a migration was ever run: reading their versions would create their table.
fn has_migrations(connection: &mut Blocking) -> Result<bool, PgOpenError> {
    #[derive(diesel::QueryableByName)]
    struct Known {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        known: bool,
    }
    let row: Known = sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS known")
        .get_result(connection)?;
    Ok(row.known)
}

/// Rejects a newer schema; returns the version of the present one.
fn reject_newer(connection: &mut Blocking) -> Result<String, PgOpenError> {
    let known = newest_known()?;
    let applied: Vec<MigrationVersion<'_>> =
        connection.applied_migrations().map_err(PgOpenError::Migration)?;
    let found = applied.iter().map(ToString::to_string).max();
    let found = found.unwrap_or_else(|| "none".to_owned());
    if !applied.is_empty() && found > known {
        return Err(PgOpenError::NewerSchema { found, known });
    }
    Ok(found)
}

/// Version of the newest migration in this program. All versions have the same number of digits, so that they sort as
/// text.
fn newest_known() -> Result<String, PgOpenError> {
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(PgOpenError::Migration)?;
    let versions = known
        .iter()
        .map(|migration| migration.name().version().to_string());
    Ok(versions.max().unwrap_or_default())
}

#[derive(diesel::QueryableByName)]
struct Transactions {
    #[diesel(sql_type = Nullable<BigInt>)]
    stored: Option<i64>,
    #[diesel(sql_type = BigInt)]
    next: i64,
}

/// Transaction ids of another server, as after a restored dump, would hold back the log until this server reaches them.
fn reject_future_transactions(connection: &mut Blocking) -> Result<(), PgOpenError> {
    let Transactions { stored, next } = sql_query(TRANSACTIONS).get_result(connection)?;
    match stored {
        Some(stored) if stored >= next => Err(PgOpenError::FutureTransactions {
            stored: count(stored),
            next: count(next),
        }),
        _ => Ok(()),
    }
}

/// Renumbers the log, in its order, to transaction 1, which every server has behind it. Checkpoints of subscriptions stay at
/// their events. The only change of stored events apart from migrations.
///
/// Rows of an earlier repair keep their numbers, so that no two rows have the same ones at any time.
const REBASE: &str = "
    LOCK TABLE events, subscriptions IN ACCESS EXCLUSIVE MODE;
    UPDATE subscriptions SET cursor_epoch = 1, cursor_position = (
        SELECT count(*) FROM events
        WHERE events.namespace = subscriptions.namespace
          AND (events.xid, events.position) <= (subscriptions.cursor_epoch, subscriptions.cursor_position));
    ALTER TABLE events DISABLE TRIGGER events_are_append_only, ALTER position SET GENERATED BY DEFAULT;
    UPDATE events SET xid = 1, position = numbered.place
    FROM (SELECT event_id, namespace, row_number() OVER (PARTITION BY namespace ORDER BY xid, position) AS place
          FROM events) AS numbered
    WHERE events.namespace = numbered.namespace AND events.event_id = numbered.event_id;
    ALTER TABLE events ENABLE TRIGGER events_are_append_only, ALTER position SET GENERATED ALWAYS;";

/// Makes a log readable that was restored from a dump. All programs that use the database must be stopped. Positions that
/// clients remember have no meaning afterwards.
pub async fn rebase_log(config: &PgConfig) -> Result<(), PgOpenError> {
    blocking(config, |connection| {
        sql_query(LOCK).execute(connection)?;
        connection.transaction(|connection| connection.batch_execute(REBASE))?;
        reject_future_transactions(connection)
    })
    .await
}
