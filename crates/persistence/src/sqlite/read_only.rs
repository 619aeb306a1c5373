//! Access to a database without writing: to one that a server uses, and to a copy.

use std::sync::Arc;

use rapidphoto_application::{attempts::LocalAttempts, log::EventCodec, ports::Clock};

use super::{
    OpenError, SqliteConfig, SqliteStore, migrations,
    readers::Readers,
    unchanged::locate,
    wal::{WAL_LIMIT, WalLimit},
    writer::Writer,
};
use crate::{error::StoreError, turns::Turns};

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
            turns: Arc::new(Turns::new(config.first_turn)),
            attempts: LocalAttempts::default(),
            _unchanged: Some(unchanged),
        })
    }
}
