use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::{JobStatus, PhotoStatus};

/// Promises a batch of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateJobRequest {
    /// The files; the answer's items keep their order.
    #[schema(min_items = 1, max_items = 1000)]
    pub files: Vec<FileRequest>,
    /// How the bytes are to be sent.
    #[serde(default)]
    pub strategy: Strategy,
    /// The length of a part, for multipart uploads; refused where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_size: Option<u64>,
    /// Whether files that the user has already are left out; refused where that can't be done.
    #[serde(default)]
    pub dedupe: bool,
}

/// A file that is promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileRequest {
    /// What it is called.
    #[schema(example = "IMG_0001.jpg", min_length = 1, max_length = 255)]
    pub filename: String,
    /// Its type.
    #[schema(
        example = "image/jpeg",
        pattern = "^image/(jpeg|png|webp|gif|tiff|heic|heif|avif)$"
    )]
    pub mime_type: String,
    /// Its length.
    #[schema(example = 2_457_811, minimum = 1)]
    pub bytes: u64,
    /// The client's own name for it, a UUID of version 4: a repeated request with the same one never makes a second
    /// photo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "4b1f9c52-8a5e-4c1d-9f0e-2d6f0c4f7a11",
        pattern = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
    )]
    pub upload_id: Option<String>,
    /// Its checksum, where the client knows it: storage refuses other bytes then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<DeclaredChecksum>,
}

/// A file's checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeclaredChecksum {
    /// Always `sha256`.
    #[schema(example = "sha256", pattern = "^sha256$")]
    pub algo: String,
    /// 64 lower-case hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub value: String,
}

/// How bytes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub enum Strategy {
    /// What the server thinks best for each file.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// One PUT a file.
    #[serde(rename = "s3-presigned")]
    S3Presigned,
    /// Parts.
    #[serde(rename = "s3-multipart")]
    S3Multipart,
}

/// What a batch came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateJobResponse {
    /// The job of all items; null if they belong to several.
    pub job_id: Option<String>,
    /// One item for each file, in the request's order.
    pub items: Vec<JobItem>,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobItem {
    /// Names the photo.
    pub photo_id: String,
    /// The photo's job, which may be an earlier one.
    pub job_id: String,
    /// The client's own name for the file.
    pub upload_id: String,
    /// Where the photo stands.
    pub status: PhotoStatus,
    /// Always `PUT`.
    #[schema(example = "PUT")]
    pub method: String,
    /// Where to send the bytes; null when none are wanted any more.
    pub presigned_url: Option<String>,
    /// Headers to send exactly so. `Content-Length` is signed as well; every client sets it by itself.
    pub headers: BTreeMap<String, String>,
    /// When the URL stops working.
    pub expires_at: Option<DateTime<Utc>>,
    /// How to send parts; null for a single PUT.
    pub multipart: Option<MultipartItem>,
    /// The photo that the user has already with these bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
}

/// How to send a file in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MultipartItem {
    /// The length of every part but the last.
    pub part_size: u64,
    /// How many parts there are.
    pub part_count: u32,
}

/// Tells how far uploads are: one of them, or several at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ProgressRequest {
    /// Several uploads.
    Many(Vec<ProgressTick>),
    /// One upload.
    One(ProgressTick),
}

/// How far one upload is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressTick {
    /// Which photo.
    #[schema(
        example = "ph_01KAGZ3T6W8Q3M5V7Y9B1D3F5H",
        pattern = "^ph_[0-7][0-9A-HJKMNP-TV-Z]{25}$"
    )]
    pub photo_id: String,
    /// Bytes that have left the client.
    pub bytes_sent: u64,
    /// Bytes there are.
    pub bytes_total: u64,
}

/// What became of progress that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProgressAccepted {
    /// How many of the ticks were of use: those of photos that are not the user's, or that want no bytes any more, are
    /// not.
    pub accepted: usize,
}

/// Says that an upload is done; a single PUT needs no body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct FinalizeRequest {
    /// The parts, of a multipart upload; refused where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<UploadedPart>>,
}

/// A part that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadedPart {
    /// From 1.
    pub part_number: u32,
    /// What storage called it.
    pub e_tag: String,
}

/// Where a photo stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadState {
    /// Names the photo.
    pub photo_id: String,
    /// The photo's job.
    pub job_id: String,
    /// Its status.
    pub status: PhotoStatus,
}

/// What cancelling a job came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobCancelled {
    /// Names the job.
    pub job_id: String,
    /// Its status: what had ended before stays as it was.
    pub status: JobStatus,
}

/// What giving a photo up came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhotoDeleted {
    /// Names the photo.
    pub photo_id: String,
    /// Its status: CANCELLED if it was on its way.
    pub status: PhotoStatus,
    /// Whether it is deleted: a photo on its way is cancelled first and can be deleted then.
    pub deleted: bool,
}
