use actix_web::{HttpMessage, http::header, web};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};

use super::{Call, strict::Strict};
use crate::refusal::{Refusal, kinds};

/// How much of an over-long body is still read: a client that is not done with sending would never see the answer.
const DRAINED: usize = 4 * 1024 * 1024;
/// The most characters of a message that may quote what the client sent.
pub(crate) const MAX_MESSAGE: usize = 300;

impl Call {
    /// The body, read as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&self, payload: web::Payload) -> Result<T, Refusal> {
        parse(&self.json_body(payload).await?)
    }

    /// The body, which says that it is JSON.
    pub(crate) async fn json_body(&self, payload: web::Payload) -> Result<Bytes, Refusal> {
        let body = self.body(payload).await?;
        if body.is_empty() {
            return Err(Refusal::new(kinds::MALFORMED_JSON).saying("There is no body; JSON is wanted."));
        }
        self.check_content_type()?;
        Ok(body)
    }

    /// The body, read as JSON; `None` if there is none.
    pub(crate) async fn optional_json<T: DeserializeOwned>(
        &self,
        payload: web::Payload,
    ) -> Result<Option<T>, Refusal> {
        let body = self.body(payload).await?;
        if body.is_empty() {
            return Ok(None);
        }
        self.check_content_type()?;
        parse(&body).map(Some)
    }

    /// The whole body, up to its limit.
    pub(crate) async fn body(&self, mut payload: web::Payload) -> Result<Bytes, Refusal> {
        let limit = self.shared.app.config.body_limit;
        let mut body = BytesMut::new();
        let mut length = 0_usize;
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|broken| {
                Refusal::new(kinds::BROKEN_BODY).saying(format!("The body did not come through: {broken}."))
            })?;
            length = length.saturating_add(chunk.len());
            if length <= limit {
                body.extend_from_slice(&chunk);
            } else if length > limit.saturating_add(DRAINED) {
                break;
            }
        }
        if length > limit {
            let detail = format!("The body is larger than {limit} bytes.");
            return Err(Refusal::new(kinds::BODY_TOO_LARGE).saying(detail));
        }
        Ok(body.freeze())
    }

    fn check_content_type(&self) -> Result<(), Refusal> {
        let refusal = |header: &str, message: &str| {
            Err(Refusal::new(kinds::UNSUPPORTED_MEDIA_TYPE)
                .at(header, "unsupported", message)
                .with_header(header::ACCEPT, "application/json"))
        };
        let encoded = self.request.headers().get(header::CONTENT_ENCODING);
        if encoded.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return refusal(
                "Content-Encoding",
                "bodies are taken as they are, without an encoding",
            );
        }
        match self.request.mime_type() {
            Ok(Some(mime)) if mime.type_() == "application" && mime.subtype() == "json" => {
                if mime.get_param("charset").is_none_or(|charset| charset == "utf-8") {
                    Ok(())
                } else {
                    refusal("Content-Type", "JSON is in UTF-8")
                }
            }
            Ok(_) | Err(_) => refusal("Content-Type", "the body must be `application/json`"),
        }
    }
}

/// Reads JSON, and says where it is not what it should be.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    std::str::from_utf8(body).map_err(|broken| {
        Refusal::new(kinds::INVALID_UTF8).saying(format!(
            "The body is not UTF-8 from its byte {} on.",
            broken.valid_up_to()
        ))
    })?;
    // What is no JSON is told as such, even if its beginning has another shape than wanted already.
    serde_json::from_slice::<IgnoredAny>(body).map_err(|error| malformed(&error))?;
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(Strict(&mut deserializer))
        .map_err(|error| refusal(error.path(), error.inner()))
}

/// What is wrong with JSON that is JSON.
fn refusal(path: &Path, error: &serde_json::Error) -> Refusal {
    let message = shortened(error.to_string());
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split_once('`'))
        .map(|(name, _)| name.to_owned());
    let (pointer, code) = match missing {
        Some(name) => (format!("{}/{}", pointer(path), escaped(&name)), "missing"),
        None => (pointer(path), "invalid_value"),
    };
    Refusal::new(kinds::INVALID_BODY).at(pointer, code, message)
}

fn malformed(error: &serde_json::Error) -> Refusal {
    Refusal::new(kinds::MALFORMED_JSON).saying(shortened(format!(
        "The body is not JSON that can be read: {error}."
    )))
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
    shortened(key.replace('~', "~0").replace('/', "~1"))
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
