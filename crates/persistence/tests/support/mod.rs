//! A store in a temporary directory.

use std::{path::Path, sync::Arc};

use diesel::{Connection as _, SqliteConnection};
use rapidphoto_application::{log::EventCodec, ports::Clock};
use rapidphoto_domain::Timestamp;
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::{OpenError, SqliteConfig, SqliteStore};
use tempfile::TempDir;

pub(crate) struct TestStore {
    pub(crate) directory: TempDir,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Arc<SqliteStore>,
}

impl TestStore {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::default());
        let store = open(&directory.path().join("record.db"), "test", clock.clone())
            .await
            .unwrap();
        Self {
            directory,
            clock,
            store: Arc::new(store),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A connection to the same file without any settings, as another program would open it.
    pub(crate) fn raw_connection(&self) -> SqliteConnection {
        let path = self.directory.path().join("record.db");
        SqliteConnection::establish(path.to_str().unwrap()).unwrap()
    }
}

pub(crate) async fn open(
    path: &Path,
    namespace: &str,
    clock: Arc<dyn Clock>,
) -> Result<SqliteStore, OpenError> {
    let config = SqliteConfig {
        path: path.to_owned(),
        namespace: namespace.to_owned(),
        readers: 4,
        first_turn: None,
    };
    SqliteStore::open(config, clock, EventCodec::default()).await
}
