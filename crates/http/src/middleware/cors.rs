//! Cross-origin requests (CORS protocol of the Fetch standard) from the configured origins.

use actix_web::{
    HttpResponse,
    dev::ServiceRequest,
    http::{
        Method,
        header::{self, HeaderMap, HeaderValue},
    },
};

use crate::{
    call::HandlerResult,
    origin::Origin,
    problem::{Problem, kinds},
};

const METHODS: &str = "GET, HEAD, POST, DELETE";
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id, \
                               traceparent";
const EXPOSED: &str =
    "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate, X-Request-Id";
/// Seconds a browser may cache a preflight response: two hours, the maximum of browsers.
const MAX_AGE: &str = "7200";

/// Lets an allowed page read the response.
pub(super) fn add_headers(origin: &Origin, headers: &mut HeaderMap) {
    // Also for denied origins: a cache must not serve one origin's response to another.
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Origin::Allowed(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
    }
}

/// Returns true for a browser's preflight request.
pub(super) fn is_preflight(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

pub(super) fn preflight_response(origin: &Origin) -> HandlerResult {
    match origin {
        Origin::Allowed(_) => Ok(HttpResponse::NoContent()
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE))
            .finish()),
        Origin::None | Origin::Denied => Err(Problem::new(kinds::ORIGIN_NOT_ALLOWED)),
    }
}
