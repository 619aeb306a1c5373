//! The dead-letter queue in memory fulfils the contract of dead-letter queues.

use std::sync::Arc;

use bytes::Bytes;
use rapidphoto_application::ports::{Clock, DeadLetters};
use rapidphoto_contracts::DeadLetterHarness;
use rapidphoto_memory::{FakeClock, MemoryDeadLetters};

struct MemoryHarness(Arc<MemoryDeadLetters>);

impl DeadLetterHarness for MemoryHarness {
    async fn fresh() -> Self {
        Self(Arc::default())
    }

    fn port(&self) -> Arc<dyn DeadLetters> {
        self.0.clone()
    }

    async fn add(&self, reason: &str, body: Bytes) {
        self.0.add(reason, body, FakeClock::default().now());
    }

    async fn redriven(&self, _: usize) -> Vec<Bytes> {
        self.0.redriven()
    }
}

rapidphoto_contracts::dead_letter_contract!(MemoryHarness);
