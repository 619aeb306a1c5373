use rapidphoto_domain::{Timestamp, Version, photo::Photo, values::Filename};

use super::{PhotoHashes, PhotoMetadata};

/// Read model of a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoView {
    /// State of the photo.
    pub photo: Photo,
    /// Version of the photo's stream.
    pub version: Version,
    /// Filename of the upload.
    pub filename: Filename,
    /// Metadata from EXIF.
    pub metadata: PhotoMetadata,
    /// Hashes of the content.
    pub hashes: PhotoHashes,
    /// Time at which the photo was declared.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}
