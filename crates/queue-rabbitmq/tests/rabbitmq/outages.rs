//! The store's side during an outage.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use rapidphoto_application::ports::StorageMessages as _;
use rapidphoto_memory::{FakeClock, SeededIds};
use rapidphoto_queue_rabbitmq::{Broker, NotificationPublisher};
use rapidphoto_test_services::RabbitServer;

use crate::support::{Probe, config, shared, until};

fn publisher(config: &rapidphoto_queue_rabbitmq::BrokerConfig) -> NotificationPublisher {
    let ids = Arc::new(SeededIds::new(1, Arc::new(FakeClock::default())));
    NotificationPublisher::new(&Broker::new(config).unwrap(), ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_notification_is_stored_before_any_consumer_exists() {
    let config = shared();
    publisher(&config)
        .take(Bytes::from_static(b"created"))
        .await
        .unwrap();
    let probe = Probe::connect(&config).await;
    let (properties, body) = probe.take(&probe.names.notifications).await.unwrap();
    assert_eq!(body, "created");
    assert_eq!(*properties.delivery_mode(), Some(2));
    assert!(properties.message_id().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_waits_for_a_broker_that_is_away() {
    let server = RabbitServer::start();
    let config = config(server.url());
    let publisher = publisher(&config);
    publisher.take(Bytes::from_static(b"before")).await.unwrap();
    // Not killed: a crash within seconds of a queue's creation loses the queue.
    server.stop();
    let waiting = tokio::spawn(async move { publisher.take(Bytes::from_static(b"during")).await });
    let restarted = tokio::task::spawn_blocking(move || {
        server.start_again();
        server
    });
    let _server = restarted.await.unwrap();
    waiting.await.unwrap().unwrap();
    let probe = Probe::connect(&config).await;
    let mut left = BTreeSet::from([Bytes::from_static(b"before"), Bytes::from_static(b"during")]);
    until("neither is lost", async || {
        if let Some((_, body)) = probe.take(&probe.names.notifications).await {
            left.remove(&body);
        }
        left.is_empty()
    })
    .await;
}
