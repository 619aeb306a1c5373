//! Classification of the SDK's errors.

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

/// A successful response without a value that S3 requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MalformedResponse {
    #[error("the response has no valid entity tag")]
    ETag,
    #[error("the response has no content length")]
    Length,
    #[error("the response has no valid identifier of an upload in parts")]
    UploadId,
    #[error("the response has no valid part number")]
    PartNumber,
    #[error("the response has an upload without key or time")]
    Upload,
    #[error("the list is cut off without a position of its next page")]
    NextPage,
}

/// Returns true if the object does not exist. A missing bucket is another error: it says nothing about its objects.
pub(crate) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == Some(404) && code(error) != Some("NoSuchBucket")
}

/// Returns true if the object does not match the request's condition.
pub(crate) fn is_changed<E>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == Some(412)
}

/// Returns true if the store does not have this operation.
pub(crate) fn is_unsupported<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(status(error), Some(405 | 501)) || code(error) == Some("NotImplemented")
}

/// HTTP status of the response, if there was one.
pub(crate) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// Code of S3 in the response, if there was one.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
