use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A photo's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PhotoStatus {
    /// Promised; nothing was sent yet.
    Queued,
    /// The client is sending.
    Uploading,
    /// The object is said to be there.
    Verifying,
    /// The object is being inspected.
    Processing,
    /// Done.
    Completed,
    /// Not acceptable; the reasons say why.
    Rejected,
    /// Came to nothing; the reasons say why.
    Failed,
    /// Given up by the owner.
    Cancelled,
}

impl PhotoStatus {
    /// Whether the photo is at an end.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Uploading | Self::Verifying | Self::Processing => false,
            Self::Completed | Self::Rejected | Self::Failed | Self::Cancelled => true,
        }
    }
}

/// A job's status, a function of its photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// Nothing was sent yet.
    Queued,
    /// Something is not at an end.
    InProgress,
    /// At least one photo completed, none failed or rejected.
    Completed,
    /// Some completed, some failed or rejected.
    CompletedWithErrors,
    /// None completed, at least one failed or rejected.
    Failed,
    /// All cancelled.
    Cancelled,
}

impl JobStatus {
    /// Whether the job is at an end: if and only if all of its photos are.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::InProgress => false,
            Self::Completed | Self::CompletedWithErrors | Self::Failed | Self::Cancelled => true,
        }
    }
}

/// A job and its photos at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSnapshot {
    /// Names the job.
    pub job_id: String,
    /// Its status.
    pub status: JobStatus,
    /// Where the log ended at that moment: a stream that is resumed here goes on without a gap.
    pub cursor: String,
    /// When the job was created.
    pub created_at: DateTime<Utc>,
    /// When it, or one of its photos, last changed.
    pub updated_at: DateTime<Utc>,
    /// All photos.
    pub total_count: u32,
    /// COMPLETED photos.
    pub completed_count: u32,
    /// FAILED photos.
    pub failed_count: u32,
    /// REJECTED photos.
    pub rejected_count: u32,
    /// CANCELLED photos.
    pub cancelled_count: u32,
    /// The photos' declared lengths together.
    pub bytes_total: u64,
    /// How much of that was sent.
    pub bytes_sent: u64,
    /// The same in whole percent, rounded down.
    pub percent: u8,
    /// How long to wait before asking again, in milliseconds; 0 when there is nothing to wait for.
    pub poll_after_ms: u64,
    /// The photos, in the order in which they were promised.
    pub photos: Vec<PhotoSnapshot>,
}

/// A photo at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhotoSnapshot {
    /// Names the photo.
    pub photo_id: String,
    /// The client's own name for the file.
    pub upload_id: String,
    /// What it is called.
    pub filename: String,
    /// Its status.
    pub status: PhotoStatus,
    /// Grows with each change.
    pub version: u64,
    /// The declared length.
    pub bytes: u64,
    /// How far its upload is.
    pub progress: Progress,
    /// Why it was rejected or failed.
    pub reasons: Vec<Reason>,
    /// What was found but does no harm here.
    pub warnings: Vec<Reason>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes there are.
    pub bytes_total: u64,
    /// Whole percent, rounded down.
    pub percent: u8,
}

/// Why a photo was rejected, failed, or carries a warning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// For programs; it never changes.
    #[schema(example = "size_mismatch")]
    pub code: String,
    /// For people.
    pub message: String,
    /// What was measured: a number or a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub measured: Option<serde_json::Value>,
    /// What is allowed: a number or a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub allowed: Option<serde_json::Value>,
    /// The photo that this one resembles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_id: Option<String>,
}
