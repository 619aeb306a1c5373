use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::FutureExt as _;
use lapin::{
    Acker, BasicProperties,
    message::Delivery,
    options::{BasicAckOptions, BasicNackOptions},
};
use metrics::counter;
use rapidphoto_application::ports::{Clock, MessageError, StorageMessages};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    error::chain,
    headers,
    publisher::{Message, Publisher},
};

/// Handles single messages.
pub(crate) struct Handler {
    messages: Arc<dyn StorageMessages>,
    clock: Arc<dyn Clock>,
    publisher: Publisher,
}

/// Labels of `broker_messages_total`.
pub(crate) const OUTCOMES: [&str; 4] = ["taken", "malformed", "panicked", "put_back"];

/// Time for which a message is held while the application is unavailable; after it a copy takes its place at the end of
/// the queue. By default RabbitMQ closes the channel of a consumer that holds one for 30 min, which returns all that it
/// holds and counts as a delivery of each.
const HOLD: Duration = Duration::from_mins(10);

/// Pause before a message whose handling panicked is returned, so that a bug does not use up the delivery limit at once.
const PANIC_PAUSE: Duration = Duration::from_millis(500);

/// Destination of a message that leaves the queue otherwise than by being handled.
enum Exit {
    /// Dead-letter queue, with the reason.
    Dead(String),
    /// End of the same queue.
    Back,
}

impl Handler {
    pub(crate) fn new(
        messages: Arc<dyn StorageMessages>,
        clock: Arc<dyn Clock>,
        publisher: Publisher,
    ) -> Self {
        Self {
            messages,
            clock,
            publisher,
        }
    }

    /// Handles a message until it is acknowledged or returned, or until `ended`, which leaves it to the broker.
    pub(crate) async fn handle(&self, delivery: Delivery, ended: &CancellationToken) {
        if delivery.redelivered {
            counter!("broker_messages_redelivered_total").increment(1);
        }
        let Delivery {
            properties,
            data,
            acker,
            ..
        } = delivery;
        let body = Bytes::from(data);
        let held_since = Instant::now();
        let mut backoff = Backoff::new();
        loop {
            let taken = AssertUnwindSafe(self.messages.take(body.clone()));
            match taken.catch_unwind().await {
                Ok(Ok(())) => return acknowledge(&acker, "taken").await,
                Ok(Err(MessageError::Malformed(reason))) => {
                    let exit = Exit::Dead(reason);
                    return self.leave(exit, &properties, &body, &acker, ended).await;
                }
                Ok(Err(error)) if held_since.elapsed() < HOLD => {
                    tracing::debug!(error = chain(&error), "a storage notification is tried again");
                    let pause = tokio::time::sleep(backoff.next());
                    if ended.run_until_cancelled(pause).await.is_none() {
                        return;
                    }
                }
                Ok(Err(error)) => {
                    tracing::warn!(
                        error = chain(&error),
                        "a storage notification could not be handled for {} s; it is put back",
                        HOLD.as_secs()
                    );
                    return self.leave(Exit::Back, &properties, &body, &acker, ended).await;
                }
                Err(_) => {
                    tracing::error!("handling a storage notification panicked; it is returned to its queue");
                    ended.run_until_cancelled(tokio::time::sleep(PANIC_PAUSE)).await;
                    counter!("broker_messages_total", "outcome" => "panicked").increment(1);
                    let options = BasicNackOptions {
                        requeue: true,
                        ..BasicNackOptions::default()
                    };
                    // Without a connection the broker returns it itself.
                    let _ = acker.nack(options).await;
                    return;
                }
            }
        }
    }

    /// Publishes a copy, and acknowledges the message once the broker has stored it. Tried again until `ended`.
    async fn leave(
        &self,
        exit: Exit,
        properties: &BasicProperties,
        body: &Bytes,
        acker: &Acker,
        ended: &CancellationToken,
    ) {
        let names = self.publisher.broker().names();
        let (queue, properties, outcome) = match &exit {
            Exit::Dead(reason) => {
                tracing::warn!(reason, "a storage notification is moved to the dead-letter queue");
                let dead = headers::dead(properties, reason, self.clock.now());
                (&names.dead_letters, dead, "malformed")
            }
            Exit::Back => (&names.notifications, properties.clone(), "put_back"),
        };
        let message = Message::to_queue(queue, properties, body.to_vec());
        let mut backoff = Backoff::new();
        while let Err(error) = self.publisher.publish(std::slice::from_ref(&message)).await {
            tracing::warn!(
                queue,
                error = chain(&error),
                "a storage notification can't be moved; it is tried again"
            );
            let pause = tokio::time::sleep(backoff.next());
            if ended.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
        acknowledge(acker, outcome).await;
    }
}

async fn acknowledge(acker: &Acker, outcome: &'static str) {
    counter!("broker_messages_total", "outcome" => outcome).increment(1);
    // Without a connection the broker delivers the message again, and it is recognised as handled.
    if let Err(error) = acker.ack(BasicAckOptions::default()).await {
        tracing::debug!(
            error = chain(&error),
            "a storage notification can't be acknowledged; it is delivered again"
        );
    }
}
