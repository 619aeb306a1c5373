//! Sections that only a deployment of several machines uses.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::secret::Secret;

/// PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSection {
    /// `postgres://user@host:5432/name?sslmode=require`; without it, `rapidphoto serve` uses SQLite in `data.dir`.
    pub url: Option<String>,
    /// Password; takes the place of one in the URL.
    pub password: Option<Secret>,
    /// PEM file of the authorities that sign the server's certificate; default: the system's.
    pub ca: Option<PathBuf>,
    /// Maximum number of connections of one process.
    pub connections: usize,
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self {
            url: None,
            password: None,
            ca: None,
            connections: 16,
        }
    }
}

/// RabbitMQ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerSection {
    /// `amqp://user@host:5672/vhost`, or `amqps://` for TLS. May be missing if storage events come from SQS; then domain events
    /// are not published, and the progress of an upload is visible on the replica that received it.
    pub url: Option<String>,
    /// Password; takes the place of one in the URL.
    pub password: Option<Secret>,
    /// PEM file of authorities that are trusted beside the system's.
    pub ca: Option<PathBuf>,
    /// First part of the names of exchanges and queues, so that several deployments can share a broker.
    pub prefix: String,
}

impl Default for BrokerSection {
    fn default() -> Self {
        Self {
            url: None,
            password: None,
            ca: None,
            prefix: "rapidphoto".to_owned(),
        }
    }
}

/// Queue of storage events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventsSection {
    /// `rabbitmq` or `sqs`.
    pub source: EventSource,
    /// Maximum number of messages that a worker handles at once.
    pub prefetch: u16,
    /// URL of the queue, with `sqs`.
    pub sqs_queue_url: Option<String>,
    /// Endpoint of SQS, if it is not that of AWS in `storage.region`.
    pub sqs_endpoint: Option<String>,
}

impl Default for EventsSection {
    fn default() -> Self {
        Self {
            source: EventSource::Rabbitmq,
            prefetch: 64,
            sqs_queue_url: None,
            sqs_endpoint: None,
        }
    }
}

/// Service that delivers storage events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventSource {
    /// The broker of the section `broker`.
    Rabbitmq,
    /// Amazon SQS.
    Sqs,
}

/// Keys of the API, the same in all replicas. `rapidphoto serve` keeps its own in `data.dir`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsSection {
    /// Signs access tokens: 64 hexadecimal digits.
    pub token_key: Option<Secret>,
    /// Key that signed access tokens before a rotation.
    pub previous_token_key: Option<Secret>,
    /// Time until which tokens of the previous key are valid (RFC 3339).
    pub previous_valid_until: Option<chrono::DateTime<chrono::Utc>>,
    /// Derives refresh tokens and encrypts cursors: 64 hexadecimal digits.
    pub refresh_key: Option<Secret>,
}
