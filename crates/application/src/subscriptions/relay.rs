use std::sync::Arc;

use async_trait::async_trait;

use super::{ReactError, Reactor};
use crate::ports::{Advance, EventFilter, EventPublisher, StoredEvent, SubscriptionName};

/// Publishes every event of the log, in order and at least once.
///
/// The runner writes the position, at least every few seconds: publishing can't be part of a commit, so that a crash in
/// between repeats events in any case. While the publisher is unavailable, only this subscription waits.
pub struct Relay(Arc<dyn EventPublisher>);

impl Relay {
    /// Name of the subscription.
    pub const NAME: SubscriptionName = "relay";

    /// The reactor with this publisher.
    pub const fn new(publisher: Arc<dyn EventPublisher>) -> Self {
        Self(publisher)
    }
}

#[async_trait]
impl Reactor for Relay {
    fn name(&self) -> SubscriptionName {
        Self::NAME
    }

    fn filter(&self) -> EventFilter {
        EventFilter::default()
    }

    async fn react(&self, events: &[StoredEvent], _: Advance) -> Result<bool, ReactError> {
        self.0.publish(events).await?;
        Ok(false)
    }
}
