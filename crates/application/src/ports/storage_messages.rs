use async_trait::async_trait;
use bytes::Bytes;

use super::BoxError;

/// Where storage's own notifications enter, as the store wrote them.
///
/// A broker's consumer and the embedded store both hand their messages to this one entrance, so that every message is
/// parsed and taken in the same way.
#[async_trait]
pub trait StorageMessages: Send + Sync {
    /// Takes one message in; when this answers, what the message told is committed (or known to be nothing).
    ///
    /// # Errors
    /// [`MessageRefused::Unavailable`]: keep the message and bring it again. [`MessageRefused::Unintelligible`]: no
    /// repetition will help; the message belongs to a dead-letter queue.
    async fn take(&self, body: Bytes) -> Result<(), MessageRefused>;
}

/// Why a message was not taken in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageRefused {
    /// The record can't be reached now.
    #[error("the message can't be taken in now")]
    Unavailable(#[source] BoxError),
    /// It is not a message of any known dialect.
    #[error("the message can't be understood: {0}")]
    Unintelligible(String),
}
