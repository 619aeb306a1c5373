use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use s3s::{Body, HttpError, s3_error};

use super::front::refusal;

/// What a page may do; reading and writing are bound by signatures anyway.
const METHODS: [&str; 4] = ["GET", "HEAD", "PUT", "DELETE"];
const ALLOWED_METHODS: &str = "GET, HEAD, PUT, DELETE";

/// What a page may see of an answer beside what it always may.
const EXPOSED: &str =
    "ETag, x-amz-checksum-sha256, x-amz-request-id, Accept-Ranges, Content-Range, Content-Disposition";

/// How long a browser needn't ask again, in seconds.
const MAX_AGE: &str = "3600";

/// Which origins' pages may use the store.
pub(super) struct Cors {
    any: bool,
    origins: Vec<String>,
}

impl Cors {
    pub(super) fn new(allowed: &[String]) -> Self {
        let origins = allowed
            .iter()
            .map(|origin| origin.trim().trim_end_matches('/').to_ascii_lowercase());
        Self {
            any: allowed.iter().any(|origin| origin.trim() == "*"),
            origins: origins.collect(),
        }
    }

    /// Answers the question that a browser asks before it sends a request.
    pub(super) fn preflight(&self, asked: &HeaderMap) -> Result<Response<Body>, HttpError> {
        let (Some(origin), Some(method)) = (
            asked.get(header::ORIGIN),
            asked.get(header::ACCESS_CONTROL_REQUEST_METHOD),
        ) else {
            return refusal(s3_error!(
                InvalidRequest,
                "Insufficient information. Origin request header needed."
            ));
        };
        if !self.allows(origin) || !METHODS.iter().any(|known| method == known) {
            let mut response = refusal(s3_error!(
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
        if let Some(wanted) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            // Any: which headers a request has is the signature's matter.
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        Ok(response)
    }

    /// Lets the page at `origin` see an answer, if it may.
    pub(super) fn allow(&self, origin: &HeaderValue, headers: &mut HeaderMap) {
        vary(headers);
        if !self.allows(origin) {
            return;
        }
        let allowed = if self.any {
            HeaderValue::from_static("*")
        } else {
            origin.clone()
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.any
            || origin
                .to_str()
                .is_ok_and(|origin| self.origins.contains(&origin.to_ascii_lowercase()))
    }
}

/// Keeps caches from giving one origin's answer to another.
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
