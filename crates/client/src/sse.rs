//! Parser of server-sent events (WHATWG HTML, 9.2.6), limited to the fields that this API uses.

/// Server-sent event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ServerEvent {
    /// Field `event`, the type; empty if the event has none.
    pub(crate) kind: String,
    /// Field `id`.
    pub(crate) id: Option<String>,
    /// Lines of the fields `data`, separated by newlines.
    pub(crate) data: String,
}

/// Incremental decoder of an event stream.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: Vec<u8>,
    event: ServerEvent,
}

impl Decoder {
    /// Adds a chunk of the stream and returns the events that it completes.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Vec<ServerEvent> {
        self.buffer.extend_from_slice(chunk);
        let mut events = Vec::new();
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            events.extend(self.line(line.trim_end_matches(['\n', '\r'])));
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<ServerEvent> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.kind),
            "id" => self.event.id = Some(value.to_owned()),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // Comments, `retry` and unknown fields are ignored.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_decoded_from_chunks_of_any_size() {
        let text = ": hello\n\nretry: 1000\nid: 0-1\nevent: photo\ndata: {\"a\":\ndata: \"\u{fc}\"}\r\n\r\ndata: x\n\n";
        for size in 1..=text.len() {
            let mut decoder = Decoder::default();
            let events: Vec<_> = text
                .as_bytes()
                .chunks(size)
                .flat_map(|chunk| decoder.push(chunk))
                .collect();
            let first = ServerEvent {
                kind: "photo".to_owned(),
                id: Some("0-1".to_owned()),
                data: "{\"a\":\n\"\u{fc}\"}".to_owned(),
            };
            let second = ServerEvent {
                data: "x".to_owned(),
                ..ServerEvent::default()
            };
            assert_eq!(events, [first, second], "in chunks of {size} bytes");
        }
    }
}
