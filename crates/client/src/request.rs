use std::time::Duration;

use rapidphoto_api_types::Problem;
use reqwest::{
    RequestBuilder, Response, Url,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::de::DeserializeOwned;

use crate::error::{ClientError, ProblemResponse};

/// URL below the base URL of the API; every segment is percent-encoded.
pub(crate) fn path(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Only URLs without a host have no path segments, and the client rejects them.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Sends a request and decodes the JSON of the response.
pub(crate) async fn send_json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ClientError> {
    let response = check_status(request.send().await?).await?;
    parse_json(&response.bytes().await?)
}

/// Returns the response if its status is a success, and otherwise the problem that it contains.
pub(crate) async fn check_status(response: Response) -> Result<Response, ClientError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers());
    let body = response.bytes().await?;
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Err(ClientError::Problem(Box::new(ProblemResponse {
            problem,
            retry_after,
        }))),
        Err(_) => Err(ClientError::UnexpectedResponse(status.as_u16())),
    }
}

/// Seconds of the header `Retry-After`. A date, which the API never sends, is ignored.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Decodes the JSON of a response or an event.
pub(crate) fn parse_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(json).map_err(ClientError::MalformedResponse)
}
