use rapidphoto_domain::{EventId, UserId};
use serde::{Deserialize, Serialize};

/// Actor and cause of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventMetadata {
    /// Identifier that all events with the same original cause share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Event that caused this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// The W3C trace context of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// User who caused the event; `None` for the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// Request that caused the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
