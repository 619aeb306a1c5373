use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::cors::Origin;
use crate::call::{Context, origin::X_REQUEST_ID};

const SECURITY: [(HeaderName, HeaderValue); 3] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Adds what every answer carries.
pub(super) fn finish(headers: &mut HeaderMap, context: &Context, origin: &Origin) {
    if let Ok(id) = HeaderValue::from_str(&context.request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    for (name, value) in SECURITY {
        headers.insert(name, value);
    }
    // Tokens, tickets and signed URLs must not lie about in caches; what may be kept says so itself.
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
    origin.admit(headers);
}
