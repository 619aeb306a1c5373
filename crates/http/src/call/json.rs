use actix_web::{HttpResponse, HttpResponseBuilder, http::header};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_path_to_error::{Path, Segment};

use super::strict::Strict;
use crate::problem::{MAX_MESSAGE, Problem, kinds};

/// Result of a handler.
pub(crate) type HandlerResult = Result<HttpResponse, Problem>;

/// A response in JSON.
pub(crate) fn json<T: Serialize>(response: &mut HttpResponseBuilder, body: &T) -> HandlerResult {
    let body = serde_json::to_vec(body).map_err(Problem::internal)?;
    Ok(response.content_type(header::ContentType::json()).body(body))
}

/// Parses JSON. Errors say where in the body they are, by a JSON pointer.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    std::str::from_utf8(body).map_err(|error| {
        Problem::new(kinds::INVALID_UTF8).detail(format!(
            "The body is not valid UTF-8 at byte {}. JSON must be encoded in UTF-8.",
            error.valid_up_to()
        ))
    })?;
    // Malformed JSON is reported as such, even if its beginning already has the wrong type.
    serde_json::from_slice::<IgnoredAny>(body).map_err(|error| malformed(&error))?;
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(Strict(&mut deserializer))
        .map_err(|error| invalid(error.path(), error.inner()))
}

/// Problem for valid JSON of the wrong type.
fn invalid(path: &Path, error: &serde_json::Error) -> Problem {
    let message = truncated(error.to_string());
    let named = |prefix| {
        message
            .strip_prefix(prefix)?
            .split_once('`')
            .map(|(name, _)| escaped(name))
    };
    let at = pointer(path);
    let (pointer, code) = if let Some(name) = named("missing field `") {
        (format!("{at}/{name}"), "missing")
    } else if let Some(name) = named("unknown field `") {
        // The path ends before or with the member, as the deserializer has it.
        let member = format!("/{name}");
        let parent = at.strip_suffix(&member).unwrap_or(&at);
        (format!("{parent}{member}"), "unknown_member")
    } else {
        (at, "invalid_value")
    };
    Problem::new(kinds::INVALID_BODY).error_at(pointer, code, message)
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(kinds::MALFORMED_JSON).detail(truncated(format!("The body is not valid JSON: {error}.")))
}

/// A path as a JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escaped(key)),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

fn escaped(key: &str) -> String {
    truncated(key.replace('~', "~0").replace('/', "~1"))
}

fn truncated(text: String) -> String {
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
