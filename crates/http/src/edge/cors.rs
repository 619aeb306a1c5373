//! Cross-origin requests (the Fetch standard's CORS protocol), for pages of the origins that a deployment names.

use actix_web::{
    HttpResponse,
    dev::ServiceRequest,
    http::{
        Method,
        header::{self, HeaderMap, HeaderValue},
    },
};

use crate::refusal::{Refusal, kinds};

const METHODS: &str = "GET, HEAD, POST, DELETE";
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id, \
                               traceparent";
const EXPOSED: &str =
    "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate, X-Request-Id";
/// How long a browser may remember a preflight's answer: two hours, the most that browsers do.
const MAX_AGE: &str = "7200";

/// Which page a request comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// No page of another origin.
    None,
    /// A page that may call the API.
    Allowed(HeaderValue),
    /// A page that may not: its browser keeps the answer from it.
    Refused,
}

impl Origin {
    pub(super) fn of(headers: &HeaderMap, allowed: &[String]) -> Self {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return Self::None;
        };
        let known = |allowed: &String| allowed == "*" || allowed.as_bytes() == origin.as_bytes();
        if allowed.iter().any(known) {
            Self::Allowed(origin.clone())
        } else {
            Self::Refused
        }
    }

    /// Lets the page read the answer.
    pub(super) fn admit(&self, headers: &mut HeaderMap) {
        // Caches must not give one origin's answer to another, whether this one was allowed or not.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Self::Allowed(origin) = self {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(EXPOSED),
            );
        }
    }
}

/// Whether a browser asks what a page may do.
pub(super) fn is_preflight(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

pub(super) fn answer_preflight(origin: &Origin) -> Result<HttpResponse, Refusal> {
    match origin {
        Origin::Allowed(_) => Ok(HttpResponse::NoContent()
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, MAX_AGE))
            .finish()),
        Origin::None | Origin::Refused => Err(Refusal::new(kinds::ORIGIN_NOT_ALLOWED)),
    }
}
