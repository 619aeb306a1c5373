use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::cors::Origin;
use crate::call::{Context, request_headers::X_REQUEST_ID};

const SECURITY: [(HeaderName, HeaderValue); 3] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Adds the headers of all responses.
pub(super) fn add_common(headers: &mut HeaderMap, context: &Context, origin: &Origin) {
    if let Ok(id) = HeaderValue::from_str(&context.request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    for (name, value) in SECURITY {
        headers.insert(name, value);
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
    origin.add_headers(headers);
}
