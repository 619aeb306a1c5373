use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::cors;
use crate::{
    call::{Context, request_headers::X_REQUEST_ID},
    origin::Origin,
};

const SECURITY: [(HeaderName, HeaderValue); 3] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Policy of responses that are not pages: nothing in them is ever loaded or run.
const NO_CONTENT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// A year, during which browsers use only TLS with this host.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers of all responses. `https` is true if clients reach the API by TLS only.
pub(super) fn add_common(headers: &mut HeaderMap, context: &Context, origin: &Origin, https: bool) {
    if let Ok(id) = HeaderValue::from_str(&context.request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    for (name, value) in SECURITY {
        headers.insert(name, value);
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, NO_CONTENT);
    }
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    }
    // Responses contain tokens, tickets and presigned URLs. A handler whose response may be cached sets its own value.
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(allowance) = context.allowance() {
        for (name, value) in allowance.headers() {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
    cors::add_headers(origin, headers);
}
