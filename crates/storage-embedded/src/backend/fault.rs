use std::io;

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

/// What a client is told when the disk fails while `doing` something; the log is told why.
pub(super) fn io(doing: &'static str, error: io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            tracing::error!(doing, %error, "the disk is full");
            let mut full = coded("InsufficientStorage", StatusCode::INSUFFICIENT_STORAGE);
            full.set_message("The store has no room for the object.");
            full.set_source(Box::new(error));
            full
        }
        _ => {
            tracing::error!(doing, %error, "the disk failed");
            s3_error!(
                error,
                InternalError,
                "We encountered an internal error. Please try again."
            )
        }
    }
}

/// An error whose code `s3s` doesn't know.
pub(super) fn coded(code: &'static str, status: StatusCode) -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::Custom(code.into()));
    error.set_status_code(status);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_as_such_and_anything_else_is_not_told() {
        let full = io("testing", io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.status_code(), Some(StatusCode::INSUFFICIENT_STORAGE));
        assert_eq!(full.code().as_str(), "InsufficientStorage");

        let other = io("testing", io::Error::other("/secret/path is broken"));
        assert_eq!(other.status_code(), Some(StatusCode::INTERNAL_SERVER_ERROR));
        assert!(!other.message().unwrap().contains("secret"));
    }
}
