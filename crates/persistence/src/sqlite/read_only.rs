//! Access to a database without writing: to one that a server uses, and to a copy.

use std::{fs, path::PathBuf, sync::Arc};

use rapidphoto_application::{log::EventCodec, ports::Clock};

use super::{
    OpenError, SqliteConfig, SqliteStore,
    connection::Location,
    migrations,
    readers::Readers,
    wal::{WAL_LIMIT, WalLimit, beside},
    writer::Writer,
};
use crate::{DataDirLock, error::StoreError, lock::SharedLock};

/// Keeps a data directory as it was found.
#[derive(Debug)]
pub(super) struct Unchanged {
    /// Excludes servers.
    _lock: Option<DataDirLock>,
    /// File that SQLite creates to read a write-ahead log that was left behind.
    shared_memory: Option<PathBuf>,
}

impl Drop for Unchanged {
    fn drop(&mut self) {
        if let Some(path) = &self.shared_memory
            && let Err(error) = fs::remove_file(path)
        {
            tracing::debug!(%error, path = %path.display(), "the file can't be removed");
        }
    }
}

impl SqliteStore {
    /// Opens an existing database for reading; writes fail. Creates and changes no files, and fails if the schema is not
    /// the current one. A server may use the database at the same time; if none does, none can start before this store is
    /// dropped.
    pub async fn open_read_only(
        config: SqliteConfig,
        clock: Arc<dyn Clock>,
        codec: EventCodec,
    ) -> Result<Self, OpenError> {
        let path = config.path.clone();
        let opening = tokio::task::spawn_blocking(move || {
            let (location, unchanged) = locate(&path)?;
            let mut connection = location.reader().map_err(OpenError::from_store)?;
            migrations::check(&mut connection)?;
            Ok::<_, OpenError>((location, connection, unchanged))
        });
        let (location, connection, unchanged) = opening
            .await
            .map_err(|error| OpenError::from_store(StoreError::from(error)))??;
        let wal = WalLimit::new(&config.path, WAL_LIMIT);
        let writer = Writer::start(location.clone(), connection, wal).map_err(OpenError::Thread)?;
        Ok(Self {
            namespace: config.namespace.into(),
            clock,
            codec: Arc::new(codec),
            writer,
            readers: Readers::new(location, config.readers),
            _unchanged: Some(unchanged),
        })
    }
}

fn locate(path: &std::path::Path) -> Result<(Location, Unchanged), OpenError> {
    let directory = path.parent().unwrap_or(path);
    let (lock, in_use) = match DataDirLock::share(directory)? {
        SharedLock::Held(lock) => (Some(lock), false),
        SharedLock::NoFile => (None, false),
        SharedLock::InUse => (None, true),
    };
    // A server that was killed, or the copy of a running server's files, leaves a write-ahead log.
    let has_log = fs::metadata(beside(path, "-wal")).is_ok_and(|file| file.len() > 0);
    let shared_memory = beside(path, "-shm");
    let unchanged = Unchanged {
        _lock: lock,
        shared_memory: (!in_use && has_log && !shared_memory.exists()).then_some(shared_memory),
    };
    let location = Location::read_only(path, !in_use && !has_log)?;
    Ok((location, unchanged))
}
