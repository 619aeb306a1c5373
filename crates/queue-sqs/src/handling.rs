//! Handling of one message: attempts, the time for which it stays hidden, and its end.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_sqs::types::Message;
use bytes::Bytes;
use metrics::counter;
use rapidphoto_application::ports::{BoxError, MessageError, StorageMessages};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{SqsError, failed},
    queue::SqsQueue,
};

/// Failed attempts, each after another message was handled since the previous one, after which a message is released, so
/// that the queue's redrive limit applies to it. Failures while the database is unavailable do not count.
const MAX_FAILURES_ALONE: u32 = 4;

/// Time for which a malformed message is hidden that has no dead-letter queue. SQS allows 12 hours in all.
const KEPT_FOR: Duration = Duration::from_hours(11);

/// Time that an attempt in progress has after a stop.
const STOP_GRACE: Duration = Duration::from_secs(5);

pub(crate) struct Handler {
    queue: SqsQueue,
    messages: Arc<dyn StorageMessages>,
    /// Number of handled messages.
    handled: AtomicU64,
}

/// Result of handling a message.
enum Outcome {
    /// To be deleted.
    Done,
    /// To be made visible to consumers after this time.
    Release(Duration),
}

impl Handler {
    pub(crate) fn new(queue: SqsQueue, messages: Arc<dyn StorageMessages>) -> Self {
        Self {
            queue,
            messages,
            handled: AtomicU64::new(0),
        }
    }

    /// Handles a message, and returns its receipt if it can be deleted.
    pub(crate) async fn handle(&self, message: Message, stop: &CancellationToken) -> Option<String> {
        let receipt = message.receipt_handle?;
        let body = message.body.unwrap_or_default();
        let outcome = tokio::select! {
            outcome = self.attempt_until_done(body, stop) => outcome,
            never = self.keep_hidden(&receipt) => match never {},
        };
        match outcome {
            Outcome::Done => Some(receipt),
            Outcome::Release(after) => {
                counter!("sqs_messages_total", "outcome" => "released").increment(1);
                // Otherwise it becomes visible when its time-out has passed.
                if let Err(error) = self.queue.hide(self.url(), &receipt, after).await {
                    failed(&error, "a storage notification can't be released");
                }
                None
            }
        }
    }

    fn url(&self) -> &str {
        &self.queue.config.queue_url
    }

    /// Renews the visibility time-out.
    async fn keep_hidden(&self, receipt: &str) -> Infallible {
        let visibility = self.queue.config.visibility;
        loop {
            tokio::time::sleep(visibility / 3).await;
            if let Err(error) = self.queue.hide(self.url(), receipt, visibility).await {
                failed(
                    &error,
                    "a storage notification in hand may be delivered to another consumer",
                );
            }
        }
    }

    async fn attempt_until_done(&self, body: String, stop: &CancellationToken) -> Outcome {
        let mut handled_at_failure = self.handled.load(Ordering::Relaxed);
        let mut failures_alone = 0;
        let mut backoff = Backoff::default();
        loop {
            let handled_at_start = self.handled.load(Ordering::Relaxed);
            let attempt = self.attempt(&body);
            let stopped = async {
                stop.cancelled().await;
                tokio::time::sleep(STOP_GRACE).await;
            };
            let error = tokio::select! {
                result = attempt => match result {
                    Ok(outcome) => return outcome,
                    Err(error) => error,
                },
                () = stopped => return Outcome::Release(Duration::ZERO),
            };
            if backoff.failures == 0 {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "a storage notification is tried again"
                );
            }
            failures_alone += u32::from(handled_at_start > handled_at_failure);
            handled_at_failure = self.handled.load(Ordering::Relaxed);
            if failures_alone >= MAX_FAILURES_ALONE {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "a storage notification is released: others are handled, this one fails"
                );
                return Outcome::Release(self.queue.config.visibility);
            }
            backoff.wait(stop).await;
            if stop.is_cancelled() {
                return Outcome::Release(Duration::ZERO);
            }
        }
    }

    async fn attempt(&self, body: &str) -> Result<Outcome, BoxError> {
        match self.messages.take(Bytes::copy_from_slice(body.as_bytes())).await {
            Ok(()) => {
                self.handled.fetch_add(1, Ordering::Relaxed);
                counter!("sqs_messages_total", "outcome" => "handled").increment(1);
                Ok(Outcome::Done)
            }
            Err(MessageError::Malformed(reason)) => Ok(self.dead_letter(body, &reason).await?),
            Err(error) => Err(error.into()),
        }
    }

    async fn dead_letter(&self, body: &str, reason: &str) -> Result<Outcome, SqsError> {
        let url = match self.queue.dead_letter_url().await {
            Ok(url) => url,
            Err(error @ SqsError::NoDeadLetterQueue(_)) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    reason,
                    "a malformed storage notification stays in the queue"
                );
                return Ok(Outcome::Release(KEPT_FOR));
            }
            Err(error) => return Err(error),
        };
        self.queue.send(url, body, Some(reason)).await?;
        counter!("sqs_messages_total", "outcome" => "dead_lettered").increment(1);
        tracing::warn!(
            reason,
            "moved a malformed storage notification to the dead-letter queue"
        );
        Ok(Outcome::Done)
    }
}

/// Delays between attempts: they double from 0.5 s to 30 s.
#[derive(Default)]
pub(crate) struct Backoff {
    /// Failed attempts in a row.
    pub(crate) failures: u32,
}

impl Backoff {
    /// Waits after a failed attempt, but not longer than until the stop.
    pub(crate) async fn wait(&mut self, stop: &CancellationToken) {
        let delay = Duration::from_millis(500).saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures += 1;
        let delay = delay.min(Duration::from_secs(30));
        // The timeout is the usual end.
        let _ = tokio::time::timeout(delay, stop.cancelled()).await;
    }
}
