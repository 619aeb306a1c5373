//! The database in memory fulfils the contract of databases.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    log::EventCodec,
    ports::{Clock, Commit, DatabasePorts, Journal as _, SingleProcess},
};
use rapidphoto_contracts::{DatabaseHarness, OpenCommit, SingleProcessHarness};
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

    async fn open_commit(&self, commit: Commit) -> Option<OpenCommit> {
        let mut held = self.store.hold_next_commit();
        let store = self.store.clone();
        let mut committing: OpenCommit = Box::pin(async move { store.commit(commit).await });
        tokio::select! {
            biased;
            ended = &mut committing => panic!("the commit was not held: {ended:?}"),
            () = held.reached() => {}
        }
        Some(Box::pin(async move {
            held.release();
            committing.await
        }))
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
