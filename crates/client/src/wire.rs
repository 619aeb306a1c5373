use chrono::{DateTime, Utc};
use rapidphoto_api_types::JobItem;
use serde::{Deserialize, Serialize};

/// Request for URLs of parts.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartUrlsRequest {
    pub(crate) part_numbers: Vec<u32>,
}

/// URLs of parts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartUrls {
    /// Size of every part except the last, in bytes.
    pub part_size: u64,
    /// URLs, in the order of the request.
    pub parts: Vec<PartUrl>,
}

/// URL of a part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartUrl {
    /// Part number, from 1.
    pub part_number: u32,
    /// Presigned URL for a PUT request.
    pub presigned_url: String,
    /// Expiry of the URL.
    pub expires_at: DateTime<Utc>,
}

/// Parts in storage.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredParts {
    /// Size of every part except the last, in bytes.
    pub part_size: u64,
    /// Parts, ascending.
    pub parts: Vec<StoredPart>,
}

/// Part in storage.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredPart {
    /// Part number, from 1.
    pub part_number: u32,
    /// Entity tag.
    pub e_tag: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// Renewed upload.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Renewed {
    pub(crate) item: JobItem,
}
