use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{StreamExt as _, stream::BoxStream};
use lapin::{
    BasicProperties, Channel, Consumer,
    options::{BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use metrics::counter;
use rapidphoto_application::{
    ports::{Ids, ProgressTick, ProgressTicks},
    progress::LocalTicks,
};
use rapidphoto_domain::PhotoId;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use crate::{
    Broker, BrokerError,
    backoff::Backoff,
    broker::Link,
    error::chain,
    topology::{short, table},
    wire_ticks,
};

/// Progress ticks of all processes, over a fan-out exchange.
///
/// This process's own ticks reach its subscribers at once and without the broker. To the others go the newest tick of each
/// photo, every 50 ms and unconfirmed. While the broker is away, ticks stay in this process.
pub struct RabbitTicks {
    broker: Broker,
    local: LocalTicks,
    outbox: Mutex<Outbox>,
    /// Identifies this process as the sender.
    sender: String,
    ids: Arc<dyn Ids>,
}

#[derive(Default)]
struct Outbox {
    /// False while the broker is away: ticks of that time would be outdated when it is back.
    is_open: bool,
    /// Newest tick of each photo since the last message.
    newest: HashMap<PhotoId, ProgressTick>,
}

/// Longest delay of a tick.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);
/// Photos with a tick to send; ticks of further ones are dropped.
const OUTBOX_CAPACITY: usize = 10_000;
/// Ticks in one message, about 60 KB.
const TICKS_PER_MESSAGE: usize = 500;
/// Messages that wait for this process; the broker drops the oldest of more.
const MAX_QUEUE_LENGTH: i64 = 1000;
/// Time for a message to be written; a broker that runs out of memory or disk stops reading.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(5);
const PURPOSE: &str = "progress";

impl RabbitTicks {
    /// Ticks of this process only, until [`run`](Self::run) connects.
    pub fn new(broker: &Broker, ids: Arc<dyn Ids>) -> Self {
        counter!("broker_publish_failures_total", "purpose" => PURPOSE).increment(0);
        Self {
            broker: broker.clone(),
            local: LocalTicks::default(),
            outbox: Mutex::default(),
            sender: Ulid(ids.ulid()).to_string(),
            ids,
        }
    }

    /// Exchanges ticks with the other processes until `stop`. Connects again, with back-off, whenever the connection or
    /// the channel ends.
    pub async fn run(&self, stop: CancellationToken) {
        let mut backoff = Backoff::new();
        while !stop.is_cancelled() {
            let exchange = self.exchange(&mut backoff);
            let ended = stop.run_until_cancelled(exchange).await;
            *self.outbox() = Outbox::default();
            if let Some(Err(error)) = ended {
                counter!("broker_publish_failures_total", "purpose" => PURPOSE).increment(1);
                let pause = backoff.next();
                tracing::warn!(
                    error = chain(&error),
                    ?pause,
                    "progress is not exchanged with other processes; connecting again"
                );
                stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            }
        }
    }

    /// Sends and receives until an error.
    async fn exchange(&self, backoff: &mut Backoff) -> Result<(), BrokerError> {
        let link = self.broker.connect(PURPOSE).await?;
        let consumer = self.subscribe_to_exchange(&link).await?;
        *backoff = Backoff::new();
        self.outbox().is_open = true;
        tokio::select! {
            ended = self.send(&link.channel) => ended,
            ended = self.receive(consumer) => ended,
        }
    }

    async fn subscribe_to_exchange(&self, link: &Link) -> Result<Consumer, BrokerError> {
        let exchange = &self.broker.names().progress;
        // A name of its own for each connection: the broker may still hold the last one's queue.
        let queue = format!("{exchange}.{}", Ulid(self.ids.ulid()));
        let options = QueueDeclareOptions {
            exclusive: true,
            auto_delete: true,
            ..QueueDeclareOptions::default()
        };
        let arguments = table([("x-max-length", AMQPValue::LongLongInt(MAX_QUEUE_LENGTH))]);
        let channel = &link.channel;
        channel.queue_declare(short(&queue), options, arguments).await?;
        let bound = channel.queue_bind(
            short(&queue),
            short(exchange),
            "".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        bound.await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            exclusive: true,
            ..BasicConsumeOptions::default()
        };
        let consumer = channel.basic_consume(short(&queue), PURPOSE.into(), options, FieldTable::default());
        Ok(consumer.await?)
    }

    async fn send(&self, channel: &Channel) -> Result<(), BrokerError> {
        let mut interval = tokio::time::interval(FLUSH_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let newest = std::mem::take(&mut self.outbox().newest);
            let ticks: Vec<ProgressTick> = newest.into_values().collect();
            for ticks in ticks.chunks(TICKS_PER_MESSAGE) {
                let properties = BasicProperties::default()
                    .with_content_type("application/json".into())
                    .with_delivery_mode(1)
                    .with_app_id(short(&self.sender));
                let body = wire_ticks::encode(ticks).map_err(|error| BrokerError::Encoding(error.into()))?;
                let published = channel.basic_publish(
                    short(&self.broker.names().progress),
                    "".into(),
                    BasicPublishOptions::default(),
                    &body,
                    properties,
                );
                let published = tokio::time::timeout(PUBLISH_TIMEOUT, published).await;
                published.map_err(|_| BrokerError::TimedOut(PUBLISH_TIMEOUT.as_secs()))??;
            }
        }
    }

    async fn receive(&self, mut consumer: Consumer) -> Result<(), BrokerError> {
        while let Some(delivery) = consumer.next().await {
            let delivery = delivery?;
            let sender = delivery.properties.app_id().as_ref();
            if sender.is_some_and(|sender| sender.as_str() == self.sender) {
                continue;
            }
            match wire_ticks::decode(&delivery.data) {
                Ok(ticks) => ticks.into_iter().for_each(|tick| self.local.publish(tick)),
                Err(error) => tracing::debug!(%error, "ignored progress in an unknown form"),
            }
        }
        Err(BrokerError::ConsumerCancelled(
            self.broker.names().progress.clone(),
        ))
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProgressTicks for RabbitTicks {
    fn publish(&self, tick: ProgressTick) {
        self.local.publish(tick);
        let mut outbox = self.outbox();
        let has_room = outbox.newest.len() < OUTBOX_CAPACITY || outbox.newest.contains_key(&tick.photo);
        if outbox.is_open && has_room {
            outbox.newest.insert(tick.photo, tick);
        }
    }

    fn subscribe(&self) -> BoxStream<'static, ProgressTick> {
        self.local.subscribe()
    }
}
