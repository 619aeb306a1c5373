use http::Response;
use s3s::{Body, HttpError, S3Error};

/// Response with the error as S3's XML document.
pub(super) fn error_response(error: S3Error) -> Result<Response<Body>, HttpError> {
    error
        .to_http_response()
        .map_err(|error| HttpError::new(Box::new(error)))
}
