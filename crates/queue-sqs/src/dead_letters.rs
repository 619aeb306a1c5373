use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use bytes::Bytes;
use chrono::DateTime;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use rapidphoto_application::ports::{DeadLetter, DeadLetters, Unavailable};

use crate::{
    error::{SqsError, failed},
    queue::{BATCH, REASON, SqsQueue},
};

/// Dead-letter queue of a queue of storage notifications.
///
/// SQS has no query: to list or to find messages is to receive them, which hides them from other readers until the end of
/// the call.
#[derive(Debug)]
pub struct SqsDeadLetters {
    queue: SqsQueue,
}

/// A long poll asks all servers of a queue, a short one a sample of them.
const POLL: Duration = Duration::from_secs(1);

/// Time for which messages are hidden if a call ends without releasing them.
const HIDDEN_FOR: Duration = Duration::from_mins(2);

/// Most messages that one call reads, so that their bodies fit into memory.
const MAX_MESSAGES: usize = 10_000;

impl SqsDeadLetters {
    /// The dead-letter queue of this queue.
    pub fn new(queue: SqsQueue) -> Self {
        Self { queue }
    }

    /// Receives up to `limit` messages, or all up to the first that `is_last` accepts.
    async fn read(
        &self,
        url: &str,
        limit: usize,
        is_last: impl Fn(&Message) -> bool,
    ) -> Result<Vec<Message>, SqsError> {
        // By id, because SQS may deliver a message twice.
        let mut messages = BTreeMap::new();
        while messages.len() < limit {
            let received = match self.queue.receive(url, POLL, HIDDEN_FOR).await {
                Ok(received) => received,
                Err(error) => {
                    self.release(url, messages.into_values()).await;
                    return Err(error);
                }
            };
            let is_end = received.is_empty() || received.iter().any(&is_last);
            messages.extend(received.into_iter().map(|message| (id(&message), message)));
            if is_end {
                break;
            }
        }
        Ok(messages.into_values().collect())
    }

    async fn release(&self, url: &str, messages: impl IntoIterator<Item = Message>) {
        let receipts: Vec<String> = messages
            .into_iter()
            .filter_map(|message| message.receipt_handle)
            .collect();
        if let Err(error) = self.queue.release(url, &receipts).await {
            failed(&error, "dead letters stay hidden for two minutes");
        }
    }

    /// Sends a message to the queue of notifications, then deletes it here.
    async fn move_back(&self, url: &str, message: Message) -> Result<(), SqsError> {
        let body = message.body.unwrap_or_default();
        self.queue.send(&self.queue.config.queue_url, &body, None).await?;
        let receipts: Vec<String> = message.receipt_handle.into_iter().collect();
        self.queue.delete(url, &receipts).await
    }
}

#[async_trait]
impl DeadLetters for SqsDeadLetters {
    async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, Unavailable> {
        let url = self.queue.dead_letter_url().await?;
        let messages = self.read(url, limit.min(MAX_MESSAGES), |_| false).await?;
        let mut letters: Vec<DeadLetter> = messages.iter().map(dead_letter).collect();
        self.release(url, messages).await;
        letters.sort_by_key(|letter| letter.first_at);
        letters.truncate(limit);
        Ok(letters)
    }

    async fn redrive(&self, wanted: &str) -> Result<bool, Unavailable> {
        let url = self.queue.dead_letter_url().await?;
        let is_wanted = |message: &Message| message.message_id.as_deref() == Some(wanted);
        let messages = self.read(url, MAX_MESSAGES, is_wanted).await?;
        let (found, others): (Vec<_>, Vec<_>) = messages.into_iter().partition(is_wanted);
        self.release(url, others).await;
        let is_found = !found.is_empty();
        for message in found {
            self.move_back(url, message).await?;
        }
        Ok(is_found)
    }

    async fn redrive_all(&self) -> Result<u64, Unavailable> {
        let url = self.queue.dead_letter_url().await?;
        // All are received before the first is sent, so that none that is dead-lettered again is among them.
        let messages = self.read(url, MAX_MESSAGES, |_| false).await?;
        let moved = stream::iter(messages)
            .map(|message| self.move_back(url, message))
            .buffer_unordered(BATCH)
            .try_fold(0, |moved, ()| std::future::ready(Ok(moved + 1)));
        Ok(moved.await?)
    }
}

fn id(message: &Message) -> String {
    message.message_id.clone().unwrap_or_default()
}

fn dead_letter(message: &Message) -> DeadLetter {
    let body = message.body.as_deref().unwrap_or_default().as_bytes();
    let reason = message
        .message_attributes
        .as_ref()
        .and_then(|attributes| attributes.get(REASON)?.string_value())
        // SQS itself moved it.
        .unwrap_or("delivered as often as the redrive policy of the queue allows, without success");
    let sent_at = message
        .attributes
        .as_ref()
        .and_then(|attributes| attributes.get(&MessageSystemAttributeName::SentTimestamp))
        .and_then(|milliseconds| DateTime::from_timestamp_millis(milliseconds.parse().ok()?));
    DeadLetter {
        id: id(message),
        reason: reason.to_owned(),
        first_at: sent_at,
        preview: Bytes::copy_from_slice(body.get(..DeadLetter::PREVIEW_BYTES).unwrap_or(body)),
        bytes: body.len(),
    }
}
