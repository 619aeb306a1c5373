use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use lapin::BasicProperties;
use rapidphoto_application::ports::{Ids, MessageError, StorageMessages};
use tokio::time::Instant;
use ulid::Ulid;

use crate::{
    Broker, BrokerError,
    backoff::Backoff,
    error::chain,
    publisher::{Message, Publisher},
};

/// Publishes storage notifications, for a store that is a process of its own. `Ok` means that the broker has stored the
/// message in the queue.
pub struct NotificationPublisher {
    publisher: Publisher,
    ids: Arc<dyn Ids>,
}

/// Time for which a notification is tried again while the broker is away. A lost one costs time only: photos are looked
/// for at the latest when their upload URL expires.
const PATIENCE: Duration = Duration::from_mins(2);

impl NotificationPublisher {
    /// Publisher that connects with the first notification.
    pub fn new(broker: &Broker, ids: Arc<dyn Ids>) -> Self {
        Self {
            publisher: Publisher::new(broker.clone(), "store"),
            ids,
        }
    }
}

#[async_trait]
impl StorageMessages for NotificationPublisher {
    async fn take(&self, body: Bytes) -> Result<(), MessageError> {
        let message = Message {
            exchange: self.publisher.broker().names().storage.clone(),
            routing_key: "ObjectCreated".to_owned(),
            mandatory: true,
            properties: BasicProperties::default()
                .with_content_type("application/json".into())
                .with_delivery_mode(2)
                .with_message_id(Ulid(self.ids.ulid()).to_string().into()),
            body: body.to_vec(),
        };
        let started = Instant::now();
        let mut backoff = Backoff::new();
        loop {
            let published = self.publisher.publish(std::slice::from_ref(&message)).await;
            let error: BrokerError = match published {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let pause = backoff.next();
            if started.elapsed() + pause >= PATIENCE {
                return Err(MessageError::Unavailable(error.into()));
            }
            tracing::debug!(
                error = chain(&error),
                "a storage notification can't be published; it is tried again"
            );
            tokio::time::sleep(pause).await;
        }
    }
}
