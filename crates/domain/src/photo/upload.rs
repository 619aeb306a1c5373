use serde::{Deserialize, Serialize};

use crate::{
    timestamp::Timestamp,
    values::{Checksum, ETag, MimeType},
};

/// File as declared by the client before the upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Declared {
    /// Declared type.
    pub mime_type: MimeType,
    /// Declared size in bytes.
    pub bytes: u64,
    /// Declared SHA-256, if the client knows it.
    pub checksum: Option<Checksum>,
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

/// Object in storage, as reported by HEAD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredObject {
    /// Entity tag, which makes sure that the verified object is the one that is processed.
    pub e_tag: ETag,
    /// Size in bytes.
    pub bytes: u64,
}
