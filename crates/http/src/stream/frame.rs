use bytes::Bytes;
use serde::Serialize;

/// Start of each stream of server-sent events: the client's wait before it reconnects, in milliseconds.
pub(super) const PREAMBLE: Bytes = Bytes::from_static(b"retry: 2000\n\n");
/// Comment that keeps an idle connection open; clients ignore it.
const HEARTBEAT: Bytes = Bytes::from_static(b": \n\n");

/// Part of a stream, in any format.
#[derive(Debug)]
pub(super) enum Frame {
    /// Keeps an idle connection open.
    Heartbeat,
    /// Event for the client.
    Event {
        /// Name of the event.
        name: &'static str,
        /// Position to resume after, if it has one.
        id: Option<String>,
        /// Compact JSON, which has no line breaks.
        data: String,
    },
}

impl Frame {
    /// Encodes an event.
    pub(super) fn event<T: Serialize>(
        name: &'static str,
        id: Option<String>,
        data: &T,
    ) -> Result<Self, serde_json::Error> {
        let data = serde_json::to_string(data)?;
        Ok(Self::Event { name, id, data })
    }

    /// Server-sent event or comment.
    pub(super) fn into_sse(self) -> Bytes {
        match self {
            Self::Heartbeat => HEARTBEAT,
            Self::Event { name, id, data } => {
                let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
                Bytes::from(format!("event: {name}\n{id}data: {data}\n\n"))
            }
        }
    }

    /// Text message of an event; `None` for a heartbeat, which is a ping. Names and ids need no escapes: ids are base64.
    pub(super) fn into_message(self) -> Option<String> {
        let Self::Event { name, id, data } = self else {
            return None;
        };
        let id = id.map(|id| format!("\"id\":\"{id}\",")).unwrap_or_default();
        Some(format!("{{{id}\"event\":\"{name}\",\"data\":{data}}}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_with_line_breaks_is_one_line() {
        let frame = Frame::event(
            "photo",
            Some("0-1f".to_owned()),
            &json!({ "name": "a\nb\r\ndata: c" }),
        )
        .unwrap();
        assert_eq!(
            frame.into_sse(),
            "event: photo\nid: 0-1f\ndata: {\"name\":\"a\\nb\\r\\ndata: c\"}\n\n"
        );
        let tick = Frame::event("photo", None, &json!({})).unwrap();
        assert_eq!(tick.into_sse(), "event: photo\ndata: {}\n\n");
    }

    #[test]
    fn a_message_has_the_members_of_the_event() {
        let event = Frame::event("photo", Some("0-1f".to_owned()), &json!({ "name": "a\nb" })).unwrap();
        let message = event.into_message().unwrap();
        assert_eq!(message, r#"{"id":"0-1f","event":"photo","data":{"name":"a\nb"}}"#);
        let tick = Frame::event("photo", None, &json!({})).unwrap();
        assert_eq!(tick.into_message().unwrap(), r#"{"event":"photo","data":{}}"#);
        assert_eq!(Frame::Heartbeat.into_message(), None);
    }
}
