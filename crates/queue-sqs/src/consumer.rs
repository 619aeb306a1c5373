use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, future, stream};
use metrics::counter;
use rapidphoto_application::ports::StorageMessages;
use tokio_util::sync::CancellationToken;

use crate::{
    error::failed,
    handling::{Backoff, Handler},
    queue::{BATCH, SqsQueue},
};

/// Duration of a long poll, the longest that SQS allows.
const POLL: Duration = Duration::from_secs(20);

/// Fewest deliveries before a message is dead-lettered that allow for restarts of consumers.
const MIN_RECEIVE_COUNT: u32 = 3;

/// Passes the messages of a queue to the handler of storage notifications.
pub struct SqsConsumer {
    queue: SqsQueue,
    handler: Handler,
}

impl SqsConsumer {
    /// A consumer of this queue.
    pub fn new(queue: SqsQueue, messages: Arc<dyn StorageMessages>) -> Self {
        for outcome in ["handled", "dead_lettered", "released"] {
            counter!("sqs_messages_total", "outcome" => outcome).increment(0);
        }
        counter!("sqs_request_failures_total").increment(0);
        Self {
            handler: Handler::new(queue.clone(), messages),
            queue,
        }
    }

    /// Consumes until `stop` is cancelled; then the messages in hand are handled or made visible to other consumers within
    /// seconds. Errors of SQS are logged and the requests repeated.
    pub async fn run(&self, stop: CancellationToken) {
        self.check(&stop).await;
        let receivers = (0..self.queue.config.receivers).map(|_| self.receive(&stop));
        future::join_all(receivers).await;
    }

    /// Waits until the queue exists, and warns of policies that lose messages.
    async fn check(&self, stop: &CancellationToken) {
        let url = &self.queue.config.queue_url;
        let mut backoff = Backoff::default();
        while !stop.is_cancelled() {
            match self.queue.redrive_policy().await {
                Ok(Some(policy)) if policy.max_receive_count < MIN_RECEIVE_COUNT => {
                    tracing::warn!(
                        url,
                        max_receive_count = policy.max_receive_count,
                        "the queue dead-letters messages after very few deliveries; {MIN_RECEIVE_COUNT} or more allow for restarts"
                    );
                    return;
                }
                Ok(Some(_)) => return,
                Ok(None) => {
                    tracing::warn!(
                        url,
                        "the queue has no redrive policy: messages that can't be handled are delivered again until they expire"
                    );
                    return;
                }
                Err(error) => failed(&error, "the queue of storage notifications can't be checked"),
            }
            backoff.wait(stop).await;
        }
    }

    async fn receive(&self, stop: &CancellationToken) {
        let config = &self.queue.config;
        let mut backoff = Backoff::default();
        while !stop.is_cancelled() {
            let receiving = self.queue.receive(&config.queue_url, POLL, config.visibility);
            // Messages that a cancelled request was about to deliver become visible after the visibility time-out.
            let received = tokio::select! {
                received = receiving => received,
                () = stop.cancelled() => return,
            };
            match received {
                Ok(messages) => {
                    backoff = Backoff::default();
                    // Handled messages are deleted together, and don't wait for others.
                    stream::iter(messages)
                        .map(|message| self.handler.handle(message, stop))
                        .buffer_unordered(BATCH)
                        .filter_map(future::ready)
                        .ready_chunks(BATCH)
                        .for_each_concurrent(None, |receipts| self.delete(receipts))
                        .await;
                }
                Err(error) => {
                    failed(&error, "storage notifications can't be received");
                    backoff.wait(stop).await;
                }
            }
        }
    }

    async fn delete(&self, receipts: Vec<String>) {
        // They are delivered again, which does no harm.
        if let Err(error) = self.queue.delete(&self.queue.config.queue_url, &receipts).await {
            failed(&error, "handled storage notifications can't be deleted");
        }
    }
}
