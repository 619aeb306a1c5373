use std::{sync::Arc, time::Duration};

use lapin::{BasicProperties, Confirmation, options::BasicPublishOptions};
use metrics::counter;
use tokio::sync::Mutex;

use crate::{Broker, BrokerError, broker::Link, topology::short};

/// Publishes messages and waits for the broker's confirmations. Connects at the first message, and again after an error.
pub(crate) struct Publisher {
    broker: Broker,
    purpose: &'static str,
    link: Mutex<Option<Arc<Link>>>,
}

/// A message to publish.
pub(crate) struct Message {
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    /// True if a message that no queue receives is an error.
    pub(crate) mandatory: bool,
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Message to one queue, through the default exchange.
    pub(crate) fn to_queue(queue: &str, properties: BasicProperties, body: Vec<u8>) -> Self {
        Self {
            exchange: String::new(),
            routing_key: queue.to_owned(),
            mandatory: true,
            properties,
            body,
        }
    }
}

/// Time for the confirmations of one call; a broker that runs out of memory or disk does not confirm.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

impl Publisher {
    pub(crate) fn new(broker: Broker, purpose: &'static str) -> Self {
        counter!("broker_publish_failures_total", "purpose" => purpose).increment(0);
        Self {
            broker,
            purpose,
            link: Mutex::new(None),
        }
    }

    pub(crate) const fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Publishes messages in order, and returns once the broker has confirmed all of them. After an error each of them
    /// may have been published.
    pub(crate) async fn publish(&self, messages: &[Message]) -> Result<(), BrokerError> {
        let published = self.try_publish(messages).await;
        if published.is_err() {
            counter!("broker_publish_failures_total", "purpose" => self.purpose).increment(1);
        }
        published
    }

    async fn try_publish(&self, messages: &[Message]) -> Result<(), BrokerError> {
        let link = self.link().await?;
        let published = tokio::time::timeout(CONFIRM_TIMEOUT, publish(&link, messages));
        let published = published
            .await
            .unwrap_or(Err(BrokerError::TimedOut(CONFIRM_TIMEOUT.as_secs())));
        if published.is_err() {
            let mut open = self.link.lock().await;
            // Another call may have connected since.
            if open.as_ref().is_some_and(|open| Arc::ptr_eq(open, &link)) {
                *open = None;
            }
        }
        published
    }

    async fn link(&self) -> Result<Arc<Link>, BrokerError> {
        let mut open = self.link.lock().await;
        if let Some(link) = open.as_ref().filter(|link| link.is_open()) {
            return Ok(Arc::clone(link));
        }
        *open = None;
        let link = self.broker.connect(self.purpose).await?;
        let link = Arc::new(link.with_confirms().await?);
        *open = Some(Arc::clone(&link));
        Ok(link)
    }
}

/// Sends all messages, then waits for their confirmations: with one at a time the rate would be that of round trips.
async fn publish(link: &Link, messages: &[Message]) -> Result<(), BrokerError> {
    let mut sent = Vec::with_capacity(messages.len());
    for message in messages {
        let options = BasicPublishOptions {
            mandatory: message.mandatory,
            ..BasicPublishOptions::default()
        };
        let confirm = link.channel.basic_publish(
            short(&message.exchange),
            short(&message.routing_key),
            options,
            &message.body,
            message.properties.clone(),
        );
        sent.push((message, confirm.await?));
    }
    for (message, confirm) in sent {
        if !matches!(confirm.await?, Confirmation::Ack(None)) {
            let destination = format!("{}/{}", message.exchange, message.routing_key);
            return Err(BrokerError::NotStored(destination));
        }
    }
    Ok(())
}
