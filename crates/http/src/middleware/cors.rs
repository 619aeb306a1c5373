//! Cross-origin requests (CORS protocol of the Fetch standard) from the configured origins.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

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
    problem::{Problem, kinds},
};

const METHODS: &str = "GET, HEAD, POST, DELETE";
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id, \
                               traceparent";
const EXPOSED: &str =
    "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate, X-Request-Id";
/// Seconds a browser may cache a preflight response: two hours, the maximum of browsers.
const MAX_AGE: &str = "7200";

/// Maximum length in bytes, and maximum number, of refused origins in the log: clients choose them.
const MAX_LOGGED_ORIGIN: usize = 200;
const MAX_LOGGED_ORIGINS: usize = 100;

/// Origin of the page that sends a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The request is not cross-origin.
    None,
    /// The page may call the API.
    Allowed(HeaderValue),
    /// The page may not call the API: the browser does not give it the response.
    Denied,
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
            if !is_same_host(origin, headers) {
                warn_once(origin);
            }
            Self::Denied
        }
    }

    /// Lets an allowed page read the response.
    pub(super) fn add_headers(&self, headers: &mut HeaderMap) {
        // Also for denied origins: a cache must not serve one origin's response to another.
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

/// Returns true for a page of this server, such as `/docs`, whose browser sends `Origin` with some requests, too.
fn is_same_host(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).map_or(&[][..], HeaderValue::as_bytes);
    let Ok(origin) = origin.to_str() else { return false };
    origin
        .split_once("://")
        .is_some_and(|(_, authority)| authority.as_bytes() == host)
}

/// Logs a refused origin once: in the browser the page sees a network error without a cause.
fn warn_once(origin: &HeaderValue) {
    static LOGGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if origin.len() <= MAX_LOGGED_ORIGIN && logged.len() < MAX_LOGGED_ORIGINS && logged.insert(origin.clone())
    {
        tracing::warn!(
            origin,
            "the API refused a page of this origin; add it to server.allowed_origins if it is yours"
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
