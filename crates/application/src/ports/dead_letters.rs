use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_domain::Timestamp;

use super::Unavailable;

/// Message that could not be handled, in the dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Identifier of the message in this queue. Equal for messages that can't be told apart.
    pub id: String,
    /// Reason why it is here.
    pub reason: String,
    /// Time at which it was put here, or at which the broker first received it; `None` if the broker does not say.
    pub first_at: Option<Timestamp>,
    /// Beginning of the body, at most [`DeadLetter::PREVIEW_BYTES`].
    pub preview: Bytes,
    /// Length of the body in bytes.
    pub bytes: usize,
}

impl DeadLetter {
    /// Bytes of the body that a list shows.
    pub const PREVIEW_BYTES: usize = 4096;
}

/// Queue of the storage notifications that could not be handled.
///
/// A message stays until it is redriven, or until the broker's retention period ends. Other readers of the queue may have
/// messages in hand, so that a list or a redrive can miss some; repeating the call finds them.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Up to `limit` messages. They stay in the queue.
    async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, Unavailable>;

    /// Moves a message back to the queue of notifications; false if no message has this id. After an error the message
    /// is in one of the queues, or in both.
    async fn redrive(&self, id: &str) -> Result<bool, Unavailable>;

    /// Moves all messages that are in the queue at the beginning of the call back to the queue of notifications, and
    /// returns their number. A message that is dead-lettered again is not moved twice.
    async fn redrive_all(&self) -> Result<u64, Unavailable>;
}
