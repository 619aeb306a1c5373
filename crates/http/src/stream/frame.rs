use bytes::Bytes;
use serde::Serialize;

/// Start of each stream: the client's wait before it reconnects, in milliseconds.
pub(super) const PREAMBLE: Bytes = Bytes::from_static(b"retry: 2000\n\n");
/// Comment that keeps an idle connection open; clients ignore it.
pub(super) const HEARTBEAT: Bytes = Bytes::from_static(b": \n\n");

/// Encodes one event. Compact JSON has no line breaks, so that the data is one line.
pub(super) fn event<T: Serialize>(
    name: &str,
    id: Option<String>,
    data: &T,
) -> Result<Bytes, serde_json::Error> {
    let data = serde_json::to_string(data)?;
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Ok(Bytes::from(format!("event: {name}\n{id}data: {data}\n\n")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_with_line_breaks_is_one_line() {
        let frame = event(
            "photo",
            Some("0-1f".to_owned()),
            &json!({ "name": "a\nb\r\ndata: c" }),
        )
        .unwrap();
        assert_eq!(
            frame,
            "event: photo\nid: 0-1f\ndata: {\"name\":\"a\\nb\\r\\ndata: c\"}\n\n"
        );
        let tick = event("photo", None, &json!({})).unwrap();
        assert_eq!(tick, "event: photo\ndata: {}\n\n");
    }
}
