//! What follows from events by itself: subscriptions read the log in order, each by one runner at a time.

mod job_completion;
mod runner;

use async_trait::async_trait;

pub use job_completion::JobCompletion;
pub use runner::SubscriptionRunner;

use crate::ports::{Advance, EventFilter, LogError, StoredEvent, SubscriptionName, Unavailable};

/// Acts on events.
#[async_trait]
pub trait Reactor: Send + Sync {
    /// The subscription's name.
    fn name(&self) -> SubscriptionName;

    /// The events that it wants to see.
    fn filter(&self) -> EventFilter;

    /// Reacts to a part of the log, which may have been reacted to before, in whole or in part.
    ///
    /// Whatever it commits carries `advance`, or an advance that stays where it begins, so that a runner which lost its
    /// lease writes nothing. Tells whether `advance` was committed with the last of the reactions.
    async fn react(&self, events: &[StoredEvent], advance: Advance) -> Result<bool, ReactError>;
}

/// Why a reaction was not finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReactError {
    /// Another runner has the subscription.
    #[error("another runner has the subscription")]
    LeaseLost,
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The reactor broke.
    #[error("the reactor panicked")]
    Panicked,
}
