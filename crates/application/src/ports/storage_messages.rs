use async_trait::async_trait;
use bytes::Bytes;

use super::BoxError;

/// Handler of the notification messages of object storage.
///
/// The consumer of a message broker and the embedded store both call it with the original message, so that all messages
/// are parsed and handled in the same way.
#[async_trait]
pub trait StorageMessages: Send + Sync {
    /// Handles one message. After `Ok` its effects, if any, are committed and the message can be acknowledged.
    ///
    /// # Errors
    /// [`MessageError::Unavailable`]: the message must be delivered again. [`MessageError::Malformed`]: redelivery
    /// does not help; the message belongs in a dead-letter queue.
    async fn take(&self, body: Bytes) -> Result<(), MessageError>;
}

/// Reasons why a message was not handled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The database is unavailable.
    #[error("the message can't be handled now")]
    Unavailable(#[source] BoxError),
    /// The message, or a record in it, is in none of the known dialects.
    #[error("the message is malformed: {0}")]
    Malformed(String),
}
