//! Server-sent events (WHATWG HTML, 9.2.6), as far as this API uses them.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ServerEvent {
    /// `event:`; `message` where there is none.
    pub(crate) kind: String,
    /// `id:`, where the event has one of its own.
    pub(crate) id: Option<String>,
    /// The lines of `data:`.
    pub(crate) data: String,
}

/// Puts events together from the pieces that arrive.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: Vec<u8>,
    event: ServerEvent,
}

impl Decoder {
    /// Takes a piece in and gives the events that it completes.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<ServerEvent> {
        self.buffer.extend_from_slice(piece);
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
            // Comments, `retry` and what is unknown.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_put_together_wherever_the_pieces_break() {
        let text = ": hello\n\nretry: 1000\nid: 0-1\nevent: photo\ndata: {\"a\":\ndata: \"\u{fc}\"}\r\n\r\ndata: x\n\n";
        for size in 1..=text.len() {
            let mut decoder = Decoder::default();
            let events: Vec<_> = text
                .as_bytes()
                .chunks(size)
                .flat_map(|piece| decoder.push(piece))
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
            assert_eq!(events, [first, second], "in pieces of {size}");
        }
    }
}
