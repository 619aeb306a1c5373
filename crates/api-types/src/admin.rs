use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Storage notifications that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetters {
    /// The messages.
    pub items: Vec<DeadLetter>,
}

/// Storage notification that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Identifier in this queue.
    pub id: String,
    /// Reason why it could not be handled.
    #[schema(example = "the message is not JSON: expected value at line 1 column 1")]
    pub reason: String,
    /// Time at which it became a dead letter, or at which the broker first received it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_at: Option<DateTime<Utc>>,
    /// Beginning of the body, at most 4096 bytes. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub preview: String,
    /// Length of the body in bytes.
    pub bytes: u64,
}

/// Messages that were moved back to the queue of storage notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Redriven {
    /// Number of messages.
    pub redriven: u64,
}

/// Subscriptions to the event log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscriptions {
    /// The subscriptions, ordered by name.
    pub items: Vec<Subscription>,
}

/// Subscription to the event log. One process at a time runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Name.
    #[schema(example = "job-completion")]
    pub name: String,
    /// Position in the log up to which events are handled; opaque.
    #[schema(example = "0-2a")]
    pub position: String,
    /// End of the lease of the process that runs it, which renews it every 3 s; missing if no process does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leased_until: Option<DateTime<Utc>>,
    /// The process that runs it, if several share the database: program, host and process id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "rapidphoto-worker@worker-7f9c/1")]
    pub owner: Option<String>,
    /// Number of events after the position, at most 1000; missing if it is parked. A few are normal: the position is stored
    /// every 5 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<u64>,
    /// Time of the first event after the position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_since: Option<DateTime<Utc>>,
    /// Reason why the subscription can't continue: this version of the program can't decode an event after the position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<String>,
}
