use async_trait::async_trait;

use super::{StoredEvent, Unavailable};

/// Publisher of the log's events to programs outside of the deployment.
#[async_trait]
pub trait EventPublisher: Send + Sync {
    /// Publishes events in the given order. After `Ok` the broker is responsible for all of them.
    ///
    /// Delivery is at least once: after an error any of them may have been published, and the caller repeats them all.
    /// Consumers recognise repetitions by the event id.
    async fn publish(&self, events: &[StoredEvent]) -> Result<(), Unavailable>;
}
