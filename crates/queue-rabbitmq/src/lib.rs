//! RabbitMQ as message broker: storage notifications in, events and progress ticks out, dead letters.
//!
//! [`NotificationConsumer`] takes what object stores announce, [`NotificationPublisher`] is the store's side of it, and
//! [`RabbitDeadLetters`] is for what could not be handled. [`RabbitEvents`] publishes the event log, [`RabbitTicks`]
//! exchanges the progress of uploads between processes.
//!
//! Nothing here holds state that matters: messages are hints, and the database has the truth. While the broker is away,
//! everything connects again with back-off, and the rest of the system goes on.

mod backoff;
mod broker;
mod config;
mod consumer;
mod dead_letters;
mod delivery;
mod error;
mod events;
mod headers;
mod notifications;
mod publisher;
mod ticks;
mod topology;
mod wire_ticks;

pub use broker::Broker;
pub use config::BrokerConfig;
pub use consumer::NotificationConsumer;
pub use dead_letters::RabbitDeadLetters;
pub use error::BrokerError;
pub use events::RabbitEvents;
pub use notifications::NotificationPublisher;
pub use ticks::RabbitTicks;
pub use topology::Names;
