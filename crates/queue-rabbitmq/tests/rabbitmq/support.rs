//! Broker, probe and handlers of several test modules.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::FieldTable,
};
use rapidphoto_application::ports::{MessageError, StorageMessages};
use rapidphoto_memory::FakeClock;
use rapidphoto_queue_rabbitmq::{Broker, BrokerConfig, Names, NotificationConsumer};
use rapidphoto_test_services::RabbitServer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Configuration with names that no other test uses.
pub(crate) fn config(url: impl Into<String>) -> BrokerConfig {
    static TESTS: AtomicU64 = AtomicU64::new(0);
    let test = TESTS.fetch_add(1, Ordering::Relaxed);
    BrokerConfig {
        prefix: format!("test-{}-{test}", std::process::id()),
        ..BrokerConfig::new(url)
    }
}

/// Configuration of the shared broker.
pub(crate) fn shared() -> BrokerConfig {
    config(RabbitServer::shared_url())
}

/// Waits until a condition holds, but for no longer than a minute.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..1200 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within a minute");
}

/// Plain access to the broker.
pub(crate) struct Probe {
    _connection: Connection,
    pub(crate) channel: Channel,
    pub(crate) names: Names,
}

impl Probe {
    pub(crate) async fn connect(config: &BrokerConfig) -> Self {
        let connection = Connection::connect(&config.url, ConnectionProperties::default()).await;
        let connection = connection.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let confirms = ConfirmSelectOptions::default();
        channel.confirm_select(confirms).await.unwrap();
        Self {
            _connection: connection,
            channel,
            names: Names::new(&config.prefix),
        }
    }

    /// Number of messages of a queue that no consumer has in hand.
    pub(crate) async fn count(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let declared = self
            .channel
            .queue_declare(queue.into(), options, FieldTable::default());
        declared.await.unwrap().message_count()
    }

    pub(crate) async fn dead(&self) -> u32 {
        self.count(&self.names.dead_letters).await
    }

    pub(crate) async fn waiting(&self) -> u32 {
        self.count(&self.names.notifications).await
    }

    /// Publishes notifications as a store would, and waits until they are stored.
    pub(crate) async fn notify(&self, bodies: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        for body in bodies {
            let published = self.channel.basic_publish(
                self.names.storage.as_str().into(),
                "any".into(),
                BasicPublishOptions::default(),
                body.as_ref(),
                BasicProperties::default().with_delivery_mode(2),
            );
            drop(published.await.unwrap());
        }
        self.channel.wait_for_confirms().await.unwrap();
    }

    /// Removes the first message of a queue.
    pub(crate) async fn take(&self, queue: &str) -> Option<(BasicProperties, Bytes)> {
        let options = BasicGetOptions { no_ack: true };
        let message = self.channel.basic_get(queue.into(), options).await.unwrap()?;
        let delivery = message.delivery;
        Some((delivery.properties, Bytes::from(delivery.data)))
    }
}

/// Handler that answers by a function of the body and of the number of its earlier deliveries.
pub(crate) struct Scripted<F> {
    seen: Mutex<Vec<Bytes>>,
    answer: F,
}

impl<F: Fn(&Bytes, usize) -> Result<(), MessageError> + Send + Sync + 'static> Scripted<F> {
    pub(crate) fn new(answer: F) -> Arc<Self> {
        Arc::new(Self {
            seen: Mutex::default(),
            answer,
        })
    }

    /// Bodies of all calls.
    pub(crate) fn seen(&self) -> Vec<Bytes> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl<F: Fn(&Bytes, usize) -> Result<(), MessageError> + Send + Sync + 'static> StorageMessages
    for Scripted<F>
{
    async fn take(&self, body: Bytes) -> Result<(), MessageError> {
        tokio::task::yield_now().await;
        let earlier = {
            let mut seen = self.seen.lock().unwrap();
            let earlier = seen.iter().filter(|seen| **seen == body).count();
            seen.push(body.clone());
            earlier
        };
        (self.answer)(&body, earlier)
    }
}

pub(crate) fn unavailable() -> MessageError {
    MessageError::Unavailable("the test's database is down".into())
}

/// A consumer that runs until it is stopped.
pub(crate) struct RunningConsumer {
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl RunningConsumer {
    pub(crate) fn start(config: &BrokerConfig, messages: Arc<dyn StorageMessages>) -> Self {
        let broker = Broker::new(config).unwrap();
        let clock = Arc::new(FakeClock::default());
        let consumer =
            NotificationConsumer::new(&broker, messages, clock, NotificationConsumer::DEFAULT_PREFETCH);
        let stop = CancellationToken::new();
        let running = tokio::spawn({
            let stop = stop.clone();
            async move { consumer.run(stop).await }
        });
        Self { stop, running }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }

    /// Ends the consumer as a crash would: nothing in hand is acknowledged or returned.
    pub(crate) async fn kill(self) {
        self.running.abort();
        assert!(self.running.await.unwrap_err().is_cancelled());
    }
}
