//! Values that tests share.

use std::time::Duration;

use rapidphoto_application::{jobs::RawFile, ports::PresignedUrl};
use rapidphoto_domain::{JobId, PhotoId, UserId, values::Checksum};
use sha2::{Digest, Sha256};

/// Photo that was declared, with its upload URL.
#[derive(Debug, Clone)]
pub struct DeclaredPhoto {
    /// Identifier of the photo.
    pub photo: PhotoId,
    /// Job of the photo.
    pub job: JobId,
    /// Upload URL of the photo.
    pub url: PresignedUrl,
}

/// Content of an uploaded photo. It is no image; the stubbed inspector accepts it.
pub const BODY: &[u8] = b"the bytes of a photo";

/// User of a [`TestApp`](super::TestApp)'s requests.
pub const OWNER: UserId = UserId::from_bits(77);

/// User who owns nothing.
pub const OTHER_USER: UserId = UserId::from_bits(78);

/// Time limit for events that are certain to happen, so that a failing test does not hang.
pub const TEST_TIMEOUT: Duration = Duration::from_mins(1);

/// 1 hour.
pub const HOUR: Duration = Duration::from_hours(1);

/// 24 hours.
pub const DAY: Duration = Duration::from_hours(24);

/// File of a job: `0.jpg` and so on, with the size and the checksum of [`BODY`].
pub fn file(number: usize) -> RawFile {
    let checksum = Checksum::from_bytes(Sha256::digest(BODY).into());
    RawFile {
        filename: format!("{number}.jpg"),
        mime_type: "image/jpeg".to_owned(),
        bytes: BODY.len() as u64,
        upload_id: None,
        checksum: Some(("sha256".to_owned(), checksum.to_string())),
    }
}
