//! Subscriptions: reactions to events, which read the log in order. One runner at a time executes each of them.

mod job_completion;
mod runner;

use async_trait::async_trait;

pub use job_completion::JobCompletion;
pub use runner::SubscriptionRunner;

use crate::ports::{Advance, EventFilter, LogError, StoredEvent, SubscriptionName, Unavailable};

/// Reaction to events.
#[async_trait]
pub trait Reactor: Send + Sync {
    /// Name of the subscription.
    fn name(&self) -> SubscriptionName;

    /// Events to react to.
    fn filter(&self) -> EventFilter;

    /// Reacts to a page of events. Delivery is at least once: some or all of them may have been handled before.
    ///
    /// Every commit carries `advance`, or an advance that ends at its start, so that a runner that lost its lease can't
    /// commit. Returns true if `advance` was part of the last commit.
    async fn react(&self, events: &[StoredEvent], advance: Advance) -> Result<bool, ReactError>;
}

/// Reasons why a reaction was not completed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReactError {
    /// Another runner has acquired the subscription.
    #[error("another runner has acquired the subscription")]
    LeaseLost,
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The database is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The reactor panicked.
    #[error("the reactor panicked")]
    Panicked,
}
