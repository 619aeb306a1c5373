//! The contract of every database.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::ports::{Clock as _, DatabasePorts, SingleProcess};
use rapidphoto_contracts::{DatabaseHarness, SingleProcessHarness};
use rapidphoto_domain::Timestamp;
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::SqliteStore;
use tempfile::TempDir;

use crate::support::open;

struct SqliteHarness {
    directory: TempDir,
    clock: Arc<FakeClock>,
    store: Arc<SqliteStore>,
    other_namespace: Arc<SqliteStore>,
}

impl SqliteHarness {
    /// Opens two stores on one file, each in its own namespace.
    async fn on(directory: TempDir, clock: Arc<FakeClock>) -> Self {
        let path = directory.path().join("record.db");
        let store = open(&path, "test", clock.clone()).await.unwrap();
        let other_namespace = open(&path, "other", clock.clone()).await.unwrap();
        Self {
            directory,
            clock,
            store: Arc::new(store),
            other_namespace: Arc::new(other_namespace),
        }
    }
}

impl DatabaseHarness for SqliteHarness {
    async fn fresh() -> Self {
        Self::on(tempfile::tempdir().unwrap(), Arc::default()).await
    }

    fn ports(&self) -> DatabasePorts {
        DatabasePorts::of(self.store.clone())
    }

    fn other_namespace(&self) -> DatabasePorts {
        DatabasePorts::of(self.other_namespace.clone())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn reopened(self) -> Self {
        self.store.close().await;
        self.other_namespace.close().await;
        Self::on(self.directory, self.clock).await
    }
}

impl SingleProcessHarness for SqliteHarness {
    fn single_process(&self) -> Arc<dyn SingleProcess> {
        self.store.clone()
    }
}

rapidphoto_contracts::database_contract!(SqliteHarness);
rapidphoto_contracts::single_process_contract!(SqliteHarness);
