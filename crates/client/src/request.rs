use rapidphoto_api_types::Problem;
use reqwest::{RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;

use crate::ClientError;

/// A URL below the API's own; each segment is escaped.
pub(crate) fn path(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Only URLs without a host refuse segments, and the client takes none.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Sends a request and reads its answer.
pub(crate) async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ClientError> {
    let body = accepted(request.send().await?).await?.bytes().await?;
    serde_json::from_slice(&body).map_err(ClientError::Unintelligible)
}

/// The answer, unless it is a problem.
pub(crate) async fn accepted(answer: Response) -> Result<Response, ClientError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body = answer.bytes().await?;
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Err(ClientError::Refused(Box::new(problem))),
        Err(_) => Err(ClientError::NotTheApi(status.as_u16())),
    }
}
