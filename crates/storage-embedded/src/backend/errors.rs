use std::io;

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

/// Logs an I/O error with the attempted operation, and converts it to an S3 error without these details.
pub(super) fn from_io(operation: &'static str, error: io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            tracing::error!(operation, %error, "the disk is full");
            let mut full = custom("InsufficientStorage", StatusCode::INSUFFICIENT_STORAGE);
            full.set_message("The store has no room for the object.");
            full.set_source(Box::new(error));
            full
        }
        _ => {
            tracing::error!(operation, %error, "a file operation failed");
            s3_error!(
                error,
                InternalError,
                "We encountered an internal error. Please try again."
            )
        }
    }
}

/// An S3 error with a code that `s3s` does not define.
pub(super) fn custom(code: &'static str, status: StatusCode) -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::Custom(code.into()));
    error.set_status_code(status);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_reported_and_other_details_are_not() {
        let full = from_io("test", io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.status_code(), Some(StatusCode::INSUFFICIENT_STORAGE));
        assert_eq!(full.code().as_str(), "InsufficientStorage");

        let other = from_io("test", io::Error::other("/secret/path is broken"));
        assert_eq!(other.status_code(), Some(StatusCode::INTERNAL_SERVER_ERROR));
        assert!(!other.message().unwrap().contains("secret"));
    }
}
