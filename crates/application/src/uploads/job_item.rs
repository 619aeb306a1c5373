use rapidphoto_domain::{
    JobId, PhotoId,
    photo::{PartLayout, PhotoStatus},
    values::UploadId,
};

use crate::ports::PresignedUrl;

/// Photo of one file, with what its upload needs.
#[derive(Debug, Clone, PartialEq)]
pub struct JobItem {
    /// The photo.
    pub photo: PhotoId,
    /// The photo's job, which may be an earlier one.
    pub job: JobId,
    /// Upload id of the file, chosen by the client.
    pub upload_id: UploadId,
    /// Status of the photo.
    pub status: PhotoStatus,
    /// Upload URL, while the photo awaits its bytes in one request.
    pub upload: Option<PresignedUrl>,
    /// Parts of the file, while the photo awaits its bytes in parts.
    pub parts: Option<PartLayout>,
    /// Completed photo of the user with the same content, for which no photo was created.
    pub duplicate_of: Option<PhotoId>,
}
