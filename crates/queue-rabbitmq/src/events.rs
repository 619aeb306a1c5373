use async_trait::async_trait;
use lapin::{BasicProperties, types::AMQPValue};
use rapidphoto_application::{
    log::EventCodec,
    ports::{EventMetadata, EventPublisher, StoredEvent, Unavailable},
};
use rapidphoto_domain::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Broker, BrokerError,
    publisher::{Message, Publisher},
    topology::table,
};

/// Publishes the log's events to the topic exchange.
///
/// Message id: the event's id, by which consumers recognise repetitions. Routing key: `<stream type>.<event type>`, such
/// as `photo.PhotoProcessingCompleted`. Messages are persistent; if no queue is bound, the broker drops them.
pub struct RabbitEvents {
    publisher: Publisher,
    codec: EventCodec,
}

/// Body of a message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    id: String,
    #[serde(rename = "type")]
    event_type: &'a str,
    stream_type: &'static str,
    stream: String,
    version: u64,
    owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    occurred_at: Timestamp,
    schema_version: u16,
    payload: Value,
    metadata: &'a EventMetadata,
}

impl RabbitEvents {
    /// Publisher that connects with the first events. `codec` is that of the log.
    pub fn new(broker: &Broker, codec: EventCodec) -> Self {
        Self {
            publisher: Publisher::new(broker.clone(), "events"),
            codec,
        }
    }

    fn message(&self, stored: &StoredEvent) -> Result<Message, BrokerError> {
        let encoded = self
            .codec
            .encode(&stored.event)
            .map_err(|error| BrokerError::Encoding(error.source))?;
        let stream_type = stored.stream.stream_type().name();
        let envelope = Envelope {
            id: stored.id.to_string(),
            event_type: &encoded.event_type,
            stream_type,
            stream: stored.stream.to_string(),
            version: stored.version.0,
            owner: stored.owner.to_string(),
            job: stored.job.map(|job| job.to_string()),
            occurred_at: stored.occurred_at,
            schema_version: encoded.schema_version,
            payload: encoded.payload,
            metadata: &stored.metadata,
        };
        let body = serde_json::to_vec(&envelope).map_err(|error| BrokerError::Encoding(error.into()))?;
        let mut properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_delivery_mode(2)
            .with_message_id(envelope.id.as_str().into())
            .with_type(encoded.event_type.as_str().into())
            .with_timestamp(u64::try_from(stored.occurred_at.timestamp()).unwrap_or(0));
        if let Some(traceparent) = &stored.metadata.traceparent {
            let header = AMQPValue::LongString(traceparent.as_str().into());
            properties = properties.with_headers(table([("traceparent", header)]));
        }
        Ok(Message {
            exchange: self.publisher.broker().names().events.clone(),
            routing_key: format!("{stream_type}.{}", encoded.event_type),
            mandatory: false,
            properties,
            body,
        })
    }
}

#[async_trait]
impl EventPublisher for RabbitEvents {
    async fn publish(&self, events: &[StoredEvent]) -> Result<(), Unavailable> {
        let messages: Result<Vec<Message>, BrokerError> =
            events.iter().map(|event| self.message(event)).collect();
        let messages = messages.map_err(Unavailable::broker)?;
        let published = self.publisher.publish(&messages).await;
        published.map_err(Unavailable::broker)
    }
}
