//! Exchanges and queues of a deployment.

use std::collections::BTreeMap;

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};

use crate::BrokerError;

/// Names of a deployment's exchanges and queues. All begin with its prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Queue of storage notifications: quorum, with a delivery limit.
    pub notifications: String,
    /// Queue of the notifications that could not be handled: quorum.
    pub dead_letters: String,
    /// Topic exchange to which stores publish notifications. All of them reach the queue, whatever their routing key.
    pub storage: String,
    /// Topic exchange of the log's events; routing keys are `<stream type>.<event type>`.
    pub events: String,
    /// Fan-out exchange of progress ticks, to a queue of each process.
    pub progress: String,
}

impl Names {
    /// Names with this prefix.
    pub fn new(prefix: &str) -> Self {
        let name = |suffix: &str| format!("{prefix}.{suffix}");
        Self {
            notifications: name("storage-events"),
            dead_letters: name("storage-events.dead"),
            storage: name("storage"),
            events: name("events"),
            progress: name("progress"),
        }
    }
}

/// Returns to the dead-letter queue by readers are no failures. Without a limit of its own the queue would get the
/// default of RabbitMQ 4, which is 20, and then lose messages.
const UNLIMITED_DELIVERIES: i64 = 1_000_000_000;

/// Creates what does not exist yet. The channel is closed by the first error.
pub(crate) async fn declare(
    channel: &Channel,
    names: &Names,
    delivery_limit: u16,
) -> Result<(), BrokerError> {
    declare_exchange(channel, &names.storage, ExchangeKind::Topic).await?;
    declare_exchange(channel, &names.events, ExchangeKind::Topic).await?;
    declare_exchange(channel, &names.progress, ExchangeKind::Fanout).await?;
    declare_queue(
        channel,
        &names.dead_letters,
        [("x-delivery-limit", AMQPValue::LongLongInt(UNLIMITED_DELIVERIES))],
    )
    .await?;
    let text = |text: &str| AMQPValue::LongString(text.into());
    declare_queue(
        channel,
        &names.notifications,
        [
            (
                "x-delivery-limit",
                AMQPValue::LongLongInt(i64::from(delivery_limit)),
            ),
            // The default exchange routes to the queue of this name.
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&names.dead_letters)),
            // A message leaves this queue once the other has stored it. This needs the overflow behaviour below, which
            // has no effect on a queue without a maximum length.
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
        ],
    )
    .await?;
    let (queue, exchange) = (short(&names.notifications), short(&names.storage));
    channel
        .queue_bind(
            queue,
            exchange,
            "#".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;
    Ok(())
}

async fn declare_exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> Result<(), BrokerError> {
    let options = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let declared = channel.exchange_declare(short(name), kind, options, FieldTable::default());
    declared
        .await
        .map_err(|error| BrokerError::of_declaration("exchange", name, error))
}

async fn declare_queue<const N: usize>(
    channel: &Channel,
    name: &str,
    arguments: [(&'static str, AMQPValue); N],
) -> Result<(), BrokerError> {
    let mut arguments = table(arguments);
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let declared = channel.queue_declare(short(name), options, arguments).await;
    declared.map_err(|error| BrokerError::of_declaration("queue", name, error))?;
    Ok(())
}

/// Table of arguments or headers.
pub(crate) fn table<const N: usize>(entries: [(&'static str, AMQPValue); N]) -> FieldTable {
    let entries = entries.map(|(name, value)| (ShortString::from(name), value));
    FieldTable::from(BTreeMap::from(entries))
}

/// Name of at most 255 bytes; a longer one is cut. Names here are shorter: the prefix has at most 100 bytes.
pub(crate) fn short(name: &str) -> ShortString {
    let end = name.floor_char_boundary(255);
    ShortString::try_new(name.get(..end).unwrap_or_default()).unwrap_or_default()
}
