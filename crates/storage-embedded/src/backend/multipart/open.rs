use std::sync::Arc;

use s3s::{S3Error, S3Result, s3_error};

use crate::backend::blocking::blocking;
use crate::backend::bucket::Backend;
use crate::backend::errors;
use crate::directory::MultipartUpload;

/// Limits of S3.
pub(super) const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
pub(super) const MAX_PART_BYTES: u64 = 5 * 1024 * 1024 * 1024;
pub(super) const MAX_PARTS: u16 = 10_000;

impl Backend {
    /// Reads the description of an upload.
    ///
    /// # Errors
    /// `NoSuchUpload` if the key has no such upload.
    pub(super) async fn open_upload(&self, key: &str, id: &str) -> S3Result<MultipartUpload> {
        self.find_upload(key, id).await?.ok_or_else(no_such_upload)
    }

    pub(super) async fn find_upload(&self, key: &str, id: &str) -> S3Result<Option<MultipartUpload>> {
        let (directory, id) = (Arc::clone(&self.directory), id.to_owned());
        let upload = blocking(move || directory.find_upload(&id))
            .await
            .map_err(|error| errors::from_io("read an upload in parts", error))?;
        Ok(upload.filter(|upload| upload.key == key))
    }
}

pub(super) fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been \
         aborted or completed."
    )
}

/// Number of a part.
pub(super) fn part_number(number: i32) -> S3Result<u16> {
    u16::try_from(number)
        .ok()
        .filter(|number| (1..=MAX_PARTS).contains(number))
        .ok_or_else(|| {
            s3_error!(
                InvalidArgument,
                "Part number must be an integer between 1 and {MAX_PARTS}, inclusive"
            )
        })
}
