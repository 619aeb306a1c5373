//! Restarts of the broker in the middle of everything.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use rapidphoto_application::{
    log::EventCodec,
    ports::{EventPublisher as _, StorageMessages as _},
};
use rapidphoto_memory::{FakeClock, SeededIds, TestApp};
use rapidphoto_queue_rabbitmq::{Broker, BrokerConfig, NotificationPublisher, RabbitEvents};
use rapidphoto_test_services::RabbitServer;

use crate::{
    support::{Probe, RunningConsumer, Scripted, config, until},
    ticks::Process,
};

/// Publishes messages as a store does, in order but concurrently.
async fn announce(config: BrokerConfig, bodies: Vec<String>) {
    let ids = Arc::new(SeededIds::new(1, Arc::new(FakeClock::default())));
    let publisher = NotificationPublisher::new(&Broker::new(&config).unwrap(), ids);
    stream::iter(bodies)
        .for_each_concurrent(20, |body| {
            let publisher = &publisher;
            async move {
                // So that the restart is in the middle.
                tokio::time::sleep(Duration::from_millis(100)).await;
                publisher.take(Bytes::from(body)).await.unwrap();
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_of_the_broker_lose_nothing_and_everything_resumes() {
    let server = Arc::new(RabbitServer::start());
    let config = config(server.url());
    let handler = Scripted::new(|_: &Bytes, _| Ok(()));
    let consumer = RunningConsumer::start(&config, handler.clone());
    let (mut one, other) = (Process::start(&config, 1), Process::start(&config, 2));
    one.hears(&other).await;
    let app = TestApp::new();
    app.declare_one().await;
    let events = RabbitEvents::new(&Broker::new(&config).unwrap(), EventCodec::default());
    events.publish(&app.log().await).await.unwrap();

    let bodies: Vec<String> = (0..1000).map(|number| format!("message {number}")).collect();
    let announced = tokio::spawn(announce(config.clone(), bodies.clone()));
    for kill in [false, true] {
        let before = handler.seen().len();
        until("messages are flowing", async || {
            handler.seen().len() > before + 100
        })
        .await;
        let server = Arc::clone(&server);
        let restart = move || {
            if kill {
                server.kill();
            } else {
                server.stop();
            }
            server.start_again();
        };
        tokio::task::spawn_blocking(restart).await.unwrap();
    }
    announced.await.unwrap();
    let expected: BTreeSet<Bytes> = bodies.into_iter().map(Bytes::from).collect();
    until("all are handled", async || {
        handler.seen().into_iter().collect::<BTreeSet<Bytes>>() == expected
    })
    .await;
    // The queue of ticks that were waiting is empty once the stream is.
    while let Ok(Some(_)) = tokio::time::timeout(Duration::from_millis(200), one.received.next()).await {}
    one.hears(&other).await;
    until("events are published", async || {
        events.publish(&app.log().await).await.is_ok()
    })
    .await;
    consumer.stop().await;
    one.stop().await;
    other.stop().await;
    let probe = Probe::connect(&config).await;
    assert_eq!((probe.waiting().await, probe.dead().await), (0, 0));
}
