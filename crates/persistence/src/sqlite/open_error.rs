use std::{io, path::PathBuf};

use rapidphoto_application::ports::BoxError;

use crate::{LockError, error::StoreError};

/// Error of [`SqliteStore::open`](super::SqliteStore::open).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file can't be created or opened.
    #[error("the database file {} can't be created or opened", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// SQLite can't open the database.
    #[error("the database can't be opened")]
    Database(#[source] BoxError),
    /// The file system does not support a write-ahead log, as is the case for many network file systems.
    #[error("the database {} can't use a write-ahead log, its journal mode is `{mode}`; use a local file system", .path.display())]
    NoWal {
        /// The file.
        path: PathBuf,
        /// Its journal mode.
        mode: String,
    },
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
    /// The database lacks migrations of this program, and is opened beside its server or for reading only, so that it can't be migrated.
    #[error(
        "the database has schema {found}, but this program needs {known}; start its server once to upgrade the database, or use the older program"
    )]
    OlderSchema {
        /// Version of the newest migration applied to the database.
        found: String,
        /// Version of the newest migration of this program.
        known: String,
    },
    /// A lock file can't be read.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A migration failed; the database was not changed.
    #[error("the database can't be migrated to the current schema")]
    Migration(#[source] BoxError),
    /// The writer thread can't be started.
    #[error("the writer thread can't be started")]
    Thread(#[source] io::Error),
}

impl OpenError {
    pub(super) fn from_store(error: StoreError) -> Self {
        Self::Database(error.into())
    }
}
