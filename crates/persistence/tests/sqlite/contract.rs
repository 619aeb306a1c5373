//! The record in SQLite keeps the record's contract.
#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod support;

use std::{sync::Arc, time::Duration};

use rapidphoto_application::ports::{Clock as _, DatabasePorts};
use rapidphoto_contracts::RecordHarness;
use rapidphoto_domain::Timestamp;
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::SqliteStore;
use tempfile::TempDir;

use crate::support::open;

struct SqliteHarness {
    directory: TempDir,
    clock: Arc<FakeClock>,
    store: Arc<SqliteStore>,
    neighbour: Arc<SqliteStore>,
}

impl SqliteHarness {
    /// Two stores on one file, each in its namespace.
    async fn on(directory: TempDir, clock: Arc<FakeClock>) -> Self {
        let path = directory.path().join("record.db");
        let store = open(&path, "test", clock.clone()).await.unwrap();
        let neighbour = open(&path, "neighbour", clock.clone()).await.unwrap();
        Self {
            directory,
            clock,
            store: Arc::new(store),
            neighbour: Arc::new(neighbour),
        }
    }
}

impl RecordHarness for SqliteHarness {
    async fn fresh() -> Self {
        Self::on(tempfile::tempdir().unwrap(), Arc::default()).await
    }

    fn record(&self) -> DatabasePorts {
        DatabasePorts::of(self.store.clone())
    }

    fn neighbour(&self) -> DatabasePorts {
        DatabasePorts::of(self.neighbour.clone())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn reopened(self) -> Self {
        self.store.close().await;
        self.neighbour.close().await;
        Self::on(self.directory, self.clock).await
    }
}

rapidphoto_contracts::record_contract!(SqliteHarness);
