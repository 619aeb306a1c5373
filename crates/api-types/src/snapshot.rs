use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Status of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PhotoStatus {
    /// Declared by the client; the upload has not started.
    Queued,
    /// The client is uploading.
    Uploading,
    /// The upload was reported as complete; the object is being compared with the declaration.
    Verifying,
    /// The object matches the declaration and is being inspected.
    Processing,
    /// Inspected, with thumbnails in storage.
    Completed,
    /// Rejected by at least one check; see the reasons.
    Rejected,
    /// The upload or the processing failed; see the reasons.
    Failed,
    /// Cancelled by the owner.
    Cancelled,
}

impl PhotoStatus {
    /// True for a terminal status.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Uploading | Self::Verifying | Self::Processing => false,
            Self::Completed | Self::Rejected | Self::Failed | Self::Cancelled => true,
        }
    }
}

/// Status of a job, computed from the statuses of its photos. A REJECTED photo counts like a FAILED one: a job whose
/// photos are all REJECTED is FAILED, with `failedCount` 0 and `statusReason` `photos_rejected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// All photos are QUEUED.
    Queued,
    /// At least one photo is not terminal.
    InProgress,
    /// All photos are terminal: at least one COMPLETED, none FAILED or REJECTED.
    Completed,
    /// All photos are terminal: some COMPLETED, some FAILED or REJECTED.
    CompletedWithErrors,
    /// All photos are terminal: none COMPLETED, at least one FAILED or REJECTED.
    Failed,
    /// All photos are CANCELLED.
    Cancelled,
}

impl JobStatus {
    /// True if the job is terminal, that is, if all of its photos are.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::InProgress => false,
            Self::Completed | Self::CompletedWithErrors | Self::Failed | Self::Cancelled => true,
        }
    }
}

/// Explanation of the status FAILED or `COMPLETED_WITH_ERRORS` of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusReason {
    /// Photos were rejected by checks, and none failed.
    PhotosRejected,
    /// Uploads or processing of photos failed, and no photo was rejected.
    PhotosFailed,
    /// Both.
    PhotosRejectedAndFailed,
}

/// State of a job and its photos at one point in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSnapshot {
    /// Identifier of the job.
    pub job_id: String,
    /// Status of the job.
    pub status: JobStatus,
    /// Explanation of the status FAILED or `COMPLETED_WITH_ERRORS`; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<StatusReason>,
    /// Position in the event log at that time. An event stream that resumes after it continues without a gap.
    pub cursor: String,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of the last change of the job or one of its photos.
    pub updated_at: DateTime<Utc>,
    /// Number of photos.
    pub total_count: u32,
    /// Number of COMPLETED photos.
    pub completed_count: u32,
    /// Number of FAILED photos. REJECTED ones are not among them.
    pub failed_count: u32,
    /// Number of REJECTED photos.
    pub rejected_count: u32,
    /// Number of CANCELLED photos.
    pub cancelled_count: u32,
    /// Sum of the declared sizes of the photos, in bytes.
    pub bytes_total: u64,
    /// Number of those bytes that were sent.
    pub bytes_sent: u64,
    /// Bytes sent in whole percent, rounded down.
    pub percent: u8,
    /// Recommended time until the next poll, in milliseconds; 0 if the job is terminal.
    pub poll_after_ms: u64,
    /// Photos, in the order of the request that created the job.
    pub photos: Vec<PhotoSnapshot>,
}

/// State of a job in a list, without its photos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSummary {
    /// Identifier of the job.
    pub job_id: String,
    /// Status of the job.
    pub status: JobStatus,
    /// Explanation of the status FAILED or `COMPLETED_WITH_ERRORS`; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<StatusReason>,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of the last change of the job or one of its photos.
    pub updated_at: DateTime<Utc>,
    /// Number of photos.
    pub total_count: u32,
    /// Number of COMPLETED photos.
    pub completed_count: u32,
    /// Number of FAILED photos. REJECTED ones are not among them.
    pub failed_count: u32,
    /// Number of REJECTED photos.
    pub rejected_count: u32,
    /// Number of CANCELLED photos.
    pub cancelled_count: u32,
    /// Sum of the declared sizes of the photos, in bytes.
    pub bytes_total: u64,
    /// Number of those bytes that were sent.
    pub bytes_sent: u64,
    /// Bytes sent in whole percent, rounded down.
    pub percent: u8,
    /// Recommended time until the next poll, in milliseconds; 0 if the job is terminal.
    pub poll_after_ms: u64,
}

/// State of a photo at one point in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhotoSnapshot {
    /// Identifier of the photo.
    pub photo_id: String,
    /// Upload id of the file.
    pub upload_id: String,
    /// Filename.
    pub filename: String,
    /// Status of the photo.
    pub status: PhotoStatus,
    /// Version of the photo, which increases with every change.
    pub version: u64,
    /// Declared size in bytes.
    pub bytes: u64,
    /// Progress of the upload.
    pub progress: Progress,
    /// Reasons for the rejection or failure.
    pub reasons: Vec<Reason>,
    /// Failed checks that are only warnings in this deployment.
    pub warnings: Vec<Reason>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// Progress of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Number of bytes sent.
    pub bytes_sent: u64,
    /// Size of the file in bytes.
    pub bytes_total: u64,
    /// Bytes sent in whole percent, rounded down.
    pub percent: u8,
}

/// Reason for a rejection, a failure or a warning.
///
/// | code | of | meaning; `measured` and `allowed` |
/// |---|---|---|
/// | `unsupported_format` | check | no image, or of a format that this server does not read; none |
/// | `type_mismatch` | check | another type than declared; MIME types |
/// | `size_mismatch` | check | another size than declared; bytes |
/// | `too_large` | check | more bytes than allowed; bytes |
/// | `too_small_resolution` | check | shorter edge too short; pixels |
/// | `too_many_pixels` | check | more pixels, or memory to decode them, than this server has; pixels, or none |
/// | `corrupt` | check | can't be decoded completely; none |
/// | `checksum_mismatch` | check | another SHA-256 than declared; none |
/// | `blurry` | check | below the minimum sharpness; numbers |
/// | `near_duplicate` | check | similar to another photo of the owner, `photoId`; none |
/// | `infected` | check | reported by a malware scanner; none |
/// | `moderation` | check | rejected by a moderation service; none |
/// | `upload_missing` | failure | reported as uploaded, but not in storage: upload it again |
/// | `upload_expired` | failure | not uploaded in time: upload it again |
/// | `processing_error` | failure | processing failed three times; the original is kept |
///
/// New codes may be added: treat an unknown one as a rejection or failure with its `message`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// Stable code, for programs.
    #[schema(example = "size_mismatch")]
    pub code: String,
    /// Explanation, for people.
    pub message: String,
    /// Measured value; absent if the check measures nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MeasuredValue>)]
    pub measured: Option<serde_json::Value>,
    /// Allowed or declared value; absent if the check has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MeasuredValue>)]
    pub allowed: Option<serde_json::Value>,
    /// Similar photo, for `near_duplicate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_id: Option<String>,
}

/// Measured or allowed value of a check: a number, or a text such as a MIME type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum MeasuredValue {
    /// Bytes, pixels or another quantity, as the code tells.
    Number(f64),
    /// MIME type.
    Text(String),
}
