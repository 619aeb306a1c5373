use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use lapin::{
    Consumer,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use metrics::counter;
use rapidphoto_application::ports::{Clock, StorageMessages};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Broker, BrokerError,
    backoff::Backoff,
    broker::Link,
    delivery::{Handler, OUTCOMES},
    error::chain,
    publisher::Publisher,
    topology::short,
};

/// Consumer of storage notifications: hands each to the application, and acknowledges it afterwards.
///
/// Up to the prefetch count are handled concurrently. While the application is unavailable, messages stay in hand and are
/// tried again: returning them would use up the delivery limit. What can't be understood goes to the dead-letter queue at
/// once. A message whose handling panics is returned, and the broker dead-letters it after the delivery limit.
pub struct NotificationConsumer {
    handler: Arc<Handler>,
    broker: Broker,
    prefetch: u16,
}

/// Name of the consumer on its channel.
const CONSUMER_TAG: &str = "notifications";

impl NotificationConsumer {
    /// Default of the prefetch count, which is also the number of messages that are handled concurrently.
    pub const DEFAULT_PREFETCH: u16 = 256;

    /// Consumer with this handler. `prefetch` is at least 1: 0 would mean no limit.
    pub fn new(
        broker: &Broker,
        messages: Arc<dyn StorageMessages>,
        clock: Arc<dyn Clock>,
        prefetch: u16,
    ) -> Self {
        for outcome in OUTCOMES {
            counter!("broker_messages_total", "outcome" => outcome).increment(0);
        }
        counter!("broker_messages_redelivered_total").increment(0);
        let publisher = Publisher::new(broker.clone(), "dead letters");
        Self {
            handler: Arc::new(Handler::new(messages, clock, publisher)),
            broker: broker.clone(),
            prefetch: prefetch.max(1),
        }
    }

    /// Consumes until `stop`, then finishes what is being handled; the broker keeps the rest. Connects again, with
    /// back-off, whenever the connection or the channel ends.
    pub async fn run(&self, stop: CancellationToken) {
        let mut backoff = Backoff::new();
        while !stop.is_cancelled() {
            if let Err(error) = self.consume(&stop, &mut backoff).await {
                let pause = backoff.next();
                tracing::warn!(
                    error = chain(&error),
                    ?pause,
                    "storage notifications can't be consumed; connecting again"
                );
                stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            }
        }
    }

    async fn consume(&self, stop: &CancellationToken, backoff: &mut Backoff) -> Result<(), BrokerError> {
        let connected = stop.run_until_cancelled(self.connect()).await;
        let Some((link, mut consumer)) = connected.transpose()? else {
            return Ok(());
        };
        *backoff = Backoff::new();
        let tasks = TaskTracker::new();
        // Dropped with the connection: what is still in hand then belongs to the broker again.
        let ended = CancellationToken::new();
        let _guard = ended.clone().drop_guard();
        let result = loop {
            let delivery = tokio::select! {
                biased;
                () = stop.cancelled() => break Ok(()),
                delivery = consumer.next() => delivery,
            };
            match delivery {
                Some(Ok(delivery)) => {
                    let (handler, ended) = (Arc::clone(&self.handler), ended.clone());
                    tasks.spawn(async move { handler.handle(delivery, &ended).await });
                }
                Some(Err(error)) => break Err(error.into()),
                None => {
                    break Err(BrokerError::ConsumerCancelled(
                        self.broker.names().notifications.clone(),
                    ));
                }
            }
        };
        if result.is_ok() {
            let cancelled = link
                .channel
                .basic_cancel(CONSUMER_TAG.into(), BasicCancelOptions::default());
            // Otherwise closing the connection cancels it.
            let _ = tokio::time::timeout(CANCEL_TIMEOUT, cancelled).await;
        }
        ended.cancel();
        tasks.close();
        tasks.wait().await;
        link.close().await;
        result
    }

    async fn connect(&self) -> Result<(Link, Consumer), BrokerError> {
        let link = self.broker.connect("notifications").await?;
        let qos = link.channel.basic_qos(self.prefetch, BasicQosOptions::default());
        qos.await?;
        let consumer = link.channel.basic_consume(
            short(&self.broker.names().notifications),
            CONSUMER_TAG.into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = consumer.await?;
        Ok((link, consumer))
    }
}

/// Time for the broker to confirm the end of a consumer.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);
