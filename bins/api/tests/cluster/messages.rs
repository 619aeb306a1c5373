//! Storage events that are repeated, reordered and lost on their way to the workers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rapidphoto_application::ports::{Clock, Ids, MessageError, StorageMessages};
use rapidphoto_queue_rabbitmq::{Broker, BrokerConfig, NotificationConsumer, NotificationPublisher};
use rapidphoto_runtime::{SystemClock, SystemIds};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Prefix of the names of a storage whose events take the detour.
pub(crate) const SOURCE: &str = "source";

/// Kind of the detour.
#[derive(Clone, Copy)]
pub(crate) enum Detour {
    /// Each event comes three times, at different times.
    Thrice,
    /// Every second event is lost.
    Half,
}

struct Forwarder {
    detour: Detour,
    number: AtomicU64,
    workers: Arc<NotificationPublisher>,
}

#[async_trait::async_trait]
impl StorageMessages for Forwarder {
    async fn take(&self, body: bytes::Bytes) -> Result<(), MessageError> {
        let number = self.number.fetch_add(1, Ordering::SeqCst);
        let copies: &[u64] = match self.detour {
            // Milliseconds, so that later events overtake earlier ones.
            Detour::Thrice => &[13, 900, 350],
            Detour::Half if number.is_multiple_of(2) => &[],
            Detour::Half => &[0],
        };
        for (copy, delay) in copies.iter().enumerate() {
            let (workers, body) = (Arc::clone(&self.workers), body.clone());
            let delay = Duration::from_millis(delay * (1 + (number + copy as u64) % 3));
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                workers.take(body).await.expect("the broker takes a copy");
            });
        }
        Ok(())
    }
}

/// Forwards the events of the storage to the workers, until the task is aborted.
pub(crate) fn forward(broker: &str, detour: Detour) -> JoinHandle<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(Arc::clone(&clock)));
    let workers = Broker::new(&BrokerConfig::new(broker)).unwrap();
    let source = BrokerConfig {
        prefix: SOURCE.to_owned(),
        ..BrokerConfig::new(broker)
    };
    let forwarder = Forwarder {
        detour,
        number: AtomicU64::new(0),
        workers: Arc::new(NotificationPublisher::new(&workers, ids)),
    };
    let source = Broker::new(&source).unwrap();
    let consumer = NotificationConsumer::new(&source, Arc::new(forwarder), clock, 64);
    tokio::spawn(async move { consumer.run(CancellationToken::new()).await })
}
