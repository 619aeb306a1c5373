use async_trait::async_trait;
use bytes::Bytes;
use lapin::{
    Channel,
    message::{BasicGetMessage, Delivery},
    options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions},
    types::FieldTable,
};
use rapidphoto_application::ports::{DeadLetter, DeadLetters, Unavailable};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use crate::{
    Broker, BrokerError,
    broker::Link,
    headers,
    publisher::{Message, Publisher},
    topology::short,
};

/// Dead-letter queue of storage notifications.
///
/// AMQP has no access to a message by its id and none without taking it: a list and a redrive take messages from the
/// front, and closing the connection returns those that stay. Meanwhile another process doesn't see them. Calls take
/// about a millisecond for each message that they pass.
pub struct RabbitDeadLetters {
    publisher: Publisher,
    /// Calls of this process exclude each other.
    queue: Mutex<()>,
}

/// Messages that `redrive_all` moves between two acknowledgements; that many are repeated if it is interrupted.
const BATCH: u64 = 100;

impl RabbitDeadLetters {
    /// Access that connects for each call.
    pub fn new(broker: &Broker) -> Self {
        Self {
            publisher: Publisher::new(broker.clone(), "redrive"),
            queue: Mutex::new(()),
        }
    }

    fn queue(&self) -> &str {
        &self.publisher.broker().names().dead_letters
    }

    async fn connect(&self) -> Result<Link, BrokerError> {
        self.publisher.broker().connect("dead letter queue").await
    }

    /// Takes the first message that was not taken through this channel yet.
    async fn next(&self, channel: &Channel) -> Result<Option<Delivery>, BrokerError> {
        let taken = channel.basic_get(short(self.queue()), BasicGetOptions::default());
        let taken: Option<BasicGetMessage> = taken.await?;
        Ok(taken.map(|message| message.delivery))
    }

    /// Number of messages in the queue that are in nobody's hand.
    async fn count(&self, channel: &Channel) -> Result<u64, BrokerError> {
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = channel.queue_declare(short(self.queue()), options, FieldTable::default());
        Ok(queue.await?.message_count().into())
    }

    /// Copies messages to the queue of notifications, then removes them from this one.
    async fn move_back(&self, deliveries: Vec<Delivery>) -> Result<(), BrokerError> {
        let target = &self.publisher.broker().names().notifications;
        let (messages, ackers): (Vec<Message>, Vec<_>) = deliveries
            .into_iter()
            .map(|delivery| {
                let properties = headers::redriven(&delivery.properties);
                let message = Message::to_queue(target, properties, delivery.data);
                (message, delivery.acker)
            })
            .unzip();
        self.publisher.publish(&messages).await?;
        for acker in ackers {
            acker.ack(BasicAckOptions::default()).await?;
        }
        Ok(())
    }

    async fn try_list(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        let _turn = self.queue.lock().await;
        let link = self.connect().await?;
        let mut letters = Vec::new();
        while letters.len() < limit {
            let Some(delivery) = self.next(&link.channel).await? else {
                break;
            };
            letters.push(letter(&delivery));
        }
        link.close().await;
        Ok(letters)
    }

    async fn try_redrive(&self, id: &str) -> Result<bool, BrokerError> {
        let _turn = self.queue.lock().await;
        let link = self.connect().await?;
        let mut found = false;
        while let Some(delivery) = self.next(&link.channel).await? {
            if letter(&delivery).id == id {
                self.move_back(vec![delivery]).await?;
                found = true;
                break;
            }
        }
        link.close().await;
        Ok(found)
    }

    async fn try_redrive_all(&self) -> Result<u64, BrokerError> {
        let _turn = self.queue.lock().await;
        let link = self.connect().await?;
        let total = self.count(&link.channel).await?;
        let mut moved = 0;
        while moved < total {
            let mut batch = Vec::new();
            for _ in 0..BATCH.min(total - moved) {
                let Some(delivery) = self.next(&link.channel).await? else {
                    break;
                };
                batch.push(delivery);
            }
            if batch.is_empty() {
                break;
            }
            moved += batch.len() as u64;
            self.move_back(batch).await?;
        }
        link.close().await;
        Ok(moved)
    }
}

/// A message of the queue. Its id is a digest, because the broker adds none to the messages that it dead-letters itself.
fn letter(delivery: &Delivery) -> DeadLetter {
    let (reason, first_at) = headers::reason(&delivery.properties);
    let message_id = delivery.properties.message_id().as_ref();
    let message_id = message_id.map_or("", lapin::types::ShortString::as_str);
    let at = first_at.map_or(0, |at| at.timestamp_millis());
    let mut digest = Sha256::new();
    for part in [message_id.as_bytes(), reason.as_bytes(), &at.to_be_bytes()] {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.update(&delivery.data);
    let digest = hex::encode(digest.finalize());
    let preview = delivery.data.get(..DeadLetter::PREVIEW_BYTES);
    DeadLetter {
        // 128 bits.
        id: digest.get(..32).unwrap_or_default().to_owned(),
        reason,
        first_at,
        preview: Bytes::copy_from_slice(preview.unwrap_or(&delivery.data)),
        bytes: delivery.data.len(),
    }
}

#[async_trait]
impl DeadLetters for RabbitDeadLetters {
    async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, Unavailable> {
        self.try_list(limit).await.map_err(Unavailable::broker)
    }

    async fn redrive(&self, id: &str) -> Result<bool, Unavailable> {
        self.try_redrive(id).await.map_err(Unavailable::broker)
    }

    async fn redrive_all(&self) -> Result<u64, Unavailable> {
        self.try_redrive_all().await.map_err(Unavailable::broker)
    }
}
