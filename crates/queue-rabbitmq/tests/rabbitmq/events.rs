use std::{collections::BTreeMap, sync::Arc, time::Duration};

use lapin::{
    BasicProperties,
    options::{QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use rapidphoto_application::{
    log::EventCodec,
    ports::{EventPublisher, StoredEvent},
    subscriptions::{Relay, SubscriptionRunner},
};
use rapidphoto_memory::TestApp;
use rapidphoto_queue_rabbitmq::{Broker, BrokerConfig, RabbitEvents};
use serde_json::{Value, json};

use crate::support::{Probe, config, shared};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn publisher(config: &BrokerConfig) -> RabbitEvents {
    RabbitEvents::new(&Broker::new(config).unwrap(), EventCodec::default())
}

/// Queue of a consumer outside of the deployment, bound with a pattern of routing keys.
async fn outside(probe: &Probe, pattern: &str) -> String {
    let queue = format!("{}.outside", probe.names.events);
    let options = QueueDeclareOptions::default();
    let declared = probe
        .channel
        .queue_declare(queue.as_str().into(), options, FieldTable::default());
    declared.await.unwrap();
    let bound = probe.channel.queue_bind(
        queue.as_str().into(),
        probe.names.events.as_str().into(),
        pattern.into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bound.await.unwrap();
    queue
}

async fn all(probe: &Probe, queue: &str) -> Vec<(BasicProperties, Value)> {
    let mut messages = Vec::new();
    while let Some((properties, body)) = probe.take(queue).await {
        messages.push((properties, serde_json::from_slice(&body).unwrap()));
    }
    messages
}

fn ids(messages: &[(BasicProperties, Value)]) -> Vec<String> {
    let ids = messages.iter().map(|(properties, _)| properties.message_id());
    ids.map(|id| id.as_ref().unwrap().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_relayed_with_its_id_in_the_order_of_the_log() {
    let config = shared();
    Broker::new(&config).unwrap().declare().await.unwrap();
    let probe = Probe::connect(&config).await;
    let queue = outside(&probe, "#").await;
    let app = TestApp::new();
    let relay = Arc::new(Relay::new(Arc::new(publisher(&config))));
    let relay = SubscriptionRunner::new(relay, &app.ports, app.signals.clone(), Duration::from_millis(50));
    let declared = app.declare(100).await;
    app.upload(&declared).await;
    relay.catch_up().await.unwrap();
    let messages = all(&probe, &queue).await;
    let log = app.log().await;
    assert!(log.len() > 300, "{}", log.len());
    let expected: Vec<String> = log.iter().map(|event| event.id.to_string()).collect();
    assert_eq!(ids(&messages), expected);
    let mut versions = BTreeMap::<String, u64>::new();
    for (_, body) in &messages {
        let last = versions
            .entry(body["stream"].as_str().unwrap().to_owned())
            .or_default();
        assert_eq!(body["version"], json!(*last + 1));
        *last += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relayed_event_carries_all_that_the_log_knows() {
    let config = shared();
    Broker::new(&config).unwrap().declare().await.unwrap();
    let probe = Probe::connect(&config).await;
    let queue = outside(&probe, "photo.PhotoQueued").await;
    let app = TestApp::new();
    app.declare_one().await;
    let mut log = app.log().await;
    for event in &mut log {
        event.metadata.traceparent = Some(TRACEPARENT.to_owned());
    }
    publisher(&config).publish(&log).await.unwrap();
    let messages = all(&probe, &queue).await;
    assert_eq!(messages.len(), 1, "the others have other routing keys");
    let (properties, body) = &messages[0];
    let is_queued = |event: &&StoredEvent| event.event.encode().unwrap().0 == "PhotoQueued";
    let queued = log.iter().find(is_queued).unwrap();
    assert_eq!(
        *body,
        json!({
            "id": queued.id, "type": "PhotoQueued", "streamType": "photo", "stream": queued.stream,
            "version": 1, "owner": queued.owner, "job": queued.job, "occurredAt": queued.occurred_at,
            "schemaVersion": EventCodec::default().encode(&queued.event).unwrap().schema_version,
            "payload": queued.event.encode().unwrap().1, "metadata": queued.metadata,
        })
    );
    assert_eq!(
        properties.content_type().as_ref().unwrap().as_str(),
        "application/json"
    );
    assert_eq!(properties.kind().as_ref().unwrap().as_str(), "PhotoQueued");
    assert_eq!(*properties.delivery_mode(), Some(2));
    let headers = properties.headers().clone().unwrap();
    assert_eq!(
        headers.inner()["traceparent"],
        AMQPValue::LongString(TRACEPARENT.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_without_an_interested_queue_are_published_nonetheless() {
    let app = TestApp::new();
    app.declare_one().await;
    publisher(&shared()).publish(&app.log().await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_without_a_broker_is_unavailable() {
    let app = TestApp::new();
    app.declare_one().await;
    // Nothing listens on port 1.
    let published = publisher(&config("amqp://127.0.0.1:1"))
        .publish(&app.log().await)
        .await;
    assert_eq!(
        published.unwrap_err().to_string(),
        "the message broker can't be reached"
    );
}
