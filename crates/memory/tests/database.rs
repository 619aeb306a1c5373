//! The database in memory fulfils the contract of databases.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    log::EventCodec,
    ports::{Clock, DatabasePorts, SingleProcess},
};
use rapidphoto_contracts::{DatabaseHarness, SingleProcessHarness};
use rapidphoto_domain::Timestamp;
use rapidphoto_memory::{FakeClock, MemoryStore};

struct MemoryHarness {
    clock: Arc<FakeClock>,
    store: MemoryStore,
}

impl DatabaseHarness for MemoryHarness {
    async fn fresh() -> Self {
        let clock = Arc::new(FakeClock::default());
        Self {
            clock: clock.clone(),
            store: MemoryStore::new(clock, EventCodec::default()),
        }
    }

    fn ports(&self) -> DatabasePorts {
        DatabasePorts::of(Arc::new(self.store.clone()))
    }

    fn other_namespace(&self) -> DatabasePorts {
        DatabasePorts::of(Arc::new(self.store.namespace("other")))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

impl SingleProcessHarness for MemoryHarness {
    fn single_process(&self) -> Arc<dyn SingleProcess> {
        Arc::new(self.store.clone())
    }
}

rapidphoto_contracts::database_contract!(MemoryHarness);
rapidphoto_contracts::single_process_contract!(MemoryHarness);
