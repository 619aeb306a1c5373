use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use s3s::{Body, HttpError, s3_error};

use super::errors::error_response;

/// Methods allowed to pages of allowed origins. Every request needs a signature in addition.
const METHODS: [&str; 4] = ["GET", "HEAD", "PUT", "DELETE"];
const ALLOWED_METHODS: &str = "GET, HEAD, PUT, DELETE";

/// Response headers that pages can read in addition to the CORS-safelisted ones.
const EXPOSED_HEADERS: &str =
    "ETag, x-amz-checksum-sha256, x-amz-request-id, Accept-Ranges, Content-Range, Content-Disposition";

/// Lifetime of a preflight result in the browser's cache, in seconds.
const MAX_AGE: &str = "3600";

/// Maximum length in bytes, and maximum number, of refused origins in the log: clients choose them.
const MAX_LOGGED_ORIGIN: usize = 200;
const MAX_LOGGED_ORIGINS: usize = 100;

/// Origins whose pages may send requests to the store.
pub(super) struct Cors {
    any_origin: bool,
    origins: Vec<String>,
    /// Refused origins that are already in the log.
    refused: Mutex<BTreeSet<String>>,
}

impl Cors {
    pub(super) fn new(allowed: &[String]) -> Self {
        let origins = allowed
            .iter()
            .map(|origin| origin.trim().trim_end_matches('/').to_ascii_lowercase());
        Self {
            any_origin: allowed.iter().any(|origin| origin.trim() == "*"),
            origins: origins.collect(),
            refused: Mutex::default(),
        }
    }

    /// Response to a CORS preflight request.
    pub(super) fn preflight(&self, request: &HeaderMap) -> Result<Response<Body>, HttpError> {
        let (Some(origin), Some(method)) = (
            request.get(header::ORIGIN),
            request.get(header::ACCESS_CONTROL_REQUEST_METHOD),
        ) else {
            return error_response(s3_error!(
                InvalidRequest,
                "Insufficient information. Origin request header needed."
            ));
        };
        self.warn_if_refused(origin);
        if !self.allows(origin) || !METHODS.iter().any(|known| method == known) {
            let mut response = error_response(s3_error!(
                AccessDenied,
                "CORSResponse: This CORS request is not allowed."
            ))?;
            vary(response.headers_mut());
            return Ok(response);
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static(ALLOWED_METHODS),
        );
        if let Some(requested) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            // All headers are allowed: the signature restricts them.
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        Ok(response)
    }

    /// Adds the CORS headers that let a page of `origin` read the response, if the origin is allowed.
    pub(super) fn add_headers(&self, origin: &HeaderValue, headers: &mut HeaderMap) {
        vary(headers);
        self.warn_if_refused(origin);
        if !self.allows(origin) {
            return;
        }
        let allowed = if self.any_origin {
            HeaderValue::from_static("*")
        } else {
            origin.clone()
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED_HEADERS),
        );
    }

    /// Logs a refused origin once: in the browser the page sees a network error without a cause.
    fn warn_if_refused(&self, origin: &HeaderValue) {
        if self.allows(origin) {
            return;
        }
        let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if origin.len() <= MAX_LOGGED_ORIGIN
            && refused.len() < MAX_LOGGED_ORIGINS
            && refused.insert(origin.clone())
        {
            tracing::warn!(
                origin,
                "the storage refused a page of this origin; add it to server.allowed_origins if it is yours"
            );
        }
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.any_origin
            || origin
                .to_str()
                .is_ok_and(|origin| self.origins.contains(&origin.to_ascii_lowercase()))
    }
}

/// Adds `Vary`, so that caches keep the responses to different origins apart.
fn vary(headers: &mut HeaderMap) {
    const NAMES: [HeaderName; 3] = [
        header::ORIGIN,
        header::ACCESS_CONTROL_REQUEST_METHOD,
        header::ACCESS_CONTROL_REQUEST_HEADERS,
    ];
    let names = NAMES.map(|name| name.to_string()).join(", ");
    if let Ok(names) = HeaderValue::try_from(names) {
        headers.insert(header::VARY, names);
    }
}
