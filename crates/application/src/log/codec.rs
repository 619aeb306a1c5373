use rapidphoto_domain::{DomainEvent, StreamType};
use serde_json::Value;

use super::Upcasters;
use crate::ports::{LogError, Unavailable};

/// Encoder and decoder of the stored form of events.
#[derive(Debug, Clone, Default)]
pub struct EventCodec {
    upcasters: Upcasters,
}

/// Stored form of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedEvent {
    /// Name of the event type.
    pub event_type: String,
    /// Schema version of the payload.
    pub schema_version: u16,
    /// Payload as JSON.
    pub payload: Value,
}

impl EventCodec {
    /// Creates a codec with these upcasters.
    pub const fn new(upcasters: Upcasters) -> Self {
        Self { upcasters }
    }

    /// Encodes an event with its current schema version.
    ///
    /// # Errors
    /// [`Unavailable`] if a value can't be represented as JSON.
    pub fn encode(&self, event: &DomainEvent) -> Result<EncodedEvent, Unavailable> {
        let (event_type, payload) = event.encode().map_err(Unavailable::database)?;
        let schema_version = self.upcasters.schema_version(&event_type);
        Ok(EncodedEvent {
            event_type,
            schema_version,
            payload,
        })
    }

    /// Decodes a stored event after converting its payload to the current schema version.
    ///
    /// # Errors
    /// [`LogError`] if the type is unknown, the payload does not match its schema, or a newer version of the program
    /// wrote the event.
    pub fn decode(&self, stream_type: StreamType, stored: EncodedEvent) -> Result<DomainEvent, LogError> {
        let EncodedEvent {
            event_type,
            schema_version,
            payload,
        } = stored;
        let known = self.upcasters.schema_version(&event_type);
        if schema_version > known {
            return Err(LogError::NewerSchema {
                event_type,
                stored: schema_version,
                known,
            });
        }
        let payload = self.upcasters.upcast(&event_type, schema_version, payload);
        DomainEvent::decode(stream_type, &event_type, payload).map_err(LogError::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use rapidphoto_domain::{UserId, user::UserEvent};
    use serde_json::json;

    use super::*;

    fn stored(event_type: &str, schema_version: u16, payload: Value) -> EncodedEvent {
        EncodedEvent {
            event_type: event_type.to_owned(),
            schema_version,
            payload,
        }
    }

    #[test]
    fn old_payloads_are_upcast_step_by_step() {
        // The member is named `id` in version 1, `userId` in version 2 and `user` in version 3.
        let upcasters = Upcasters::default()
            .with("UserRegistered", |payload| json!({ "userId": payload["id"] }))
            .with("UserRegistered", |payload| json!({ "user": payload["userId"] }));
        let codec = EventCodec::new(upcasters);
        let user = UserId::from_bits(9);
        let event = DomainEvent::User(UserEvent::UserRegistered { user });
        for (version, payload) in [
            (1, json!({ "id": user })),
            (2, json!({ "userId": user })),
            (3, json!({ "user": user })),
        ] {
            assert_eq!(
                codec
                    .decode(StreamType::User, stored("UserRegistered", version, payload))
                    .unwrap(),
                event
            );
        }
        assert_eq!(codec.encode(&event).unwrap().schema_version, 3);
    }

    #[test]
    fn unknown_types_and_newer_schemas_are_errors_that_name_them() {
        let codec = EventCodec::default();
        let unknown = codec
            .decode(StreamType::Photo, stored("PhotoFramed", 1, json!({})))
            .unwrap_err();
        assert!(matches!(unknown, LogError::Unknown(ref why) if why.event_type == "PhotoFramed"));
        let newer = codec
            .decode(StreamType::User, stored("UserDisabled", 2, json!({})))
            .unwrap_err();
        assert!(matches!(
            newer,
            LogError::NewerSchema {
                stored: 2,
                known: 1,
                ..
            }
        ));
        assert!(
            codec
                .decode(StreamType::User, stored("UserDisabled", 1, json!({})))
                .is_ok()
        );
    }
}
