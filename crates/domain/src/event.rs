//! All events of the domain and their stored form: a type name and a JSON payload.

use serde_json::{Map, Value};

use crate::{job::JobEvent, photo::PhotoEvent, stream::StreamType, user::UserEvent};

/// Event of any aggregate.
#[derive(Debug, Clone, PartialEq)]
pub enum DomainEvent {
    /// Event of a user.
    User(UserEvent),
    /// Event of an upload job.
    Job(JobEvent),
    /// Event of a photo.
    Photo(PhotoEvent),
}

/// Error of decoding a stored event.
#[derive(Debug, thiserror::Error)]
#[error("`{event_type}` can't be read as an event of a {stream_type} stream")]
pub struct EventDecodeError {
    /// Stored type name.
    pub event_type: String,
    /// Type of the stream that it was stored in.
    pub stream_type: &'static str,
    /// Error of the JSON decoder.
    #[source]
    pub source: serde_json::Error,
}

impl DomainEvent {
    /// Type of the stream that the event belongs to.
    pub const fn stream_type(&self) -> StreamType {
        match self {
            Self::User(_) => StreamType::User,
            Self::Job(_) => StreamType::Job,
            Self::Photo(_) => StreamType::Photo,
        }
    }

    /// Returns the type name and the payload.
    ///
    /// # Errors
    /// A value of the event has no JSON form; no event of this crate contains such a value.
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

    /// Decodes a stored event.
    ///
    /// # Errors
    /// The type is unknown in this type of stream, or the payload doesn't match it; the error names the event type.
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
