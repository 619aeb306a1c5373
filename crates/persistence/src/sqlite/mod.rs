//! Adapter for one SQLite file.

mod aggregates;
mod assembled;
mod attempts;
mod claims;
mod connection;
mod copy;
mod deployment;
mod event_log;
mod health;
mod idempotency_reads;
mod job_list;
mod job_reads;
mod journal;
mod migrations;
mod open_error;
mod photo_list;
mod photo_reads;
mod photo_views;
mod read_only;
mod readers;
mod sessions;
mod single_process;
mod state_rows;
mod subscriptions;
mod tag_index;
mod tag_list;
mod task;
#[cfg(test)]
mod tests;
mod tickets;
mod unchanged;
mod upload_activity;
mod usage;
mod usage_check;
mod user_reads;
mod wal;
mod word_index;
mod work_queue;
mod writer;

use std::{fmt, path::PathBuf, sync::Arc};

use diesel::SqliteConnection;
use rapidphoto_application::{attempts::LocalAttempts, log::EventCodec, ports::Clock};

pub use open_error::OpenError;

use self::{connection::Location, readers::Readers, unchanged::Unchanged, wal::WalLimit, writer::Writer};
use crate::{error::StoreError, turns::Turns};

/// Maximum number of variables in one statement (`SQLITE_MAX_VARIABLE_NUMBER`).
const MAX_BINDS: usize = 32_766;

/// Configuration of a [`SqliteStore`].
#[derive(Debug, Clone)]
pub struct SqliteConfig {
    /// Path of the database file, which is created if it is missing.
    pub path: PathBuf,
    /// Namespace of the deployment. Data of other namespaces is not visible.
    pub namespace: String,
    /// Number of reading connections beside the writing one, 1 to 1024.
    pub readers: usize,
    /// Random number that selects the owner with whom claims begin. `None` begins before all owners, in the order of
    /// their ids, so that tests are repeatable.
    pub first_turn: Option<u64>,
}

/// Database of one deployment, in one SQLite file. The crate's documentation describes how the file is used.
pub struct SqliteStore {
    namespace: Arc<str>,
    clock: Arc<dyn Clock>,
    codec: Arc<EventCodec>,
    writer: Writer,
    readers: Readers,
    turns: Arc<Turns>,
    /// In memory: the database has one process that serves logins.
    attempts: LocalAttempts,
    // Last field: released after the connections are closed.
    _unchanged: Option<Unchanged>,
}

impl SqliteStore {
    /// Opens the database, which is created and migrated as needed.
    ///
    /// `clock` is the database's clock: it decides when work is due and when leases and sessions expire. It should not be
    /// set back while the process runs, because delays would become longer. `codec` encodes events and decodes them to the current schema.
    pub async fn open(
        config: SqliteConfig,
        clock: Arc<dyn Clock>,
        codec: EventCodec,
    ) -> Result<Self, OpenError> {
        Self::open_with(config, clock, codec, migrations::migrate).await
    }

    /// Opens a database that another process has open. It must have the schema of this program: it is never migrated.
    pub async fn open_beside(
        config: SqliteConfig,
        clock: Arc<dyn Clock>,
        codec: EventCodec,
    ) -> Result<Self, OpenError> {
        Self::open_with(config, clock, codec, migrations::check).await
    }

    async fn open_with(
        config: SqliteConfig,
        clock: Arc<dyn Clock>,
        codec: EventCodec,
        prepare: fn(&mut SqliteConnection) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let path = config.path.clone();
        let wal = WalLimit::new(&path, wal::WAL_LIMIT);
        let opening = tokio::task::spawn_blocking(move || {
            let location = Location::prepare(&path)?;
            let mut connection = location.writer()?;
            prepare(&mut connection)?;
            Ok::<_, OpenError>((location, connection))
        });
        let (location, connection) = opening
            .await
            .map_err(|error| OpenError::from_store(error.into()))??;
        let writer = Writer::start(location.clone(), connection, wal).map_err(OpenError::Thread)?;
        Ok(Self {
            namespace: config.namespace.into(),
            clock,
            codec: Arc::new(codec),
            writer,
            readers: Readers::new(location, config.readers),
            _unchanged: None,
            turns: Arc::new(Turns::new(config.first_turn)),
            attempts: LocalAttempts::default(),
        })
    }

    /// Empties the write-ahead log soon: it keeps earlier contents of the database, erased data too, until they are
    /// overwritten. Has no effect while a long read uses the log; call it at intervals.
    pub async fn empty_log(&self) {
        self.writer.empty_log().await;
    }

    /// Waits for running calls, then closes the database. Later calls return `Unavailable`.
    pub async fn close(&self) {
        // The writer is closed last: closing the last connection checkpoints and removes the write-ahead log.
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Runs a read in the store's namespace.
    async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut SqliteConnection, &str) -> Result<T, E> + Send + 'static,
    {
        let namespace = self.namespace.clone();
        self.readers
            .read(move |connection| read(connection, &namespace))
            .await
    }

    /// Runs a write in the store's namespace.
    async fn write<T, E, F>(&self, write: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
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
