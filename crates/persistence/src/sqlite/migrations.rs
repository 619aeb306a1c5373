//! Brings a database to the schema that this program knows.

use diesel::{SqliteConnection, migration::MigrationSource, sqlite::Sqlite};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::OpenError;
use crate::error::RecordError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Runs what is missing, all of it or nothing; refuses a database that a newer program has migrated.
///
/// One immediate transaction holds the look and the change together: of two processes that open a new file at once,
/// the second finds the first one's work done.
pub(super) fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    connection.immediate_transaction(|connection| {
        let known = newest_known()?;
        let applied = connection.applied_migrations().map_err(OpenError::Migration)?;
        if let Some(found) = applied.iter().map(ToString::to_string).max()
            && found > known
        {
            return Err(OpenError::NewerSchema { found, known });
        }
        connection
            .run_pending_migrations(MIGRATIONS)
            .map_err(OpenError::Migration)?;
        Ok(())
    })
}

/// The version of the newest migration in this program. Versions are written with the same number of digits, so that
/// they sort as text.
fn newest_known() -> Result<String, OpenError> {
    let known = MigrationSource::<Sqlite>::migrations(&MIGRATIONS).map_err(OpenError::Migration)?;
    Ok(known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .max()
        .unwrap_or_default())
}

// For `immediate_transaction`, which rolls back on any error and reports its own failures as Diesel's.
impl From<diesel::result::Error> for OpenError {
    fn from(source: diesel::result::Error) -> Self {
        Self::from_record(RecordError::Database(source))
    }
}
