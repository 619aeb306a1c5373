//! Migrates a database to the schema of this program.

use diesel::{
    SqliteConnection, connection::SimpleConnection as _, migration::MigrationSource, sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{OpenError, word_index};
use crate::error::StoreError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Version of the migration that made hashes erasable.
const ERASABLE_HASHES: &str = "00000000000070";

/// Version of the migration that created the index of photos by word, which the program fills.
const PHOTO_WORDS: &str = "00000000000120";

/// Runs the pending migrations, all or none. Rejects a database that a newer program has migrated.
///
/// The check and the migrations share one immediate transaction: if two processes open a new file concurrently, the
/// second one finds all migrations applied.
pub(super) fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    // Reading the versions creates their table in a new file: a write, which must wait for other processes.
    let overwrite = connection.immediate_transaction(keeps_erased_data)?;
    if overwrite {
        // Before the migration, so that it is repeated if the program ends in between.
        connection.batch_execute("VACUUM")?;
    }
    run_pending(connection)?;
    if overwrite {
        connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    Ok(())
}

/// Returns true for an existing database whose free pages may have personal data: programs without the migration that made
/// hashes erasable did not overwrite what they deleted.
fn keeps_erased_data(connection: &mut SqliteConnection) -> Result<bool, OpenError> {
    let applied = connection.applied_migrations().map_err(OpenError::Migration)?;
    let overwriting = applied
        .iter()
        .any(|version| version.to_string().as_str() == ERASABLE_HASHES);
    Ok(!applied.is_empty() && !overwriting)
}

fn run_pending(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    connection.immediate_transaction(|connection| {
        let known = newest_known()?;
        let applied = connection.applied_migrations().map_err(OpenError::Migration)?;
        if let Some(found) = applied.iter().map(ToString::to_string).max()
            && found > known
        {
            return Err(OpenError::NewerSchema { found, known });
        }
        let applied = connection
            .run_pending_migrations(MIGRATIONS)
            .map_err(OpenError::Migration)?;
        if applied.iter().any(|version| version.to_string() == PHOTO_WORDS) {
            word_index::fill(connection).map_err(OpenError::from_store)?;
        }
        Ok(())
    })
}

/// Rejects a database whose schema is not that of this program. Changes nothing.
pub(super) fn check(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let known = newest_known()?;
    let applied = connection.applied_migrations().map_err(OpenError::Migration)?;
    let found = applied.iter().map(ToString::to_string).max().unwrap_or_default();
    if found > known {
        return Err(OpenError::NewerSchema { found, known });
    }
    if connection
        .has_pending_migration(MIGRATIONS)
        .map_err(OpenError::Migration)?
    {
        return Err(OpenError::OlderSchema { found, known });
    }
    Ok(())
}

/// Version of the newest migration in this program. All versions have the same number of digits, so that they sort as
/// text.
fn newest_known() -> Result<String, OpenError> {
    let known = MigrationSource::<Sqlite>::migrations(&MIGRATIONS).map_err(OpenError::Migration)?;
    Ok(known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .max()
        .unwrap_or_default())
}

// Needed by `immediate_transaction`, which rolls back on any error and reports its own failures as Diesel errors.
impl From<diesel::result::Error> for OpenError {
    fn from(source: diesel::result::Error) -> Self {
        Self::from_store(StoreError::Database(source))
    }
}
