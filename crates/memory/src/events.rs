use std::sync::Mutex;

use async_trait::async_trait;
use rapidphoto_application::ports::{EventPublisher, StoredEvent, Unavailable};

use crate::{Faults, Operation, lock::lock};

/// Publisher that keeps the events in memory.
#[derive(Default)]
pub struct MemoryEvents {
    published: Mutex<Vec<StoredEvent>>,
    faults: Faults,
}

impl MemoryEvents {
    /// All published events in order, with their repetitions.
    pub fn published(&self) -> Vec<StoredEvent> {
        lock(&self.published).clone()
    }

    /// Planned failures of [`Operation::Broker`].
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }
}

#[async_trait]
impl EventPublisher for MemoryEvents {
    async fn publish(&self, events: &[StoredEvent]) -> Result<(), Unavailable> {
        self.faults.enter(Operation::Broker).await?;
        lock(&self.published).extend_from_slice(events);
        self.faults.leave(Operation::Broker).await
    }
}
