use actix_web::{HttpMessage, http::header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde::de::DeserializeOwned;

use super::{json::parse, request::Call};
use crate::problem::{Problem, kinds};

/// Bytes of an oversized body that are still read: a client that is still sending would not see the response.
const MAX_DRAINED: usize = 4 * 1024 * 1024;

impl Call {
    /// The body, parsed as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        parse(&self.json_body().await?)
    }

    /// The body, whose `Content-Type` is JSON.
    pub(crate) async fn json_body(&mut self) -> Result<Bytes, Problem> {
        let body = self.body().await?;
        if body.is_empty() {
            return Err(Problem::new(kinds::MALFORMED_JSON)
                .detail("The body is empty. This endpoint requires a body in JSON."));
        }
        self.check_content_type()?;
        Ok(body)
    }

    /// The body, parsed as JSON; `None` if it is empty.
    pub(crate) async fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Problem> {
        let body = self.body().await?;
        if body.is_empty() {
            return Ok(None);
        }
        self.check_content_type()?;
        parse(&body).map(Some)
    }

    /// The whole body, up to the configured limit. Later calls return an empty body.
    pub(crate) async fn body(&mut self) -> Result<Bytes, Problem> {
        let limit = self.shared.app.config.body_limit;
        let mut body = BytesMut::new();
        let mut length = 0_usize;
        while let Some(chunk) = self.payload.next().await {
            let chunk = chunk.map_err(|error| {
                Problem::new(kinds::BROKEN_BODY).detail(format!(
                    "The body could not be read to its end: {error}. Check its framing and send it again."
                ))
            })?;
            length = length.saturating_add(chunk.len());
            if length <= limit {
                body.extend_from_slice(&chunk);
            } else if length > limit.saturating_add(MAX_DRAINED) {
                break;
            }
        }
        if length > limit {
            let detail = format!("The body is larger than the limit of {limit} bytes. Split the request.");
            return Err(Problem::new(kinds::BODY_TOO_LARGE).detail(detail));
        }
        Ok(body.freeze())
    }

    fn check_content_type(&self) -> Result<(), Problem> {
        let unsupported = |header: &str, message: &str| {
            Err(Problem::new(kinds::UNSUPPORTED_MEDIA_TYPE)
                .error_at(header, "unsupported", message)
                .with_header(header::ACCEPT, "application/json"))
        };
        let encoded = self.request.headers().get(header::CONTENT_ENCODING);
        if encoded.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return unsupported(
                "Content-Encoding",
                "encoded bodies are not supported; send the body without `Content-Encoding`",
            );
        }
        match self.request.mime_type() {
            Ok(Some(mime)) if mime.type_() == "application" && mime.subtype() == "json" => {
                if mime.get_param("charset").is_none_or(|charset| charset == "utf-8") {
                    Ok(())
                } else {
                    unsupported("Content-Type", "the charset must be `utf-8`")
                }
            }
            Ok(_) | Err(_) => unsupported("Content-Type", "the media type must be `application/json`"),
        }
    }
}
