use async_trait::async_trait;

use crate::{
    commit::{Contended, WriteError},
    ports::{Advance, CommitError, EventFilter, LogError, StoredEvent, SubscriptionName, Unavailable},
};

/// Reacts to events.
#[async_trait]
pub trait Reactor: Send + Sync {
    /// Name of the subscription.
    fn name(&self) -> SubscriptionName;

    /// Selects the events that the reactor receives.
    fn filter(&self) -> EventFilter;

    /// Reacts to a page of the log. The page may have been reacted to before, in whole or in part.
    ///
    /// Every commit carries `advance`, or an advance from its start to its start, so that a runner which lost its lease
    /// writes nothing. Returns true if `advance` was committed with the last of the reactions.
    async fn react(&self, events: &[StoredEvent], advance: Advance) -> Result<bool, ReactError>;
}

/// Reason for which a reaction was not finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReactError {
    /// Another runner has acquired the subscription.
    #[error("another runner has acquired the subscription")]
    LeaseLost,
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An aggregate was changed concurrently each time.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The database, or a service to which events are published, can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The reactor panicked.
    #[error("the reactor panicked")]
    Panicked,
}

impl From<CommitError> for ReactError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::StaleCheckpoint => Self::LeaseLost,
            other => Self::Unavailable(other.into_unavailable()),
        }
    }
}

impl From<WriteError> for ReactError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Contended(contended) => contended.into(),
            WriteError::Unavailable(unavailable) => unavailable.into(),
        }
    }
}
