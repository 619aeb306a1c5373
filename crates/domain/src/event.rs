//! Every event of the domain, and its form in the log: a type name beside a JSON payload.

use serde_json::{Map, Value};

use crate::{StreamType, job::JobEvent, photo::PhotoEvent, user::UserEvent};

/// Any event of the domain.
#[derive(Debug, Clone, PartialEq)]
pub enum DomainEvent {
    /// Something happened to a user.
    User(UserEvent),
    /// Something happened to an upload job.
    Job(JobEvent),
    /// Something happened to a photo.
    Photo(PhotoEvent),
}

/// Why a stored event can't be read.
#[derive(Debug, thiserror::Error)]
#[error("`{event_type}` can't be read as an event of a {stream_type} stream")]
pub struct EventDecodeError {
    /// The stored type name.
    pub event_type: String,
    /// The kind of stream that it was stored in.
    pub stream_type: &'static str,
    /// What the decoder said.
    #[source]
    pub source: serde_json::Error,
}

impl DomainEvent {
    /// The kind of stream that the event belongs to.
    pub const fn stream_type(&self) -> StreamType {
        match self {
            Self::User(_) => StreamType::User,
            Self::Job(_) => StreamType::Job,
            Self::Photo(_) => StreamType::Photo,
        }
    }

    /// The event's type name and payload.
    ///
    /// # Errors
    /// When a value in the event can't be written as JSON, which no event of this crate holds.
    pub fn encode(&self) -> Result<(String, Value), serde_json::Error> {
        let mut tagged = match self {
            Self::User(event) => serde_json::to_value(event)?,
            Self::Job(event) => serde_json::to_value(event)?,
            Self::Photo(event) => serde_json::to_value(event)?,
        };
        let name = tagged
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let payload = tagged.get_mut("data").map(Value::take).unwrap_or_default();
        Ok((name, payload))
    }

    /// Reads a stored event back.
    ///
    /// # Errors
    /// When the type is unknown in this kind of stream or the payload is not of its shape; the error names the type.
    pub fn decode(
        stream_type: StreamType,
        event_type: &str,
        payload: Value,
    ) -> Result<Self, EventDecodeError> {
        let mut tagged = Map::new();
        tagged.insert("type".to_owned(), Value::from(event_type));
        tagged.insert("data".to_owned(), payload);
        let tagged = Value::Object(tagged);
        match stream_type {
            StreamType::User => serde_json::from_value(tagged).map(Self::User),
            StreamType::Job => serde_json::from_value(tagged).map(Self::Job),
            StreamType::Photo => serde_json::from_value(tagged).map(Self::Photo),
        }
        .map_err(|source| EventDecodeError {
            event_type: event_type.to_owned(),
            stream_type: stream_type.name(),
            source,
        })
    }
}

impl From<UserEvent> for DomainEvent {
    fn from(event: UserEvent) -> Self {
        Self::User(event)
    }
}

impl From<JobEvent> for DomainEvent {
    fn from(event: JobEvent) -> Self {
        Self::Job(event)
    }
}

impl From<PhotoEvent> for DomainEvent {
    fn from(event: PhotoEvent) -> Self {
        Self::Photo(event)
    }
}
