//! What an SDK's error means to us.

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

/// An answer that a store should never give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Senseless {
    #[error("the answer has no usable entity tag")]
    NoETag,
    #[error("the answer has no length")]
    NoLength,
}

/// Whether the store says that there is no such object. A bucket that is not there is another thing: nothing can be
/// said of its objects.
pub(crate) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == Some(404) && code(error) != Some("NoSuchBucket")
}

/// Whether the store says that the object is not in the state that was asked for.
pub(crate) fn is_changed<E>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == Some(412)
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
