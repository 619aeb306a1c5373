//! Headers that identify a request: its id and its trace context.

use actix_web::http::header::{HeaderMap, HeaderName};

/// Id of a request across systems.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Trace that a request belongs to (W3C Trace Context).
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Maximum length of a request id in characters; longer ids are replaced.
const MAX_REQUEST_ID: usize = 64;

/// Client's id of the request, if it is safe in a log line. It is kept in the event log for ever, so that its alphabet
/// can't spell an e-mail address.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    ((1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(allowed)).then(|| id.to_owned())
}

/// Client's trace context in the format of version 00; additional fields of later versions are dropped.
pub(super) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let raw = headers.get(TRACEPARENT)?.to_str().ok()?;
    let fields: Vec<&str> = raw.split('-').collect();
    let [version, trace, span, flags, ..] = fields.as_slice() else {
        return None;
    };
    let hex = |field: &str, length: usize| {
        field.len() == length
            && field
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let zero = |field: &str| field.bytes().all(|byte| byte == b'0');
    let known = hex(version, 2) && *version != "ff" && (*version != "00" || fields.len() == 4);
    let valid = known && hex(trace, 32) && !zero(trace) && hex(span, 16) && !zero(span) && hex(flags, 2);
    valid.then(|| format!("00-{trace}-{span}-{flags}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.append(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn valid_request_ids_are_kept_and_others_dropped() {
        let read = |id: &str| request_id(&with(X_REQUEST_ID, id));
        assert_eq!(read("a1-B_2.c"), Some("a1-B_2.c".to_owned()));
        assert_eq!(read(&"x".repeat(64)), Some("x".repeat(64)));
        for bad in [
            "",
            "two words",
            "<script>",
            "a\"b",
            "ada@example.org",
            "ada%40example.org",
            "a:b",
            "a/b",
            &"x".repeat(65),
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn valid_trace_contexts_are_kept_and_others_dropped() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let read = |raw: &str| traceparent(&with(TRACEPARENT, raw));
        assert_eq!(read(good).as_deref(), Some(good));
        assert_eq!(
            read("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later").as_deref(),
            Some(good)
        );
        for bad in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f35-00f067aa0ba902b7-01",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
