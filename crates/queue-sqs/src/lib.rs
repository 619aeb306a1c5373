//! Storage notifications and dead letters in Amazon SQS.
//!
//! [`SqsConsumer`] receives messages, passes them to [`StorageMessages`](rapidphoto_application::ports::StorageMessages)
//! and deletes those that are handled. A malformed message moves to the dead-letter queue with its reason. While the
//! database is unavailable, messages are kept and tried again by the process that received them, because each delivery
//! counts against the queue's redrive limit.
//!
//! [`SqsDeadLetters`] lists the dead-letter queue and moves messages back.

mod client;
mod config;
mod consumer;
mod dead_letters;
mod error;
mod handling;
mod queue;

pub use config::{SqsConfig, SqsConfigError, SqsCredentials};
pub use consumer::SqsConsumer;
pub use dead_letters::SqsDeadLetters;
pub use error::SqsError;
pub use queue::{RedrivePolicy, SqsQueue};
