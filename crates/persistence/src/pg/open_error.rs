use rapidphoto_application::ports::BoxError;

use crate::error::StoreError;

/// Error of [`PgStore::open`](super::PgStore::open) and of [`migrate`](super::migrate).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PgOpenError {
    /// The address can't be parsed.
    #[error(
        "the database's address is invalid; it must be like postgres://user@host:5432/database?sslmode=require"
    )]
    Url(#[source] tokio_postgres::Error),
    /// The certificates for TLS can't be used.
    #[error("the certificates for TLS to the database can't be used; they must be in PEM")]
    Certificates(#[source] BoxError),
    /// The database can't be reached, or a statement failed.
    #[error("the database can't be opened")]
    Database(#[source] BoxError),
    /// A newer program has migrated the database.
    #[error(
        "the database has schema {found}, but this program supports none after {known}; use the newer program"
    )]
    NewerSchema {
        /// Version of the newest migration applied to the database.
        found: String,
        /// Version of the newest migration of this program.
        known: String,
    },
    /// The database lacks migrations of this program.
    #[error("the database has schema {found}, but this program needs {known}; migrate the database first")]
    OlderSchema {
        /// Version of the newest migration applied to the database; `none` for an empty database.
        found: String,
        /// Version of the newest migration of this program.
        known: String,
    },
    /// The log has events of transactions that the server has not started yet: the data were copied from another server.
    #[error(
        "the log has events of transaction {stored}, but the server's next one is {next}: the database was restored from a dump. Readers would wait for these transactions; run `rapidphoto-api admin rebase-log` first"
    )]
    FutureTransactions {
        /// Greatest transaction id in the log.
        stored: u64,
        /// Next transaction id of the server.
        next: u64,
    },
    /// A migration failed; the database was not changed.
    #[error("the database can't be migrated to the current schema")]
    Migration(#[source] BoxError),
}

impl From<StoreError> for PgOpenError {
    fn from(error: StoreError) -> Self {
        Self::Database(error.into())
    }
}

impl From<diesel::result::Error> for PgOpenError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}
