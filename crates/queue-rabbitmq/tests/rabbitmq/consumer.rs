use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use lapin::{
    BasicProperties,
    options::BasicPublishOptions,
    types::{AMQPValue, FieldTable},
};
use rapidphoto_application::ports::{DeadLetters as _, MessageError, StorageMessages};
use rapidphoto_queue_rabbitmq::{Broker, NotificationConsumer, RabbitDeadLetters};
use tokio::sync::{Barrier, Semaphore};

use crate::support::{Probe, RunningConsumer, Scripted, shared, unavailable, until};

/// Handler that waits for a permit of the test.
struct Gated {
    entered: Semaphore,
    permits: Semaphore,
}

#[async_trait]
impl StorageMessages for Gated {
    async fn take(&self, _: Bytes) -> Result<(), MessageError> {
        self.entered.add_permits(1);
        self.permits.acquire().await.unwrap().forget();
        Ok(())
    }
}

fn gated() -> Arc<Gated> {
    Arc::new(Gated {
        entered: Semaphore::new(0),
        permits: Semaphore::new(0),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_acknowledged_only_after_it_was_handled() {
    let config = shared();
    let first = gated();
    let consumer = RunningConsumer::start(&config, first.clone());
    let probe = connected(&config).await;
    probe.notify(["a"]).await;
    first.entered.acquire().await.unwrap().forget();
    consumer.kill().await;
    // Not acknowledged: another consumer gets it.
    let second = gated();
    let consumer = RunningConsumer::start(&config, second.clone());
    second.entered.acquire().await.unwrap().forget();
    second.permits.add_permits(1);
    consumer.stop().await;
    assert_eq!((probe.waiting().await, probe.dead().await), (0, 0));
}

/// Connects once the consumer has declared the topology.
async fn connected(config: &rapidphoto_queue_rabbitmq::BrokerConfig) -> Probe {
    Broker::new(config).unwrap().declare().await.unwrap();
    Probe::connect(config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_message_goes_to_the_dead_letters_at_once_with_its_reason() {
    let config = shared();
    let probe = connected(&config).await;
    let headers = FieldTable::from(std::collections::BTreeMap::from([(
        "store".into(),
        AMQPValue::LongString("ceph".into()),
    )]));
    let properties = BasicProperties::default()
        .with_headers(headers)
        .with_message_id("m-1".into());
    let published = probe.channel.basic_publish(
        probe.names.storage.as_str().into(),
        "any".into(),
        BasicPublishOptions::default(),
        b"{",
        properties,
    );
    published.await.unwrap().await.unwrap();
    probe.notify(["good"]).await;
    let handler = Scripted::new(|body: &Bytes, _| match body.as_ref() {
        b"{" => Err(MessageError::Malformed("the message is not JSON".to_owned())),
        _ => Ok(()),
    });
    let consumer = RunningConsumer::start(&config, handler.clone());
    until("the message is dead-lettered", async || probe.dead().await == 1).await;
    consumer.stop().await;
    let mut seen = handler.seen();
    seen.sort_unstable();
    assert_eq!(seen, ["good", "{"], "each was delivered once");
    let listed = RabbitDeadLetters::new(&Broker::new(&config).unwrap())
        .list(10)
        .await
        .unwrap();
    assert_eq!(listed[0].reason, "the message is not JSON");
    let (properties, body) = probe.take(&probe.names.dead_letters).await.unwrap();
    assert_eq!(body, "{");
    assert_eq!(properties.message_id().as_ref().unwrap().as_str(), "m-1");
    let headers = properties.headers().clone().unwrap();
    assert_eq!(headers.inner()["store"], AMQPValue::LongString("ceph".into()));
    assert_eq!(probe.waiting().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_handling_always_panics_is_dead_lettered_and_can_be_redriven() {
    let mut config = shared();
    config.delivery_limit = 2;
    let probe = connected(&config).await;
    let handler = Scripted::new(|body: &Bytes, _| {
        assert_ne!(body, "poison", "the test's handler panics");
        Ok(())
    });
    let consumer = RunningConsumer::start(&config, handler.clone());
    probe.notify(["poison", "good"]).await;
    until("the message is dead-lettered", async || probe.dead().await == 1).await;
    consumer.stop().await;
    let seen = handler.seen();
    assert_eq!(seen.iter().filter(|body| *body == "poison").count(), 3);
    assert_eq!(seen.iter().filter(|body| *body == "good").count(), 1);

    let dead_letters = RabbitDeadLetters::new(&Broker::new(&config).unwrap());
    let listed = dead_letters.list(10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].reason.contains("delivery_limit"), "{listed:?}");
    assert!(listed[0].first_at.is_some());
    assert!(dead_letters.redrive(&listed[0].id).await.unwrap());
    // Its deliveries are counted anew: two more panics are within the limit.
    let handler = Scripted::new(|_: &Bytes, earlier| {
        assert!(earlier >= 2, "the test's handler panics twice");
        Ok(())
    });
    let consumer = RunningConsumer::start(&config, handler.clone());
    until("the message is handled", async || handler.seen().len() == 3).await;
    consumer.stop().await;
    assert_eq!((probe.waiting().await, probe.dead().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_database_uses_up_no_deliveries() {
    let mut config = shared();
    config.delivery_limit = 1;
    let probe = connected(&config).await;
    let handler = Scripted::new(|_: &Bytes, earlier| if earlier < 4 { Err(unavailable()) } else { Ok(()) });
    let consumer = RunningConsumer::start(&config, handler.clone());
    probe
        .notify((0..100).map(|number| format!("message {number}")))
        .await;
    until("all are handled", async || handler.seen().len() == 500).await;
    consumer.stop().await;
    assert_eq!((probe.waiting().await, probe.dead().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_consumer_leaves_what_it_could_not_handle_to_the_next() {
    let config = shared();
    let probe = connected(&config).await;
    let down = Scripted::new(|_: &Bytes, _| Err(unavailable()));
    let consumer = RunningConsumer::start(&config, down.clone());
    probe.notify(["a", "b", "c"]).await;
    until("all are in hand", async || down.seen().len() >= 3).await;
    consumer.stop().await;
    until("all are returned", async || probe.waiting().await == 3).await;
    let up = Scripted::new(|_: &Bytes, _| Ok(()));
    let consumer = RunningConsumer::start(&config, up.clone());
    until("all are handled", async || up.seen().len() == 3).await;
    consumer.stop().await;
    assert_eq!((probe.waiting().await, probe.dead().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_consumer_finishes_what_it_is_handling() {
    let config = shared();
    let probe = connected(&config).await;
    let handler = gated();
    let consumer = RunningConsumer::start(&config, handler.clone());
    probe.notify(["a"]).await;
    handler.entered.acquire().await.unwrap().forget();
    let stopping = tokio::spawn(consumer.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!stopping.is_finished());
    handler.permits.add_permits(1);
    stopping.await.unwrap();
    assert_eq!(probe.waiting().await, 0);
}

/// Handler that returns once all messages are being handled.
struct Together(Barrier);

#[async_trait]
impl StorageMessages for Together {
    async fn take(&self, _: Bytes) -> Result<(), MessageError> {
        self.0.wait().await;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_messages_as_are_prefetched_are_handled_concurrently() {
    let config = shared();
    let probe = connected(&config).await;
    let prefetch = usize::from(NotificationConsumer::DEFAULT_PREFETCH);
    probe.notify((0..prefetch).map(|number| number.to_string())).await;
    let handler = Arc::new(Together(Barrier::new(prefetch + 1)));
    let consumer = RunningConsumer::start(&config, handler.clone());
    let together = tokio::time::timeout(Duration::from_mins(1), handler.0.wait());
    together.await.expect("all messages are in hand");
    consumer.stop().await;
    assert_eq!(probe.waiting().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_notifications_are_handled_once_each() {
    let config = shared();
    let probe = connected(&config).await;
    probe.notify((0..10_000).map(|number| number.to_string())).await;
    let count = Arc::new(AtomicUsize::new(0));
    let handler = Arc::new(Counting(Arc::clone(&count)));
    let consumer = RunningConsumer::start(&config, handler);
    until("all are handled", async || {
        count.load(Ordering::Relaxed) == 10_000
    })
    .await;
    consumer.stop().await;
    assert_eq!(count.load(Ordering::Relaxed), 10_000);
    assert_eq!((probe.waiting().await, probe.dead().await), (0, 0));
}

/// Handler that counts its calls, each of which takes as long as a commit.
struct Counting(Arc<AtomicUsize>);

#[async_trait]
impl StorageMessages for Counting {
    async fn take(&self, _: Bytes) -> Result<(), MessageError> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
