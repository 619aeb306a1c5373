//! The record in memory keeps the record's contract.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    log::EventCodec,
    ports::{Clock, DatabasePorts},
};
use rapidphoto_contracts::RecordHarness;
use rapidphoto_domain::Timestamp;
use rapidphoto_memory::{FakeClock, MemoryStore};

struct MemoryHarness {
    clock: Arc<FakeClock>,
    store: MemoryStore,
}

impl RecordHarness for MemoryHarness {
    async fn fresh() -> Self {
        let clock = Arc::new(FakeClock::default());
        Self {
            clock: clock.clone(),
            store: MemoryStore::new(clock, EventCodec::default()),
        }
    }

    fn record(&self) -> DatabasePorts {
        DatabasePorts::of(Arc::new(self.store.clone()))
    }

    fn neighbour(&self) -> DatabasePorts {
        DatabasePorts::of(Arc::new(self.store.namespace("neighbour")))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

rapidphoto_contracts::record_contract!(MemoryHarness);
