//! Log line and metric of each request.

use http::{Method, Response, StatusCode, Uri};
use metrics::counter;
use s3s::Body;

/// Maximum size of an error document in bytes; `s3s` and this crate write a few hundred.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// Code and message of an error response.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorDocument {
    pub(super) code: String,
    pub(super) message: String,
}

impl ErrorDocument {
    /// Reads S3's XML document from an error response. HEAD has none; then both texts are empty.
    pub(super) async fn of(response: &mut Response<Body>) -> Option<Self> {
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return None;
        }
        let bytes = response.body_mut().store_all_limited(MAX_ERROR_BYTES).await;
        let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            let (content, _) = rest.split_once(&format!("</{name}>"))?;
            Some(content.to_owned())
        };
        Some(Self {
            code: element("Code").unwrap_or_default(),
            message: element("Message").unwrap_or_default(),
        })
    }
}

/// Sets the counters of refused and failed requests to 0.
pub(super) fn register_counters() {
    for operation in [
        "put_object",
        "upload_part",
        "complete_multipart_upload",
        "get_object",
        "head_object",
        "delete_object",
        "other",
    ] {
        for outcome in ["refused", "failed"] {
            counter!("storage_requests_total", "operation" => operation, "outcome" => outcome).increment(0);
        }
    }
}

/// Counts a request and logs it: a refused or failed one at `warn`, any other at `debug`.
pub(super) fn record(
    method: &Method,
    uri: &Uri,
    request_id: &str,
    status: StatusCode,
    error: Option<&ErrorDocument>,
) {
    let (operation, outcome) = (operation(method, uri), outcome(status));
    counter!("storage_requests_total", "operation" => operation, "outcome" => outcome).increment(1);
    let status = status.as_u16();
    let path = logged(uri.path());
    // The query is not logged because it contains the signature.
    match error {
        Some(error) if matches!(outcome, "refused" | "failed") => tracing::warn!(
            operation,
            path,
            status,
            code = error.code,
            reason = error.message,
            request_id,
            "a storage request was refused"
        ),
        _ => tracing::debug!(operation, path, status, request_id, "handled a storage request"),
    }
}

/// Maximum length of a path in the log, in characters. Keys of photos have fewer.
const MAX_LOGGED_PATH: usize = 200;

/// Beginning of a path: a stranger's may be as long as the head of a request.
fn logged(path: &str) -> &str {
    let end = path.char_indices().nth(MAX_LOGGED_PATH);
    end.map_or(path, |(end, _)| path.split_at(end).0)
}

/// Operation of S3, for a metric's label. A path has a bucket and, for objects, a key.
fn operation(method: &Method, uri: &Uri) -> &'static str {
    let mut segments = uri.path().trim_start_matches('/').splitn(2, '/');
    let has_bucket = segments.next().is_some_and(|bucket| !bucket.is_empty());
    let has_key = segments.next().is_some_and(|key| !key.is_empty());
    let query = uri.query().unwrap_or_default().as_bytes();
    let has = |expected: &str| form_urlencoded::parse(query).any(|(name, _)| name == expected);
    match (method.as_str(), has_key) {
        ("PUT", true) if has("uploadId") => "upload_part",
        ("PUT", true) => "put_object",
        ("GET", true) if has("uploadId") => "list_parts",
        ("GET", true) => "get_object",
        ("HEAD", true) => "head_object",
        ("DELETE", true) if has("uploadId") => "abort_multipart_upload",
        ("DELETE", true) => "delete_object",
        ("POST", true) if has("uploadId") => "complete_multipart_upload",
        ("POST", true) if has("uploads") => "create_multipart_upload",
        ("POST", false) if has("delete") => "delete_objects",
        ("GET", false) if has("uploads") => "list_multipart_uploads",
        ("GET", false) if has("location") => "get_bucket_location",
        ("GET", false) if has_bucket => "list_objects",
        ("GET", false) => "list_buckets",
        ("HEAD", false) => "head_bucket",
        ("OPTIONS", _) => "preflight",
        _ => "other",
    }
}

/// A missing object and a failed condition are answers, not refusals: clients and workers ask for them on purpose.
fn outcome(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..400 => "success",
        404 => "not_found",
        412 => "precondition_failed",
        400..=499 | 501 => "refused",
        _ => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_a_long_path_is_logged() {
        assert_eq!(logged("/photos/k"), "/photos/k");
        assert_eq!(logged(&"ä".repeat(64_000)), "ä".repeat(200));
    }

    #[test]
    fn operations_are_told_apart_by_method_and_path() {
        for (method, path, expected) in [
            (Method::PUT, "/photos/a/b", "put_object"),
            (Method::PUT, "/photos/k?partNumber=1&uploadId=a", "upload_part"),
            (Method::POST, "/photos/k?uploads", "create_multipart_upload"),
            (Method::POST, "/photos/k?uploadId=a", "complete_multipart_upload"),
            (Method::POST, "/photos?delete=", "delete_objects"),
            (Method::GET, "/photos?list-type=2", "list_objects"),
            (Method::GET, "/photos/?uploads", "list_multipart_uploads"),
            (Method::GET, "/", "list_buckets"),
            (Method::PUT, "/photos", "other"),
            (Method::HEAD, "/photos/", "head_bucket"),
            (Method::HEAD, "/photos/k", "head_object"),
            (Method::POST, "/photos/k", "other"),
            (Method::OPTIONS, "/", "preflight"),
        ] {
            assert_eq!(
                operation(&method, &path.parse().unwrap()),
                expected,
                "{method} {path}"
            );
        }
    }
}
