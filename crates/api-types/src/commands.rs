use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::snapshot::{JobStatus, PhotoStatus};

/// Request to create a job for a list of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
pub struct CreateJobRequest {
    /// Files to upload; the items of the response have the same order.
    #[schema(min_items = 1, max_items = 1000)]
    pub files: Vec<FileRequest>,
    /// Upload strategy.
    #[serde(default)]
    pub strategy: Strategy,
    /// Size of all parts but the last, in bytes, of files that are sent in parts: 5 MiB to 5 GiB, and such that no file has
    /// more than 10 000 parts. Default: 8 MiB, rising to 16 MiB for large files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 5_242_880, maximum = 5_368_709_120_i64)]
    pub part_size: Option<u64>,
    /// True to skip files with a declared checksum that the user has as a completed photo: their items have `duplicateOf`, and
    /// the other members of that photo.
    #[serde(default)]
    pub dedupe: bool,
}

/// File that the client declares for upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
pub struct FileRequest {
    /// Filename, 1 to 255 bytes in UTF-8, without `/`, `\`, control and bidirectional characters. Its extension, in any
    /// case, is one of jpg, jpeg, jpe, jfif, png, webp, gif, tif, tiff, heic, heif and avif; it need not be the one of
    /// the type. A name without a dot, as Android gives them, gets the usual extension of `mimeType`.
    #[schema(example = "IMG_0001.jpg", min_length = 1, max_length = 255)]
    pub filename: String,
    /// MIME type.
    #[schema(
        example = "image/jpeg",
        pattern = "^image/(jpeg|png|webp|gif|tiff|heic|heif|avif)$"
    )]
    pub mime_type: String,
    /// Size in bytes.
    #[schema(example = 2_457_811, minimum = 1)]
    pub bytes: u64,
    /// Upload id chosen by the client, a UUID of version 4. A repeated request with the same upload id never creates a
    /// second photo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "4b1f9c52-8a5e-4c1d-9f0e-2d6f0c4f7a11",
        pattern = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
    )]
    pub upload_id: Option<String>,
    /// Checksum, if the client knows it; storage then rejects a file with another checksum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<DeclaredChecksum>,
}

/// Checksum of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredChecksum {
    /// Algorithm, always `sha256`.
    #[schema(example = "sha256", pattern = "^sha256$")]
    pub algo: String,
    /// Checksum as 64 lower-case hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub value: String,
}

/// Upload strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub enum Strategy {
    /// A file of more than 5 MiB is sent in parts, any other by a single PUT.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// One PUT request per file. A store without conditional writes gets parts nevertheless, so that no upload replaces an
    /// object.
    #[serde(rename = "s3-presigned")]
    S3Presigned,
    /// Parts for each file; a small one has one part.
    #[serde(rename = "s3-multipart")]
    S3Multipart,
}

/// Response to a request to create a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateJobResponse {
    /// Job of all items; null if the items belong to several jobs.
    pub job_id: Option<String>,
    /// One item per file, in the order of the request.
    pub items: Vec<JobItem>,
}

/// Photo of one file, with instructions for its upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobItem {
    /// Identifier of the photo.
    pub photo_id: String,
    /// Job of the photo; an earlier job if the upload id was used before.
    pub job_id: String,
    /// Upload id of the file.
    pub upload_id: String,
    /// Status of the photo.
    pub status: PhotoStatus,
    /// HTTP method of the upload, always `PUT`.
    #[schema(example = "PUT")]
    pub method: String,
    /// Presigned URL for the upload; null if the file is sent in parts, whose URLs `POST …/parts` returns, or need not be
    /// uploaded any more. The storage answers 200, or 412 if the
    /// file is there already, because an earlier attempt succeeded without its answer arriving: treat 412 as success.
    pub presigned_url: Option<String>,
    /// Headers that the upload must contain unchanged. `Content-Length` is signed, too; HTTP clients set it themselves.
    pub headers: BTreeMap<String, String>,
    /// Expiry of the URL.
    pub expires_at: Option<DateTime<Utc>>,
    /// Parts of the file; null for a single PUT, and if the file need not be uploaded any more.
    pub multipart: Option<MultipartItem>,
    /// Photo of the user with the same content, if the file was skipped as a duplicate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
}

/// Part layout of a multipart upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MultipartItem {
    /// Size of every part except the last, in bytes.
    pub part_size: u64,
    /// Number of parts.
    pub part_count: u32,
}

/// Progress report of one or several uploads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ProgressRequest {
    /// Progress of several uploads.
    Many(Vec<ProgressTick>),
    /// Progress of one upload.
    One(ProgressTick),
}

/// Progress of one upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
pub struct ProgressTick {
    /// Identifier of the photo.
    #[schema(
        example = "ph_01KAGZ3T6W8Q3M5V7Y9B1D3F5H",
        pattern = "^ph_[0-7][0-9A-HJKMNP-TV-Z]{25}$"
    )]
    pub photo_id: String,
    /// Number of bytes sent by the client.
    pub bytes_sent: u64,
    /// Size of the file in bytes.
    pub bytes_total: u64,
}

/// Response to a progress report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProgressAccepted {
    /// Number of accepted ticks. Ticks are ignored if the photo does not belong to the user or its upload is complete.
    pub accepted: usize,
}

/// Request to finalize an upload; a single PUT needs no body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinalizeRequest {
    /// All parts of a file that is sent in parts, as the client knows them. The server compares them with those in storage;
    /// without them it takes those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 10_000)]
    pub parts: Option<Vec<UploadedPart>>,
}

/// Uploaded part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
pub struct UploadedPart {
    /// Part number.
    #[schema(minimum = 1, maximum = 10_000)]
    pub part_number: u32,
    /// Entity tag of the part, as returned by storage, with or without quotation marks.
    #[schema(pattern = r#"^([!#-~]{1,256}|"[!#-~]{1,256}")$"#)]
    pub e_tag: String,
}

/// Request for URLs of parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
pub struct PartUrlsRequest {
    /// Numbers of the parts, each from 1 to the item's `partCount`.
    #[schema(min_items = 1, max_items = 1000, example = json!([1, 2, 3]))]
    pub part_numbers: Vec<u32>,
}

/// URLs of parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartUrls {
    /// Size of all parts but the last, in bytes.
    pub part_size: u64,
    /// The requested parts, ascending by number.
    pub parts: Vec<PartUrl>,
}

/// URL for a PUT of one part, whose exact size is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartUrl {
    /// Part number.
    pub part_number: u32,
    /// Presigned URL. A part that is sent again replaces the first.
    pub presigned_url: String,
    /// Expiry of the URL.
    pub expires_at: DateTime<Utc>,
}

/// Parts of a file that are in storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadedParts {
    /// Size of all parts but the last, in bytes.
    pub part_size: u64,
    /// Parts in storage, ascending by number.
    pub parts: Vec<StoredPart>,
}

/// Part in storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredPart {
    /// Part number.
    pub part_number: u32,
    /// Entity tag of the part, without quotation marks.
    pub e_tag: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// A photo and what its upload needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RenewedUpload {
    /// Item as in the response to the creation of a job.
    pub item: JobItem,
}

/// Status of a photo after a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadState {
    /// Identifier of the photo.
    pub photo_id: String,
    /// Job of the photo.
    pub job_id: String,
    /// Status of the photo.
    pub status: PhotoStatus,
}

/// Response to the cancellation of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobCancelled {
    /// Identifier of the job.
    pub job_id: String,
    /// Status of the job; photos that were already terminal keep their status.
    pub status: JobStatus,
}

/// Response to the deletion of a photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhotoDeleted {
    /// Identifier of the photo.
    pub photo_id: String,
    /// Status of the photo: CANCELLED if it was not terminal before.
    pub status: PhotoStatus,
    /// True if the photo is deleted. A photo that is not terminal is only cancelled; another request deletes it.
    pub deleted: bool,
}

/// Request to add tags to a photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddTagsRequest {
    /// Labels to add, each 1 to 64 characters long without control characters. They are normalised to Unicode NFC, and
    /// white space around them is removed.
    #[schema(example = json!(["beach", "Zürich"]), min_items = 1, max_items = 20)]
    pub labels: Vec<String>,
}

/// Tags of a photo after a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhotoTags {
    /// Identifier of the photo.
    pub photo_id: String,
    /// All labels of the photo, sorted.
    pub tags: Vec<String>,
}
