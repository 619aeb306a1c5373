use serde::{Deserialize, Serialize};

use crate::{timestamp::Timestamp, values::MimeType};

/// File as declared by the client before the upload, without its name and checksum, which must be erasable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Declared {
    /// Declared type.
    pub mime_type: MimeType,
    /// Declared size in bytes.
    pub bytes: u64,
}

/// Upload window; every sign of life from the client extends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadWindow {
    /// Expiry of the last presigned URL.
    pub url_expires_at: Timestamp,
    /// End of the window; the upload fails after it.
    pub ends_at: Timestamp,
}

/// Object in storage, as reported by HEAD. Its entity tag is left out: most stores derive it from the content, and the
/// state must not identify the content of an erased photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredObject {
    /// Size in bytes.
    pub bytes: u64,
}
