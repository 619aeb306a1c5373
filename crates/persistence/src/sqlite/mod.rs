//! The record in one SQLite file.

mod aggregates;
mod claims;
mod connection;
mod event_log;
mod idempotency_reads;
mod job_reads;
mod journal;
mod migrations;
mod photo_list;
mod photo_reads;
mod photo_views;
mod readers;
mod sessions;
mod state_rows;
mod subscriptions;
mod task;
#[cfg(test)]
mod tests;
mod user_reads;
mod work_queue;
mod writer;

use std::{fmt, io, path::PathBuf, sync::Arc};

use diesel::SqliteConnection;
use rapidphoto_application::{
    log::EventCodec,
    ports::{BoxError, Clock},
};

use self::{connection::Location, readers::Readers, writer::Writer};
use crate::error::RecordError;

/// The most variables that one statement may bind (`SQLITE_MAX_VARIABLE_NUMBER`).
const MAX_BINDS: usize = 32_766;

/// Where the record is and how it is read.
#[derive(Debug, Clone)]
pub struct SqliteConfig {
    /// The database file; it is made where it is missing.
    pub path: PathBuf,
    /// The deployment's part of it: what is in another namespace does not exist.
    pub namespace: String,
    /// How many connections read beside the one that writes, at least one.
    pub readers: usize,
}

/// Why the record can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file can't be made or read.
    #[error("the database file {} can't be used", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// SQLite can't open it.
    #[error("the database can't be opened")]
    Database(#[source] BoxError),
    /// The file system does not carry a write-ahead log; many network file systems don't.
    #[error("the database {} can't keep a write-ahead log; its journal is in mode `{mode}`", .path.display())]
    NoWal {
        /// The file.
        path: PathBuf,
        /// The mode that it is in.
        mode: String,
    },
    /// A newer program has changed the schema.
    #[error(
        "the database has schema {found}, but this program knows none after {known}; use the newer program"
    )]
    NewerSchema {
        /// The newest migration that the database has seen.
        found: String,
        /// The newest migration that this program knows.
        known: String,
    },
    /// A migration failed; the database is as it was.
    #[error("the database can't be brought to the present schema")]
    Migration(#[source] BoxError),
    /// The writer's thread can't be started.
    #[error("the writer's thread can't be started")]
    Thread(#[source] io::Error),
}

impl OpenError {
    fn from_record(error: RecordError) -> Self {
        Self::Database(error.into())
    }
}

/// The record of one deployment, in one SQLite file. See the crate's documentation for how the file is driven.
pub struct SqliteStore {
    namespace: Arc<str>,
    clock: Arc<dyn Clock>,
    codec: Arc<EventCodec>,
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the record, making and migrating the database where that is needed.
    ///
    /// Leases are measured by `clock`; `codec` knows the present schema of events.
    pub async fn open(
        config: SqliteConfig,
        clock: Arc<dyn Clock>,
        codec: EventCodec,
    ) -> Result<Self, OpenError> {
        let path = config.path;
        let opening = tokio::task::spawn_blocking(move || {
            let location = Location::prepare(&path)?;
            let mut connection = location.writer()?;
            migrations::migrate(&mut connection)?;
            Ok::<_, OpenError>((location, connection))
        });
        let (location, connection) = opening
            .await
            .map_err(|error| OpenError::from_record(error.into()))??;
        let writer = Writer::start(location.clone(), connection).map_err(OpenError::Thread)?;
        Ok(Self {
            namespace: config.namespace.into(),
            clock,
            codec: Arc::new(codec),
            writer,
            readers: Readers::new(location, config.readers),
        })
    }

    /// Waits for what is under way, then closes the database. Whatever is asked later is answered with `Unavailable`.
    pub async fn close(&self) {
        // The writer goes last: closing the last connection takes the write-ahead log back into the database.
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Reads in the store's namespace.
    async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<RecordError> + Send + 'static,
        F: FnOnce(&mut SqliteConnection, &str) -> Result<T, E> + Send + 'static,
    {
        let namespace = self.namespace.clone();
        self.readers
            .read(move |connection| read(connection, &namespace))
            .await
    }

    /// Writes in the store's namespace.
    async fn write<T, E, F>(&self, write: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<RecordError> + Send + 'static,
        F: FnOnce(&mut SqliteConnection, &str) -> Result<T, E> + Send + 'static,
    {
        let namespace = self.namespace.clone();
        self.writer
            .run(move |connection| write(connection, &namespace))
            .await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
